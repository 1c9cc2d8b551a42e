"""What a bucket has from the beginning, and its encryption, whole."""

from __future__ import annotations

from typing import Any

from moto.s3.models import PublicAccessBlock, S3Backend

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.standins import check, stand_in
from quell_range.standins.s3_access import bucket_of

_DEFAULT = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
_ALGORITHMS = ("AES256", "aws:kms", "aws:kms:dsse")


@check("s3", "CreateBucket")
def create(call: Call) -> None:
    canned = call.params.get("ACL")
    if canned not in (None, "private") and call.params.get("ObjectOwnership") in (None, "BucketOwnerEnforced"):
        raise ApiError(
            "InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
        )


@stand_in("s3", "GetBucketEncryption")
def get_encryption(call: Call) -> dict[str, Any] | None:
    bucket = bucket_of(call.params.get("Bucket"))
    if bucket is None:
        return None
    rules = bucket.__dict__.get("range_encryption") if bucket.encryption else None
    return {"ServerSideEncryptionConfiguration": {"Rules": rules or [_DEFAULT]}}


@stand_in("s3", "PutBucketEncryption")
def put_encryption(call: Call) -> None:
    """Kept whole beside what moto keeps of it; moto answers."""
    bucket = bucket_of(call.params.get("Bucket"))
    rules = (call.params.get("ServerSideEncryptionConfiguration") or {}).get("Rules") or []
    if bucket is None:
        return None
    if len(rules) != 1:
        raise ApiError("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
    default = rules[0].get("ApplyServerSideEncryptionByDefault") or {}
    if default and default.get("SSEAlgorithm") not in _ALGORITHMS:
        raise ApiError("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
    if default.get("KMSMasterKeyID") and default.get("SSEAlgorithm") == "AES256":
        raise ApiError("InvalidArgument", "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse")
    bucket.__dict__["range_encryption"] = [{**_DEFAULT, **rules[0]}]
    return None


@check("s3", "PutObject")
def put_object(call: Call) -> None:
    bucket = bucket_of(call.params.get("Bucket"))
    rules = bucket.__dict__.get("range_encryption") or [] if bucket is not None and bucket.encryption else []
    blocked = [kind for rule in rules for kind in (rule.get("BlockedEncryptionTypes") or {}).get("EncryptionType") or []]
    if "SSE-C" in blocked and call.params.get("SSECustomerAlgorithm"):
        raise ApiError("AccessDenied", "The bucket blocks requests that specify SSE-C encryption.", 403)


def install() -> None:
    """New buckets block public access and have no access lists, as since April 2023."""
    create_of_moto = S3Backend.create_bucket

    def create_bucket(self: S3Backend, *args: Any, **kwargs: Any) -> Any:
        made = create_of_moto(self, *args, **kwargs)
        made.public_access_block = PublicAccessBlock(True, True, True, True)
        made.ownership_rule = "BucketOwnerEnforced"  # type: ignore[assignment]
        return made

    S3Backend.create_bucket = create_bucket  # type: ignore[method-assign]
