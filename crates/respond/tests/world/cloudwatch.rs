//! CloudWatch: one metric. A case has `sums`, a datapoint for each; without them the metric cannot be read.

use quell_model::Call;
use serde_json::{Value, json};

use super::World;

#[derive(Clone)]
pub struct CloudWatch {
    sums: Option<Vec<Value>>,
}

impl CloudWatch {
    pub fn of(case: &Value) -> Self {
        Self {
            sums: case["sums"].as_array().cloned(),
        }
    }
}

impl World for CloudWatch {
    fn call(&mut self, call: &Call) -> Result<Value, String> {
        assert_eq!(call.operation, "GetMetricStatistics");
        let params = &call.params;
        assert_eq!(params["Statistics"], json!(["Sum"]));
        assert!(params["StartTime"].as_str() < params["EndTime"].as_str());
        let Some(sums) = &self.sums else {
            return Err("CloudWatch.CloudWatchException: AccessDenied".into());
        };
        let points: Vec<Value> = sums
            .iter()
            .map(|sum| json!({"Sum": sum, "Unit": "Count"}))
            .collect();
        // AWS leaves an empty list out of its answer.
        match points.is_empty() {
            true => Ok(json!({"Label": params["MetricName"]})),
            false => Ok(json!({"Label": params["MetricName"], "Datapoints": points})),
        }
    }

    fn image(&self) -> Value {
        Value::Null
    }

    fn meddle(&mut self, _: &Call) {}

    fn copy(&self) -> Box<dyn World> {
        Box::new(self.clone())
    }
}
