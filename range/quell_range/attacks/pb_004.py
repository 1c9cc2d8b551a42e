"""Somebody makes an administrator of a user who was none."""

from __future__ import annotations

from typing import Any

from quell_range.attacks.stage import Made, Stage, allow, tried, user_as_it_is

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def prepare(stage: Stage) -> Made:
    name = f"bob-{stage.mark}"
    keys = stage.user(name, allow("s3:Get*"))
    return {"resource": name, "keys": keys, "mallory": stage.user(f"mallory-{stage.mark}", allow("iam:*"))}


def attack(stage: Stage, made: Made) -> None:
    words = ("iam", "attach-user-policy", "--user-name", made["resource"], "--policy-arn", ADMINISTRATOR)
    stage.aws(*words, keys=made["mallory"])


def read(stage: Stage, made: Made) -> Any:
    return user_as_it_is(stage.client("iam"), made["resource"])


def probe(stage: Stage, made: Made) -> str:
    """Whether the user is an administrator, by IAM's own simulator."""
    iam = stage.client("iam")
    arn = iam.get_user(UserName=made["resource"])["User"]["Arn"]
    results = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["iam:CreateUser"])["EvaluationResults"]
    return str(results[0]["EvalDecision"]) if results else tried(iam.get_user, UserName=made["resource"])
