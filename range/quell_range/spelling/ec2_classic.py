"""EC2's first dialect: hand-made names, every list as {"items": […]}.

The names come from real trails; a member without an entry here is its API name with a small first letter.
"""

from __future__ import annotations

import datetime
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from quell_range.spelling.generic import small

#: Member of the input -> (name in the record, name of each scalar item or None).
_LISTS: dict[str, tuple[str, str | None]] = {
    "Filters": ("filterSet", None),
    "TagSpecifications": ("tagSpecificationSet", None),
    "Tags": ("tagSet", None),
    "Resources": ("resourcesSet", "resourceId"),
    "InstanceIds": ("instancesSet", "instanceId"),
    "SubnetIds": ("subnetSet", "subnetId"),
    "VpcIds": ("vpcSet", "vpcId"),
    "VolumeIds": ("volumeSet", "volumeId"),
    "SnapshotIds": ("snapshotSet", "snapshotId"),
    "ImageIds": ("imagesSet", "imageId"),
    "Owners": ("ownersSet", "owner"),
    "OwnerIds": ("ownersSet", "owner"),
    "RestorableByUserIds": ("sharedUsersSet", "user"),
    "ExecutableUsers": ("executableBySet", "user"),
    "AllocationIds": ("allocationIdsSet", "allocationId"),
    "PublicIps": ("publicIpsSet", "publicIp"),
    "KeyNames": ("keySet", "keyName"),
    "KeyPairIds": ("keyPairIdSet", "keyPairId"),
    "NetworkInterfaceIds": ("networkInterfaceIdSet", "networkInterfaceId"),
    "NetworkAclIds": ("networkAclIdSet", "networkAclId"),
    "RouteTableIds": ("routeTableIdSet", "routeTableId"),
    "InternetGatewayIds": ("internetGatewayIdSet", "internetGatewayId"),
    "RegionNames": ("regionSet", "regionName"),
    "Groups": ("groupSet", "groupId"),
    "SecurityGroupIds": ("groupSet", "groupId"),
    "SecurityGroups": ("groupSet", "groupName"),
    "SecurityGroupRuleIds": ("securityGroupRuleIds", "securityGroupRuleId"),
    "PrivateIpAddresses": ("privateIpAddressesSet", "privateIpAddress"),
    "NetworkInterfaces": ("networkInterfaceSet", None),
    "BlockDeviceMappings": ("blockDeviceMapping", None),
    "IpPermissions": ("ipPermissions", None),
    "UserIdGroupPairs": ("groups", None),
    "PrefixListIds": ("prefixListIds", None),
    "Values": ("valueSet", "value"),
}

_NAMES: dict[tuple[str, str], str] = {
    ("CreateSecurityGroup", "Description"): "groupDescription",
    ("CreateVolume", "AvailabilityZone"): "zone",
    ("ModifyImageAttribute", "Attribute"): "attributeType",
    ("ModifySnapshotAttribute", "Attribute"): "attributeType",
}

#: Lists a record shows although the call did not send them.
_ALWAYS: dict[str, tuple[str, ...]] = {
    "DescribeSecurityGroups": ("securityGroupSet", "securityGroupIdSet", "filterSet"),
    "DescribeInstances": ("instancesSet", "filterSet"),
    "DescribeNetworkInterfaces": ("networkInterfaceIdSet", "filterSet"),
    "DescribeSubnets": ("subnetSet", "filterSet"),
    "DescribeVpcs": ("vpcSet", "filterSet"),
    "RunInstances": ("blockDeviceMapping",),
    "CreateNetworkInterface": ("groupSet",),
    **{f"{verb}SecurityGroup{way}": ("ipPermissions",) for verb in ("Authorize", "Revoke") for way in ("Ingress", "Egress")},
}


