"""EC2 instances: one attribute a call, metadata options that keep what is not said, profiles, stopping, and what a console shows."""

from __future__ import annotations

import base64
from typing import Any

from botocore import xform_name
from moto.ec2.models import ec2_backends
from moto.ec2.utils import random_iam_instance_profile_association_id

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.identity import utcnow
from quell_range.standins import check, stand_in

_ATTRIBUTES = (
    "Attribute", "SourceDestCheck", "BlockDeviceMappings", "DisableApiTermination", "EbsOptimized", "EnaSupport", "Groups",
    "InstanceInitiatedShutdownBehavior", "InstanceType", "Kernel", "Ramdisk", "SriovNetSupport", "UserData", "DisableApiStop",
)  # fmt: skip
#: What can only be changed while an instance is stopped.
_STOPPED_ONLY = ("InstanceType", "Kernel", "Ramdisk", "UserData", "EbsOptimized", "EnaSupport", "SriovNetSupport")
#: What each metadata option may be.
_METADATA: dict[str, Any] = {
    "HttpTokens": ("optional", "required"),
    "HttpPutResponseHopLimit": range(1, 65),
    "HttpEndpoint": ("enabled", "disabled"),
    "HttpProtocolIpv6": ("enabled", "disabled"),
    "InstanceMetadataTags": ("enabled", "disabled"),
}
#: The smallest PNG: a screenshot of nothing.
_PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


@stand_in("ec2", "ModifyInstanceAttribute")
def modify(call: Call) -> dict[str, Any] | None:
    params, instance = call.params, _find(call)
    given = [name for name in _ATTRIBUTES if params.get(name) is not None]
    if len(given) != 1:
        said = "No attributes specified." if not given else f"Fields for multiple attribute types specified: {', '.join(given)}"
        raise ApiError("InvalidParameterCombination", said)
    (name,) = given
    if name in _STOPPED_ONLY and instance._state.name != "stopped":
        raise ApiError("IncorrectInstanceState", f"The instance '{instance.id}' is not in the 'stopped' state.")
    if name == "DisableApiTermination" and getattr(instance, "lifecycle", None) == "spot":
        raise ApiError("UnsupportedOperation", "The operation is not supported for Spot Instances")
    if name == "Groups":
        if len(instance.nics) > 1:
            raise ApiError(
                "InvalidInstanceID",
                f"There are multiple interfaces attached to instance '{instance.id}'. "
                "Please specify an interface ID for the operation instead.",
            )
        return None
    if name == "BlockDeviceMappings":
        for mapping in params[name]:
            device = instance.block_device_mapping.get(mapping.get("DeviceName"))
            if device is None:
                raise ApiError("InvalidInstanceAttributeValue", f"No device is currently mapped at {mapping.get('DeviceName')}")
            device.delete_on_termination = bool(mapping.get("Ebs", {}).get("DeleteOnTermination"))
        return {}
    return None


@stand_in("ec2", "DescribeInstanceAttribute")
def describe(call: Call) -> dict[str, Any] | None:
    if call.params.get("Attribute") != "blockDeviceMapping":
        return None
    instance = _find(call)
    mappings = [
        {
            "DeviceName": name,
            "Ebs": {
                "VolumeId": d.volume_id,
                "Status": "attached",
                "DeleteOnTermination": bool(d.delete_on_termination),
                "AttachTime": d.attach_time,
            },
        }
        for name, d in instance.block_device_mapping.items()
    ]
    return {"InstanceId": instance.id, "BlockDeviceMappings": mappings}


@stand_in("ec2", "ModifyInstanceMetadataOptions")
def metadata(call: Call) -> dict[str, Any]:
    instance = _find(call)
    options = {name: getattr(instance.metadata_options, xform_name(name)) for name in _METADATA}
    for name, values in _METADATA.items():
        wanted = call.params.get(name)
        if wanted is None:
            continue
        if wanted not in values:
            raise ApiError("InvalidParameterValue", f"Value ({wanted}) for parameter {name} is invalid.")
        options[name] = wanted
    instance.metadata_options = type(instance.metadata_options)({"State": "applied", **options})
    return {"InstanceId": instance.id, "InstanceMetadataOptions": {"State": "pending", **options}}


@check("ec2", "StopInstances")
def stop(call: Call) -> None:
    for name in call.params.get("InstanceIds") or []:
        instance = ec2_backends[call.account][call.region].get_instance(str(name))
        configured = (getattr(instance, "hibernation_options", None) or {}).get("Configured")
        if call.params.get("Hibernate") and str(configured).lower() != "true":
            raise ApiError("UnsupportedHibernationConfiguration", f"The instance {instance.id} is not enabled for hibernation.")
        if instance.disable_api_stop is True and not call.params.get("Force"):
            raise ApiError(
                "OperationNotPermitted",
                f"The instance '{instance.id}' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.",
            )


@stand_in("ec2", "ReplaceIamInstanceProfileAssociation")
def replace_profile(call: Call) -> dict[str, Any]:
    """As moto, but the association is a new one with an id of its own, and the instance shows the new profile."""
    backend = ec2_backends[call.account][call.region]
    wanted, profile = str(call.params.get("AssociationId", "")), call.params.get("IamInstanceProfile") or {}
    held = next((one for one in backend.iam_instance_profile_associations.values() if one.association_id == wanted), None)
    if held is None:
        raise ApiError("InvalidAssociationID.NotFound", f"An invalid association-id of '{wanted}' was given")
    backend.replace_iam_instance_profile_association(wanted, profile.get("Name"), profile.get("Arn"))
    held.association_id = random_iam_instance_profile_association_id()
    backend.modify_instance_attribute(
        held.instance_id, "iam_instance_profile", {"Arn": held.iam_instance_profile.arn, "Id": held.iam_instance_profile.id}
    )
    shown = {"Arn": held.iam_instance_profile.arn, "Id": held.iam_instance_profile.id}
    return {
        "IamInstanceProfileAssociation": {
            "AssociationId": held.association_id, "InstanceId": held.instance_id, "IamInstanceProfile": shown, "State": "associating",
        }
    }  # fmt: skip


@stand_in("ec2", "GetConsoleScreenshot")
def screenshot(call: Call) -> dict[str, Any]:
    instance = _find(call)
    if instance._state.name != "running":
        raise ApiError("IncorrectInstanceState", f"The instance '{instance.id}' is not in the 'running' state.")
    return {"InstanceId": instance.id, "ImageData": base64.b64encode(_PIXEL).decode()}


@stand_in("ssm", "DescribeInstanceInformation")
def managed(call: Call) -> dict[str, Any]:
    """The running instances whose SSM agent is online: those that have an instance profile."""
    wanted = {
        f["Key" if "Key" in f else "key"]: f["Values" if "Values" in f else "valueSet"]
        for f in [*(call.params.get("Filters") or []), *(call.params.get("InstanceInformationFilterList") or [])]
    }
    found = []
    for instance in ec2_backends[call.account][call.region].all_instances():
        online = instance._state.name == "running" and instance.id in instance.ec2_backend.iam_instance_profile_associations
        if online and instance.id in (wanted.get("InstanceIds") or [instance.id]):
            found.append(
                {
                    "InstanceId": instance.id, "PingStatus": "Online", "LastPingDateTime": utcnow(), "AgentVersion": "3.3.0.0",
                    "PlatformType": "Linux", "ResourceType": "EC2Instance", "IPAddress": instance.private_ip,
                }
            )  # fmt: skip
    return {"InstanceInformationList": found}


def _find(call: Call) -> Any:
    return ec2_backends[call.account][call.region].get_instance(str(call.params.get("InstanceId", "")))
