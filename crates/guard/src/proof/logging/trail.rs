//! A trail: whether it logs, what, and where to.

use quell_model::Plan;
use serde_json::{Map, Value, json};

use super::super::Unproven;
use super::super::attributes::{Asked, Deed, Way, attributes, no};
use super::selectors::covers;
use super::{approved, must_be_approved};

const LOGGING: &str = "trail/logging";
const SELECTORS: &str = "trail/selectors";
const INSIGHTS: &str = "trail/insights";
const ORGANIZATION: &str = "trail/organization";

/// One setting of a trail.
struct Setting {
    argument: &'static str,
    key: &'static str,
    /// On or off, where on records more.
    is_switch: bool,
}

const fn setting(argument: &'static str, key: &'static str) -> Setting {
    let is_switch = false;
    Setting {
        argument,
        key,
        is_switch,
    }
}

const fn switch(argument: &'static str, key: &'static str) -> Setting {
    let is_switch = true;
    Setting {
        argument,
        key,
        is_switch,
    }
}

/// All that `UpdateTrail` and `CreateTrail` may set here. Whether it is the organisation's is nobody's to change.
const SETTINGS: [Setting; 9] = [
    setting("S3BucketName", "trail/bucket"),
    setting("S3KeyPrefix", "trail/prefix"),
    setting("SnsTopicName", "trail/topic"),
    switch("IncludeGlobalServiceEvents", "trail/global-events"),
    switch("IsMultiRegionTrail", "trail/multi-region"),
    switch("EnableLogFileValidation", "trail/validation"),
    setting("CloudWatchLogsLogGroupArn", "trail/log-group"),
    setting("CloudWatchLogsRoleArn", "trail/log-role"),
    setting("KmsKeyId", "trail/key"),
];

pub(super) fn read(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    let arn = asked.claim.resource.arn.to_string();
    if !arn.ends_with(&format!(":trail/{}", asked.claim.resource.id)) {
        return Err(no("it is not known which trail is meant"));
    }
    let is_it = |name: &str| asked.is(name, &json!(arn));
    match (asked.operation, asked.way) {
        ("cloudtrail:CreateTrail", Way::There) => create(asked),
        ("cloudtrail:StartLogging", Way::There) => {
            asked.only(&["Name"])?;
            is_it("Name")?;
            match asked.image.get(LOGGING) {
                Some(Value::Bool(false)) => Ok(Deed::setting(LOGGING, true)),
                _ => Err(no("there is no trail that is off")),
            }
        }
        ("cloudtrail:UpdateTrail", way) => {
            is_it("Name")?;
            update(asked, way)
        }
        ("cloudtrail:PutEventSelectors", way) => {
            is_it("TrailName")?;
            put_selectors(asked, way)
        }
        ("cloudtrail:PutInsightSelectors", way) => {
            is_it("TrailName")?;
            put_insights(asked, way)
        }
        ("cloudtrail:StopLogging", Way::Back) => {
            asked.only(&["Name"])?;
            is_it("Name")?;
            Ok(Deed::setting(LOGGING, false))
        }
        ("cloudtrail:DeleteTrail", Way::Back) => {
            asked.only(&["Name"])?;
            is_it("Name")?;
            Ok(gone())
        }
        (other, _) => Err(no(format!("{other} is no call that has a trail record"))),
    }
}

/// Nothing is left of the trail. What is taken back must bring back what was there, so that only a trail that a response
/// made is ever deleted.
fn gone() -> Deed {
    let beside = [ORGANIZATION, LOGGING, SELECTORS, INSIGHTS];
    let keys = SETTINGS.iter().map(|s| s.key).chain(beside);
    let mut deed = Deed::setting(LOGGING, Value::Null);
    deed.sets = keys.map(|key| (key.to_owned(), Value::Null)).collect();
    deed
}

