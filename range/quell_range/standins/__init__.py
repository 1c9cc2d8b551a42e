"""The range's own answers where moto is wrong or silent; STANDINS.md lists them.

A stand-in is a function of the call that returns the result as the service's model shapes it. It works on moto's
own backends, so that moto's other operations see what it did.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.serialize import get_serializer_class

from quell_range.call import Call
from quell_range.errors import Answer, ApiError, error_answer

#: None as the result: moto answers this one.
StandIn = Callable[[Call], dict[str, Any] | None]
Check = Callable[[Call], None]
_STAND_INS: dict[tuple[str, str], StandIn] = {}
_CHECKS: dict[tuple[str, str], list[Check]] = {}


def stand_in(service: str, *operations: str) -> Callable[[StandIn], StandIn]:
    """Register a function as the answer of `operations`."""

    def register(function: StandIn) -> StandIn:
        for operation in operations:
            _STAND_INS[(service, operation)] = function
        return function

    return register


def check(service: str, *operations: str) -> Callable[[Check], Check]:
    """Register a function that looks at calls of `operations` (`*`: all of the service) first, and raises ApiError to refuse one."""

    def register(function: Check) -> Check:
        for operation in operations:
            _CHECKS.setdefault((service, operation), []).append(function)
        return function

    return register


def answer(call: Call) -> Answer | None:
    """The stand-in's answer, or None when moto answers this call."""
    function = _STAND_INS.get((call.service, call.operation))
    checks = [*_CHECKS.get((call.service, "*"), ()), *_CHECKS.get((call.service, call.operation), ())]
    try:
        for looks in checks:
            looks(call)
        result = function(call) if function else None
    except ApiError as error:
        return error_answer(call.protocol, call.service, error, str(call.model.metadata.get("xmlNamespace", "")))
    except ServiceException as error:
        refusal = ApiError(error.code, error.message)
        return error_answer(call.protocol, call.service, refusal, str(call.model.metadata.get("xmlNamespace", "")))
    if result is None:
        return None
    serializer = get_serializer_class(call.service, call.protocol)(operation_model=call.operation_model)
    made = serializer.serialize(result)
    body = made["body"]
    request_id = str(uuid.uuid4())
    raw = (body.encode() if isinstance(body, str) else body) or b""
    if b"<RequestId>" in raw or b"<requestId>" in raw:
        raw = _with_request_id(raw, request_id)
    headers = [(key, str(value)) for key, value in made["headers"].items()]
    headers.append(("x-amzn-RequestId", request_id))
    return Answer(int(made["status_code"]), headers, raw)


def _with_request_id(body: bytes, request_id: str) -> bytes:
    for name in (b"RequestId", b"requestId"):
        start = body.find(b"<" + name + b">")
        end = body.find(b"</" + name + b">")
        if start >= 0 and end > start:
            return body[: start + len(name) + 2] + request_id.encode() + body[end:]
    return body


def page(items: list[Any], call: Call, smallest: int = 5, largest: int = 1000) -> tuple[list[Any], str | None]:
    """One page of `items` by MaxResults and NextToken (the token is the offset, made opaque)."""
    token = call.params.get("NextToken")
    start = 0
    if token:
        try:
            start = int(str(token).removeprefix("range-page-"))
        except ValueError:
            raise ApiError("InvalidPaginationToken", "The token is not valid") from None
    size = call.params.get("MaxResults")
    if size is None:
        return items[start:], None
    if not smallest <= int(size) <= largest:
        raise ApiError(
            "InvalidParameterValue",
            f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value between {smallest} and {largest}.",
        )
    end = start + int(size)
    return items[start:end], (f"range-page-{end}" if end < len(items) else None)


def load() -> None:
    """Import the stand-ins, which registers them."""
    from quell_range.standins import (  # noqa: F401
        autoscaling,
        cloudtrail,
        cloudtrail_trails,
        ec2_acls,
        ec2_fleets,
        ec2_instances,
        ec2_interfaces,
        ec2_prefix_lists,
        ec2_security_groups,
        ec2_sharing,
        ec2_snapshots,
        ec2_vpcs,
        guardduty,
        eks,
        iam,
        iam_credentials,
        iam_limits,
        iam_simulation,
        organizations,
        kms,
        lambda_functions,
        s3_access,
        s3_defaults,
        s3_jobs,
        s3_notifications,
        s3_replication,
        sqs,
        stepfunctions,
        sts,
    )

    for service in (autoscaling, ec2_acls, ec2_fleets, ec2_interfaces, iam, iam_limits, s3_defaults, s3_notifications, sqs):
        service.install()
