//! What would replace an instance, or end it, is held: its Auto Scaling group and its fleet, without ending anything.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::attributes::{Asked, Deed, Way, no};
use crate::proof::Unproven;

pub(super) fn read(asked: &Asked<'_>) -> Option<Result<Deed, Unproven>> {
    Some(match (asked.operation, asked.way) {
        ("autoscaling:SuspendProcesses", Way::There)
        | ("autoscaling:ResumeProcesses", Way::Back) => processes(asked),
        ("ec2:ModifyFleet", _) => target(asked),
        _ => return None,
    })
}

/// Launching brings back what was stopped. A stopped instance is unhealthy, and what is unhealthy is terminated.
const HELD: [&str; 3] = ["HealthCheck", "Launch", "Terminate"];

/// Some of these processes of its own group: suspended, if they were not, or resumed, if they were.
fn processes(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    let arguments = asked.only(&["AutoScalingGroupName", "ScalingProcesses"])?;
    let name = asked.text("AutoScalingGroupName")?;
    if asked.image.get("scaling-group").and_then(Value::as_str) != Some(name) {
        return Err(no(format!(
            "the instance is not in the Auto Scaling group «{name}»"
        )));
    }
    let texts = |list: Option<&Value>| -> Option<BTreeSet<String>> {
        let list = list?.as_array()?.iter();
        list.map(|process| process.as_str().map(str::to_owned))
            .collect()
    };
    let named = texts(arguments.get("ScalingProcesses")).filter(|named| !named.is_empty());
    // Without a list it would be every process.
    let named = named.ok_or_else(|| no(format!("{} names no processes", asked.operation)))?;
    if let Some(other) = named
        .iter()
        .find(|process| !HELD.contains(&process.as_str()))
    {
        return Err(no(format!(
            "{other} of «{name}» is not for a playbook to change"
        )));
    }
    let key = "scaling-group/suspended";
    let now = texts(asked.image.get(key)).unwrap_or_default();
    let after: BTreeSet<String> = match asked.way {
        Way::There if named.is_disjoint(&now) => now.union(&named).cloned().collect(),
        Way::Back if named.is_subset(&now) => now.difference(&named).cloned().collect(),
        _ => {
            return Err(no(format!(
                "{} names processes of «{name}» that are so already",
                asked.operation
            )));
        }
    };
    match after.is_empty() {
        true => Ok(Deed::setting(key, Value::Null)),
        false => Ok(Deed::setting(key, Vec::from_iter(after))),
    }
}

/// Its own fleet wants nothing, or what it wanted; in no case is anything terminated for that.
fn target(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    let arguments = asked.only(&[
        "FleetId",
        "ExcessCapacityTerminationPolicy",
        "TargetCapacitySpecification",
    ])?;
    asked.is("ExcessCapacityTerminationPolicy", &"no-termination".into())?;
    let key = format!("fleet/{}/target", asked.text("FleetId")?);
    if !asked.image.contains_key(&key) {
        return Err(no(format!(
            "{key} is not known: it is no fleet of this instance"
        )));
    }
    let target = arguments.get("TargetCapacitySpecification");
    let count = |name: &str| target.and_then(|target| target.get(name)?.as_u64());
    let counts = [
        "TotalTargetCapacity",
        "OnDemandTargetCapacity",
        "SpotTargetCapacity",
    ]
    .map(count);
    let [Some(total), Some(on_demand), Some(spot)] = counts else {
        return Err(no("the target of a fleet is three numbers"));
    };
    let whole = json!({"TotalTargetCapacity": total, "OnDemandTargetCapacity": on_demand, "SpotTargetCapacity": spot});
    match asked.way {
        _ if target != Some(&whole) => {
            Err(no("the target of a fleet is three numbers and no more"))
        }
        Way::There if [total, on_demand, spot] != [0; 3] => {
            Err(no("a fleet is held by a target of nothing"))
        }
        _ => Ok(Deed::setting(key, whole)),
    }
}
