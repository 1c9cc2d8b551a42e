"""An explicit Deny stops whom it names, and nobody else."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import Client

from quell_range.policies import Asked, decide

DENY_ALL = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}


def says(call: Any, **params: Any) -> str:
    try:
        call(**params)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "ok"


def test_a_quarantined_user_is_refused_in_every_protocol(quell_range: Client) -> None:
    iam, user = quell_range.developer("iam"), f"eve-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=user)
    made = iam.create_access_key(UserName=user)["AccessKey"]
    keys = {"access_key_id": made["AccessKeyId"], "secret_access_key": made["SecretAccessKey"]}
    calls = {"ec2": "describe_vpcs", "s3": "list_buckets", "iam": "list_users", "sqs": "list_queues", "lambda": "list_functions"}
    eve = {service: getattr(quell_range.client(service, keys), call) for service, call in calls.items()}
    assert {service: says(call) for service, call in eve.items()} == dict.fromkeys(calls, "ok")
    iam.put_user_policy(UserName=user, PolicyName="q", PolicyDocument=DENY_ALL)
    expected = {
        "ec2": "UnauthorizedOperation",
        "s3": "AccessDenied",
        "iam": "AccessDenied",
        "sqs": "AccessDeniedException",
        "lambda": "AccessDeniedException",
    }
    assert {service: says(call) for service, call in eve.items()} == expected
    assert says(quell_range.client("sts", keys).get_caller_identity) == "ok"
    assert says(quell_range.client("ec2", keys).create_vpc, CidrBlock="10.9.0.0/16", DryRun=True) == "UnauthorizedOperation"
    quell_range.drain()
    since = quell_range.mark()
    assert says(quell_range.client("iam", keys).create_user, UserName="more") == "AccessDenied"
    assert quell_range.record("CreateUser")["errorCode"] == "AccessDenied"
    (call,) = quell_range.journal(since, changing="true")
    assert (call["status"], call["took_effect"]) == (403, False)
    iam.delete_user_policy(UserName=user, PolicyName="q")
    assert says(eve["ec2"]) == "ok"


def test_one_session_of_a_role_is_denied_and_its_sibling_is_not(quell_range: Client) -> None:
    iam, sts = quell_range.developer("iam"), quell_range.developer("sts")
    role = iam.create_role(RoleName=f"app-{uuid.uuid4().hex[:8]}", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]

    def session(name: str) -> tuple[str, Any]:
        given = sts.assume_role(RoleArn=role["Arn"], RoleSessionName=name)
        c = given["Credentials"]
        keys = {"access_key_id": c["AccessKeyId"], "secret_access_key": c["SecretAccessKey"], "session_token": c["SessionToken"]}
        return given["AssumedRoleUser"]["AssumedRoleId"], quell_range.client("ec2", keys).describe_vpcs

    (one, of_one), (_, of_two) = session("one"), session("two")
    condition = {"StringEquals": {"aws:userid": one}}
    statement = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}
    iam.put_role_policy(
        RoleName=role["RoleName"], PolicyName="Quell-1", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    assert (says(of_one), says(of_two)) == ("UnauthorizedOperation", "ok")
    statement["Condition"] = {"DateLessThan": {"aws:TokenIssueTime": "2099-01-01T00:00:00Z"}}
    iam.put_role_policy(
        RoleName=role["RoleName"], PolicyName="Quell-1", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    assert (says(of_one), says(of_two)) == ("UnauthorizedOperation", "UnauthorizedOperation")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Action": "s3:Get*"}, True),
        ({"Action": "S3:getobject"}, True),
        ({"Action": ["ec2:*", "s3:PutObject"]}, False),
        ({"NotAction": "s3:*"}, False),
        ({"NotAction": "ec2:*"}, True),
        ({"Resource": "arn:aws:s3:::b/*"}, True),
        ({"Resource": "arn:aws:s3:::b"}, False),
        ({"Resource": "arn:aws:s3:::${aws:username}/*"}, True),
        ({"NotResource": "arn:aws:s3:::b/k"}, False),
        ({"Condition": {"StringEquals": {"AWS:UserName": "b"}}}, True),
        ({"Condition": {"StringNotEquals": {"aws:username": ["a", "b"]}}}, False),
        ({"Condition": {"StringNotEquals": {"aws:absent": "x"}}}, True),
        ({"Condition": {"StringEquals": {"aws:absent": "x"}}}, False),
        ({"Condition": {"StringEqualsIfExists": {"aws:absent": "x"}}}, True),
        ({"Condition": {"StringLike": {"aws:username": "?"}}}, True),
        ({"Condition": {"Null": {"aws:absent": "true"}}}, True),
        ({"Condition": {"Null": {"aws:username": True}}}, False),
        ({"Condition": {"Bool": {"aws:securetransport": False}}}, False),
        ({"Condition": {"IpAddress": {"aws:sourceip": "203.0.113.0/24"}}}, True),
        ({"Condition": {"NotIpAddress": {"aws:sourceip": ["203.0.113.0/24", "10.0.0.0/8"]}}}, False),
        ({"Condition": {"DateLessThan": {"aws:currenttime": "2026-01-01T00:00:00Z"}}}, False),
        ({"Condition": {"NumericGreaterThanEquals": {"aws:age": "10"}}}, True),
        ({"Condition": {"ForAnyValue:StringEquals": {"aws:tagkeys": ["y", "z"]}}}, True),
        ({"Condition": {"ForAllValues:StringEquals": {"aws:tagkeys": ["y", "z"]}}}, False),
        ({"Condition": {"ArnLike": {"aws:principalarn": "arn:aws:iam::*:role/b"}}}, True),
        ({"Condition": {"StringEquals": {"aws:username": "b"}, "Bool": {"aws:securetransport": "false"}}}, False),
    ],
    ids=str,
)
def test_what_a_statement_speaks_of(statement: dict[str, Any], expected: bool) -> None:
    context = {
        "aws:username": ["b"], "aws:securetransport": ["true"], "aws:sourceip": ["203.0.113.9"],
        "aws:currenttime": ["2026-11-21T00:00:00Z"],
        "aws:age": ["10"], "aws:tagkeys": ["x", "y"], "aws:principalarn": ["arn:aws:iam::444455556666:role/b"],
    }  # fmt: skip
    whole = {
        "Effect": "Allow",
        **({} if "NotAction" in statement else {"Action": "*"}),
        **({} if "NotResource" in statement else {"Resource": "*"}),
        **statement,
    }
    asked = Asked("s3:GetObject", "arn:aws:s3:::b/k", context)
    assert decide([json.dumps({"Statement": whole})], asked)[0] == ("allowed" if expected else "implicitDeny")


def test_a_deny_wins_and_what_is_no_policy_says_nothing() -> None:
    allow = json.dumps({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    asked = Asked("s3:GetObject", "*")
    assert decide([allow, DENY_ALL], asked) == ("explicitDeny", [1])
    assert decide([allow, "{", "[]", '{"Statement": "x"}'], asked) == ("allowed", [0])
    assert decide([], asked) == ("implicitDeny", [])
