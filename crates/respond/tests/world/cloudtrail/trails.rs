//! The trails.

use quell_model::Call;
use serde_json::{Map, Value, json};

const STOPPED: &str = "2026-11-21T10:30:00.000Z";
const STARTED: &str = "2026-11-21T10:31:00.000Z";
/// Settings that `UpdateTrail` and `CreateTrail` take, with what `GetTrail` calls them.
const SETTINGS: [(&str, &str); 9] = [
    ("S3BucketName", "S3BucketName"),
    ("S3KeyPrefix", "S3KeyPrefix"),
    ("SnsTopicName", "SnsTopicName"),
    ("IncludeGlobalServiceEvents", "IncludeGlobalServiceEvents"),
    ("IsMultiRegionTrail", "IsMultiRegionTrail"),
    ("EnableLogFileValidation", "LogFileValidationEnabled"),
    ("CloudWatchLogsLogGroupArn", "CloudWatchLogsLogGroupArn"),
    ("CloudWatchLogsRoleArn", "CloudWatchLogsRoleArn"),
    ("KmsKeyId", "KmsKeyId"),
];
/// What is no setting, and is no part of what `GetTrail` shows.
const BESIDE: [&str; 7] = [
    "logging",
    "stopped",
    "started",
    "tried",
    "error",
    "selectors",
    "insights",
];
/// What passes: nobody would miss it.
const PASSING: [&str; 4] = ["stopped", "started", "tried", "error"];
const HERE: &str = "arn:aws:cloudtrail:us-east-1:444455556666:trail/";

#[derive(Clone)]
pub struct Trails(Map<String, Value>);

impl Trails {
    pub fn of(case: &Value) -> Self {
        let mut trails = case.as_object().cloned().unwrap_or_default();
        for (name, trail) in &mut trails {
            let defaults = json!({"TrailARN": format!("{HERE}{name}"), "HomeRegion": "us-east-1", "IsOrganizationTrail": false,
                "IncludeGlobalServiceEvents": true, "IsMultiRegionTrail": true, "LogFileValidationEnabled": true,
                "S3BucketName": "logs", "logging": true, "selectors": whole()});
            for (key, value) in defaults.as_object().unwrap() {
                let trail = trail.as_object_mut().unwrap();
                trail.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        Self(trails)
    }

    fn name<'a>(&self, params: &'a Value) -> &'a str {
        let said = params.get("Name").or(params.get("TrailName"));
        let said = said.unwrap().as_str().unwrap();
        said.rsplit_once("trail/").map_or(said, |(_, name)| name)
    }

    pub fn call(&mut self, call: &Call) -> Result<Value, String> {
        let params = &call.params;
        let name = self.name(params);
        if call.operation == "CreateTrail" {
            return self.create(name, params);
        }
        let Some(trail) = self.0.get_mut(name).and_then(Value::as_object_mut) else {
            return Err(format!(
                "CloudTrail.TrailNotFoundException: Unknown trail: {HERE}{name}"
            ));
        };
        match call.operation.as_str() {
            "GetTrail" => Ok(json!({"Trail": shown(name, trail)})),
            "GetTrailStatus" => Ok(status(trail)),
            "GetEventSelectors" => Ok(selectors(trail)),
            "GetInsightSelectors" => insights(trail),
            "StartLogging" => {
                trail.insert("logging".to_owned(), json!(true));
                trail.insert("started".to_owned(), json!(STARTED));
                Ok(json!({}))
            }
            "StopLogging" => {
                trail.insert("logging".to_owned(), json!(false));
                trail.insert("stopped".to_owned(), json!(STOPPED));
                Ok(json!({}))
            }
            "UpdateTrail" => {
                let mut changed = trail.clone();
                set(&mut changed, params);
                if changed["IsMultiRegionTrail"] == true
                    && changed["IncludeGlobalServiceEvents"] == false
                {
                    return Err("CloudTrail.InvalidParameterCombinationException: Multi-Region trail must include global service events.".to_owned());
                }
                *trail = changed;
                Ok(json!({}))
            }
            "PutEventSelectors" => {
                let mut kinds = params.as_object().unwrap().clone();
                kinds.remove("TrailName");
                assert_eq!(kinds.len(), 1, "both kinds of selectors exclude each other");
                trail.insert("selectors".to_owned(), Value::Object(kinds));
                Ok(json!({}))
            }
            "PutInsightSelectors" => {
                let selectors = params["InsightSelectors"].clone();
                match selectors.as_array().unwrap().is_empty() {
                    true => drop(trail.remove("insights")),
                    false => drop(trail.insert("insights".to_owned(), selectors)),
                }
                Ok(json!({}))
            }
            "DeleteTrail" => {
                self.0.remove(name);
                Ok(json!({}))
            }
            other => panic!("the world knows no cloudtrail:{other}"),
        }
    }

