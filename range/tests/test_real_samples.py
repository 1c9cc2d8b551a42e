"""The same calls as in real trails, made here, and the records laid side by side.

The real records are not part of this project; without them (QUELL_DATA, or ../../shared/data) these are skipped.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import Client

DATA = Path(os.environ.get("QUELL_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
pytestmark = pytest.mark.skipif(not (DATA / "invictus").is_dir(), reason="the real samples are not here")

_IDS = (
    (re.compile(r"\b(sgr?|vpc|snap|ami|fl|dopt|vpc-cidr-assoc)-[0-9a-f]{8,17}\b"), r"\1-ID"),
    (re.compile(r"\b(AIDA|AROA|AKIA|ASIA)[A-Z0-9]{16,17}\b"), r"\1ID"),
    (re.compile(r"\b\d{12}\b"), "ACCOUNT"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"[A-Z][a-z]{2} \d{1,2}, (\d{4})(,?) \d{1,2}:\d\d:\d\d [AP]M"), r"DATE\2"),
)
#: Members AWS added to answers after the samples were taken, or fills itself.
_NEWER = {"securityGroupRuleArn", "revokedSecurityGroupRuleSet", "securityGroupArn"}


def normal(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: normal(v) for k, v in value.items() if k not in _NEWER}
    if isinstance(value, list):
        return [normal(v) for v in value]
    if isinstance(value, str):
        for pattern, word in _IDS:
            value = pattern.sub(word, value)
    return value


def real(name: str, fits: Callable[[dict[str, Any]], bool] = lambda record: True) -> dict[str, Any]:
    for path in sorted((DATA / "invictus").glob("*.json")):
        for record in json.loads(path.read_text())["Records"]:
            if record["eventName"] == name and fits(record):
                return dict(record)
    raise AssertionError(f"no sample of {name}")


def attempt(call: Callable[..., Any], **arguments: Any) -> None:
    with contextlib.suppress(ClientError):
        call(**arguments)


def cidr_rules(items: dict[str, Any]) -> list[dict[str, Any]]:
    """The sample's permissions, as boto3 wants them."""
    made = []
    for item in items["items"]:
        permission: dict[str, Any] = {"IpProtocol": item["ipProtocol"]}
        if "fromPort" in item:
            permission.update({"FromPort": item["fromPort"], "ToPort": item["toPort"]})
        permission["IpRanges"] = [
            {"CidrIp": r["cidrIp"], **({"Description": r["description"]} if "description" in r else {})}
            for r in item["ipRanges"].get("items", [])
        ]
        permission["Ipv6Ranges"] = [{"CidrIpv6": r["cidrIpv6"]} for r in item["ipv6Ranges"].get("items", [])]
        made.append(permission)
    return made


@pytest.mark.parametrize(
    ("name", "single"),
    [
        ("AuthorizeSecurityGroupIngress", False),
        ("AuthorizeSecurityGroupIngress", True),
        ("AuthorizeSecurityGroupEgress", False),
        ("RevokeSecurityGroupIngress", True),
    ],
)
def test_security_group_rules(quell_range: Client, name: str, single: bool) -> None:
    sample = real(name, lambda r: ("cidrIp" in (r["requestParameters"] or {})) == single)
    ec2 = quell_range.developer("ec2")
    group = quell_range.seed()
    ec2.revoke_security_group_ingress(GroupId=group["group_id"], SecurityGroupRuleIds=[r["SecurityGroupRuleId"] for r in group["rules"]])
    egress = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ec2.revoke_security_group_egress(GroupId=group["group_id"], IpPermissions=egress)
    given = sample["requestParameters"]
    arguments: dict[str, Any] = {"GroupId": group["group_id"]}
    if single:
        arguments.update(IpProtocol=given["ipProtocol"], FromPort=given["fromPort"], ToPort=given["toPort"], CidrIp=given["cidrIp"])
    else:
        arguments["IpPermissions"] = cidr_rules(given["ipPermissions"])
    if name.startswith("Revoke"):
        ec2.authorize_security_group_ingress(**arguments)
    quell_range.drain()
    operation = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    getattr(ec2, operation)(**arguments)
    made = quell_range.record(name)
    assert normal(made["requestParameters"]) == normal(given)
    assert normal(made["responseElements"]) == normal(sample["responseElements"])
    assert set(sample) - set(made) == set()


def test_a_group_made_and_deleted(quell_range: Client) -> None:
    ec2 = quell_range.developer("ec2")
    sample = real("CreateSecurityGroup")
    given = sample["requestParameters"]
    tags = [{"Key": t["key"], "Value": t["value"]} for t in given["tagSpecificationSet"]["items"][0]["tags"]]
    group = ec2.create_security_group(
        GroupName=given["groupName"], Description=given["groupDescription"], VpcId=quell_range.seed()["vpc_id"],
        TagSpecifications=[{"ResourceType": "security-group", "Tags": tags}],
    )["GroupId"]  # fmt: skip
    made = quell_range.record("CreateSecurityGroup")
    assert normal(made["requestParameters"]) == normal(given)
    assert normal(made["responseElements"]) == normal(sample["responseElements"])
    ec2.delete_security_group(GroupId=group)
    made, sample = quell_range.record("DeleteSecurityGroup"), real("DeleteSecurityGroup")
    assert normal(made["requestParameters"]) == normal(sample["requestParameters"])
    assert normal(made["responseElements"]) == normal(sample["responseElements"])


