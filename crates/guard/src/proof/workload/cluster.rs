//! A cluster of EKS: its API server is reached from its VPC, and no longer from the Internet.

use quell_model::{Class, Plan};
use serde_json::{Value, json};

use super::super::attributes::{Asked, Deed, Subject, Way, attributes, no};
use super::is_this;
use crate::proof::{Claim, Unproven};

/// From where it is reached over the Internet.
const PUBLIC: &str = "endpoint/public";
/// Whether it is reached from its VPC.
const PRIVATE: &str = "endpoint/private";
const CONFIG: &str = "ResourcesVpcConfig";

/// Plans about a cluster.
pub(in crate::proof) struct Cluster;

impl Subject for Cluster {
    fn read(&self, asked: &Asked<'_>) -> Result<Deed, Unproven> {
        if asked.operation != "eks:UpdateClusterConfig" {
            return Err(no(format!("{} contains no cluster", asked.operation)));
        }
        asked.only(&["Name", CONFIG])?;
        is_this(asked, "Name")?;
        match asked.way {
            Way::There => shut(asked),
            Way::Back => open(asked),
        }
    }

    fn concerns(&self, plan: &Plan, _: &Claim<'_>) -> Vec<String> {
        let before = attributes(&plan.before, "before").ok();
        let from = before.and_then(|image| image.get(PUBLIC));
        vec![format!(
            "whoever reaches the API server over the Internet is cut off, people, pipelines and nodes outside the VPC alike: {}",
            from.unwrap_or(&Value::Null)
        )]
    }

    fn keeps(&self) -> &'static [&'static str] {
        &[
            "the API server stays reachable from its VPC, and from nowhere else",
            "nothing but its endpoint is changed: no access entry, no node, nothing inside it",
        ]
    }
}

/// Nodes and pods reach it from within, so that has to be on.
fn shut(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    let wanted = json!({"EndpointPublicAccess": false, "EndpointPrivateAccess": true});
    asked.is(CONFIG, &wanted)?;
    if !asked.image.contains_key(PUBLIC) {
        return Err(no("it is not public"));
    }
    let mut deed = Deed::setting(PUBLIC, Value::Null).of_class(Class::R2);
    deed.sets.insert(PRIVATE.to_owned(), true.into());
    Ok(deed)
}

fn open(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    let config = asked.arguments.get(CONFIG).and_then(Value::as_object);
    let config = config.filter(|config| config.len() == 3);
    let of = |name: &str| config.and_then(|config| config.get(name));
    let (Some(true), Some(private), Some(blocks)) = (
        of("EndpointPublicAccess").and_then(Value::as_bool),
        of("EndpointPrivateAccess").and_then(Value::as_bool),
        of("PublicAccessCidrs").and_then(Value::as_array),
    ) else {
        return Err(no(
            "an endpoint is opened again whole: for whom, and whether from its VPC",
        ));
    };
    let mut deed = Deed::setting(PUBLIC, blocks.clone());
    deed.sets.insert(PRIVATE.to_owned(), private.into());
    Ok(deed)
}