    fn create(&mut self, name: &str, params: &Value) -> Result<Value, String> {
        if self.0.contains_key(name) {
            return Err("CloudTrail.TrailAlreadyExistsException: it is there".to_owned());
        }
        let mut trail = Map::from_iter([
            ("TrailARN".to_owned(), json!(format!("{HERE}{name}"))),
            ("HomeRegion".to_owned(), json!("us-east-1")),
            ("IsOrganizationTrail".to_owned(), json!(false)),
            ("IncludeGlobalServiceEvents".to_owned(), json!(true)),
            ("IsMultiRegionTrail".to_owned(), json!(false)),
            ("LogFileValidationEnabled".to_owned(), json!(false)),
            ("logging".to_owned(), json!(false)),
            ("selectors".to_owned(), whole()),
        ]);
        set(&mut trail, params);
        self.0.insert(name.to_owned(), Value::Object(trail));
        Ok(json!({}))
    }

    pub fn image(&self) -> Value {
        let mut trails = self.0.clone();
        for trail in trails.values_mut().filter_map(Value::as_object_mut) {
            trail.retain(|key, _| !PASSING.contains(&key.as_str()));
        }
        match trails.is_empty() {
            true => Value::Null,
            false => Value::Object(trails),
        }
    }

    pub fn meddle(&mut self, call: &Call) {
        let name = self.name(&call.params);
        let Some(trail) = self.0.get_mut(name).and_then(Value::as_object_mut) else {
            return;
        };
        match call.operation.as_str() {
            "PutInsightSelectors" => trail.insert("S3KeyPrefix".to_owned(), json!("theirs")),
            _ => trail.insert(
                "insights".to_owned(),
                json!([{"InsightType": "ApiErrorRateInsight"}]),
            ),
        };
    }
}

/// The selectors of a trail that nobody has given any.
fn whole() -> Value {
    json!({"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true}]})
}

fn set(trail: &mut Map<String, Value>, params: &Value) {
    for (argument, setting) in SETTINGS {
        match params.get(argument) {
            None => {}
            // An empty text takes a setting away.
            Some(value) if value == "" => drop(trail.remove(setting)),
            Some(value) => drop(trail.insert(setting.to_owned(), value.clone())),
        }
    }
}

fn shown(name: &str, trail: &Map<String, Value>) -> Value {
    let mut shown = trail.clone();
    shown.retain(|key, _| !BESIDE.contains(&key.as_str()));
    shown.insert("Name".to_owned(), json!(name));
    shown.insert(
        "HasInsightSelectors".to_owned(),
        json!(trail.contains_key("insights")),
    );
    Value::Object(shown)
}

fn status(trail: &Map<String, Value>) -> Value {
    let mut status = Map::from_iter([("IsLogging".to_owned(), trail["logging"].clone())]);
    for (key, shown) in [
        ("stopped", "StopLoggingTime"),
        ("started", "StartLoggingTime"),
        ("tried", "LatestDeliveryAttemptTime"),
        ("error", "LatestDeliveryError"),
    ] {
        if let Some(value) = trail.get(key) {
            status.insert(shown.to_owned(), value.clone());
        }
    }
    Value::Object(status)
}

/// With the empty lists that AWS puts in.
fn selectors(trail: &Map<String, Value>) -> Value {
    let mut selectors = trail["selectors"].clone();
    for basic in selectors["EventSelectors"]
        .as_array_mut()
        .into_iter()
        .flatten()
    {
        for list in ["DataResources", "ExcludeManagementEventSources"] {
            let basic = basic.as_object_mut().unwrap();
            basic.entry(list).or_insert_with(|| json!([]));
        }
    }
    selectors["TrailARN"] = trail["TrailARN"].clone();
    let selectors = selectors.as_object().unwrap();
    Value::Object(
        selectors
            .iter()
            .filter(|(_, v)| !v.is_null())
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect(),
    )
}

fn insights(trail: &Map<String, Value>) -> Result<Value, String> {
    match trail.get("insights") {
        Some(insights) => Ok(json!({"InsightSelectors": insights})),
        None => Err("CloudTrail.InsightNotEnabledException: no insights are enabled".to_owned()),
    }
}