def test_users_and_their_keys(quell_range: Client) -> None:
    iam = quell_range.developer("iam")
    sample = real("CreateUser")
    given = sample["requestParameters"]
    iam.create_user(UserName=given["userName"], Path=given["path"])
    made = quell_range.record("CreateUser")
    assert normal(made["requestParameters"]) == normal(given)
    assert normal(made["responseElements"]) == normal(sample["responseElements"])
    sample = real("CreateAccessKey")
    iam.create_access_key(UserName=given["userName"])
    made = quell_range.record("CreateAccessKey")
    assert set(made["responseElements"]["accessKey"]) == set(sample["responseElements"]["accessKey"])
    iam.attach_user_policy(UserName=given["userName"], PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    made = quell_range.record("AttachUserPolicy")
    assert made["responseElements"] is None and set(made["requestParameters"]) == set(real("AttachUserPolicy")["requestParameters"])
    sample = real("DeleteLoginProfile", lambda r: "errorCode" in r)
    attempt(iam.delete_login_profile, UserName="nobody")
    made = quell_range.record("DeleteLoginProfile")
    assert (made["errorCode"], made["responseElements"]) == (sample["errorCode"], sample["responseElements"])


def test_a_role_assumed_and_refused(quell_range: Client) -> None:
    quell_range.assume(quell_range.production["roles"]["read"])
    made, sample = (
        quell_range.record("AssumeRole"),
        real("AssumeRole", lambda r: r["userIdentity"]["type"] == "IAMUser" and "errorCode" not in r),
    )
    assert set(made["userIdentity"]) == set(sample["userIdentity"])
    for part in ("credentials", "assumedRoleUser"):
        assert set(made["responseElements"][part]) == set(sample["responseElements"][part])
    assert set(made["resources"][0]) == set(sample["resources"][0])
    assert normal(made["responseElements"]["credentials"]["expiration"]) == normal(sample["responseElements"]["credentials"]["expiration"])
    quell_range.drain()
    attempt(quell_range.assume, role="arn:aws:iam::444455556666:role/absent")
    made, sample = quell_range.record("AssumeRole"), real("AssumeRole", lambda r: "errorCode" in r)
    assert made["requestParameters"] is sample["requestParameters"] is None
    assert made["errorCode"] == sample["errorCode"]
    assert re.sub(r"arn:\S+", "ARN", made["errorMessage"]) == re.sub(r"arn:\S+", "ARN", sample["errorMessage"])


def test_a_session_of_a_role(quell_range: Client) -> None:
    session = quell_range.assume(quell_range.production["roles"]["network"])
    quell_range.client("ec2", session).create_tags(
        Resources=[quell_range.seed()["group_id"]], Tags=[{"Key": "StratusRedTeam", "Value": "true"}]
    )
    made, sample = quell_range.record("CreateTags"), real("CreateTags")
    assert normal(made["responseElements"]) == normal(sample["responseElements"])
    assert normal(made["requestParameters"]).keys() == normal(sample["requestParameters"]).keys()
    sample = real("GetPasswordData", lambda r: r["userIdentity"]["type"] == "AssumedRole")
    assert set(made["userIdentity"]) == set(sample["userIdentity"])
    assert set(made["userIdentity"]["sessionContext"]) == set(sample["userIdentity"]["sessionContext"])
    assert set(made["userIdentity"]["sessionContext"]["sessionIssuer"]) == set(sample["userIdentity"]["sessionContext"]["sessionIssuer"])


def test_flow_logs(quell_range: Client) -> None:
    sample = real("CreateFlowLogs")
    given = sample["requestParameters"]["CreateFlowLogsRequest"]
    quell_range.developer("logs").create_log_group(logGroupName="/stratus-red-team/vpc-flow-logs")
    made_ids = quell_range.developer("ec2").create_flow_logs(
        ResourceIds=[quell_range.seed()["vpc_id"]], ResourceType=given["ResourceType"], TrafficType=given["TrafficType"],
        LogDestinationType=given["LogDestinationType"], LogDestination=given["LogDestination"], MaxAggregationInterval=600,
        DeliverLogsPermissionArn=given["DeliverLogsPermissionArn"],
        TagSpecifications=[{"ResourceType": "vpc-flow-log", "Tags": [{"Key": "StratusRedTeam", "Value": "true"}]}],
    )["FlowLogIds"]  # fmt: skip
    made = quell_range.record("CreateFlowLogs")
    assert normal(made["requestParameters"]) == normal(sample["requestParameters"])
    answer = made["responseElements"]["CreateFlowLogsResponse"]
    assert normal(answer["flowLogIdSet"]) == normal(sample["responseElements"]["CreateFlowLogsResponse"]["flowLogIdSet"])
    quell_range.developer("ec2").delete_flow_logs(FlowLogIds=made_ids)
    made, sample = quell_range.record("DeleteFlowLogs"), real("DeleteFlowLogs")
    assert normal(made["requestParameters"]) == normal(sample["requestParameters"])
    assert normal(made["responseElements"]) == normal(sample["responseElements"])


def test_a_console_sign_in(quell_range: Client) -> None:
    quell_range.api("POST", "/sign-in", {"account": quell_range.production["id"], "user": "developer", "mfa": False, "success": True})
    made, sample = quell_range.record("ConsoleLogin"), real("ConsoleLogin", lambda r: r["additionalEventData"]["MFAUsed"] == "No")
    assert set(made) == set(sample)
    for part in ("userIdentity", "additionalEventData", "responseElements"):
        assert set(made[part]) == set(sample[part])
