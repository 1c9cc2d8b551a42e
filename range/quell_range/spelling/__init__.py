"""CloudTrail's own spelling of parameters and answers: one file per dialect."""

from __future__ import annotations

from typing import Any

from quell_range.call import Call
from quell_range.spelling import ec2, generic, s3
from quell_range.spelling.redact import redact


def request_parameters(call: Call) -> dict[str, Any] | None:
    if call.service == "ec2":
        spelt = ec2.request(call)
    elif call.service in ("s3", "s3control"):
        spelt = s3.request(call)
    else:
        spelt = generic.request(call)
    return redact(call.service, call.operation, spelt) or None


def response_elements(call: Call, parsed: dict[str, Any]) -> dict[str, Any] | None:
    """The answer of a call that changed something; None for S3, which records none."""
    if call.service in ("s3", "s3control"):
        return None
    spelt = ec2.response(call, parsed) if call.service == "ec2" else generic.response(call, parsed)
    return redact(call.service, call.operation, spelt, answer=True) or None
