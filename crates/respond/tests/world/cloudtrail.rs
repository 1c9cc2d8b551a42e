//! CloudTrail: trails by name, and the event history.
//!
//! A case has `events`: records as CloudTrail writes them; and `trails`, each as `GetTrail` shows it without its name and ARN, and
//! besides: `logging`, `stopped` and `started` (moments), `tried` and `error` (of the last delivery), `selectors` and `insights`. What
//! is stopped or started here is so at two moments of the incident. `pageSize` cuts answers into pages of that size; `denied`: nobody may look.

mod trails;

use quell_model::Call;
use serde_json::{Value, json};

use super::World;
use trails::Trails;

#[derive(Clone)]
pub struct CloudTrail {
    events: Vec<Value>,
    /// So many times it is asked before it shows what happened.
    late: u64,
    page: usize,
    denied: bool,
    trails: Trails,
}

impl CloudTrail {
    pub fn of(case: &Value) -> Self {
        Self {
            events: case["events"].as_array().cloned().unwrap_or_default(),
            late: case["late"].as_u64().unwrap_or(0),
            page: case["pageSize"].as_u64().unwrap_or(50) as usize,
            denied: case["denied"].as_bool().unwrap_or(false),
            trails: Trails::of(&case["trails"]),
        }
    }

    /// Events with the attribute, between the two times, as text. A resource is named anywhere in a record, as it is here.
    fn lookup(&mut self, params: &Value) -> Value {
        if self.late > 0 {
            self.late -= 1;
            return json!({});
        }
        let [attribute] = params["LookupAttributes"].as_array().unwrap().as_slice() else {
            panic!("CloudTrail takes one attribute")
        };
        let value = attribute["AttributeValue"].as_str().unwrap();
        // Without times it is all that is kept.
        let (from, upto) = (
            params["StartTime"].as_str().unwrap_or("0"),
            params["EndTime"].as_str().unwrap_or("9"),
        );
        let has = |event: &&Value| match attribute["AttributeKey"].as_str() {
            Some("EventName") => event["eventName"] == value,
            Some("AccessKeyId") => event["userIdentity"]["accessKeyId"] == value,
            Some("ResourceName") => event.to_string().contains(&format!("\"{value}\"")),
            other => panic!("no attribute {other:?} is known"),
        };
        // Times of one form are in order as texts.
        let at = |event: &&Value| {
            event["eventTime"]
                .as_str()
                .is_some_and(|at| from <= at && at <= upto)
        };
        let shown = |event: &Value| json!({"EventId": "e", "EventName": event["eventName"], "CloudTrailEvent": event.to_string()});
        let found: Vec<Value> = self
            .events
            .iter()
            .filter(has)
            .filter(at)
            .map(shown)
            .collect();
        let from: usize = params["NextToken"]
            .as_str()
            .map_or(0, |t| t.parse().unwrap());
        let to = (from + self.page).min(found.len());
        match found.get(from..to) {
            None | Some([]) => json!({}),
            Some(shown) if to < found.len() => {
                json!({"Events": shown, "NextToken": to.to_string()})
            }
            Some(shown) => json!({"Events": shown}),
        }
    }
}

impl World for CloudTrail {
    fn call(&mut self, call: &Call) -> Result<Value, String> {
        match call.operation.as_str() {
            "LookupEvents" if self.denied => {
                Err("CloudTrail.CloudTrailException: not authorized".to_owned())
            }
            "LookupEvents" => Ok(self.lookup(&call.params)),
            _ => self.trails.call(call),
        }
    }

    fn image(&self) -> Value {
        self.trails.image()
    }

    fn meddle(&mut self, call: &Call) {
        self.trails.meddle(call);
    }

    fn copy(&self) -> Box<dyn World> {
        Box::new(self.clone())
    }
}
