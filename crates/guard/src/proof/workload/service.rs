//! A service of ECS: none of its tasks is wanted any more.

use quell_model::{Class, Plan};
use serde_json::{Value, json};

use super::super::attributes::{Asked, Deed, Subject, Way, attributes, no};
use super::{is_in_its_cluster, is_this};
use crate::proof::{Claim, Unproven};

/// How many tasks are wanted.
const DESIRED: &str = "service/desired";

/// Plans about a service.
pub(in crate::proof) struct Service;

impl Subject for Service {
    fn read(&self, asked: &Asked<'_>) -> Result<Deed, Unproven> {
        if asked.operation != "ecs:UpdateService" {
            return Err(no(format!("{} contains no service", asked.operation)));
        }
        asked.only(&["Cluster", "Service", "DesiredCount"])?;
        is_in_its_cluster(asked)?;
        is_this(asked, "Service")?;
        let count = asked.arguments.get("DesiredCount").and_then(Value::as_u64);
        let count = count.ok_or_else(|| no("how many tasks are wanted is not said"))?;
        let deed = Deed::setting(DESIRED, count);
        if asked.way == Way::Back {
            return Ok(deed);
        }
        asked.is("DesiredCount", &json!(0))?;
        if asked.image.get("service/scheduling") != Some(&"REPLICA".into()) {
            return Err(no("it has no count of tasks that could be set"));
        }
        match asked.image.get(DESIRED).and_then(Value::as_u64) {
            Some(1..) => Ok(deed.of_class(Class::R2)),
            _ => Err(no("no task of it is wanted already")),
        }
    }

    fn concerns(&self, plan: &Plan, claim: &Claim<'_>) -> Vec<String> {
        let Ok(image) = attributes(&plan.before, "before") else {
            return vec!["it is not known what the service serves".to_owned()];
        };
        let targets = image.get("service/targets").and_then(Value::as_array);
        let targets = targets.into_iter().flatten().filter_map(Value::as_str);
        let left_alone = targets.filter(|_| claim.production);
        left_alone
            .map(|target| format!("{target} has no task of it then to send requests to"))
            .collect()
    }

    fn keeps(&self) -> &'static [&'static str] {
        &[
            "only how many tasks of this service are wanted is changed, to none",
            "its network, its definition and its deployments stay as they are",
        ]
    }
}
