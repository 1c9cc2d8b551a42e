//! The metadata service: it wants a token and answers no further than the instance itself. It is never made more open, and never
//! switched off, which would take the credentials from what runs there.

use quell_model::{Class, Plan};
use serde_json::{Map, Value};

use super::super::attributes::{Asked, Deed, Way, no};
use super::about_it;
use crate::proof::Unproven;

const OPERATION: &str = "ec2:ModifyInstanceMetadataOptions";
const TOKENS: &str = "metadata/httpTokens";
const HOPS: &str = "metadata/hopLimit";
/// EC2 takes so many hops.
const HOPS_MAX: u64 = 64;

pub(super) fn read(asked: &Asked<'_>) -> Option<Result<Deed, Unproven>> {
    (asked.operation == OPERATION).then(|| options(asked))
}

fn options(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    let arguments = asked.only(&["InstanceId", "HttpTokens", "HttpPutResponseHopLimit"])?;
    about_it(asked, arguments.get("InstanceId"))?;
    let tokens = asked.text("HttpTokens")?;
    let hops = arguments
        .get("HttpPutResponseHopLimit")
        .and_then(Value::as_u64);
    let hops = hops.filter(|hops| (1..=HOPS_MAX).contains(hops));
    let hops = hops.ok_or_else(|| no("HttpPutResponseHopLimit is no number of hops"))?;
    let is_on = asked.image.get("metadata/endpoint").and_then(Value::as_str) == Some("enabled");
    let class = match asked.way {
        Way::There if !is_on => {
            return Err(no("the metadata service is not known to be on"));
        }
        Way::There if tokens != "required" || hops != 1 => {
            return Err(no(
                "the metadata service may only be made to want tokens, and to answer one hop far",
            ));
        }
        Way::There if is_unused(asked) => Class::R1,
        Way::There => Class::R2,
        Way::Back if matches!(tokens, "optional" | "required") => Class::R1,
        Way::Back => return Err(no(format!("«{tokens}» is nothing that tokens can be"))),
    };
    let sets = [(TOKENS, Value::from(tokens)), (HOPS, Value::from(hops))];
    let sets = sets.map(|(key, value)| (key.to_owned(), value));
    Ok(Deed {
        sets: Map::from_iter(sets),
        class,
        kept: false,
    })
}

/// Nothing is cut off: nothing asked without a token for a while, and no hop is taken away.
fn is_unused(asked: &Asked<'_>) -> bool {
    let hops = asked.image.get(HOPS).and_then(Value::as_u64);
    hops == Some(1) && uses(asked.facts) == Some(0.0)
}

/// How often the service was asked without a token lately; `None` when that is not known.
fn uses(facts: &Value) -> Option<f64> {
    facts.get("noToken").and_then(Value::as_f64)
}

/// What runs there and would no longer get credentials.
pub(super) fn concerns(plan: &Plan) -> Vec<String> {
    let is_asked = |resource: &str| resource.ends_with(":ec2:modifyInstanceMetadataOptions");
    if !plan.calls.iter().any(|call| is_asked(&call.resource)) {
        return Vec::new();
    }
    let mut ask = Vec::new();
    match uses(&plan.facts) {
        Some(0.0) => {}
        Some(times) => ask.push(format!(
            "something on the instance asked its metadata service {times} times without a token lately (version 1); it would get no credentials any more"
        )),
        None => ask.push(
            "it is not known whether something on the instance still asks its metadata service without a token (version 1)"
                .to_owned(),
        ),
    }
    let hops = plan.before.get("attributes").and_then(|at| at.get(HOPS));
    if hops.and_then(Value::as_u64) != Some(1) {
        ask.push(
            "containers on the instance reach its metadata service by a hop more, and would no longer"
                .to_owned(),
        );
    }
    ask
}

#[cfg(test)]
#[path = "metadata_tests.rs"]
mod tests;
