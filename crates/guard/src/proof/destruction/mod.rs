//! What any plan must keep that saves data from being destroyed: a key from its deletion, the versions of a bucket, a database
//! and its backups, a table. It only ever protects more. Nothing is deleted, disabled or shortened, and nobody is let in; what is
//! put back is what a person approved, or what AWS's own records show to have been so. Where neither does, and the step is
//! still for the better, it is of class R2, and a person is asked ([`concerns`]).

mod bucket;
mod database;
mod history;
mod key;
mod table;

use quell_model::{Call, Class, Plan};
use serde_json::{Value, json};

use super::attributes::{Asked, Deed, Image, Subject, Way, attributes, no};
use super::{Claim, Unproven};

/// Saving what somebody would destroy.
#[derive(Debug)]
pub(super) struct Rescue;

/// A call that was looked at.
struct Look {
    deed: Deed,
    /// Why a person should say whether it is meant.
    doubt: Option<String>,
}

impl Look {
    fn sure(deed: Deed) -> Self {
        Self { deed, doubt: None }
    }

    /// With a doubt it reaches as far as what disrupts: by itself nobody does it.
    fn with(deed: Deed, doubt: Option<String>) -> Self {
        let deed = match doubt {
            None => deed,
            Some(_) => deed.of_class(Class::R2),
        };
        Self { deed, doubt }
    }
}

impl Subject for Rescue {
    fn read(&self, asked: &Asked<'_>) -> Result<Deed, Unproven> {
        look(asked).map(|look| look.deed)
    }

    fn concerns(&self, plan: &Plan, claim: &Claim<'_>) -> Vec<String> {
        concerns(plan, claim)
    }

    fn keeps(&self) -> &'static [&'static str] {
        &[
            "nothing is deleted or disabled, and nothing is kept for a shorter time than now",
            "nobody is let in: a key's policy becomes what a person approved, or stays",
            "no modification of a database that others have pending is carried out with it",
        ]
    }
}

fn look(asked: &Asked<'_>) -> Result<Look, Unproven> {
    let resource = asked.claim.resource;
    let is_of_account =
        resource.arn.account == resource.account || resource.kind == "AWS::S3::Bucket";
    if resource.account.is_empty() || !is_of_account {
        return Err(no(format!("{} is nothing of this account", resource.arn)));
    }
    match resource.kind.as_str() {
        "AWS::KMS::Key" => key::look(asked),
        "AWS::S3::Bucket" => bucket::look(asked),
        "AWS::RDS::DBInstance" => database::look(asked, &database::INSTANCE),
        "AWS::RDS::DBCluster" => database::look(asked, &database::CLUSTER),
        "AWS::DynamoDB::Table" => table::look(asked),
        other => Err(no(format!("nobody knows how {other} is saved"))),
    }
}

fn unknown(asked: &Asked<'_>) -> Unproven {
    no(format!(
        "{} is no call that saves what would be destroyed",
        asked.operation
    ))
}

/// The image that a person approved.
fn approved<'a>(claim: &Claim<'a>) -> Option<&'a Image> {
    claim
        .known
        .baseline
        .and_then(|image| attributes(image, "approved").ok())
}

/// What is not so yet, and becomes so.
fn from_to(asked: &Asked<'_>, key: &str, from: &Value, to: Value) -> Result<Deed, Unproven> {
    let now = asked.image.get(key).unwrap_or(&Value::Null);
    match now == from {
        true => Ok(Deed::setting(key, to)),
        false => Err(no(format!("{key} is {now}, and not {from}"))),
    }
}

/// A protection that is off is switched on; the way back switches it off again.
fn switched_on(asked: &Asked<'_>, key: &str, argument: &str) -> Result<Deed, Unproven> {
    let (from, to) = match asked.way {
        Way::There => (false, true),
        Way::Back => (true, false),
    };
    asked.is(argument, &json!(to))?;
    from_to(asked, key, &json!(from), json!(to))
}

/// What is not known well enough to be done unasked.
fn concerns(plan: &Plan, claim: &Claim<'_>) -> Vec<String> {
    let Ok(image) = attributes(&plan.before, "before") else {
        return vec!["it is not known what is there".to_owned()];
    };
    let mut image = image.clone();
    let mut ask = Vec::new();
    for planned in &plan.calls {
        let call = Call::of_task(&planned.resource, &planned.arguments);
        let operation = call.map(|call| format!("{}:{}", call.service, call.operation));
        let (Some(operation), Some(arguments)) = (operation, planned.arguments.as_object()) else {
            continue;
        };
        let looked = look(&Asked {
            operation: &operation,
            arguments,
            image: &image,
            way: Way::There,
            facts: &plan.facts,
            claim,
        });
        ask.extend(looked.ok().and_then(|look| look.doubt));
        image.extend(planned.sets.clone());
        image.retain(|_, value| !value.is_null());
    }
    ask
}

#[cfg(test)]
mod tests;
