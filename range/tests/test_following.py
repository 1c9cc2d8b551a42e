"""What a fault does with the change itself: none of it, too much of it, or all of it for a moment only."""

from __future__ import annotations

import json
import time
import urllib.error
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Client

NOTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})


def install(quell_range: Client, **fault: Any) -> None:
    quell_range.api("POST", "/faults", [fault])


def user(quell_range: Client) -> str:
    name = f"eve-{uuid.uuid4().hex[:8]}"
    quell_range.developer("iam").create_user(UserName=name)
    return name


def until(look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 10
    while not (seen := look()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
    return seen


def attach(quell_range: Client, name: str, policy: str = "arn:aws:iam::aws:policy/ReadOnlyAccess") -> None:
    quell_range.developer("iam").attach_user_policy(UserName=name, PolicyArn=policy)


def attached(quell_range: Client, name: str) -> list[str]:
    return [p["PolicyName"] for p in quell_range.developer("iam").list_attached_user_policies(UserName=name)["AttachedPolicies"]]


def followed(quell_range: Client) -> bool:
    return bool(quell_range.api("GET", "/faults")[0]["followed"])


def test_no_effect_is_answered_and_recorded_and_changes_nothing(quell_range: Client) -> None:
    name, since = user(quell_range), quell_range.mark()
    install(quell_range, service="iam", operation="AttachUserPolicy", kind="no-effect", count=1)
    attach(quell_range, name)
    assert attached(quell_range, name) == []
    (call, _) = quell_range.journal(since)
    assert (call["status"], call["took_effect"], call["fault"]) == (200, False, "no-effect")
    assert "errorCode" not in quell_range.record("AttachUserPolicy")
    attach(quell_range, name)
    assert attached(quell_range, name) == ["ReadOnlyAccess"]


def test_no_effect_gives_the_answer_of_a_success_whatever_the_call(quell_range: Client) -> None:
    ec2, s3 = quell_range.developer("ec2"), quell_range.developer("s3")
    seeded, bucket = quell_range.seed(), f"b-{uuid.uuid4().hex[:12]}"
    group = seeded["group_id"]
    s3.create_bucket(Bucket=bucket)
    before = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    install(quell_range, kind="no-effect")
    permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    assert ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])["SecurityGroupRules"]
    ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[seeded["rules"][0]["SecurityGroupRuleId"]])
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    made = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    assert quell_range.api("DELETE", "/faults")[0]["hits"] == 4
    assert ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"] == before
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    assert made not in str(ec2.describe_instances())


def test_excess_does_more_than_it_was_asked_and_says_nothing_of_it(quell_range: Client) -> None:
    name, since = user(quell_range), quell_range.mark()
    more = {
        "service": "iam",
        "operation": "PutUserPolicy",
        "params": {"UserName": "{UserName}", "PolicyName": "x", "PolicyDocument": NOTHING},
    }
    install(quell_range, service="iam", operation="AttachUserPolicy", kind="excess", also=[more])
    attach(quell_range, name)
    assert quell_range.developer("iam").list_user_policies(UserName=name)["PolicyNames"] == ["x"]
    assert [c["operation"] for c in quell_range.journal(since, changing="true")] == ["AttachUserPolicy"]
    assert attached(quell_range, name) == ["ReadOnlyAccess"]


def test_revert_takes_the_change_back_and_leaves_what_others_did_since(quell_range: Client) -> None:
    name = user(quell_range)
    attach(quell_range, name, "arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    install(quell_range, service="iam", operation="AttachUserPolicy", kind="revert", delay_ms=200, count=1)
    attach(quell_range, name)
    attach(quell_range, name, "arn:aws:iam::aws:policy/AdministratorAccess")
    assert sorted(attached(quell_range, name)) == ["AdministratorAccess", "IAMReadOnlyAccess", "ReadOnlyAccess"]
    until(lambda: followed(quell_range))
    assert sorted(attached(quell_range, name)) == ["AdministratorAccess", "IAMReadOnlyAccess"]


def test_revert_brings_back_what_a_call_took_away(quell_range: Client) -> None:
    ec2, seeded = quell_range.developer("ec2"), quell_range.seed()

    def rules() -> list[dict[str, Any]]:
        found = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [seeded["group_id"]]}])["SecurityGroupRules"]
        return sorted(found, key=lambda rule: rule["SecurityGroupRuleId"])

    before = rules()
    install(quell_range, service="ec2", operation="RevokeSecurityGroupIngress", kind="revert", delay_ms=100)
    ec2.revoke_security_group_ingress(GroupId=seeded["group_id"], SecurityGroupRuleIds=[seeded["rules"][0]["SecurityGroupRuleId"]])
    assert len(rules()) == len(before) - 1
    until(lambda: followed(quell_range))
    assert rules() == before


def test_clearing_the_faults_clears_what_they_had_still_to_do(quell_range: Client) -> None:
    name = user(quell_range)
    install(quell_range, service="iam", operation="AttachUserPolicy", kind="revert", delay_ms=50)
    attach(quell_range, name)
    quell_range.api("DELETE", "/faults")
    install(quell_range, service="iam", operation="TagUser", kind="revert", delay_ms=100)
    quell_range.developer("iam").tag_user(UserName=name, Tags=[{"Key": "a", "Value": "b"}])
    until(lambda: followed(quell_range))
    assert attached(quell_range, name) == ["ReadOnlyAccess"], "the first fault was gone when its time came"


def test_an_attacker_interferes_with_a_key_of_the_accounts_own(quell_range: Client) -> None:
    name, since = user(quell_range), quell_range.mark()
    undo = {"service": "iam", "operation": "DetachUserPolicy", "params": {"UserName": "{UserName}", "PolicyArn": "{PolicyArn}"}}
    key = quell_range.production["developer"]["access_key_id"]
    install(quell_range, service="iam", operation="AttachUserPolicy", kind="interfere", also=[undo], access_key_id=key, delay_ms=20)
    attach(quell_range, name)
    until(lambda: followed(quell_range))
    assert attached(quell_range, name) == []
    done = [(c["operation"], c["access_key_id"]) for c in quell_range.journal(since, changing="true")]
    assert done == [("AttachUserPolicy", key), ("DetachUserPolicy", key)]
    assert quell_range.record("DetachUserPolicy")["userIdentity"]["userName"] == "developer"


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "excess"},
        {"kind": "revert", "also": [{"service": "iam", "operation": "ListUsers"}]},
        {"kind": "interfere", "also": [{"service": "iam", "operation": "DetachUser"}]},
        {"kind": "interfere", "also": [{"service": "imam", "operation": "DetachUser"}]},
        {"kind": "interfere", "also": [{"service": "iam"}]},
    ],
)
def test_what_could_not_be_called_is_refused_at_once(quell_range: Client, fault: dict[str, Any]) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        quell_range.api("POST", "/faults", [fault])
    assert refused.value.code == 400
