"""Both ways out: EventBridge's envelope on a queue, and gz files in a bucket with S3's own notification."""

from __future__ import annotations

import gzip
import json
import re
import urllib.error
from typing import Any
from urllib.parse import unquote_plus

import pytest
from conftest import Client

from quell_range import guardduty


def trail_records(quell_range: Client) -> list[dict[str, Any]]:
    """Flush, wait for S3's notification of each file, fetch the files by their notifications."""
    keys = set(quell_range.api("POST", "/flush")["files"])

    def told(messages: list[dict[str, Any]]) -> set[str]:
        return {unquote_plus(r["s3"]["object"]["key"]) for m in messages for r in m.get("Records", [])}

    messages = quell_range.messages("trail", lambda found: keys <= told(found))
    s3 = quell_range.client("s3", quell_range.quell)
    records = []
    for key in sorted(told(messages)):
        body = s3.get_object(Bucket=quell_range.quell["trail_bucket"], Key=key)["Body"].read()
        records += json.loads(gzip.decompress(body))["Records"]
    return records


def test_the_events_envelope(quell_range: Client) -> None:
    quell_range.developer("iam", quell_range.sandbox).create_group(GroupName="envelope")
    event = quell_range.event("CreateGroup")
    assert set(event) == {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"}
    assert event["detail-type"] == "AWS API Call via CloudTrail" and event["source"] == "aws.iam"
    assert event["account"] == quell_range.sandbox["id"] == event["detail"]["recipientAccountId"]
    assert event["time"] == event["detail"]["eventTime"]


def test_a_console_sign_in_has_its_own_type(quell_range: Client) -> None:
    answer = quell_range.api(
        "POST", "/sign-in", {"account": quell_range.production["id"], "user": "root", "success": False, "source_ip": "198.51.100.9"}
    )
    event = quell_range.event("ConsoleLogin")
    assert (event["detail-type"], event["source"]) == ("AWS Console Sign In via CloudTrail", "aws.signin")
    record = event["detail"]
    assert record["eventID"] == answer["event_id"] and record["userIdentity"]["type"] == "Root"
    assert record["responseElements"] == {"ConsoleLogin": "Failure"} and record["sourceIPAddress"] == "198.51.100.9"


def test_trail_files_with_cloudtrails_layout(quell_range: Client) -> None:
    quell_range.developer("iam").create_group(GroupName="layout")
    quell_range.developer("ec2", region="eu-west-1").create_vpc(CidrBlock="10.8.0.0/16")
    keys = quell_range.api("POST", "/flush")["files"]
    account = quell_range.production["id"]
    layout = re.compile(r"AWSLogs/(\d{12})/CloudTrail/([a-z0-9-]+)/\d{4}/\d\d/\d\d/\1_CloudTrail_\2_\d{8}T\d{4}Z_[A-Za-z0-9]{16}\.json\.gz")
    assert all(layout.fullmatch(key) for key in keys), keys
    assert {layout.fullmatch(key).groups() for key in keys} == {(account, "us-east-1"), (account, "eu-west-1")}  # type: ignore[union-attr]


def test_the_same_record_takes_both_ways(quell_range: Client) -> None:
    quell_range.developer("iam").create_group(GroupName="both")
    record = quell_range.record("CreateGroup")
    assert record in trail_records(quell_range)


def test_each_way_can_be_closed(quell_range: Client) -> None:
    iam = quell_range.developer("iam")
    quell_range.api("POST", "/delivery", {"events": False, "trail": True})
    iam.create_group(GroupName="trail-only")
    assert [r["requestParameters"] for r in trail_records(quell_range)] == [{"groupName": "trail-only"}]
    quell_range.api("POST", "/delivery", {"events": True, "trail": False})
    iam.create_group(GroupName="events-only")
    assert quell_range.record("CreateGroup")["requestParameters"] == {"groupName": "events-only"}
    assert quell_range.api("POST", "/flush")["files"] == []


def test_nothing_is_lost_and_the_order_holds(quell_range: Client) -> None:
    ec2 = quell_range.developer("ec2")
    group = quell_range.seed()["group_id"]
    for number in range(60):
        ec2.create_tags(Resources=[group], Tags=[{"Key": "number", "Value": str(number)}])
    events = quell_range.messages("events", lambda found: len(found) >= 60)
    values = [e["detail"]["requestParameters"]["tagSet"]["items"][0]["value"] for e in events]
    assert values == [str(number) for number in range(60)]
    assert len(trail_records(quell_range)) == 60


def test_the_accounts_own_eventbridge_rules_fire(quell_range: Client) -> None:
    account = quell_range.sandbox
    sqs, events = quell_range.developer("sqs", account), quell_range.developer("events", account)
    queue = sqs.create_queue(QueueName="own-rule")["QueueUrl"]
    pattern = {"detail-type": ["AWS API Call via CloudTrail"], "detail": {"eventName": ["CreateGroup"]}}
    events.put_rule(Name="own", EventPattern=json.dumps(pattern), State="ENABLED")
    events.put_targets(Rule="own", Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:us-east-1:{account['id']}:own-rule"}])
    quell_range.developer("iam", account).create_group(GroupName="own-rule")
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    assert json.loads(message["Body"])["detail"]["requestParameters"] == {"groupName": "own-rule"}
    events.remove_targets(Rule="own", Ids=["1"])
    events.delete_rule(Name="own")


def test_quells_own_queue_calls_are_not_recorded(quell_range: Client) -> None:
    quell_range.client("sqs", quell_range.quell).receive_message(QueueUrl=quell_range.quell["queues"]["events"])
    quell_range.developer("iam").create_group(GroupName="plumbing")
    events = quell_range.messages("events", lambda found: len(found) >= 1)
    assert [e["detail"]["eventName"] for e in events] == ["CreateGroup"]


def test_what_is_held_back_comes_in_order_once_it_is_let_go(quell_range: Client) -> None:
    sqs, url = quell_range.client("sqs", quell_range.quell), quell_range.quell["queues"]["events"]
    assert quell_range.api("POST", "/delivery", {"hold": True})["events"] is True
    iam = quell_range.developer("iam")
    for name in ("held-1", "held-2"):
        iam.create_group(GroupName=name)
    quell_range.api("POST", "/flush")
    waiting = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    assert waiting["ApproximateNumberOfMessages"] == "0"
    quell_range.api("POST", "/delivery", {"hold": False})
    events = quell_range.messages("events", lambda found: len(found) >= 2)
    assert [e["detail"]["requestParameters"]["groupName"] for e in events] == ["held-1", "held-2"]


def test_a_finding_comes_as_eventbridge_brings_it(quell_range: Client) -> None:
    about = guardduty.access_key("AKIAEXAMPLE", "AIDAEXAMPLE", "eve")
    account = quell_range.production["id"]
    detail = guardduty.finding(
        account,
        "us-east-1",
        "UnauthorizedAccess:IAMUser/TorIPCaller",
        8,
        about,
        "TARGET",
        guardduty.api_call("ListBuckets", "s3.amazonaws.com"),
    )
    quell_range.api("POST", "/event", guardduty.event(detail))
    (event,) = quell_range.messages("events", lambda found: bool(found))
    assert (event["source"], event["detail-type"], event["account"]) == ("aws.guardduty", "GuardDuty Finding", account)
    assert event["detail"] == detail


@pytest.mark.parametrize("event", [{}, {"source": "x", "detail-type": "y", "account": "999999999999", "region": "z", "detail": {}}])
def test_an_event_that_is_none_is_refused(quell_range: Client, event: dict[str, Any]) -> None:
    with pytest.raises(urllib.error.HTTPError):
        quell_range.api("POST", "/event", event)
