"""What a call that the range answered asks of IAM: its actions, what each is about, and the context. Quell's own tables have no part in it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from harness.product import ROOT

sys.path.insert(0, str(ROOT / "range"))

from quell_range import permissions, policies  # noqa: E402

#: Objects of EC2 by the beginning of their ids. Those of `_FREE` have no account in their ARN.
_EC2 = {
    "acl": "network-acl", "ami": "image", "eipalloc": "elastic-ip", "eipassoc": "elastic-ip", "eni": "network-interface", "fl": "vpc-flow-log", "fleet": "fleet", "i": "instance",
    "sg": "security-group", "snap": "snapshot", "subnet": "subnet", "vol": "volume", "vpc": "vpc",
}  # fmt: skip
_FREE = {"image", "snapshot"}
_ID = re.compile(r"([a-z]+)-[0-9a-f]{8,}")
#: Members of calls that name what they are about: by service, the member, and the ARN after the Region and the account.
_NAMED = {
    "autoscaling": [("AutoScalingGroupName", "autoscaling", "autoScalingGroup:00000000:autoScalingGroupName/{}")],
    "elb": [("LoadBalancerName", "elasticloadbalancing", "loadbalancer/{}")],
    "elbv2": [("TargetGroupArn", "", "{}")],
}
#: The same for services all of whose calls name what they are about, those that read too.
_ALWAYS = {
    "dynamodb": [("TableName", "dynamodb", "table/{}")],
    "kms": [("KeyId", "", "{}")],
    "s3control": [("JobId", "s3", "job/{}")],
    "organizations": [("TargetId", "organizations", "account/o-1/{}"), ("PolicyId", "organizations", "policy/o-1/service_control_policy/{}")],
    "rds": [("DBInstanceIdentifier", "rds", "db:{}"), ("DBClusterIdentifier", "rds", "cluster:{}")],
}
_IAM = (("GroupName", "group"), ("RoleName", "role"), ("UserName", "user"), ("InstanceProfileName", "instance-profile"))


def texts(value: Any) -> Iterator[str]:
    """All texts in a call's parameters."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for one in value.values() for text in texts(one))
    elif isinstance(value, list):
        yield from (text for one in value for text in texts(one))


def of_ec2(call: dict[str, Any]) -> list[str]:
    """Objects that are named by their ids. Tags are data."""
    params = {name: value for name, value in call["params"].items() if "Tag" not in name}
    found = []
    for match in filter(None, map(_ID.fullmatch, texts(params))):
        kind = _EC2.get(match[1])
        if kind:
            found.append(f"arn:aws:ec2:{call['region']}:{'' if kind in _FREE else call['account']}:{kind}/{match[0]}")
    return found


def trail(name: str, call: dict[str, Any]) -> str:
    """A trail, which may be named by its ARN."""
    return name if name.startswith("arn:") else f"arn:aws:cloudtrail:{call['region']}:{call['account']}:trail/{name}"


def about(call: dict[str, Any]) -> list[str]:
    """What a call is about: ARNs, or `*` where it names nothing."""
    service, params, account = call["service"], call["params"], call["account"]
    if service == "s3":
        return [f"arn:aws:s3:::{params['Bucket']}"] if "Bucket" in params else ["*"]
    if service == "iam":
        source = params.get("PolicySourceArn")
        if call["operation"] == "GetAccessKeyLastUsed":
            return [f"arn:aws:iam::{account}:user/of-the-key"]
        named = [f"arn:aws:iam::{account}:{kind}/{params[member]}" for member, kind in _IAM if member in params]
        # Who goes into a group is not what the call is about.
        if "GroupName" in params:
            named = [arn for arn in named if ":group/" in arn]
        return [source] if source else named or [params.get("PolicyArn", "*")]
    if service == "cloudtrail":
        return [trail(str(params.get("Name") or params.get("TrailName")), call)] if {"Name", "TrailName"} & set(params) else ["*"]
    if service == "lambda" and "FunctionName" in params:
        of = f":{params['Qualifier']}" if "Provisioned" in call["operation"] and "Qualifier" in params else ""
        return [f"arn:aws:lambda:{call['region']}:{account}:function:{params['FunctionName']}{of}"]
    if service == "ec2":
        reads_all = call["operation"].startswith("Describe") and not call["operation"].endswith("Attribute")
        return ["*"] if reads_all else of_ec2(call) or ["*"]
    found, region = [], "" if service == "organizations" else call["region"]
    for member, prefix, name in _ALWAYS.get(service, _NAMED.get(service, [])):
        if member in params and (call["changing"] or service in _ALWAYS):
            found.append(name.format(params[member]) if not prefix else f"arn:aws:{prefix}:{region}:{account}:{name.format(params[member])}")
    return found or ["*"]


def asked(call: dict[str, Any]) -> list[policies.Asked]:
    """Each question that IAM has to answer for a call."""
    params = call["params"]
    context = {"aws:resourceaccount": [call["account"]], "aws:requestedregion": [call["region"]]}
    if "PolicyArn" in params:
        context["iam:policyarn"] = [params["PolicyArn"]]
    action = permissions.action(SimpleNamespace(service=call["service"], operation=call["operation"]))  # type: ignore[arg-type]
    questions = [policies.Asked(action, resource, context) for resource in about(call)]
    for tags in params.get("TagSpecifications", []) if call["service"] == "ec2" else []:
        keys = {**context, "aws:tagkeys": [tag["Key"] for tag in tags.get("Tags", [])]}
        place = f"arn:aws:ec2:{call['region']}:{'' if tags['ResourceType'] in _FREE else call['account']}:{tags['ResourceType']}/new"
        questions.append(policies.Asked("ec2:CreateTags", place, keys))
    if action == "ec2:CreateTags":
        context["aws:tagkeys"] = [tag["Key"] for tag in params.get("Tags", [])]
    return questions


def refused(call: dict[str, Any], documents: list[str]) -> list[str]:
    """What these policies do not allow of a call."""
    answers = [(question, policies.decide(documents, question)[0]) for question in asked(call)]
    return [f"{question.action} on {question.resource}: {said}" for question, said in answers if said != policies.ALLOWED]
