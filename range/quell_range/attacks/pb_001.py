"""A user's access key has leaked, and is used from somewhere else to look around and to make more keys."""

from __future__ import annotations

from typing import Any

from quell_range import guardduty
from quell_range.attacks.stage import Made, Stage, allow, tried, user_as_it_is


def prepare(stage: Stage) -> Made:
    name = f"eve-{stage.mark}"
    keys = stage.user(name, allow("s3:List*", "iam:List*", "iam:CreateAccessKey"))
    iam = stage.client("iam")
    iam.create_service_specific_credential(UserName=name, ServiceName="codecommit.amazonaws.com")
    return {"resource": name, "keys": keys, "principal": iam.get_user(UserName=name)["User"]["UserId"]}


def attack(stage: Stage, made: Made) -> None:
    """The thief looks around and makes a key of their own; GuardDuty sees where the calls come from."""
    stage.aws("sts", "get-caller-identity", keys=made["keys"])
    stage.aws("s3api", "list-buckets", keys=made["keys"])
    stage.client("iam", made["keys"]).create_access_key(UserName=made["resource"])
    who = guardduty.access_key(made["keys"]["access_key_id"], made["principal"], made["resource"])
    stage.finding("UnauthorizedAccess:IAMUser/MaliciousIPCaller", 8, who, guardduty.api_call("ListBuckets", "s3.amazonaws.com"))


def read(stage: Stage, made: Made) -> Any:
    return user_as_it_is(stage.client("iam"), made["resource"])


def probe(stage: Stage, made: Made) -> str:
    """What the thief is told now."""
    return tried(stage.client("s3", made["keys"]).list_buckets)
