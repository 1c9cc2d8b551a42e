"""A bucket with other people's data is opened to everybody."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from quell_range.attacks.stage import Made, Stage


def prepare(stage: Stage) -> Made:
    name = f"records-{stage.mark}"
    s3 = stage.client("s3")
    stage.bucket(name)
    s3.put_object(Bucket=name, Key="people.csv", Body=b"name,born\n")
    return {"resource": name}


def attack(stage: Stage, made: Made) -> None:
    """First the block goes, then the policy comes: both with the aws command line."""
    name = made["resource"]
    statement = {"Sid": "open", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
    stage.aws("s3api", "delete-public-access-block", "--bucket", name)
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    stage.aws("s3api", "put-bucket-policy", "--bucket", name, "--policy", policy)


def read(stage: Stage, made: Made) -> Any:
    s3, name = stage.client("s3"), made["resource"]
    calls = (
        s3.get_public_access_block, s3.get_bucket_policy, s3.get_bucket_acl, s3.get_bucket_ownership_controls, s3.get_bucket_encryption,
        s3.get_bucket_versioning, s3.get_bucket_website, s3.get_bucket_tagging,
    )  # fmt: skip
    return {call.__name__: _answer(call, name) for call in calls}


def _answer(call: Any, bucket: str) -> Any:
    try:
        return {name: value for name, value in call(Bucket=bucket).items() if name != "ResponseMetadata"}
    except Exception as error:  # noqa: BLE001 - what is not there is a part of what is read
        return str(error)


def probe(stage: Stage, made: Made) -> str:
    """What a stranger without a key is told."""
    try:
        with urllib.request.urlopen(f"{stage.info['endpoint']}/{made['resource']}/people.csv", timeout=10) as answer:
            return str(answer.status)
    except urllib.error.HTTPError as error:
        return str(error.code)
