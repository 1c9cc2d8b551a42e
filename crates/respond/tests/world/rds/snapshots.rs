//! Snapshots and whom they are shared with.

use quell_model::Call;
use serde_json::{Map, Value, json};

use super::Rds;

/// RDS shares a snapshot with so many accounts.
const ACCOUNTS_MAX: usize = 20;

pub(super) fn call(
    world: &mut Rds,
    operation: &str,
    params: &Value,
) -> Option<Result<Value, String>> {
    Some(match operation {
        "DescribeDBSnapshotAttributes" => described(&world.snapshots, params, "Db"),
        "DescribeDBClusterSnapshotAttributes" => {
            described(&world.cluster_snapshots, params, "DbCluster")
        }
        "ModifyDBSnapshotAttribute" => modify(&mut world.snapshots, params, "Db"),
        "ModifyDBClusterSnapshotAttribute" => {
            modify(&mut world.cluster_snapshots, params, "DbCluster")
        }
        _ => return None,
    })
}

fn id<'a>(params: &'a Value, of: &str) -> &'a str {
    params[format!("{of}SnapshotIdentifier")].as_str().unwrap()
}

fn absent(of: &str) -> String {
    format!("Rds.{of}SnapshotNotFoundException: it does not exist")
}

fn described(all: &Map<String, Value>, params: &Value, of: &str) -> Result<Value, String> {
    let id = id(params, of);
    let shared = all.get(id).ok_or_else(|| absent(of))?;
    let mut restore = json!({"AttributeName": "restore"});
    // AWS leaves an empty list out of its answer.
    if *shared != json!([]) {
        restore["AttributeValues"] = shared.clone();
    }
    Ok(json!({format!("{of}SnapshotAttributesResult"): {
        format!("{of}SnapshotIdentifier"): id,
        format!("{of}SnapshotAttributes"): [restore, {"AttributeName": "other", "AttributeValues": ["all"]}],
    }}))
}

fn modify(all: &mut Map<String, Value>, params: &Value, of: &str) -> Result<Value, String> {
    assert_eq!(params["AttributeName"], "restore");
    let known = [
        "AttributeName",
        "ValuesToAdd",
        "ValuesToRemove",
        &format!("{of}SnapshotIdentifier"),
    ];
    assert!(
        params
            .as_object()
            .unwrap()
            .keys()
            .all(|name| known.contains(&name.as_str())),
        "{params}"
    );
    let shared = all.get_mut(id(params, of)).ok_or_else(|| absent(of))?;
    let shared = shared.as_array_mut().unwrap();
    for (list, adds) in [("ValuesToRemove", false), ("ValuesToAdd", true)] {
        let values = params[list].as_array().cloned().unwrap_or_default();
        assert!(values.len() <= ACCOUNTS_MAX, "RDS takes no more at once");
        for who in values {
            shared.retain(|one| *one != who);
            if adds {
                shared.push(who);
            }
        }
    }
    Ok(json!({}))
}

/// What is a set is in order.
pub(super) fn image(all: &Map<String, Value>) -> Value {
    let sorted = |shared: &Value| {
        let mut texts: Vec<&str> = shared
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        texts.sort_unstable();
        json!(texts)
    };
    all.iter()
        .map(|(name, shared)| (name.clone(), sorted(shared)))
        .collect::<Map<_, _>>()
        .into()
}

pub(super) fn meddle(world: &mut Rds, call: &Call) {
    let (all, of) = match call.operation.contains("Cluster") {
        true => (&mut world.cluster_snapshots, "DbCluster"),
        false => (&mut world.snapshots, "Db"),
    };
    if let Some(shared) = all.get_mut(id(&call.params, of)) {
        shared.as_array_mut().unwrap().push(json!("999988887777"));
    }
}
