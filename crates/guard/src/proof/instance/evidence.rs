//! Evidence: what keeps the instance and its disks from going away, and what is taken of them. What is taken stays.

use serde_json::{Map, Value, json};

use super::super::attributes::{Asked, Deed, Way, no};
use super::{about_it, about_it_alone, prove_marked, tags, volumes};
use crate::proof::Unproven;

pub(super) fn read(asked: &Asked<'_>) -> Option<Result<Deed, Unproven>> {
    Some(match asked.operation {
        "ec2:ModifyInstanceAttribute" => attribute(asked),
        "ec2:CreateSnapshots" => snapshots(asked),
        "ec2:LockSnapshot" => lock(asked),
        "ec2:CreateTags" => mark(asked),
        "autoscaling:SetInstanceProtection" => protection(asked),
        _ => return None,
    })
}

/// The attributes that protect, with the value that does.
fn protecting(name: &str) -> Option<(&'static str, Value)> {
    Some(match name {
        "DisableApiTermination" => ("attribute/disableApiTermination", true.into()),
        "DisableApiStop" => ("attribute/disableApiStop", true.into()),
        "InstanceInitiatedShutdownBehavior" => {
            ("attribute/instanceInitiatedShutdownBehavior", "stop".into())
        }
        _ => return None,
    })
}

/// One attribute in each call, as EC2 wants it; never the groups, which EC2 takes of an instance with one interface only.
fn attribute(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    about_it(asked, asked.arguments.get("InstanceId"))?;
    let mut others = asked
        .arguments
        .iter()
        .filter(|(key, _)| *key != "InstanceId");
    let (Some((name, value)), None) = (others.next(), others.next()) else {
        return Err(no(
            "ModifyInstanceAttribute takes one attribute in each call",
        ));
    };
    if name == "BlockDeviceMappings" {
        return keep_disks(asked, value);
    }
    let (key, protects) = protecting(name).ok_or_else(|| {
        no(format!(
            "{name} of an instance is not for a playbook to set"
        ))
    })?;
    let Some(set) = value
        .as_object()
        .filter(|v| v.len() == 1)
        .and_then(|v| v.get("Value"))
    else {
        return Err(no(format!("{name} has no Value")));
    };
    match asked.way {
        Way::There if *set != protects => Err(no(format!("{name} {set} would not protect it"))),
        _ => Ok(Deed::setting(key, set.clone())),
    }
}

/// Whether disks go with the instance.
fn keep_disks(asked: &Asked<'_>, mappings: &Value) -> Result<Deed, Unproven> {
    let mut sets = Map::new();
    for mapping in mappings.as_array().into_iter().flatten() {
        let device = mapping
            .get("DeviceName")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let goes = mapping
            .pointer("/Ebs/DeleteOnTermination")
            .and_then(Value::as_bool);
        let goes = goes.ok_or_else(|| no("a device mapping says nothing of its disk's end"))?;
        if *mapping != json!({"DeviceName": device, "Ebs": {"DeleteOnTermination": goes}}) {
            return Err(no("a device mapping changes more than its disk's end"));
        }
        if !asked.image.contains_key(&format!("device/{device}/volume")) {
            return Err(no(format!("the instance has no device «{device}»")));
        }
        if goes && asked.way == Way::There {
            return Err(no(format!(
                "the disk of {device} would go with the instance"
            )));
        }
        sets.insert(format!("device/{device}/deleteOnTermination"), goes.into());
    }
    let base = Deed::setting("", Value::Null);
    Ok(Deed { sets, ..base })
}

/// All its volumes at one moment.
fn snapshots(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["InstanceSpecification", "Description", "TagSpecifications"])?;
    let id = asked.claim.resource.id.as_str();
    let whole = json!({"InstanceId": id, "ExcludeBootVolume": false});
    asked.is("InstanceSpecification", &whole)?;
    prove_marked(asked, "snapshot")?;
    let taken = |volume: &str| (format!("snapshot/{volume}"), Value::from("taken"));
    let sets: Map<_, _> = volumes(asked.image).map(taken).collect();
    let base = Deed::setting("", Value::Null).kept();
    Ok(Deed { sets, ..base })
}

/// A year: whoever needs it longer says so himself.
const LOCK_DAYS_MAX: u64 = 365;

/// A lock that privileged people can take off again; the one that nobody can is for people to choose.
fn lock(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["SnapshotId", "LockMode", "LockDuration"])?;
    asked.is("LockMode", &"governance".into())?;
    let snapshot = asked.text("SnapshotId")?;
    let of = asked.facts.get("snapshots").and_then(|s| s.get(snapshot));
    let taken = of.and_then(Value::as_str).is_some_and(|volume| {
        volumes(asked.image).any(|own| own == volume)
            && asked.image.contains_key(&format!("snapshot/{volume}"))
    });
    if !taken {
        return Err(no(format!("{snapshot} is no snapshot that this run took")));
    }
    let days = asked.arguments.get("LockDuration").and_then(Value::as_u64);
    match days {
        Some(1..=LOCK_DAYS_MAX) => {
            Ok(Deed::setting(format!("lock/{snapshot}"), "governance").kept())
        }
        _ => Err(no(format!("a lock lasts 1 to {LOCK_DAYS_MAX} days"))),
    }
}

/// Tags on the instance: they tell people, and decide nothing.
fn mark(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["Resources", "Tags"])?;
    about_it_alone(asked, "Resources")?;
    let tags = tags(asked.arguments.get("Tags"))?;
    let sets = tags
        .into_iter()
        .map(|(key, value)| (format!("tag/{key}"), value));
    let base = Deed::setting("", Value::Null).kept();
    Ok(Deed {
        sets: sets.collect(),
        ..base
    })
}

/// Its Auto Scaling group does not choose it when it shrinks.
fn protection(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&[
        "AutoScalingGroupName",
        "InstanceIds",
        "ProtectedFromScaleIn",
    ])?;
    about_it_alone(asked, "InstanceIds")?;
    let name = asked.text("AutoScalingGroupName")?;
    if asked.image.get("scaling-group").and_then(Value::as_str) != Some(name) {
        return Err(no(format!(
            "the instance is not in the Auto Scaling group «{name}»"
        )));
    }
    let set = asked
        .arguments
        .get("ProtectedFromScaleIn")
        .and_then(Value::as_bool);
    match (set, asked.way) {
        (Some(true), _) | (Some(false), Way::Back) => {
            Ok(Deed::setting("scaling-group/protected", set))
        }
        _ => Err(no("scale-in could choose the instance")),
    }
}
