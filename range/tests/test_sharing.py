"""Snapshots that are shared with other accounts."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from conftest import Client

from quell_range.attacks import pb_010
from quell_range.attacks.stage import Stage


def says(call: Any, **params: Any) -> str:
    try:
        call(**params)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "ok"


def test_another_account_uses_what_is_shared_and_nothing_else(quell_range: Client) -> None:
    owner = quell_range.developer("ec2", quell_range.production)
    other = quell_range.developer("ec2", quell_range.sandbox)
    volume = owner.create_volume(Size=1, AvailabilityZone="us-east-1a")["VolumeId"]
    name = owner.create_snapshot(VolumeId=volume)["SnapshotId"]

    def tries() -> tuple[str, str]:
        return says(other.describe_snapshots, SnapshotIds=[name]), says(other.copy_snapshot, SourceSnapshotId=name, SourceRegion="us-east-1")

    def share(**whom: Any) -> None:
        owner.modify_snapshot_attribute(SnapshotId=name, Attribute="createVolumePermission", **whom)

    assert tries() == ("InvalidSnapshot.NotFound",) * 2
    share(OperationType="add", UserIds=["999911112222"])
    assert tries() == ("InvalidSnapshot.NotFound",) * 2
    share(OperationType="add", GroupNames=["all"])
    assert tries() == ("ok", "ok")
    heard = quell_range.record("SharedSnapshotCopyInitiated")
    assert (heard["recipientAccountId"], heard["userIdentity"]["accountId"]) == (quell_range.production["id"], quell_range.sandbox["id"])
    assert (heard["serviceEventDetails"], heard["eventType"]) == ({"snapshotId": name}, "AwsServiceEvent")
    share(OperationType="remove", GroupNames=["all"])
    assert tries() == ("InvalidSnapshot.NotFound",) * 2
    assert says(owner.copy_snapshot, SourceSnapshotId=name, SourceRegion="us-east-1") == "ok"


def test_what_the_attack_leaves(quell_range: Client) -> None:
    stage = Stage(quell_range.info)
    made = pb_010.prepare(stage)
    before = pb_010.read(stage, made)
    pb_010.attack(stage, made)
    assert (before, pb_010.read(stage, made)) == ([], sorted(["all", pb_010.ATTACKER, quell_range.sandbox["id"]]))
