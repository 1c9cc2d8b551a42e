//! RDS: databases, as instances and as clusters; snapshots of them, with whom they are shared. One file for each object.
//!
//! A case has `instances` and `clusters`: by name, each as RDS shows it; `snapshots` and `clusterSnapshots`: by name, whom each is
//! shared with (`{"nightly": ["all"]}`); `taken`: by name, how far a snapshot is that a run takes (`{"quell-run-1": "available"}`).

mod databases;
mod snapshots;
mod taken;

use quell_model::Call;
use serde_json::{Map, Value, json};

use super::World;

#[derive(Clone)]
pub struct Rds {
    instances: Map<String, Value>,
    clusters: Map<String, Value>,
    snapshots: Map<String, Value>,
    cluster_snapshots: Map<String, Value>,
    taken: Map<String, Value>,
}

impl Rds {
    pub fn of(case: &Value) -> Self {
        let named = |name: &str| case[name].as_object().cloned().unwrap_or_default();
        Self {
            instances: named("instances"),
            clusters: named("clusters"),
            snapshots: named("snapshots"),
            cluster_snapshots: named("clusterSnapshots"),
            taken: named("taken"),
        }
    }
}

impl World for Rds {
    fn call(&mut self, call: &Call) -> Result<Value, String> {
        let (operation, params) = (call.operation.as_str(), &call.params);
        let answer = databases::call(self, operation, params)
            .or_else(|| snapshots::call(self, operation, params))
            .or_else(|| taken::call(self, operation, params));
        answer.unwrap_or_else(|| panic!("the world knows no rds:{operation}"))
    }

    fn image(&self) -> Value {
        json!([
            self.instances,
            self.clusters,
            snapshots::image(&self.snapshots),
            snapshots::image(&self.cluster_snapshots)
        ])
    }

    fn evidence(&self) -> Value {
        json!(self.taken)
    }

    /// Somebody else lets another account in, or orders another size.
    fn meddle(&mut self, call: &Call) {
        match call.operation.contains("SnapshotAttribute") {
            true => snapshots::meddle(self, call),
            false => databases::meddle(self, call),
        }
    }

    fn copy(&self) -> Box<dyn World> {
        Box::new(self.clone())
    }
}
