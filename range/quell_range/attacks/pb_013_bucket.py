"""A bucket keeps old versions no more, and all that is in it is to be deleted tomorrow."""

from __future__ import annotations

import json
from typing import Any

from quell_range.attacks.stage import Made, Stage

KEPT = {"ID": "archive", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 365}}
DELETES = {"ID": "pay-us", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}


def prepare(stage: Stage) -> Made:
    name = f"orders-{stage.mark}"
    s3 = stage.client("s3")
    stage.bucket(name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [KEPT]})
    s3.put_object(Bucket=name, Key="order.json", Body=b"{}")
    return {"resource": name}


def attack(stage: Stage, made: Made) -> None:
    """The rule that was there stays, so that nobody sees it at a glance."""
    name = made["resource"]
    stage.aws("s3api", "put-bucket-versioning", "--bucket", name, "--versioning-configuration", "Status=Suspended")
    rules = json.dumps({"Rules": [KEPT, DELETES]})
    stage.aws("s3api", "put-bucket-lifecycle-configuration", "--bucket", name, "--lifecycle-configuration", rules)


def read(stage: Stage, made: Made) -> Any:
    s3, name = stage.client("s3"), made["resource"]
    calls = (s3.get_bucket_versioning, s3.get_bucket_lifecycle_configuration, s3.get_bucket_encryption)
    return {call.__name__: {k: v for k, v in call(Bucket=name).items() if k != "ResponseMetadata"} for call in calls}


def probe(stage: Stage, made: Made) -> str:
    """What will be left of an object tomorrow."""
    s3, name = stage.client("s3"), made["resource"]
    rules = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    deletes = any(r["Status"] == "Enabled" and r.get("Expiration", {}).get("Days", 999) < 7 for r in rules)
    versions = s3.get_bucket_versioning(Bucket=name).get("Status") == "Enabled"
    return "nothing" if deletes and not versions else "all" if versions and not deletes else "something"
