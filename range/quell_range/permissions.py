"""What refuses a caller: the explicit Denies of its own policies, and of its organisation's. Allows are not asked for (see README.md).

A contained key or session must stop working, and its neighbours must not: that is what a response is judged by.
"""

from __future__ import annotations

from typing import Any

from moto.iam.models import iam_backends

from quell_range import organization, policies
from quell_range.call import Call
from quell_range.errors import ApiError, denied
from quell_range.identity import PARTITION
from quell_range.services import service_metadata

#: Needs no permission, and no policy can deny it.
_ALWAYS = {("sts", "GetCallerIdentity")}
#: Names of actions that are not those of their operation.
_S3_ACTIONS = {
    "ListBuckets": "ListAllMyBuckets", "ListObjects": "ListBucket", "ListObjectsV2": "ListBucket", "HeadBucket": "ListBucket",
    "HeadObject": "GetObject", "CopyObject": "PutObject", "DeleteObjects": "DeleteObject",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock", "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketEncryption": "GetEncryptionConfiguration", "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration", "ListObjectVersions": "ListBucketVersions", "DeleteBucketCors": "PutBucketCORS",
    "GetBucketCors": "GetBucketCORS", "GetBucketReplication": "GetReplicationConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration", "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketReplication": "PutReplicationConfiguration", "DeleteBucketReplication": "PutReplicationConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration", "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketCors": "PutBucketCORS",
}  # fmt: skip
_S3CONTROL_ACTIONS = {"GetPublicAccessBlock": "GetAccountPublicAccessBlock", "PutPublicAccessBlock": "PutAccountPublicAccessBlock"}
_PREFIXES = {"elbv2": "elasticloadbalancing", "elb": "elasticloadbalancing", "stepfunctions": "states", "s3control": "s3"}


def refusal(call: Call) -> ApiError | None:
    """Why the caller may not make this call, or None."""
    of_all = [*of_caller(call.principal.user_identity), *organization.binding(call.principal.account)]
    documents = [d for d in of_all if policies.has_deny(d)]
    if not documents or (call.service, call.operation) in _ALWAYS:
        return None
    asked = policies.Asked(action(call), resource(call), context(call))
    if policies.decide(documents, asked)[0] != policies.EXPLICIT_DENY:
        return None
    return denied(call.protocol, call.service, call.principal.arn, asked.action)


def action(call: Call) -> str:
    """What IAM calls the operation."""
    prefix = (
        _PREFIXES.get(call.service) or service_metadata(call.service).get("signingName") or service_metadata(call.service)["endpointPrefix"]
    )
    names = {"s3": _S3_ACTIONS, "s3control": _S3CONTROL_ACTIONS}.get(call.service, {})
    return f"{prefix}:{names.get(call.operation, call.operation)}"


def resource(call: Call) -> str:
    """What the call is about. Of S3 it is told from the call; of all others it is `*`, which only statements about everything reach."""
    bucket, key = call.params.get("Bucket"), call.params.get("Key")
    if call.service == "s3" and bucket:
        return f"arn:{PARTITION}:s3:::{bucket}" + (f"/{key}" if key else "")
    return "*"


def context(call: Call) -> dict[str, list[str]]:
    """The global condition keys of a call."""
    identity = call.principal.user_identity
    session = identity.get("sessionContext", {})
    issuer = session.get("sessionIssuer", {})
    found = {
        "aws:userid": identity.get("principalId"),
        "aws:username": identity.get("userName"),
        "aws:principalarn": issuer.get("arn") or call.principal.arn,
        "aws:principalaccount": call.account,
        "aws:principaltype": "User" if identity.get("type") == "IAMUser" else identity.get("type"),
        "aws:sourceip": call.source_ip,
        "aws:requestedregion": call.region,
        "aws:currenttime": call.time.isoformat(),
        "aws:epochtime": str(int(call.time.timestamp())),
        "aws:securetransport": "true",
        "aws:viaawsservice": "false",
        "aws:useragent": call.user_agent,
        "aws:tokenissuetime": session.get("attributes", {}).get("creationDate"),
        "aws:multifactorauthpresent": session.get("attributes", {}).get("mfaAuthenticated"),
        "iam:policyarn": call.params.get("PolicyArn"),
    }
    return {key: [str(value)] for key, value in found.items() if value is not None}


def of_caller(identity: dict[str, Any]) -> list[str]:
    """The documents that bind a caller: its user's, or its role's. The root user has none."""
    account = identity.get("accountId", "")
    issuer = identity.get("sessionContext", {}).get("sessionIssuer", {})
    if account not in iam_backends:
        return []
    backend = iam_backends[account][PARTITION]
    name = identity.get("userName") or (issuer.get("userName") if issuer.get("type") == "IAMUser" else None)
    if name is not None and name in backend.users:
        return of_user(backend, backend.users[name])
    arn = issuer.get("arn")
    role = next((role for role in backend.roles.values() if role.arn == arn), None) if arn else None
    return of_holder(role) if role else []


def of_user(backend: Any, user: Any) -> list[str]:
    """A user's own documents and its groups'."""
    groups = [group for group in backend.groups.values() if user in group.users]
    return [document for holder in (user, *groups) for document in of_holder(holder)]


def of_holder(holder: Any) -> list[str]:
    """The documents of a user, a group or a role: inline and attached."""
    return [*holder.policies.values(), *(document_of(policy) for policy in holder.managed_policies.values())]


def document_of(policy: Any) -> str:
    """What a managed policy says by its default version."""
    found = next((v for v in policy.versions if v.version_id == policy.default_version_id), None)
    return str(found.document) if found else ""