fn create(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    if !asked.image.is_empty() {
        return Err(no(
            "there is a trail already, and a second one costs and tells nothing",
        ));
    }
    let approved = must_be_approved(asked, "a trail, and none is made unless somebody did")?;
    if approved.get(ORGANIZATION) != Some(&Value::Bool(false)) {
        return Err(no(
            "a trail of the organisation is made by its management account",
        ));
    }
    let mut wanted = Map::from_iter([("Name".to_owned(), json!(asked.claim.resource.id))]);
    let mut sets = Map::from_iter([
        (ORGANIZATION.to_owned(), json!(false)),
        (LOGGING.to_owned(), json!(false)),
        (
            SELECTORS.to_owned(),
            json!({"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true}]}),
        ),
    ]);
    for setting in &SETTINGS {
        let off = setting.is_switch.then_some(Value::Bool(false));
        if let Some(value) = approved.get(setting.key).cloned().or(off) {
            wanted.insert(setting.argument.to_owned(), value.clone());
            sets.insert(setting.key.to_owned(), value);
        }
    }
    if *asked.arguments != wanted {
        return Err(no(format!(
            "the trail would be another than the approved one: {}",
            Value::Object(wanted)
        )));
    }
    let mut deed = Deed::setting(LOGGING, false);
    deed.sets = sets;
    Ok(deed)
}

fn update(asked: &Asked<'_>, way: Way) -> Result<Deed, Unproven> {
    let baseline = approved(asked)?;
    let mut sets = Map::new();
    for (argument, value) in asked.arguments.iter().filter(|(name, _)| *name != "Name") {
        let setting = SETTINGS.iter().find(|s| s.argument == argument);
        let setting = setting.ok_or_else(|| no(format!("UpdateTrail may not set {argument}")))?;
        if setting.is_switch != value.is_boolean() || !(value.is_boolean() || value.is_string()) {
            return Err(no(format!("{argument} cannot be {value}")));
        }
        let value = if value == "" {
            Value::Null
        } else {
            value.clone()
        };
        if way == Way::There {
            may_set(setting, &value, asked, baseline)?;
        }
        sets.insert(setting.key.to_owned(), value);
    }
    let mut deed = Deed::setting(LOGGING, Value::Null);
    deed.sets = sets;
    Ok(deed)
}

fn may_set(
    setting: &Setting,
    value: &Value,
    asked: &Asked<'_>,
    baseline: Option<&Map<String, Value>>,
) -> Result<(), Unproven> {
    let now = asked.image.get(setting.key).unwrap_or(&Value::Null);
    if setting.is_switch && *value == Value::Bool(false) {
        return Err(no(format!("{} would be switched off", setting.argument)));
    }
    if now == value {
        return Err(no(format!("{} is {value} already", setting.argument)));
    }
    match baseline {
        Some(image) if image.get(setting.key).unwrap_or(&Value::Null) == value => Ok(()),
        // Without an approved image a switch may go on: it records more.
        None if setting.is_switch => Ok(()),
        _ => Err(no(format!(
            "nobody approved that {} is {value}",
            setting.argument
        ))),
    }
}

fn put_selectors(asked: &Asked<'_>, way: Way) -> Result<Deed, Unproven> {
    asked.only(&["TrailName", "EventSelectors", "AdvancedEventSelectors"])?;
    let mut given = asked.arguments.clone();
    given.remove("TrailName");
    let is_list = |list: &Value| list.as_array().is_some_and(|list| !list.is_empty());
    if given.len() != 1 || !given.values().all(is_list) {
        return Err(no(
            "event selectors are replaced as a whole, by those of one kind",
        ));
    }
    let given = Value::Object(given);
    if way == Way::There {
        let now = asked.image.get(SELECTORS).unwrap_or(&Value::Null);
        if *now == given {
            return Err(no("these selectors are there already"));
        }
        match approved(asked)? {
            Some(image) if image.get(SELECTORS) == Some(&given) => {}
            None if covers(&given, now) => {}
            Some(_) => return Err(no("nobody approved these event selectors")),
            None => {
                return Err(no(
                    "it is not certain that these event selectors record all that the present ones do",
                ));
            }
        }
    }
    Ok(Deed::setting(SELECTORS, given))
}

fn put_insights(asked: &Asked<'_>, way: Way) -> Result<Deed, Unproven> {
    let given = asked.only(&["TrailName", "InsightSelectors"])?;
    let given = given.get("InsightSelectors").and_then(Value::as_array);
    let given = given.ok_or_else(|| no("insight selectors are replaced as a whole"))?;
    let value = match given.is_empty() {
        true => Value::Null,
        false => json!(given),
    };
    if way == Way::There {
        let approved = must_be_approved(asked, "insight selectors")?;
        if value.is_null() || approved.get(INSIGHTS) != Some(&value) {
            return Err(no("nobody approved these insight selectors"));
        }
    }
    Ok(Deed::setting(INSIGHTS, value))
}

/// Who else would feel it: the accounts of the organisation, when what its trail records or where to is changed.
pub(super) fn concerns(plan: &Plan) -> Vec<String> {
    let Ok(before) = attributes(&plan.before, "before") else {
        return vec!["it is not known which trail it is".to_owned()];
    };
    let only_starts = |resource: &str| resource.ends_with(":startLogging");
    let is_of_all = before.get(ORGANIZATION) == Some(&Value::Bool(true));
    match is_of_all && !plan.calls.iter().all(|call| only_starts(&call.resource)) {
        true => vec!["the trail is that of the whole organisation".to_owned()],
        false => Vec::new(),
    }
}
