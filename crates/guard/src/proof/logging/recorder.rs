//! A recorder of configurations and its delivery channel.

use serde_json::{Map, Value, json};

use super::super::Unproven;
use super::super::attributes::{Asked, Deed, Way, no};
use super::{approved, must_be_approved};

const ROLE: &str = "recorder/role";
const GROUP: &str = "recorder/group";
const MODE: &str = "recorder/mode";
const RECORDING: &str = "recorder/recording";
const CHANNEL: &str = "channel";

pub(super) fn read(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    let name = json!(asked.claim.resource.id);
    let is_it = || {
        asked.only(&["ConfigurationRecorderName"])?;
        asked.is("ConfigurationRecorderName", &name)
    };
    match (asked.operation, asked.way) {
        ("config:PutConfigurationRecorder", way) => put(asked, way),
        ("config:PutDeliveryChannel", way) => put_channel(asked, way),
        ("config:StartConfigurationRecorder", Way::There) => {
            is_it()?;
            if !asked.image.contains_key(CHANNEL) {
                return Err(no("a recorder without a delivery channel does not start"));
            }
            match asked.image.get(RECORDING) {
                Some(Value::Bool(false)) => Ok(Deed::setting(RECORDING, true)),
                _ => Err(no("there is no recorder that is off")),
            }
        }
        ("config:StopConfigurationRecorder", Way::Back) => {
            is_it()?;
            Ok(Deed::setting(RECORDING, false))
        }
        ("config:DeleteConfigurationRecorder", Way::Back) => {
            is_it()?;
            Ok(setting(
                [ROLE, GROUP, MODE, RECORDING].map(|key| (key, Value::Null)),
            ))
        }
        ("config:DeleteDeliveryChannel", Way::Back) => {
            asked.only(&["DeliveryChannelName"])?;
            let there = asked.image.get(CHANNEL).and_then(|c| c.get("Name"));
            asked.is("DeliveryChannelName", there.unwrap_or(&Value::Null))?;
            Ok(Deed::setting(CHANNEL, Value::Null))
        }
        (other, _) => Err(no(format!("{other} is no call that has a recorder record"))),
    }
}

fn setting<const N: usize>(sets: [(&str, Value); N]) -> Deed {
    let mut deed = Deed::setting(RECORDING, Value::Null);
    deed.sets = sets
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect();
    deed
}

/// The members of an argument that is an object, when they are these and no others.
fn members<'a>(
    asked: &Asked<'a>,
    name: &str,
    known: &[&str],
) -> Result<&'a Map<String, Value>, Unproven> {
    let given = asked.only(&[name])?.get(name).and_then(Value::as_object);
    let given = given.ok_or_else(|| no(format!("{} has no {name}", asked.operation)))?;
    match given.keys().find(|key| !known.contains(&key.as_str())) {
        Some(stranger) => Err(no(format!("{name} has a member «{stranger}»"))),
        None => Ok(given),
    }
}

fn put(asked: &Asked<'_>, way: Way) -> Result<Deed, Unproven> {
    let known = ["Name", "RoleARN", "RecordingGroup", "RecordingMode"];
    let given = members(asked, "ConfigurationRecorder", &known)?;
    let of = |name: &str| given.get(name).cloned().unwrap_or_default();
    if of("Name") != json!(asked.claim.resource.id) {
        return Err(no("it is not the recorder that the run is about"));
    }
    let said = [
        (ROLE, of("RoleARN")),
        (GROUP, of("RecordingGroup")),
        (MODE, of("RecordingMode")),
    ];
    if said[..2].iter().any(|(_, value)| value.is_null()) {
        return Err(no("a recorder has a role, and what it records"));
    }
    let is_there = asked.image.contains_key(ROLE);
    if way == Way::There {
        may_put(asked, &said, is_there)?;
    }
    let mut deed = setting(said);
    deed.sets
        .retain(|key, value| key != MODE || !value.is_null());
    if !is_there {
        deed.sets.insert(RECORDING.to_owned(), json!(false));
    }
    Ok(deed)
}

fn may_put(asked: &Asked<'_>, said: &[(&str, Value); 3], is_there: bool) -> Result<(), Unproven> {
    let baseline = match is_there {
        true => approved(asked)?,
        false => Some(must_be_approved(
            asked,
            "a recorder, and none is made unless somebody did",
        )?),
    };
    if said
        .iter()
        .all(|(key, value)| asked.image.get(*key).unwrap_or(&Value::Null) == value)
    {
        return Err(no("the recorder is so already"));
    }
    for (key, value) in said {
        let now = asked.image.get(*key).unwrap_or(&Value::Null);
        let is_right = match baseline {
            Some(image) => image.get(*key).unwrap_or(&Value::Null) == value,
            None => now == value || *key == GROUP && covers(value, now),
        };
        if !is_right {
            return Err(no(format!("nobody approved that {key} becomes {value}")));
        }
    }
    Ok(())
}

/// Whether whatever one group of types records, another records too.
fn covers(wide: &Value, narrow: &Value) -> bool {
    let is = |group: &Value, member: &str| group.get(member) == Some(&Value::Bool(true));
    let is_global = "IncludeGlobalResourceTypes";
    if is(narrow, is_global) && !is(wide, is_global) {
        return false;
    }
    let used = |group: &Value| {
        let used = group.pointer("/RecordingStrategy/UseOnly");
        used.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let types = |group: &Value, path: &str| {
        let list = group.pointer(path).and_then(Value::as_array).cloned();
        list.unwrap_or_default()
    };
    let all_of = |list: &[Value], of: &[Value]| list.iter().all(|kind| of.contains(kind));
    match (used(wide).as_str(), used(narrow).as_str()) {
        ("ALL_SUPPORTED_RESOURCE_TYPES", _) => {
            is(wide, "AllSupported")
                && types(wide, "/ExclusionByResourceTypes/ResourceTypes").is_empty()
        }
        ("INCLUSION_BY_RESOURCE_TYPES", "INCLUSION_BY_RESOURCE_TYPES") => all_of(
            &types(narrow, "/ResourceTypes"),
            &types(wide, "/ResourceTypes"),
        ),
        ("EXCLUSION_BY_RESOURCE_TYPES", "EXCLUSION_BY_RESOURCE_TYPES") => {
            let path = "/ExclusionByResourceTypes/ResourceTypes";
            all_of(&types(wide, path), &types(narrow, path))
        }
        _ => false,
    }
}

fn put_channel(asked: &Asked<'_>, way: Way) -> Result<Deed, Unproven> {
    let known = [
        "Name",
        "S3BucketName",
        "S3KeyPrefix",
        "S3KmsKeyArn",
        "SnsTopicARN",
        "ConfigSnapshotDeliveryProperties",
    ];
    let given = Value::Object(members(asked, "DeliveryChannel", &known)?.clone());
    if way == Way::There {
        let approved = must_be_approved(asked, "where the recorder delivers to")?;
        let now = asked.image.get(CHANNEL);
        if approved.get(CHANNEL) != Some(&given) {
            return Err(no("nobody approved this delivery channel"));
        }
        if now == Some(&given) {
            return Err(no("the delivery channel is so already"));
        }
        if now.is_some_and(|now| now.get("Name") != given.get("Name")) {
            return Err(no(
                "another delivery channel is there, and there can be only one",
            ));
        }
    }
    Ok(Deed::setting(CHANNEL, given))
}
