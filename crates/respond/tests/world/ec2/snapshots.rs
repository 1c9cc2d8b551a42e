//! Snapshots and whom they are shared with. A case gives `CreateVolumePermissions` and `ProductCodes` with a snapshot.

use serde_json::Value;

use super::{Answer, Ec2};

pub(super) fn call(world: &mut Ec2, operation: &str, params: &Value) -> Option<Answer> {
    Some(match operation {
        // Others ask for the snapshots of a volume, or by their tags.
        "DescribeSnapshots" if params.pointer("/Filters/0/Name") == Some(&"snapshot-id".into()) => {
            world.owned("Snapshots", params)
        }
        "DescribeSnapshotAttribute" => world.snapshot_attribute(params),
        "ModifySnapshotAttribute" => world.share_snapshot(params),
        _ => return None,
    })
}
