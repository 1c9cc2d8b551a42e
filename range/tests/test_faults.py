"""Each fault does what it says, to the calls it names, as often as it says."""

from __future__ import annotations

import urllib.error
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.parsers import ResponseParserError
from conftest import Client

GONE = (ConnectionClosedError, ReadTimeoutError)


def install(quell_range: Client, **fault: Any) -> None:
    quell_range.api("POST", "/faults", [fault])


@pytest.mark.parametrize(
    ("service", "call", "code", "status"),
    [("ec2", "describe_vpcs", "RequestLimitExceeded", 503), ("s3", "list_buckets", "SlowDown", 503),
     ("iam", "list_users", "Throttling", 400), ("sqs", "list_queues", "ThrottlingException", 400),
     ("lambda", "list_functions", "ThrottlingException", 429)],
)  # fmt: skip
def test_throttle_in_every_protocol(quell_range: Client, service: str, call: str, code: str, status: int) -> None:
    install(quell_range, service=service, operation="*", kind="throttle", count=1)
    client = quell_range.developer(service)
    with pytest.raises(ClientError) as refused:
        getattr(client, call)()
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    getattr(client, call)()
    assert quell_range.api("GET", "/faults")[0]["hits"] == 1


@pytest.mark.parametrize(
    ("service", "call"), [("ec2", "describe_vpcs"), ("s3", "list_buckets"), ("iam", "list_users"), ("sqs", "list_queues")]
)
def test_server_error_in_every_protocol(quell_range: Client, service: str, call: str) -> None:
    install(quell_range, service=service, kind="server-error", count=1)
    with pytest.raises(ClientError) as failed:
        getattr(quell_range.developer(service), call)()
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert failed.value.response["Error"]["Code"] in ("InternalError", "InternalFailure")


def test_a_throttled_change_has_no_effect_and_is_recorded(quell_range: Client) -> None:
    seeded = quell_range.seed()
    since = quell_range.mark()
    install(quell_range, service="ec2", operation="RevokeSecurityGroupIngress", kind="throttle", count=1)
    rule = seeded["rules"][0]["SecurityGroupRuleId"]
    with pytest.raises(ClientError):
        quell_range.developer("ec2").revoke_security_group_ingress(GroupId=seeded["group_id"], SecurityGroupRuleIds=[rule])
    (call,) = quell_range.journal(since)
    assert (call["status"], call["took_effect"], call["fault"], call["error_code"]) == (503, False, "throttle", "RequestLimitExceeded")
    assert quell_range.record("RevokeSecurityGroupIngress")["errorCode"] == "Client.RequestLimitExceeded"
    quell_range.developer("ec2").describe_security_group_rules(SecurityGroupRuleIds=[rule])


def test_timeout_after_effect_does_it_and_says_nothing(quell_range: Client) -> None:
    since = quell_range.mark()
    install(quell_range, service="iam", operation="CreateGroup", kind="timeout-after-effect", delay_ms=10, count=1)
    with pytest.raises(GONE):
        quell_range.developer("iam").create_group(GroupName="silent")
    (call,) = quell_range.journal(since)
    assert (call["status"], call["took_effect"], call["fault"]) == (0, True, "timeout-after-effect")
    assert "responseElements" in quell_range.record("CreateGroup")
    assert quell_range.developer("iam").get_group(GroupName="silent")["Group"]["GroupName"] == "silent"


def test_hang_has_no_effect_and_no_record(quell_range: Client) -> None:
    since = quell_range.mark()
    install(quell_range, service="iam", operation="CreateGroup", kind="hang", delay_ms=10, count=1)
    iam = quell_range.developer("iam")
    with pytest.raises(GONE):
        iam.create_group(GroupName="hung")
    (call,) = quell_range.journal(since)
    assert (call["status"], call["took_effect"], call["fault"]) == (0, False, "hang")
    iam.create_group(GroupName="hung")
    quell_range.record("CreateGroup")


def test_malformed_answers_do_not_parse(quell_range: Client) -> None:
    install(quell_range, service="ec2", operation="DescribeVpcs", kind="malformed", count=1)
    ec2 = quell_range.developer("ec2")
    with pytest.raises(ResponseParserError):
        ec2.describe_vpcs()
    ec2.describe_vpcs()


def test_stale_reads_show_the_state_before_the_change(quell_range: Client) -> None:
    seeded = quell_range.seed()
    ec2 = quell_range.developer("ec2")
    rule = seeded["rules"][1]["SecurityGroupRuleId"]

    def rules() -> set[str]:
        found = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [seeded["group_id"]]}])
        return {r["SecurityGroupRuleId"] for r in found["SecurityGroupRules"]}

    before = rules()
    install(quell_range, service="ec2", operation="DescribeSecurityGroupRules", kind="stale-read", delay_ms=60_000, count=2)
    ec2.revoke_security_group_ingress(GroupId=seeded["group_id"], SecurityGroupRuleIds=[rule])
    assert rules() == before
    assert rules() == before
    assert rules() == before - {rule}
    assert quell_range.api("GET", "/faults")[0]["hits"] == 2


def test_faults_choose_by_account_and_principal(quell_range: Client) -> None:
    install(quell_range, service="iam", operation="ListUsers", account=quell_range.sandbox["id"], kind="throttle")
    install(quell_range, service="ec2", principal_contains="QuellReader", kind="server-error")
    quell_range.developer("iam").list_users()
    with pytest.raises(ClientError):
        quell_range.developer("iam", quell_range.sandbox).list_users()
    quell_range.developer("ec2").describe_vpcs()
    with pytest.raises(ClientError):
        quell_range.client("ec2", quell_range.assume(quell_range.production["roles"]["read"])).describe_vpcs()


def test_probability_and_clearing(quell_range: Client) -> None:
    install(quell_range, service="sts", operation="GetCallerIdentity", kind="throttle", probability=0.5)
    sts = quell_range.client("sts", quell_range.quell)
    failures = 0
    for _ in range(40):
        try:
            sts.get_caller_identity()
        except ClientError:
            failures += 1
    assert 8 <= failures <= 32
    assert quell_range.api("DELETE", "/faults")[0]["hits"] == failures
    assert quell_range.api("GET", "/faults") == []
    sts.get_caller_identity()


@pytest.mark.parametrize("fault", [{"kind": "earthquake"}, {"kind": "hang", "operatoin": "X"}, {}])
def test_a_misspelt_fault_is_refused(quell_range: Client, fault: dict[str, Any]) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        quell_range.api("POST", "/faults", [fault])
    assert refused.value.code == 400