def request(operation: str, params: dict[str, Any], shape: Shape | None) -> dict[str, Any]:
    if not isinstance(shape, StructureShape):
        return {}
    params = dict(params)
    spelt: dict[str, Any] = {name: {} for name in _ALWAYS.get(operation, ())}
    if operation == "RunInstances":
        first = {k: params.pop(k) for k in ("ImageId", "MinCount", "MaxCount", "KeyName") if k in params}
        spelt["instancesSet"] = {"items": [{small(k): v for k, v in first.items()}]}
    if operation in ("ModifyImageAttribute", "ModifySnapshotAttribute"):
        spelt.update(_sharing(operation, params))
    for name, value in params.items():
        if name not in shape.members:
            continue
        if operation == "DescribeSecurityGroups" and name in ("GroupIds", "GroupNames"):
            spelt["securityGroupIdSet" if name == "GroupIds" else "securityGroupSet"] = _items(
                value, "groupId" if name == "GroupIds" else "groupName"
            )
            continue
        key, spelt_value = _member(name, value, shape.members[name])
        spelt[_NAMES.get((operation, name), key)] = spelt_value
    return spelt


def _items(values: list[Any], name: str) -> dict[str, Any]:
    return {"items": [{name: value} for value in values]}


def _member(name: str, value: Any, shape: Shape) -> tuple[str, Any]:
    if not isinstance(shape, ListShape) or not isinstance(value, list):
        return small(name), _value(value, shape)
    key, item_name = _LISTS.get(name, (small(name), None))
    if not value:
        return key, {}
    if not isinstance(shape.member, StructureShape):
        return key, _items(value, item_name) if item_name else {"items": value}
    return key, {"items": [_value(item, shape.member) for item in value]}


def _value(value: Any, shape: Shape) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        spelt = dict(_member(n, v, shape.members[n]) for n, v in value.items() if n in shape.members)
        if shape.name == "IpPermission":
            order = ("ipProtocol", "fromPort", "toPort", "groups", "ipRanges", "ipv6Ranges", "prefixListIds")
            spelt = {k: spelt.get(k, {}) for k in order if k in spelt or k not in ("ipProtocol", "fromPort", "toPort")}
        if shape.name == "TagSpecification" and "tagSet" in spelt:
            spelt["tags"] = spelt.pop("tagSet").get("items", [])
        return spelt
    if isinstance(value, datetime.datetime):
        return int(value.timestamp() * 1000)
    if isinstance(value, (bytes, bytearray)):
        return "<sensitiveDataRemoved>"
    return value


def _sharing(operation: str, params: dict[str, Any]) -> dict[str, Any]:
    """The permission part of sharing an image or a snapshot, whichever of the two forms the call used."""
    member = "LaunchPermission" if operation == "ModifyImageAttribute" else "CreateVolumePermission"
    changes = params.pop(member, None) or {}
    way = str(params.pop("OperationType", "") or "").capitalize()
    given = [{"UserId": u} for u in params.pop("UserIds", [])] + [
        {"Group": g} for g in params.pop("UserGroups", []) + params.pop("GroupNames", [])
    ]
    if way in ("Add", "Remove") and given:
        changes = {way: given}
    spelt = {small(k): {"items": [{small(n): v for n, v in item.items()} for item in items]} for k, items in changes.items() if items}
    params.pop("Attribute", None)
    kind = "launchPermission" if operation == "ModifyImageAttribute" else "CREATE_VOLUME_PERMISSION"
    return {small(member): spelt, "attributeType": kind} if spelt else {}


def response(value: dict[str, Any], shape: Shape | None) -> dict[str, Any]:
    """The answer: the wire's own names, which are already CloudTrail's, with {"items": […]} lists."""
    if not isinstance(shape, StructureShape):
        return {}
    spelt = {}
    for name, item in value.items():
        if name in shape.members:
            wire = str(shape.members[name].serialization.get("name", small(name)))
            spelt["_return" if wire == "return" else wire] = _answer(item, shape.members[name])
    return spelt


def _answer(value: Any, shape: Shape) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return response(value, shape)
    if isinstance(shape, ListShape) and isinstance(value, list):
        return {"items": [_answer(item, shape.member) for item in value]} if value else {}
    return _value(value, shape)
