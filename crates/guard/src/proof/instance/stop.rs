//! Stopping an instance: once there are snapshots of its disks, this one alone, and never terminating it.

use quell_model::{Class, Plan};
use serde_json::{Value, json};

use super::super::attributes::{Asked, Deed, Way, no};
use super::{about_it, about_it_alone, volumes};
use crate::proof::Unproven;

const STATE: &str = "instance/state";

pub(super) fn read(asked: &Asked<'_>) -> Option<Result<Deed, Unproven>> {
    Some(match (asked.operation, asked.way) {
        ("ec2:StopInstances", Way::There) => stop(asked),
        ("ec2:StartInstances", Way::Back) => start(asked),
        ("ec2:ModifyInstanceAttribute", Way::There) => may_be_stopped(asked),
        _ => return None,
    })
}

fn stop(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    let arguments = asked.only(&["InstanceIds", "Hibernate"])?;
    about_it_alone(asked, "InstanceIds")?;
    if arguments
        .get("Hibernate")
        .is_some_and(|hibernate| *hibernate != Value::Bool(true))
    {
        return Err(no("Hibernate is true or not said"));
    }
    let image = asked.image;
    if image.get(STATE).and_then(Value::as_str) != Some("running") {
        return Err(no("only what runs is stopped"));
    }
    let taken = |volume: &str| image.contains_key(&format!("snapshot/{volume}"));
    if let Some(volume) = volumes(image).find(|volume| !taken(volume)) {
        return Err(no(format!(
            "it would be stopped before there is a snapshot of {volume}"
        )));
    }
    if volumes(image).next().is_none() {
        return Err(no("it has no disk that would outlast it"));
    }
    let mut checks = image
        .iter()
        .filter(|(key, _)| key.ends_with("/sourceDestCheck"));
    if !checks.all(|(_, on)| *on == Value::Bool(true)) {
        return Err(no(
            "it passes on traffic of others (no source/destination check): a network hangs on it",
        ));
    }
    if asked
        .facts
        .pointer("/maker/arn")
        .and_then(Value::as_str)
        .is_none_or(str::is_empty)
    {
        return Err(no(
            "it is not known who launched it: what may be somebody's work is never stopped",
        ));
    }
    Ok(Deed::setting(STATE, "stopped").of_class(Class::R2))
}

fn start(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["InstanceIds"])?;
    about_it_alone(asked, "InstanceIds")?;
    Ok(Deed::setting(STATE, "running"))
}

/// EC2 refuses to stop what is protected against it.
fn may_be_stopped(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["InstanceId", "DisableApiStop"])?;
    about_it(asked, asked.arguments.get("InstanceId"))?;
    asked.is("DisableApiStop", &json!({"Value": false}))?;
    Ok(Deed::setting("attribute/disableApiStop", false))
}

/// What somebody launched who is not known to be the attacker may be their work.
pub(super) fn concerns(plan: &Plan) -> Vec<String> {
    let stops = plan
        .calls
        .iter()
        .any(|call| call.resource.ends_with(":ec2:stopInstances"));
    let maker = plan.facts.get("maker");
    let is_actor = maker.and_then(|maker| maker.get("isActor")?.as_bool());
    if !stops || is_actor == Some(true) {
        return Vec::new();
    }
    let name = maker.and_then(|maker| maker.get("arn")?.as_str());
    let name = name.unwrap_or("nobody known");
    vec![format!(
        "{name} launched it, who is none of the incident's actors: it may be their work"
    )]
}

/// The protection goes only for stopping it at once.
pub(super) fn prove_whole(plan: &Plan) -> Result<(), Unproven> {
    let called = |name: &str| plan.calls.iter().any(|call| call.resource.ends_with(name));
    let lifts = |sets: &serde_json::Map<String, Value>| {
        sets.get("attribute/disableApiStop") == Some(&Value::Bool(false))
    };
    let lifted = plan.calls.iter().any(|call| lifts(&call.sets));
    match lifted && !called(":ec2:stopInstances") {
        true => Err(no(
            "its protection against stopping would go, and it would run on",
        )),
        false => Ok(()),
    }
}
