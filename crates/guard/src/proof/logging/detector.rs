//! A detector of GuardDuty, its features, and the addresses that it is told to trust.

use quell_model::Class;
use serde_json::{Map, Value, json};

use super::super::Unproven;
use super::super::attributes::{Asked, Deed, Way, no};
use super::approved;

const STATUS: &str = "detector/status";
const FREQUENCY: &str = "detector/frequency";

pub(super) fn read(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.is("DetectorId", &json!(asked.claim.resource.id))?;
    match (asked.operation, asked.way) {
        ("guardduty:UpdateDetector", way) => update(asked, way),
        ("guardduty:UpdateIPSet", way) => distrust(asked, way),
        (other, _) => Err(no(format!("{other} is no call that has a detector detect"))),
    }
}

fn update(asked: &Asked<'_>, way: Way) -> Result<Deed, Unproven> {
    let names = [
        "DetectorId",
        "Enable",
        "Features",
        "FindingPublishingFrequency",
    ];
    let given = asked.only(&names)?;
    let mut sets = Map::new();
    if let Some(enable) = given.get("Enable") {
        let status = match enable {
            Value::Bool(true) => "ENABLED",
            Value::Bool(false) if way == Way::Back => "DISABLED",
            _ => return Err(no("the detector would be switched off")),
        };
        sets.insert(STATUS.to_owned(), json!(status));
    }
    if let Some(often) = given.get("FindingPublishingFrequency") {
        let baseline = approved(asked)?.and_then(|image| image.get(FREQUENCY));
        if way == Way::There && baseline != Some(often) {
            return Err(no("nobody approved how often findings are sent"));
        }
        sets.insert(FREQUENCY.to_owned(), often.clone());
    }
    let features = given
        .get("Features")
        .map_or(Some(&[][..]), |list| list.as_array().map(Vec::as_slice));
    let features = features.ok_or_else(|| no("features are a list"))?;
    for feature in features {
        let name = named(feature, &["Name", "Status", "AdditionalConfiguration"])?;
        let key = format!("feature/{name}");
        switch(asked, way, &mut sets, key.clone(), feature)?;
        let parts = feature
            .get("AdditionalConfiguration")
            .and_then(Value::as_array);
        for part in parts.into_iter().flatten() {
            let part_key = format!("{key}/{}", named(part, &["Name", "Status"])?);
            switch(asked, way, &mut sets, part_key, part)?;
        }
    }
    if way == Way::There
        && sets
            .iter()
            .all(|(key, value)| asked.image.get(key) == Some(value))
    {
        return Err(no("the detector is so already"));
    }
    let mut deed = Deed::setting(STATUS, Value::Null);
    deed.sets = sets;
    Ok(deed)
}

fn named<'a>(item: &'a Value, known: &[&str]) -> Result<&'a str, Unproven> {
    let members = item.as_object().into_iter().flatten();
    if let Some((stranger, _)) = members
        .into_iter()
        .find(|(k, _)| !known.contains(&k.as_str()))
    {
        return Err(no(format!("a feature has a member «{stranger}»")));
    }
    let name = item.get("Name").and_then(Value::as_str);
    name.ok_or_else(|| no("a feature has no name"))
}

/// One feature, or a part of one. What is off may stay off beside a part that goes on; what is on stays on.
fn switch(
    asked: &Asked<'_>,
    way: Way,
    sets: &mut Map<String, Value>,
    key: String,
    item: &Value,
) -> Result<(), Unproven> {
    let status = item.get("Status").cloned().unwrap_or_default();
    let now = asked.image.get(&key);
    if way == Way::There && now != Some(&status) {
        if status != json!("ENABLED") {
            return Err(no(format!("{key} would be switched off")));
        }
        if now != Some(&json!("DISABLED")) {
            return Err(no(format!("{key} is not known to be off")));
        }
        let baseline = approved(asked)?;
        if baseline.is_some_and(|image| image.get(&key) != Some(&status)) {
            return Err(no(format!("nobody approved that {key} is on")));
        }
    }
    sets.insert(key, status);
    Ok(())
}

/// A list of addresses that are trusted no more. Those who were on it with leave are reported from then on.
fn distrust(asked: &Asked<'_>, way: Way) -> Result<Deed, Unproven> {
    asked.only(&["DetectorId", "IpSetId", "Activate"])?;
    let key = format!("trusted/{}", asked.text("IpSetId")?);
    asked.is("Activate", &Value::Bool(way == Way::Back))?;
    if way == Way::Back {
        return Ok(Deed::setting(key, "ACTIVE"));
    }
    let is_active = |image: &Map<String, Value>| image.get(&key) == Some(&json!("ACTIVE"));
    if !is_active(asked.image) {
        return Err(no(format!("{key} is not in force")));
    }
    if approved(asked)?.is_some_and(is_active) {
        return Err(no(format!("somebody approved that {key} is in force")));
    }
    Ok(Deed::setting(key, "INACTIVE").of_class(Class::R2))
}
