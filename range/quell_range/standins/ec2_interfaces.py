"""EC2 network interfaces: their groups, one attribute a call, and that an instance's groups are those of its primary interface."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.instances import Instance
from moto.ec2.utils import random_public_ip

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.standins import check, stand_in

#: Quota "security groups per network interface".
GROUPS_MAX = 5
_ATTRIBUTES = (
    "Groups", "Description", "SourceDestCheck", "Attachment", "EnaSrdSpecification", "EnablePrimaryIpv6", "ConnectionTrackingSpecification",
    "AssociatePublicIpAddress", "AssociatedSubnetIds",
)  # fmt: skip
#: Seconds that each timeout may be, as EC2 documents them.
_TIMEOUTS = {"TcpEstablishedTimeout": (60, 432_000), "UdpTimeout": (30, 60), "UdpStreamTimeout": (60, 180)}


@stand_in("ec2", "ModifyNetworkInterfaceAttribute")
def modify(call: Call) -> dict[str, Any] | None:
    params = call.params
    found = ec2_backends[call.account][call.region].get_network_interface(str(params.get("NetworkInterfaceId", "")))
    given = [name for name in _ATTRIBUTES if params.get(name) is not None]
    if len(given) != 1:
        said = "No attributes specified." if not given else f"Fields for multiple attribute types specified: {', '.join(given)}"
        raise ApiError("InvalidParameterCombination", said)
    if found.requester_managed and given[0] != "Description":
        raise ApiError("AuthFailure", "You do not have permission to access the specified resource.", 403)
    if given == ["Groups"]:
        # A new list: who holds the old one sees no change.
        found._group_set = _groups(call, found, [str(group) for group in params["Groups"]])
    elif given == ["ConnectionTrackingSpecification"]:
        found.connection_tracking_configuration = _tracking(found, params["ConnectionTrackingSpecification"])
    elif given == ["AssociatePublicIpAddress"]:
        _associate(found, bool(params["AssociatePublicIpAddress"]))
    elif given == ["SourceDestCheck"]:
        found.source_dest_check = bool(params["SourceDestCheck"].get("Value"))
    elif given == ["Description"]:
        found.description = str(params["Description"].get("Value") or "")
    elif given == ["Attachment"]:
        if params["Attachment"].get("AttachmentId") != found.attachment_id:
            raise ApiError("InvalidAttachmentID.NotFound", f"The attachment '{params['Attachment'].get('AttachmentId')}' does not exist")
        found.delete_on_termination = bool(params["Attachment"].get("DeleteOnTermination"))
    return {}


def _groups(call: Call, found: Any, wanted: list[str]) -> list[Any]:
    if not wanted:
        raise ApiError("InvalidParameterValue", "An interface must belong to at least one security group")
    groups = []
    for name in dict.fromkeys(wanted):
        group = ec2_backends[call.account][call.region].get_security_group_from_id(name)
        if group is None:
            raise ApiError("InvalidGroup.NotFound", f"The security group '{name}' does not exist")
        if group.vpc_id != found.vpc_id:
            raise ApiError("InvalidParameterValue", "You have specified two resources that belong to different networks.")
        groups.append(group)
    if len(groups) > GROUPS_MAX:
        raise ApiError("SecurityGroupsPerInterfaceLimitExceeded", "The maximum number of security groups per interface has been reached.")
    return groups


def _tracking(found: Any, given: dict[str, Any]) -> dict[str, int]:
    for name, seconds in given.items():
        least, most = _TIMEOUTS[name]
        if not least <= int(seconds) <= most:
            raise ApiError("InvalidParameterValue", f"Value ({seconds}) for parameter {name} is invalid. It is from {least} to {most}.")
    return {**getattr(found, "connection_tracking_configuration", {}), **{name: int(seconds) for name, seconds in given.items()}}


def _associate(found: Any, wanted: bool) -> None:
    """The address that EC2 gives by itself; an Elastic IP address stays whatever is said here."""
    if found.device_index not in (0, None):
        raise ApiError("InvalidParameterCombination", "A public address can only be associated with the primary network interface")
    found.public_ip_auto_assign = wanted
    elastic = found.public_ip and found.ec2_backend.address_by_ip([found.public_ip], fail_if_not_found=False)
    if not elastic and found.instance is not None:
        found.public_ip = (found.public_ip or random_public_ip()) if wanted else None


@check("ec2", "DeleteSecurityGroup")
def delete_group(call: Call) -> None:
    """What an interface or another group's rule uses stays."""
    backend = ec2_backends[call.account][call.region]
    name = call.params.get("GroupId")
    used = any(name == group.id for eni in backend.enis.values() for group in eni._group_set) or any(
        (rule.source_group or {}).get("GroupId") == name
        for groups in backend.groups.values()
        for group in groups.values()
        if group.id != name
        for rule in (*group.ingress_rules, *group.egress_rules)
    )
    if name and used:
        raise ApiError("DependencyViolation", f"resource {name} has a dependent object")


def install() -> None:
    """One truth for the groups of an instance, and addresses that know the instance of their interface."""

    def groups_of_instance(self: Any) -> list[Any]:
        primary = self.__dict__.get("nics", {}).get(0)
        return list(primary._group_set) if primary is not None else list(self.__dict__.get("_range_groups", []))

    def set_groups_of_instance(self: Any, groups: list[Any]) -> None:
        self.__dict__["_range_groups"] = groups
        primary = self.__dict__.get("nics", {}).get(0)
        if primary is not None:
            primary._group_set = list(groups)

    def instance_of_address(self: Any) -> Any:
        eni = self.__dict__.get("eni")
        return self.__dict__.get("_range_instance") or (eni.instance if eni else None)

    def set_instance_of_address(self: Any, instance: Any) -> None:
        self.__dict__["_range_instance"] = instance

    Instance.security_groups = property(groups_of_instance, set_groups_of_instance)  # type: ignore[assignment]
    NetworkInterface.group_set = property(lambda self: list(self._group_set))  # type: ignore[method-assign,assignment]
    ElasticAddress.instance = property(instance_of_address, set_instance_of_address)  # type: ignore[assignment]
