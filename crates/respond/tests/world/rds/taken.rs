//! Snapshots that runs take of instances: by name, with what RDS shows of them. A case may have some in `taken`.

use serde_json::{Value, json};

use super::Rds;

pub(super) fn call(
    world: &mut Rds,
    operation: &str,
    params: &Value,
) -> Option<Result<Value, String>> {
    Some(match operation {
        "CreateDBSnapshot" => take(world, params),
        "DescribeDBSnapshots" => {
            let filter = &params["Filters"][0];
            assert_eq!(filter["Name"], "db-snapshot-id");
            let names = filter["Values"].as_array().unwrap().iter();
            let found = names.filter_map(|name| {
                let status = world.taken.get(name.as_str()?)?;
                Some(json!({"DbSnapshotIdentifier": name, "Status": status, "DbInstanceIdentifier": world.instances.keys().next()}))
            });
            let found: Vec<Value> = found.collect();
            // AWS leaves an empty list out of its answer.
            Ok(if found.is_empty() {
                json!({})
            } else {
                json!({"DbSnapshots": found})
            })
        }
        _ => return None,
    })
}

fn take(world: &mut Rds, params: &Value) -> Result<Value, String> {
    let (name, of) = (
        &params["DbSnapshotIdentifier"],
        &params["DbInstanceIdentifier"],
    );
    let name = name.as_str().unwrap();
    if world.taken.contains_key(name) {
        return Err("Rds.DbSnapshotAlreadyExistsException: its name is taken".to_owned());
    }
    match world.instances.get(of.as_str().unwrap()) {
        Some(instance) if instance["DbInstanceStatus"] == "available" => {
            world.taken.insert(name.to_owned(), "available".into());
            Ok(json!({}))
        }
        Some(_) => Err("Rds.InvalidDbInstanceStateException: it is busy".to_owned()),
        None => Err("Rds.DbInstanceNotFoundException: it is not there".to_owned()),
    }
}
