//! Instances and clusters: what is modified at once, and what waits for the maintenance window.

use quell_model::Call;
use serde_json::{Map, Value, json};

use super::Rds;

/// What RDS changes at once, whatever is said of the time.
const AT_ONCE: [&str; 2] = ["DeletionProtection", "PubliclyAccessible"];
const PENDING: &str = "PendingModifiedValues";

type Answer = Result<Value, String>;

pub fn call(rds: &mut Rds, operation: &str, params: &Value) -> Option<Answer> {
    let (of, id, kind) = match operation {
        "DescribeDBInstances" | "ModifyDBInstance" => {
            (&mut rds.instances, "DbInstanceIdentifier", "DbInstance")
        }
        "DescribeDBClusters" | "ModifyDBCluster" => {
            (&mut rds.clusters, "DbClusterIdentifier", "DbCluster")
        }
        _ => return None,
    };
    let name = params[id].as_str().unwrap();
    let Some(database) = of.get_mut(name).and_then(Value::as_object_mut) else {
        return Some(Err(format!(
            "Rds.{kind}NotFoundException: {name} not found"
        )));
    };
    if operation.starts_with("Modify") {
        return Some(modify(database, params, id));
    }
    let mut shown = database.clone();
    shown.insert(id.to_owned(), json!(name));
    Some(Ok(json!({format!("{kind}s"): [shown]})))
}

fn modify(database: &mut Map<String, Value>, params: &Value, id: &str) -> Answer {
    if database.get("denied") == Some(&json!(true)) {
        return Err("Rds.RdsException: not authorized".to_owned());
    }
    let now = params["ApplyImmediately"] == true;
    let pending = database.remove(PENDING);
    let mut pending = pending
        .and_then(|p| p.as_object().cloned())
        .unwrap_or_default();
    for (name, value) in params.as_object().unwrap() {
        if AT_ONCE.contains(&name.as_str()) {
            database.insert(name.clone(), value.clone());
        } else if name != id && name != "ApplyImmediately" {
            pending.insert(name.clone(), value.clone());
        }
    }
    // Applied at once, everything is that was pending.
    if now {
        database.append(&mut pending);
    }
    pending.retain(|name, value| database.get(name) != Some(value));
    if !pending.is_empty() {
        database.insert(PENDING.to_owned(), Value::Object(pending));
    }
    Ok(json!({}))
}

/// Somebody else orders another size, for the next maintenance window.
pub fn meddle(rds: &mut Rds, call: &Call) {
    let of = match call.operation.as_str() {
        "ModifyDBCluster" => &mut rds.clusters,
        _ => &mut rds.instances,
    };
    for database in of.values_mut() {
        database[PENDING]["DbInstanceClass"] = json!("db.r6g.large");
    }
}
