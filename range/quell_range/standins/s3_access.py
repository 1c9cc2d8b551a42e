"""Who may do what to a bucket: its owner, whom its policy and its access lists let in, and what Block Public Access takes from them.

moto lets everybody do everything: a playbook that closes a bucket would show nothing.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from __future__ import annotations

import ipaddress
import json
import re
from typing import Any

from moto.s3.models import ALL_USERS_GRANTEE, AUTHENTICATED_USERS_GRANTEE, s3_backends
from moto.s3control.models import s3control_backends

from quell_range import permissions, policies
from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.identity import PARTITION
from quell_range.standins import check, stand_in

#: Quota: bytes of a bucket policy.
POLICY_BYTES_MAX = 20 * 1024
_BLOCKS = ("block_public_acls", "ignore_public_acls", "block_public_policy", "restrict_public_buckets")
#: A condition on one of these, with values that are fixed, makes a statement that names everybody not public.
_NARROWING = {
    "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:principalarn", "aws:principalserviceorgid", "aws:sourcearn",
    "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths", "aws:userid",
    "s3:dataaccesspointarn", "s3:dataaccesspointaccount", "s3:x-amz-server-side-encryption-aws-kms-key-id", "kms:calleraccount",
}  # fmt: skip
#: Whose Region is not asked for: one learns it by them, or makes it.
_ANYWHERE = ("CreateBucket", "GetBucketLocation", "HeadBucket", "ListBuckets")
#: What the account itself can always do, so that a Deny cannot lock it out for ever (the root user, on AWS).
_RESCUE = ("PutBucketPolicy", "DeleteBucketPolicy", "GetBucketPolicy")
_ACL_READS = {"GetObject": "READ", "HeadObject": "READ", "ListObjects": "READ", "ListObjectsV2": "READ", "PutObject": "WRITE"}


def bucket_of(name: Any) -> Any:
    """moto's bucket, or None."""
    _, account = s3_backends.bucket_accounts.get(str(name), (None, None))
    return s3_backends[account][PARTITION].buckets.get(str(name)) if account else None


@check("s3", "*")
def may(call: Call) -> None:
    bucket = bucket_of(call.params.get("Bucket"))
    if bucket is None or call.operation == "CreateBucket":
        return
    owner = call.params.get("ExpectedBucketOwner")
    if owner is not None and str(owner) != bucket.account_id:
        raise _denied()
    anonymous = not call.principal.access_key_id
    if call.region != bucket.region_name and call.operation not in _ANYWHERE and not anonymous:
        raise ApiError(
            "AuthorizationHeaderMalformed",
            f"The authorization header is malformed; the region '{call.region}' is wrong; expecting '{bucket.region_name}'",
        )
    said = _policy_says(call, bucket)
    if said == policies.EXPLICIT_DENY and not (call.operation in _RESCUE and call.principal.arn.endswith(":root")):
        raise _denied()
    if call.account == bucket.account_id and not anonymous:
        return
    if said != policies.ALLOWED and not _acl_lets_in(call, bucket, anonymous):
        raise _denied()


def _policy_says(call: Call, bucket: Any) -> str:
    if not bucket.policy:
        return policies.IMPLICIT_DENY
    document = _text(bucket.policy)
    identity = call.principal.user_identity
    names: set[str] = set()
    if call.principal.access_key_id:
        role = identity.get("sessionContext", {}).get("sessionIssuer", {}).get("arn")
        names = {call.account, f"arn:{PARTITION}:iam::{call.account}:root", call.principal.arn, *([role] if role else [])}
    asked = policies.Asked(permissions.action(call), permissions.resource(call), permissions.context(call), frozenset(names))
    said, _ = policies.decide([document], asked)
    own = call.account == bucket.account_id and bool(names)
    if said == policies.ALLOWED and not own and blocks(bucket)["restrict_public_buckets"] and is_public(document):
        return policies.IMPLICIT_DENY
    return said


def _acl_lets_in(call: Call, bucket: Any, anonymous: bool) -> bool:
    wanted = _ACL_READS.get(call.operation)
    if wanted is None or blocks(bucket)["ignore_public_acls"] or bucket.ownership_rule == "BucketOwnerEnforced":
        return False
    held = bucket
    if call.operation in ("GetObject", "HeadObject"):
        held = s3_backends[bucket.account_id][PARTITION].get_object(bucket.name, str(call.params.get("Key", "")))
    grants = held.acl.grants if held is not None and held.acl is not None else []
    who = [ALL_USERS_GRANTEE, *([] if anonymous else [AUTHENTICATED_USERS_GRANTEE])]
    return any({wanted, "FULL_CONTROL"} & set(g.permissions) and any(w in g.grantees for w in who) for g in grants)


