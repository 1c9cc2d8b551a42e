"""The CloudTrail record of one call."""

from __future__ import annotations

import uuid
from typing import Any

from quell_range import planes
from quell_range.app import parse_answer
from quell_range.call import Call
from quell_range.errors import Answer
from quell_range.spelling import names, request_parameters, response_elements, s3

EVENT_VERSION = "1.11"
_TLS = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"}


def wanted(call: Call, record_reads: bool) -> bool:
    """Management writes and sign-ins always; reads when asked for."""
    if planes.is_sign_in(call.service, call.operation):
        return True
    return record_reads or not planes.is_read(call.service, call.operation)


def build(call: Call, answer: Answer) -> list[dict[str, Any]]:
    """The record for the caller's account, and for a role's account when that is another."""
    parsed = parse_answer(call, answer)
    call.notes["request_id"] = request_id = _request_id(parsed, answer)
    read_only = planes.is_read(call.service, call.operation)
    record: dict[str, Any] = {
        "eventVersion": EVENT_VERSION,
        "userIdentity": call.principal.user_identity,
        "eventTime": call.time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": f"{names.source_prefix(call.service)}.amazonaws.com",
        "eventName": names.event_name(call.service, call.operation),
        "awsRegion": names.event_region(call.service, call.region),
        "sourceIPAddress": call.source_ip,
        "userAgent": f"[{call.user_agent}]" if call.service == "s3" else call.user_agent,
    }
    failed = answer.status >= 400
    if failed:
        record.update(_error(call, parsed))
    record["requestParameters"] = None if call.notes.get("hide_request") else request_parameters(call)
    shows_answer = not failed and (not read_only or call.service == "sts") and call.operation != "GetCallerIdentity"
    record["responseElements"] = response_elements(call, parsed) if shows_answer else None
    if call.service in ("s3", "s3control"):
        record["additionalEventData"] = {
            "SignatureVersion": "SigV4",
            "CipherSuite": _TLS["cipherSuite"],
            "bytesTransferredIn": len(call.body),
            "AuthenticationMethod": "AuthHeader",
            "bytesTransferredOut": len(answer.body),
        }
    record["requestID"] = request_id
    record["eventID"] = str(uuid.uuid4())
    record["readOnly"] = read_only
    resources = call.notes.get("resources") or (s3.resources(call) if call.service == "s3" else [])
    if resources:
        record["resources"] = resources
    record.update(
        {
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": call.account,
            "eventCategory": "Management",
            "tlsDetails": {**_TLS, "clientProvidedHostHeader": names.client_host(call.service, call.region)},
        }
    )
    if not failed and "owner_hears" in call.notes:
        return [record, _heard(record, call)]
    other = call.notes.get("other_account")
    if failed or not other or other == call.account:
        return [record]
    record["sharedEventID"] = str(uuid.uuid4())
    return [record, _shared(record, call, other)]


def _shared(record: dict[str, Any], call: Call, account: str) -> dict[str, Any]:
    """The same event as the role's own account sees it: the caller is another account there."""
    identity = {"type": "AWSAccount", "principalId": call.principal.user_identity.get("principalId", ""), "accountId": call.account}
    return {**record, "userIdentity": identity, "eventID": str(uuid.uuid4()), "recipientAccountId": account}


def _heard(record: dict[str, Any], call: Call) -> dict[str, Any]:
    """What the owner of something is told that another account did with it: an event of the service."""
    owner, name, details = call.notes["owner_hears"]
    identity = {"accountId": call.account, "invokedBy": record["eventSource"]}
    return {
        **record, "userIdentity": identity, "eventName": name, "requestParameters": None, "responseElements": None,
        "eventType": "AwsServiceEvent", "eventID": str(uuid.uuid4()), "recipientAccountId": owner, "serviceEventDetails": details,
    }  # fmt: skip


def _request_id(parsed: dict[str, Any], answer: Answer) -> str:
    found = parsed.get("ResponseMetadata", {}).get("RequestId") or answer.header("x-amzn-requestid") or answer.header("x-amz-request-id")
    return str(found or uuid.uuid4())


def _error(call: Call, parsed: dict[str, Any]) -> dict[str, str]:
    error = parsed.get("Error", {})
    code = str(error.get("Code") or call.status)
    if call.service == "ec2":
        code = f"{'Server' if call.status >= 500 and code == 'InternalError' else 'Client'}.{code}"
    elif call.protocol == "query":
        code = _shape_name(call, code)
    return {"errorCode": code, "errorMessage": str(error.get("Message") or "")}


def _shape_name(call: Call, code: str) -> str:
    """The exception's name in the model ("NoSuchEntityException"), where the wire says "NoSuchEntity"."""
    for shape in call.operation_model.error_shapes:
        if shape.metadata.get("error", {}).get("code") == code:
            return str(shape.name)
    return code


def sign_in(account: str, user: str, principal_id: str, mfa: bool, success: bool, source_ip: str, now: Any) -> dict[str, Any]:
    """A ConsoleLogin record, as for an IAM user or (user "root") for the root user."""
    root = user == "root"
    arn = f"arn:aws:iam::{account}:{'root' if root else 'user/' + user}"
    identity: dict[str, Any] = {"type": "Root" if root else "IAMUser", "principalId": account if root else principal_id}
    if success or root:
        identity["arn"] = arn
    identity["accountId"] = account
    if not root:
        identity["userName"] = user
    extra = {"LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No", "MFAUsed": "Yes" if mfa else "No"}
    if mfa:
        extra["MFAIdentifier"] = f"arn:aws:iam::{account}:mfa/{user}"
    record: dict[str, Any] = {
        "eventVersion": EVENT_VERSION,
        "userIdentity": identity,
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "signin.amazonaws.com",
        "eventName": "ConsoleLogin",
        "awsRegion": "us-east-1",
        "sourceIPAddress": source_ip,
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    }
    if not success:
        record["errorMessage"] = "Failed authentication"
    record.update(
        {
            "requestParameters": None,
            "responseElements": {"ConsoleLogin": "Success" if success else "Failure"},
            "additionalEventData": extra,
            "eventID": str(uuid.uuid4()),
            "readOnly": False,
            "eventType": "AwsConsoleSignIn",
            "managementEvent": True,
            "recipientAccountId": account,
            "eventCategory": "Management",
            "tlsDetails": {**_TLS, "clientProvidedHostHeader": "signin.aws.amazon.com"},
        }
    )
    return record
