//! GuardDuty: detectors by id, and the lists of trusted addresses of each.
//!
//! A case has `detectors`: each with `Status`, `FindingPublishingFrequency`, `UpdatedAt` and `Features` as `GetDetector` shows them, and
//! `sets`, by id, each as `GetIPSet` shows it. A page of sets has one.

use quell_model::Call;
use serde_json::{Map, Value, json};

use super::World;

/// When it is changed here.
const UPDATED: &str = "2026-11-21T10:31:00.000Z";

#[derive(Clone)]
pub struct GuardDuty {
    detectors: Map<String, Value>,
}

impl GuardDuty {
    pub fn of(case: &Value) -> Self {
        let mut detectors = case["detectors"].as_object().cloned().unwrap_or_default();
        for detector in detectors.values_mut().filter_map(Value::as_object_mut) {
            detector.entry("Status").or_insert_with(|| json!("ENABLED"));
            detector
                .entry("FindingPublishingFrequency")
                .or_insert_with(|| json!("SIX_HOURS"));
            detector.entry("Features").or_insert_with(|| json!([]));
            detector.entry("sets").or_insert_with(|| json!({}));
        }
        Self { detectors }
    }
}

fn update(detector: &mut Value, params: &Value) {
    if let Some(enable) = params["Enable"].as_bool() {
        detector["Status"] = json!(if enable { "ENABLED" } else { "DISABLED" });
    }
    if let Some(often) = params.get("FindingPublishingFrequency") {
        detector["FindingPublishingFrequency"] = often.clone();
    }
    for given in params["Features"].as_array().into_iter().flatten() {
        let features = detector["Features"].as_array_mut().unwrap();
        let there = features.iter_mut().find(|f| f["Name"] == given["Name"]);
        let there = there.expect("a feature that there is");
        there["Status"] = given["Status"].clone();
        for part in given["AdditionalConfiguration"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let parts = there["AdditionalConfiguration"].as_array_mut().unwrap();
            let known = parts.iter_mut().find(|p| p["Name"] == part["Name"]);
            known.expect("a part that there is")["Status"] = part["Status"].clone();
        }
    }
    detector["UpdatedAt"] = json!(UPDATED);
}

/// One set a page.
fn sets(detector: &Value, params: &Value) -> Value {
    let ids: Vec<&String> = detector["sets"].as_object().unwrap().keys().collect();
    let from: usize = params["NextToken"]
        .as_str()
        .map_or(0, |t| t.parse().unwrap());
    let mut page = json!({"IpSetIds": ids.get(from).into_iter().collect::<Vec<_>>()});
    if ids.len() > from + 1 {
        page["NextToken"] = json!((from + 1).to_string());
    }
    page
}

impl World for GuardDuty {
    fn call(&mut self, call: &Call) -> Result<Value, String> {
        let params = &call.params;
        if call.operation == "ListDetectors" {
            let ids: Vec<&String> = self.detectors.keys().collect();
            return Ok(json!({"DetectorIds": ids}));
        }
        let id = params["DetectorId"].as_str().unwrap();
        let Some(detector) = self.detectors.get_mut(id) else {
            return Err("GuardDuty.BadRequestException: The request is rejected because the input detectorId is not owned by the current account.".to_owned());
        };
        match call.operation.as_str() {
            "GetDetector" => {
                let mut shown = detector.as_object().unwrap().clone();
                shown.remove("sets");
                Ok(Value::Object(shown))
            }
            "ListIPSets" => Ok(sets(detector, params)),
            "GetIPSet" => Ok(detector["sets"][params["IpSetId"].as_str().unwrap()].clone()),
            "UpdateDetector" => {
                update(detector, params);
                Ok(json!({}))
            }
            "UpdateIPSet" => {
                let on = params["Activate"].as_bool().unwrap();
                let set = &mut detector["sets"][params["IpSetId"].as_str().unwrap()];
                set["Status"] = json!(if on { "ACTIVATING" } else { "DEACTIVATING" });
                Ok(json!({}))
            }
            other => panic!("the world knows no guardduty:{other}"),
        }
    }

    /// A list that is being switched on is on.
    fn image(&self) -> Value {
        let mut detectors = self.detectors.clone();
        for detector in detectors.values_mut() {
            detector.as_object_mut().unwrap().remove("UpdatedAt");
            for set in detector["sets"].as_object_mut().unwrap().values_mut() {
                let on = set["Status"] == "ACTIVE" || set["Status"] == "ACTIVATING";
                set["Status"] = json!(if on { "ACTIVE" } else { "INACTIVE" });
            }
        }
        Value::Object(detectors)
    }

    fn meddle(&mut self, call: &Call) {
        let id = call.params["DetectorId"].as_str().unwrap();
        let detector = &mut self.detectors[id];
        detector["FindingPublishingFrequency"] = match call.params.get("FindingPublishingFrequency")
        {
            None => json!("FIFTEEN_MINUTES"),
            Some(_) => {
                detector["Status"] = json!("DISABLED");
                return;
            }
        };
    }

    fn copy(&self) -> Box<dyn World> {
        Box::new(self.clone())
    }
}
