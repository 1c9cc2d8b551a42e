//! Isolation: each of its interfaces into a group without rules, and no elastic address.

use quell_model::{Class, Plan};
use serde_json::{Value, json};

use super::super::attributes::{Asked, Deed, Image, Way, no};
use super::{interfaces, isolates, volumes};
use crate::proof::Unproven;

pub(super) fn read(asked: &Asked<'_>) -> Option<Result<Deed, Unproven>> {
    Some(match (asked.operation, asked.way) {
        ("ec2:ModifyNetworkInterfaceAttribute", _) => groups(asked),
        ("ec2:DisassociateAddress", Way::There) => disassociate(asked),
        ("ec2:AssociateAddress", Way::Back) => associate(asked),
        _ => return None,
    })
}

/// An interface's groups, all of them: one that is empty of rules, or what it had.
fn groups(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["NetworkInterfaceId", "Groups"])?;
    let eni = own_interface(asked)?;
    let groups = asked.arguments.get("Groups");
    let list = groups
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let fits = match (asked.way, list) {
        (Way::There, [Value::String(group)]) => is_shut(asked.image, eni, group),
        (Way::There, _) => false,
        (Way::Back, list) => !list.is_empty() && list.iter().all(Value::is_string),
    };
    match (fits, groups) {
        (true, Some(groups)) => {
            let key = format!("eni/{eni}/groups");
            Ok(Deed::setting(key, groups.clone()).of_class(Class::R2))
        }
        _ => Err(no(format!(
            "{eni} may only go into one group that this run knows to have no rules at all, in its VPC"
        ))),
    }
}

/// The interface that a call names, one of the instance's.
fn own_interface<'a>(asked: &Asked<'a>) -> Result<&'a str, Unproven> {
    let eni = asked.text("NetworkInterfaceId")?;
    match asked.image.contains_key(&format!("eni/{eni}/groups")) {
        true => Ok(eni),
        false => Err(no(format!("{eni} is no interface of this instance"))),
    }
}

/// Whether a group shuts an interface in: Quell made it, it has no rules at all, and it is in the interface's VPC.
fn is_shut(image: &Image, eni: &str, group: &str) -> bool {
    let vpc = image.get(&format!("eni/{eni}/vpc"));
    vpc.is_some() && image.get(&format!("quarantine/{group}")) == vpc
}

fn disassociate(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["AssociationId"])?;
    let association = asked.text("AssociationId")?;
    let known = asked
        .facts
        .get("associations")
        .and_then(|a| a.get(association));
    let key = known
        .and_then(Value::as_str)
        .map(|id| format!("address/{id}"));
    match key.filter(|key| asked.image.contains_key(key)) {
        Some(key) => Ok(Deed::setting(key, Value::Null).of_class(Class::R2)),
        None => Err(no(format!(
            "{association} is no elastic address of this instance"
        ))),
    }
}

fn associate(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&[
        "AllocationId",
        "NetworkInterfaceId",
        "PrivateIpAddress",
        "AllowReassociation",
    ])?;
    // It may serve another by now: nobody takes it from there by machine.
    asked.is("AllowReassociation", &Value::Bool(false))?;
    let eni = own_interface(asked)?;
    let ip = asked.text("PrivateIpAddress")?;
    let key = format!("address/{}", asked.text("AllocationId")?);
    Ok(Deed::setting(
        key,
        json!({"interface": eni, "privateIp": ip}),
    ))
}

/// A plan that cuts the instance off cuts all of it off, and only once there is evidence: an interface that is left out is a
/// way out, and what is said of the others would be a lie.
pub(super) fn prove_whole(plan: &Plan, before: &Image, after: &Image) -> Result<(), Unproven> {
    if !plan.calls.iter().any(isolates) {
        return Ok(());
    }
    let taken = |volume: &str| before.contains_key(&format!("snapshot/{volume}"));
    if let Some(volume) = volumes(before).find(|volume| !taken(volume)) {
        return Err(no(format!(
            "the instance would be isolated before there is a snapshot of {volume}"
        )));
    }
    let mut any = false;
    for eni in interfaces(after) {
        any = true;
        let groups = after.get(&format!("eni/{eni}/groups"));
        let shut = match groups.and_then(Value::as_array).map(Vec::as_slice) {
            Some([Value::String(group)]) => is_shut(after, eni, group),
            _ => false,
        };
        if !shut {
            return Err(no(format!("{eni} would not be isolated")));
        }
    }
    if !any {
        return Err(no("the instance has no interface to isolate"));
    }
    let outside = |key: &&String| {
        key.as_str() == "scaling-group"
            || ["address/", "target/", "load-balancer/"]
                .iter()
                .any(|prefix| key.starts_with(prefix))
    };
    match after.keys().find(outside) {
        Some(key) => Err(no(format!(
            "it would be called isolated with «{key}» still there"
        ))),
        None => Ok(()),
    }
}