def blocks(bucket: Any) -> dict[str, bool]:
    """The four settings as they work: the bucket's or the account's."""
    account = s3control_backends[bucket.account_id][PARTITION].public_access_block
    return {name: bool(getattr(bucket.public_access_block, name, False) or getattr(account, name, False)) for name in _BLOCKS}


@check("s3", "PutBucketPolicy")
def put_policy(call: Call) -> None:
    bucket, document = bucket_of(call.params.get("Bucket")), str(call.params.get("Policy") or "")
    if bucket is None:
        return
    try:
        parsed = json.loads(document)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict) or not document.startswith("{"):
        raise ApiError("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
    if len(document.encode()) > POLICY_BYTES_MAX:
        raise ApiError("PolicyTooLarge", "The policy exceeds the maximum allowed document size.")
    found = policies.statements(document)
    if not found:
        raise ApiError("MalformedPolicy", "Could not parse the policy: Statement is empty!")
    for statement in found:
        if statement.get("Effect") not in ("Allow", "Deny"):
            raise ApiError("MalformedPolicy", f"Invalid effect: {statement.get('Effect')}")
        if not {"Principal", "NotPrincipal"} & set(statement):
            raise ApiError("MalformedPolicy", "Missing required field Principal")
        named = policies.listed(statement.get("Resource", statement.get("NotResource", [])))
        ours = re.compile(rf"arn:{PARTITION}:s3:::{re.escape(bucket.name)}(/.*)?", re.DOTALL)
        if not named or not all(ours.fullmatch(str(resource)) for resource in named):
            raise ApiError("MalformedPolicy", "Policy has invalid resource")
    if blocks(bucket)["block_public_policy"] and is_public(document):
        raise _denied()


@stand_in("s3", "GetBucketPolicyStatus")
def policy_status(call: Call) -> dict[str, Any] | None:
    """Of the policy alone: what Block Public Access makes of it is asked for elsewhere."""
    bucket = bucket_of(call.params.get("Bucket"))
    if bucket is None or not bucket.policy:
        return None
    return {"PolicyStatus": {"IsPublic": is_public(_text(bucket.policy))}}


@check("s3", "PutBucketAcl", "PutObjectAcl", "PutObject", "CopyObject", "CreateMultipartUpload")
def put_acl(call: Call) -> None:
    bucket, canned = bucket_of(call.params.get("Bucket")), str(call.params.get("ACL") or "")
    if bucket is None:
        return
    granted = json.dumps(
        [call.params.get(name) for name in ("AccessControlPolicy", "GrantRead", "GrantWrite", "GrantFullControl", "GrantReadACP")]
    )
    public = (
        canned in ("public-read", "public-read-write", "authenticated-read")
        or "/global/AllUsers" in granted
        or "/global/Authenticated" in granted
    )
    if not canned and not call.operation.endswith("Acl") and not public:
        return
    if bucket.ownership_rule == "BucketOwnerEnforced" and canned not in ("private", "bucket-owner-full-control"):
        raise ApiError("AccessControlListNotSupported", "The bucket does not allow ACLs")
    if public and blocks(bucket)["block_public_acls"]:
        raise _denied()


def is_public(document: str) -> bool:
    """Whether S3 calls a policy public: an Allow for everybody that no condition narrows."""
    return any(_is_open(statement) for statement in policies.statements(document))


def _is_open(statement: dict[str, Any]) -> bool:
    if statement.get("Effect") != "Allow":
        return False
    everybody = "NotPrincipal" in statement or any("*" in name for name in policies.named(statement.get("Principal", [])))
    return everybody and not any(
        _narrows(operator, key, policies.listed(values))
        for operator, tests in (statement.get("Condition") or {}).items()
        for key, values in tests.items()
    )


def _narrows(operator: str, key: str, values: list[Any]) -> bool:
    if "Not" in operator or operator.endswith("IfExists") or operator.startswith("ForAllValues"):
        return False
    if key.lower() == "aws:sourceip":
        return all(_is_fixed_range(str(value)) for value in values)
    return key.lower() in _NARROWING and not any(set("*?") & set(str(value)) or "${" in str(value) for value in values)


def _is_fixed_range(cidr: str) -> bool:
    """Not so wide that it is everybody: S3 draws the line at /8 of IPv4 and /32 of IPv6."""
    try:
        network = ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= (8 if network.version == 4 else 32)


def _text(policy: Any) -> str:
    return policy.decode() if isinstance(policy, bytes) else str(policy)


def _denied() -> ApiError:
    return ApiError("AccessDenied", "Access Denied", 403)
