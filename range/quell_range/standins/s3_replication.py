"""Replication of a bucket: moto keeps a part of each rule and answers with less. Nothing is copied here."""

from __future__ import annotations

import secrets
from typing import Any

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.standins import stand_in
from quell_range.standins.s3_access import bucket_of

_RULES_MAX = 1000


@stand_in("s3", "PutBucketReplication")
def put(call: Call) -> dict[str, Any] | None:
    """The whole document, replaced; a rule without a name gets one."""
    bucket = bucket_of(call.params.get("Bucket"))
    if bucket is None:
        return None
    given = call.params.get("ReplicationConfiguration") or {}
    rules = given.get("Rules") or []
    if not given.get("Role") or not rules or len(rules) > _RULES_MAX:
        raise ApiError("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
    if bucket.versioning_status != "Enabled":
        raise ApiError("InvalidRequest", "Versioning must be 'Enabled' on the bucket to apply a replication configuration")
    named = [{"ID": secrets.token_urlsafe(24), **rule} for rule in rules]
    if len({rule["ID"] for rule in named}) < len(named):
        raise ApiError("InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule")
    bucket.__dict__["range_replication"] = {"Role": given["Role"], "Rules": named}
    return {}


@stand_in("s3", "GetBucketReplication")
def get(call: Call) -> dict[str, Any] | None:
    bucket = bucket_of(call.params.get("Bucket"))
    if bucket is None:
        return None
    if not bucket.__dict__.get("range_replication"):
        raise ApiError("ReplicationConfigurationNotFoundError", "The replication configuration was not found", 404)
    return {"ReplicationConfiguration": bucket.__dict__["range_replication"]}


@stand_in("s3", "DeleteBucketReplication")
def delete(call: Call) -> dict[str, Any] | None:
    bucket = bucket_of(call.params.get("Bucket"))
    if bucket is None:
        return None
    bucket.__dict__.pop("range_replication", None)
    return {}
