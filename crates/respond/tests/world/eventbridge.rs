//! EventBridge: the rules of the default bus by name.
//!
//! A case has `rules`: each as `DescribeRule` shows it without its name, and `targets`, the ARNs of what it tells.

use quell_model::Call;
use serde_json::{Map, Value, json};

use super::World;

#[derive(Clone)]
pub struct EventBridge(Map<String, Value>);

impl EventBridge {
    pub fn of(case: &Value) -> Self {
        let mut rules = case["rules"].as_object().cloned().unwrap_or_default();
        for rule in rules.values_mut().filter_map(Value::as_object_mut) {
            rule.entry("State").or_insert_with(|| json!("ENABLED"));
            rule.entry("EventPattern")
                .or_insert_with(|| json!("{\"source\":[\"aws.ec2\"]}"));
            rule.entry("targets")
                .or_insert_with(|| json!(["arn:aws:sqs:us-east-1:111122223333:quell-events"]));
        }
        Self(rules)
    }
}

impl World for EventBridge {
    fn call(&mut self, call: &Call) -> Result<Value, String> {
        let name = call.params.get("Name").or(call.params.get("Rule"));
        let name = name.unwrap().as_str().unwrap();
        let Some(rule) = self.0.get_mut(name) else {
            return Err(format!(
                "EventBridge.ResourceNotFoundException: Rule {name} does not exist on EventBus default."
            ));
        };
        match call.operation.as_str() {
            "DescribeRule" => {
                let mut shown = rule.as_object().unwrap().clone();
                shown.remove("targets");
                shown.insert("Name".to_owned(), json!(name));
                Ok(Value::Object(shown))
            }
            "ListTargetsByRule" => {
                let targets = rule["targets"].as_array().unwrap().iter();
                let targets: Vec<Value> = targets.map(|arn| json!({"Arn": arn})).collect();
                Ok(json!({"Targets": targets}))
            }
            "EnableRule" => {
                rule["State"] = json!("ENABLED");
                Ok(json!({}))
            }
            "DisableRule" => {
                rule["State"] = json!("DISABLED");
                Ok(json!({}))
            }
            other => panic!("the world knows no eventbridge:{other}"),
        }
    }

    fn image(&self) -> Value {
        Value::Object(self.0.clone())
    }

    fn meddle(&mut self, call: &Call) {
        if let Some(rule) = self.0.get_mut(call.params["Name"].as_str().unwrap()) {
            rule["EventPattern"] = json!("{\"source\":[\"nobody\"]}");
        }
    }

    fn copy(&self) -> Box<dyn World> {
        Box::new(self.clone())
    }
}
