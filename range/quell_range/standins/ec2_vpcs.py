"""Block public access for VPCs: the account's setting in a Region."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.identity import utcnow
from quell_range.standins import stand_in

_MODES = ("off", "block-bidirectional", "block-ingress")


@stand_in("ec2", "ModifyVpcBlockPublicAccessOptions")
def modify(call: Call) -> dict[str, Any]:
    mode = call.params.get("InternetGatewayBlockMode")
    if mode not in _MODES:
        raise ApiError("InvalidParameterValue", f"Value ({mode}) for parameter InternetGatewayBlockMode is invalid.")
    ec2_backends[call.account][call.region].__dict__["range_vpc_block"] = made = _options(call, mode)
    return {"VpcBlockPublicAccessOptions": {**made, "State": "update-in-progress"}}


@stand_in("ec2", "DescribeVpcBlockPublicAccessOptions")
def describe(call: Call) -> dict[str, Any]:
    held = ec2_backends[call.account][call.region].__dict__.get("range_vpc_block")
    return {"VpcBlockPublicAccessOptions": held or {**_options(call, "off"), "State": "default-state"}}


def _options(call: Call, mode: str) -> dict[str, Any]:
    return {
        "AwsAccountId": call.account, "AwsRegion": call.region, "State": "update-complete", "InternetGatewayBlockMode": mode,
        "LastUpdateTimestamp": utcnow(), "ManagedBy": "account", "ExclusionsAllowed": "allowed",
    }  # fmt: skip
