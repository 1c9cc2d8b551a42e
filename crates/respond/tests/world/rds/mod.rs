//! RDS: databases, as instances and as clusters. One file for each object.
//!
//! A case has `instances` and `clusters`: by name, each as RDS shows it.

mod databases;

use quell_model::Call;
use serde_json::{Map, Value, json};

use super::World;

#[derive(Clone)]
pub struct Rds {
    instances: Map<String, Value>,
    clusters: Map<String, Value>,
}

impl Rds {
    pub fn of(case: &Value) -> Self {
        let named = |name: &str| case[name].as_object().cloned().unwrap_or_default();
        Self {
            instances: named("instances"),
            clusters: named("clusters"),
        }
    }
}

impl World for Rds {
    fn call(&mut self, call: &Call) -> Result<Value, String> {
        let (operation, params) = (call.operation.as_str(), &call.params);
        let answer = databases::call(self, operation, params);
        answer.unwrap_or_else(|| panic!("the world knows no rds:{operation}"))
    }

    fn image(&self) -> Value {
        json!([self.instances, self.clusters])
    }

    fn meddle(&mut self, call: &Call) {
        databases::meddle(self, call);
    }

    fn copy(&self) -> Box<dyn World> {
        Box::new(self.clone())
    }
}
