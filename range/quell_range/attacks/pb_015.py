"""A function talks to a command-and-control server; its session was taken from its environment, and its URL answers everybody."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from quell_range import guardduty
from quell_range.attacks.stage import Made, Stage, allow, tried


def _code() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("app.py", "def handler(event, context):\n    return 'resized'\n")
    return packed.getvalue()


def prepare(stage: Stage) -> Made:
    iam, functions, name = stage.client("iam"), stage.client("lambda"), f"resize-{stage.mark}"
    # The account itself, too: the range runs no function, so that whoever steals its session assumes its role.
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com", "AWS": stage.account["id"]}}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=json.dumps(allow("s3:*")))
    functions.create_function(
        FunctionName=name, Role=role, Runtime="python3.12", Handler="app.handler", Code={"ZipFile": _code()},
        Environment={"Variables": {"TOKEN": "kept-from-every-log"}},
    )  # fmt: skip
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=5)
    functions.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")
    functions.add_permission(
        FunctionName=name, StatementId="bucket", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::in",
    )  # fmt: skip
    return {"resource": name, "role": role}


def attack(stage: Stage, made: Made) -> None:
    name = made["resource"]
    stolen = stage.client("sts").assume_role(RoleArn=made["role"], RoleSessionName=name)["Credentials"]
    made["keys"] = {
        "access_key_id": stolen["AccessKeyId"], "secret_access_key": stolen["SecretAccessKey"], "session_token": stolen["SessionToken"],
    }  # fmt: skip
    stage.aws(
        "lambda", "add-permission", "--function-name", name, "--statement-id", "open", "--action", "lambda:InvokeFunctionUrl",
        "--principal", "*", "--function-url-auth-type", "NONE",
    )  # fmt: skip
    shown = stage.client("lambda").get_function_configuration(FunctionName=name)
    stage.finding("Backdoor:Lambda/C&CActivity.B", 8, guardduty.function(shown), guardduty.connection(443), role="ACTOR")


def read(stage: Stage, made: Made) -> Any:
    functions, iam, name = stage.client("lambda"), stage.client("iam"), made["resource"]
    statements = json.loads(functions.get_policy(FunctionName=name)["Policy"])["Statement"]
    inline = iam.list_role_policies(RoleName=name)["PolicyNames"]
    return {
        "concurrency": functions.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions"),
        "url": functions.get_function_url_config(FunctionName=name)["AuthType"],
        "statements": sorted(statements, key=lambda statement: statement["Sid"]),
        "role": {policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in inline},
    }


def probe(stage: Stage, made: Made) -> str:
    """Whether anything of it may run, and what its stolen session is told."""
    limit = stage.client("lambda").get_function_concurrency(FunctionName=made["resource"]).get("ReservedConcurrentExecutions")
    return f"{'throttled' if limit == 0 else 'runs'}, {tried(stage.client('s3', made['keys']).list_buckets)}"
