"""EC2's two dialects.

The calls of EC2's first decade are spelt by hand-made names ("instancesSet", "valueSet") with every list as
{"items": […]}. Newer calls show the wire request under "<Operation>Request": capital letters, lists as one value
or several, each with its number as "tag".
"""

from __future__ import annotations

from typing import Any

from botocore.model import Shape, StructureShape

from quell_range.call import Call
from quell_range.spelling import ec2_classic, ec2_wire

#: Parts of operation names that are recorded in the newer dialect. Seen in real trails: FlowLogs, NatGateway,
#: LaunchTemplate, VpcEndpoint, CreditSpecification, AddressTransfer, AddressesAttribute, EgressOnlyInternetGateway,
#: Hosts, ClassicLinkDnsSupport; ModifySecurityGroupRules from published queries over it. The others came to EC2 with
#: or after those, and are taken to be recorded alike.
_WIRE = (
    "FlowLog", "NatGateway", "LaunchTemplate", "VpcEndpoint", "CreditSpecification", "AddressTransfer", "AddressesAttribute",
    "AddressAttribute", "EgressOnlyInternetGateway", "Hosts", "ClassicLinkDnsSupport", "SecurityGroupRules", "ManagedPrefixList",
    "Fleet", "TransitGateway", "TrafficMirror", "ClientVpn", "EbsEncryptionByDefault", "EbsDefaultKmsKeyId",
    "BlockPublicAccess", "InstanceMetadata", "SerialConsoleAccess", "CapacityReservation", "Ipam", "NetworkInsights",
    "SecurityGroupVpc", "InstanceConnectEndpoint", "VerifiedAccess", "CarrierGateway", "CoipPool", "InstanceEventWindow",
    "SpotFleet", "FastSnapshotRestores", "StoreImageTask",
)  # fmt: skip


def is_wire(operation: str) -> bool:
    return any(part in operation for part in _WIRE)


def request(call: Call) -> dict[str, Any]:
    shape = call.operation_model.input_shape
    params = {k: v for k, v in call.params.items() if k != "DryRun" or v}
    if is_wire(call.operation):
        return {f"{call.operation}Request": ec2_wire.request(params, shape) or ""}
    return ec2_classic.request(call.operation, params, shape)


def response(call: Call, parsed: dict[str, Any]) -> dict[str, Any]:
    shape: Shape | None = call.operation_model.output_shape
    request_id = call.notes.get("request_id", "")
    body = {k: v for k, v in parsed.items() if k != "ResponseMetadata"}
    if is_wire(call.operation):
        content = ec2_wire.response(body, shape)
        if isinstance(shape, StructureShape) and "Unsuccessful" in shape.members:
            content.setdefault("unsuccessful", "")
        return {f"{call.operation}Response": {"xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/", "requestId": request_id, **content}}
    answer: dict[str, Any] = {"requestId": request_id}
    if _says_return(call.operation, shape):
        answer["_return"] = True
    answer.update({k: v for k, v in ec2_classic.response(body, shape).items() if k != "_return"})
    return answer


def _says_return(operation: str, shape: Shape | None) -> bool:
    """Calls that answer only <return>true</return>, which the models often leave out."""
    return shape is None or operation == "CreateSecurityGroup" or (isinstance(shape, StructureShape) and "Return" in shape.members)
