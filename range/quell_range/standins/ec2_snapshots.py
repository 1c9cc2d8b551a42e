"""EC2 snapshots: locks, the state in CreateSnapshots' answer and the tags it copies, and block public access."""

from __future__ import annotations

import datetime
from typing import Any

from moto.ec2.models import ec2_backends

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.identity import utcnow
from quell_range.standins import check, page, stand_in

_DAYS_MAX = 36_500
_COOL_OFF_HOURS = range(1, 73)


@stand_in("ec2", "CreateSnapshots")
def create_all(call: Call) -> dict[str, Any]:
    backend = ec2_backends[call.account][call.region]
    specification = call.params.get("InstanceSpecification") or {}
    instance = backend.get_instance(str(specification.get("InstanceId", "")))
    excluded = set(specification.get("ExcludeDataVolumeIds") or [])
    tags = {
        tag["Key"]: tag.get("Value", "")
        for spec in call.params.get("TagSpecifications") or []
        if spec.get("ResourceType") == "snapshot"
        for tag in spec.get("Tags") or []
    }
    made = []
    for device, mapping in instance.get_block_device_mapping:
        boot = device == instance.root_device_name
        if (boot and specification.get("ExcludeBootVolume")) or mapping.volume_id in excluded:
            continue
        snapshot = backend.create_snapshot(mapping.volume_id, str(call.params.get("Description") or ""))
        own = {tag["key"]: tag["value"] for tag in snapshot.volume.get_tags()} if call.params.get("CopyTagsFromSource") == "volume" else {}
        snapshot.add_tags({**own, **tags})
        made.append(snapshot)
    return {"Snapshots": [described(snapshot) for snapshot in made]}


def described(snapshot: Any) -> dict[str, Any]:
    """As EC2 shows it just after it was made."""
    return {
        "Description": snapshot.description, "Encrypted": snapshot.encrypted, "VolumeId": snapshot.volume_id, "State": "pending",
        "VolumeSize": snapshot.volume_size, "StartTime": snapshot.start_time, "Progress": "", "OwnerId": snapshot.owner_id,
        "SnapshotId": snapshot.id, "Tags": [{"Key": tag["key"], "Value": tag["value"]} for tag in snapshot.get_tags()],
    }  # fmt: skip


@stand_in("ec2", "LockSnapshot")
def lock(call: Call) -> dict[str, Any]:
    snapshot, mode = _find(call), call.params.get("LockMode")
    held = locked(snapshot)
    if mode not in ("governance", "compliance"):
        raise ApiError("InvalidParameterValue", f"Value ({mode}) for parameter LockMode is invalid.")
    days, until = call.params.get("LockDuration"), call.params.get("ExpirationDate")
    if (days is None) == (until is None):
        raise ApiError("InvalidParameterCombination", "Exactly one of LockDuration and ExpirationDate must be specified")
    if days is not None and not 1 <= int(days) <= _DAYS_MAX:
        raise ApiError("InvalidParameterValue", f"Value ({days}) for parameter LockDuration is invalid.")
    hours = call.params.get("CoolOffPeriod")
    if hours is not None and (mode == "governance" or int(hours) not in _COOL_OFF_HOURS):
        raise ApiError("InvalidParameterCombination", "A cool-off period is of compliance mode, and from 1 to 72 hours")
    now = utcnow()
    ends = now + datetime.timedelta(days=int(days)) if days is not None else _moment(until)
    if held and held["LockState"] == "compliance" and (mode == "governance" or ends < held["LockExpiresOn"]):
        raise ApiError(
            "SnapshotLock.InvalidState", f"The snapshot {snapshot.id} is locked in compliance mode: its lock can only be extended"
        )
    state = mode if mode == "governance" or hours is None else "compliance-cooloff"
    made = {
        "SnapshotId": snapshot.id, "LockState": state, "LockCreatedOn": now,
        "LockDuration": int(days) if days is not None else (ends - now).days,
        "LockDurationStartTime": now, "LockExpiresOn": ends,
    }  # fmt: skip
    if hours is not None:
        made |= {"CoolOffPeriod": int(hours), "CoolOffPeriodExpiresOn": now + datetime.timedelta(hours=int(hours))}
    snapshot.__dict__["range_lock"] = made
    return made


