"""The credentials of an instance's role were read from its metadata service, and are used from somewhere else."""

from __future__ import annotations

import json
from typing import Any

from quell_range import guardduty
from quell_range.attacks.stage import Keys, Made, Stage, tried


def prepare(stage: Stage) -> Made:
    """Two instances with one role. What EC2 gives them, the range gives whoever takes the role on in their name."""
    network, name = stage.network(), f"app-{stage.mark}"
    role = stage.profile(name)
    instances = [stage.host(network, profile=name) for _ in range(2)]
    services = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    people = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{stage.account['id']}:root"}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [services, people]}
    stage.client("iam").update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    stolen, sibling = (_session(stage, name, instance) for instance in instances)
    return {"resource": name, "principal": f"{role}:{instances[0]}", "instance": instances[0], "stolen": stolen, "sibling": sibling}


def _session(stage: Stage, role: str, instance: str) -> Keys:
    arn = f"arn:aws:iam::{stage.account['id']}:role/{role}"
    keys = stage.client("sts").assume_role(RoleArn=arn, RoleSessionName=instance)["Credentials"]
    return {"access_key_id": keys["AccessKeyId"], "secret_access_key": keys["SecretAccessKey"], "session_token": keys["SessionToken"]}


def attack(stage: Stage, made: Made) -> None:
    """The thief looks around; GuardDuty sees that an instance's credentials come from outside of AWS."""
    stage.aws("s3api", "list-buckets", keys=made["stolen"])
    who = guardduty.access_key(made["stolen"]["access_key_id"], made["principal"], made["resource"], "AssumedRole")
    kind = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"
    stage.finding(kind, 8, who, guardduty.api_call("ListBuckets", "s3.amazonaws.com"))


def read(stage: Stage, made: Made) -> Any:
    iam, role = stage.client("iam"), made["resource"]
    inline = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in inline}


def probe(stage: Stage, made: Made) -> str:
    """What the thief is told now; the other instance goes on."""
    assert tried(stage.client("s3", made["sibling"]).list_buckets) == "ok"
    return tried(stage.client("s3", made["stolen"]).list_buckets)
