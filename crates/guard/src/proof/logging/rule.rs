//! A rule of EventBridge: the wire to who has to hear of what happens.

use serde_json::{Value, json};

use super::super::Unproven;
use super::super::attributes::{Asked, Deed, Way, no};

const STATE: &str = "rule/state";

pub(super) fn read(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    let resource = asked.claim.resource;
    // A rule of another bus has that in its ARN, and is another rule.
    if resource.id.contains('/') || resource.arn.resource != format!("rule/{}", resource.id) {
        return Err(no("it is not known which rule of the default bus is meant"));
    }
    asked.only(&["Name"])?;
    asked.is("Name", &json!(resource.id))?;
    match (asked.operation, asked.way) {
        ("eventbridge:EnableRule", Way::There) => match asked.image.get(STATE) {
            Some(Value::String(state)) if state == "DISABLED" => {
                Ok(Deed::setting(STATE, "ENABLED"))
            }
            _ => Err(no("there is no rule that is off")),
        },
        ("eventbridge:DisableRule", Way::Back) => Ok(Deed::setting(STATE, "DISABLED")),
        (other, _) => Err(no(format!("{other} is no call that switches a rule on"))),
    }
}
