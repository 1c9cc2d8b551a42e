//! AWS Config: the recorders of a Region and its one delivery channel.
//!
//! A case has `recorders`, by name, each as `DescribeConfigurationRecorders` shows it without its name, and besides `recording`,
//! `stopped`, `started`, `error`; and `channel`, as `DescribeDeliveryChannels` shows it.

use quell_model::Call;
use serde_json::{Map, Value, json};

use super::World;

const STOPPED: &str = "2026-11-21T10:30:00.000Z";
const STARTED: &str = "2026-11-21T10:31:00.000Z";
/// What is no part of a recorder as it is shown.
const BESIDE: [&str; 4] = ["recording", "stopped", "started", "error"];
/// What passes: nobody would miss it.
const PASSING: [&str; 3] = ["stopped", "started", "error"];

#[derive(Clone)]
pub struct Config {
    recorders: Map<String, Value>,
    channel: Option<Value>,
}

impl Config {
    pub fn of(case: &Value) -> Self {
        let mut recorders = case["recorders"].as_object().cloned().unwrap_or_default();
        for recorder in recorders.values_mut().filter_map(Value::as_object_mut) {
            recorder
                .entry("RoleARN")
                .or_insert_with(|| json!("arn:aws:iam::444455556666:role/config"));
            recorder.entry("RecordingGroup").or_insert_with(everything);
            recorder.entry("recording").or_insert_with(|| json!(true));
        }
        Self {
            recorders,
            channel: case.get("channel").cloned(),
        }
    }

    fn each(&self, show: impl Fn(&str, &Map<String, Value>) -> Value) -> Vec<Value> {
        let each = self.recorders.iter();
        each.map(|(name, recorder)| show(name, recorder.as_object().unwrap()))
            .collect()
    }

    fn put_recorder(&mut self, params: &Value) -> Result<Value, String> {
        let mut given = params["ConfigurationRecorder"].as_object().unwrap().clone();
        let name = given.remove("Name").unwrap();
        let name = name.as_str().unwrap();
        if !self.recorders.is_empty() && !self.recorders.contains_key(name) {
            return Err(
                "Config.MaxNumberOfConfigurationRecordersExceededException: one at most".to_owned(),
            );
        }
        let recorder = self
            .recorders
            .entry(name)
            .or_insert_with(|| json!({"recording": false}));
        let recorder = recorder.as_object_mut().unwrap();
        recorder.extend(given);
        Ok(json!({}))
    }

    fn put_channel(&mut self, params: &Value) -> Result<Value, String> {
        if self.recorders.is_empty() {
            return Err(
                "Config.NoAvailableConfigurationRecorderException: first a recorder".to_owned(),
            );
        }
        let given = &params["DeliveryChannel"];
        if self
            .channel
            .as_ref()
            .is_some_and(|there| there["Name"] != given["Name"])
        {
            return Err(
                "Config.MaxNumberOfDeliveryChannelsExceededException: one at most".to_owned(),
            );
        }
        self.channel = Some(given.clone());
        Ok(json!({}))
    }

    fn switch(&mut self, params: &Value, on: bool) -> Result<Value, String> {
        if on && self.channel.is_none() {
            return Err(
                "Config.NoAvailableDeliveryChannelException: first a delivery channel".to_owned(),
            );
        }
        let name = params["ConfigurationRecorderName"].as_str().unwrap();
        let Some(recorder) = self.recorders.get_mut(name) else {
            return Err("Config.NoSuchConfigurationRecorderException: none".to_owned());
        };
        recorder["recording"] = json!(on);
        let (when, at) = if on {
            ("started", STARTED)
        } else {
            ("stopped", STOPPED)
        };
        recorder[when] = json!(at);
        Ok(json!({}))
    }

    fn delete_channel(&mut self, params: &Value) -> Result<Value, String> {
        if self.recorders.values().any(|r| r["recording"] == true) {
            return Err(
                "Config.LastDeliveryChannelDeleteFailedException: it is recording".to_owned(),
            );
        }
        match self.channel.take() {
            Some(there) if there["Name"] == params["DeliveryChannelName"] => Ok(json!({})),
            other => {
                self.channel = other;
                Err("Config.NoSuchDeliveryChannelException: none".to_owned())
            }
        }
    }