@stand_in("ec2", "UnlockSnapshot")
def unlock(call: Call) -> dict[str, Any]:
    snapshot = _find(call)
    held = locked(snapshot)
    if held is None or held["LockState"] == "compliance":
        raise ApiError("SnapshotLock.InvalidState", f"The lock of the snapshot {snapshot.id} cannot be removed")
    snapshot.__dict__["range_lock"] = None
    return {"SnapshotId": snapshot.id}


@stand_in("ec2", "DescribeLockedSnapshots")
def describe_locked(call: Call) -> dict[str, Any]:
    backend = ec2_backends[call.account][call.region]
    wanted = call.params.get("SnapshotIds") or []
    for name in wanted:
        if name not in backend.snapshots:
            raise ApiError("InvalidSnapshot.NotFound", f"The snapshot '{name}' does not exist.")
    states = [value for f in call.params.get("Filters") or [] if f.get("Name") == "lock-state" for value in f.get("Values") or []]
    held = [(snapshot, locked(snapshot)) for snapshot in backend.snapshots.values() if not wanted or snapshot.id in wanted]
    found = [{"OwnerId": s.owner_id, **lock} for s, lock in held if lock and lock["LockState"] in (states or [lock["LockState"]])]
    shown, token = page(found, call)
    return {"Snapshots": shown, "NextToken": token}


@check("ec2", "DeleteSnapshot")
def delete(call: Call) -> None:
    snapshot = ec2_backends[call.account][call.region].snapshots.get(str(call.params.get("SnapshotId", "")))
    if snapshot is not None and locked(snapshot):
        raise ApiError("OperationNotPermitted", f"The snapshot {snapshot.id} is locked and cannot be deleted.")


def locked(snapshot: Any) -> dict[str, Any] | None:
    """The lock of a snapshot, if it has one that has not ended."""
    held: dict[str, Any] | None = snapshot.__dict__.get("range_lock")
    return held if held and held["LockExpiresOn"] > utcnow() else None


@stand_in("ec2", "EnableSnapshotBlockPublicAccess")
def enable_block(call: Call) -> dict[str, Any]:
    state = str(call.params.get("State"))
    if state not in ("block-all-sharing", "block-new-sharing"):
        raise ApiError("InvalidParameterValue", f"Value ({state}) for parameter State is invalid.")
    ec2_backends[call.account][call.region].__dict__["range_snapshot_block"] = state
    return {"State": state}


@stand_in("ec2", "DisableSnapshotBlockPublicAccess")
def disable_block(call: Call) -> dict[str, Any]:
    ec2_backends[call.account][call.region].__dict__["range_snapshot_block"] = "unblocked"
    return {"State": "unblocked"}


@stand_in("ec2", "GetSnapshotBlockPublicAccessState")
def block_state(call: Call) -> dict[str, Any]:
    return {"State": _block(call), "ManagedBy": "account"}


@check("ec2", "ModifySnapshotAttribute")
def share(call: Call) -> None:
    added = (call.params.get("CreateVolumePermission") or {}).get("Add") or []
    public = any(item.get("Group") == "all" for item in added) or "all" in (call.params.get("GroupNames") or [])
    if public and call.params.get("OperationType") != "remove" and _block(call) != "unblocked":
        raise ApiError("OperationNotPermitted", "Block public access for snapshots is enabled in this Region.")


def _block(call: Call) -> str:
    return str(ec2_backends[call.account][call.region].__dict__.get("range_snapshot_block", "unblocked"))


def _find(call: Call) -> Any:
    wanted = str(call.params.get("SnapshotId", ""))
    snapshot = ec2_backends[call.account][call.region].snapshots.get(wanted)
    if snapshot is None:
        raise ApiError("InvalidSnapshot.NotFound", f"The snapshot '{wanted}' does not exist.")
    return snapshot


def _moment(value: Any) -> datetime.datetime:
    made = value if isinstance(value, datetime.datetime) else datetime.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    return made if made.tzinfo else made.replace(tzinfo=datetime.UTC)
