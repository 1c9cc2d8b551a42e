"""What other accounts can do with a snapshot that is shared with them: see it, copy it. Its owner hears of a copy."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_block_store import Snapshot
from moto.ec2.utils import random_snapshot_id

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.standins import stand_in
from quell_range.standins.ec2_snapshots import described


@stand_in("ec2", "DescribeSnapshots")
def describe(call: Call) -> dict[str, Any] | None:
    """By id, another's too. Anything else moto answers."""
    wanted = [str(name) for name in call.params.get("SnapshotIds") or []]
    if all(name in ec2_backends[call.account][call.region].snapshots for name in wanted) or call.params.get("Filters"):
        return None
    return {"Snapshots": [described(_usable(call, name, call.region)) for name in wanted]}


@stand_in("ec2", "CopySnapshot")
def copy(call: Call) -> dict[str, Any] | None:
    wanted, region = str(call.params.get("SourceSnapshotId", "")), str(call.params.get("SourceRegion", call.region))
    if wanted in ec2_backends[call.account][region].snapshots:
        return None
    source = _usable(call, wanted, region)
    backend = ec2_backends[call.account][call.region]
    made = Snapshot(backend, random_snapshot_id(), volume=source.volume, description=str(call.params.get("Description") or ""), encrypted=source.encrypted)
    backend.snapshots[made.id] = made
    call.notes["owner_hears"] = (source.owner_id, "SharedSnapshotCopyInitiated", {"snapshotId": source.id})
    return {"SnapshotId": made.id}


def _usable(call: Call, wanted: str, region: str) -> Any:
    """A snapshot that is the caller's, or that its owner shares with the caller."""
    for account, regions in ec2_backends.items():
        snapshot = regions[region].snapshots.get(wanted) if region in regions else None
        if snapshot is None:
            continue
        shared = "all" in snapshot.create_volume_permission_groups or call.account in snapshot.create_volume_permission_userids
        if account == call.account or shared:
            return snapshot
    raise ApiError("InvalidSnapshot.NotFound", f"The snapshot '{wanted}' does not exist.")
