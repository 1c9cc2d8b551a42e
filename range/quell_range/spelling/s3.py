"""S3: the query string and the body as they came, with `bucketName` and `Host`."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree

from quell_range.call import Call

#: Request headers that records show.
_HEADERS = ("x-amz-acl", "x-amz-grant-read", "x-amz-grant-write", "x-amz-grant-full-control", "x-amz-bucket-object-lock-enabled")
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def request(call: Call) -> dict[str, Any]:
    spelt: dict[str, Any] = {}
    bucket = call.params.get("Bucket")
    if bucket:
        spelt["bucketName"] = bucket
    spelt["Host"] = _host(call, bucket)
    if call.params.get("Key"):
        spelt["key"] = call.params["Key"]
    for key, value in parse_qsl(call.query, keep_blank_values=True):
        if not key.lower().startswith("x-amz-") and key != "x-id":
            spelt[key] = value
    for name in _HEADERS:
        if name in call.headers:
            spelt[name] = call.headers[name]
    spelt.update(_body(call))
    return spelt


def resources(call: Call) -> list[dict[str, str]]:
    """The `resources` of a bucket's record; CreateBucket's has none."""
    bucket = call.params.get("Bucket")
    if not bucket or call.operation in ("CreateBucket", "DeleteBucket"):
        return [] if call.operation == "CreateBucket" or not bucket else [_bucket(call, bucket)]
    return [_bucket(call, bucket)]


def _bucket(call: Call, bucket: str) -> dict[str, str]:
    return {"accountId": call.account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"}


def _host(call: Call, bucket: str | None) -> str:
    if call.service == "s3control":
        return f"{call.account}.s3-control.{call.region}.amazonaws.com"
    if not bucket:
        return "s3.amazonaws.com"
    # CreateBucket is sent to the bucket's name at the global endpoint.
    return f"{bucket}.s3.amazonaws.com" if call.operation == "CreateBucket" else f"{bucket}.s3.{call.region}.amazonaws.com"


def _body(call: Call) -> dict[str, Any]:
    if not call.body:
        return {}
    if call.operation == "PutBucketPolicy":
        try:
            return {"bucketPolicy": json.loads(call.body)}
        except ValueError:
            return {}
    try:
        root = ElementTree.fromstring(call.body)
    except ElementTree.ParseError:
        return {}
    value = _element(root)
    if isinstance(value, dict):
        value = {"xmlns": _NAMESPACE, **value}
    return {_name(root): value}


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _element(element: ElementTree.Element) -> Any:
    """XML as CloudTrail shows it: one child is a value, several of a name are a list, words become values."""
    if len(element) == 0:
        return coerced(element.text or "")
    fields: dict[str, Any] = {}
    for child in element:
        name, value = _name(child), _element(child)
        if name in fields:
            if not isinstance(fields[name], list):
                fields[name] = [fields[name]]
            fields[name].append(value)
        else:
            fields[name] = value
    return fields


def coerced(text: str) -> Any:
    """ "true" is true and "1" is 1 in such records, tags' values included."""
    if text in ("true", "false"):
        return text == "true"
    if text.isascii() and text.isdigit() and (text == "0" or not text.startswith("0")) and len(text) < 16:
        return int(text)
    return text