    fn delete_recorder(&mut self, params: &Value) -> Result<Value, String> {
        let name = params["ConfigurationRecorderName"].as_str().unwrap();
        match self.recorders.remove(name) {
            Some(_) => Ok(json!({})),
            None => Err("Config.NoSuchConfigurationRecorderException: none".to_owned()),
        }
    }
}

fn everything() -> Value {
    json!({"AllSupported": true, "IncludeGlobalResourceTypes": true, "ResourceTypes": [],
        "ExclusionByResourceTypes": {"ResourceTypes": []}, "RecordingStrategy": {"UseOnly": "ALL_SUPPORTED_RESOURCE_TYPES"}})
}

fn shown(name: &str, recorder: &Map<String, Value>) -> Value {
    let mut shown = recorder.clone();
    shown.retain(|key, _| !BESIDE.contains(&key.as_str()));
    shown.insert("Name".to_owned(), json!(name));
    Value::Object(shown)
}

fn status(name: &str, recorder: &Map<String, Value>) -> Value {
    let mut status = Map::from_iter([
        ("Name".to_owned(), json!(name)),
        ("Recording".to_owned(), recorder["recording"].clone()),
    ]);
    for (key, shown) in [
        ("stopped", "LastStopTime"),
        ("started", "LastStartTime"),
        ("error", "LastErrorCode"),
    ] {
        if let Some(value) = recorder.get(key) {
            status.insert(shown.to_owned(), value.clone());
        }
    }
    if recorder.contains_key("error") {
        status.insert("LastStatus".to_owned(), json!("FAILURE"));
    }
    Value::Object(status)
}

/// A list with something in it, or nothing: AWS leaves an empty one out.
fn list(name: &str, items: Vec<Value>) -> Value {
    match items.is_empty() {
        true => json!({}),
        false => json!({name: items}),
    }
}

impl World for Config {
    fn call(&mut self, call: &Call) -> Result<Value, String> {
        let params = &call.params;
        match call.operation.as_str() {
            "DescribeConfigurationRecorders" => {
                Ok(list("ConfigurationRecorders", self.each(shown)))
            }
            "DescribeConfigurationRecorderStatus" => {
                Ok(list("ConfigurationRecordersStatus", self.each(status)))
            }
            "DescribeDeliveryChannels" => Ok(list(
                "DeliveryChannels",
                self.channel.iter().cloned().collect(),
            )),
            "PutConfigurationRecorder" => self.put_recorder(params),
            "PutDeliveryChannel" => self.put_channel(params),
            "StartConfigurationRecorder" => self.switch(params, true),
            "StopConfigurationRecorder" => self.switch(params, false),
            "DeleteDeliveryChannel" => self.delete_channel(params),
            "DeleteConfigurationRecorder" => self.delete_recorder(params),
            other => panic!("the world knows no config:{other}"),
        }
    }

    /// Lists that are empty mean what lists that are not there mean.
    fn image(&self) -> Value {
        let mut recorders = self.recorders.clone();
        for recorder in recorders.values_mut().filter_map(Value::as_object_mut) {
            recorder.retain(|key, _| !PASSING.contains(&key.as_str()));
            let group = recorder
                .get_mut("RecordingGroup")
                .and_then(Value::as_object_mut);
            if let Some(group) = group {
                group.retain(|_, value| {
                    *value != json!([]) && *value != json!({"ResourceTypes": []})
                });
            }
        }
        json!({"recorders": recorders, "channel": self.channel})
    }

    fn meddle(&mut self, call: &Call) {
        match call.operation.as_str() {
            "PutDeliveryChannel" | "StartConfigurationRecorder" => {
                for recorder in self.recorders.values_mut() {
                    recorder["RoleARN"] = json!("arn:aws:iam::444455556666:role/theirs");
                }
            }
            _ => match &mut self.channel {
                Some(channel) => channel["S3KeyPrefix"] = json!("theirs"),
                None => self.channel = Some(json!({"Name": "theirs", "S3BucketName": "theirs"})),
            },
        }
    }

    fn copy(&self) -> Box<dyn World> {
        Box::new(self.clone())
    }
}
