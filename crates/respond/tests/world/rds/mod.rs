//! RDS: snapshots of databases and of clusters, with whom they are shared.
//!
//! A case has `snapshots` and `clusterSnapshots`: by name, whom each is shared with (`{"nightly": ["all"]}`).

mod snapshots;

use quell_model::Call;
use serde_json::{Map, Value, json};

use super::World;

#[derive(Clone)]
pub struct Rds {
    snapshots: Map<String, Value>,
    cluster_snapshots: Map<String, Value>,
}

impl Rds {
    pub fn of(case: &Value) -> Self {
        let named = |name: &str| case[name].as_object().cloned().unwrap_or_default();
        Self {
            snapshots: named("snapshots"),
            cluster_snapshots: named("clusterSnapshots"),
        }
    }
}

impl World for Rds {
    fn call(&mut self, call: &Call) -> Result<Value, String> {
        let (operation, params) = (call.operation.as_str(), &call.params);
        let answer = snapshots::call(self, operation, params);
        answer.unwrap_or_else(|| panic!("the world knows no rds:{operation}"))
    }

    fn image(&self) -> Value {
        json!([
            snapshots::image(&self.snapshots),
            snapshots::image(&self.cluster_snapshots)
        ])
    }

    /// Somebody else lets another account in.
    fn meddle(&mut self, call: &Call) {
        snapshots::meddle(self, call);
    }

    fn copy(&self) -> Box<dyn World> {
        Box::new(self.clone())
    }
}
