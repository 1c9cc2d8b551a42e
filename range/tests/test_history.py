"""CloudTrail's event history: by what one can ask it, and what it shows."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import Client


def looked_up(quell_range: Client, key: str, value: str, **more: Any) -> list[dict[str, Any]]:
    quell_range.api("POST", "/flush")
    attributes = [{"AttributeKey": key, "AttributeValue": value}]
    return list(quell_range.developer("cloudtrail").lookup_events(LookupAttributes=attributes, **more)["Events"])


def test_who_launched_an_instance(quell_range: Client) -> None:
    ec2 = quell_range.developer("ec2")
    instance = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    ec2.create_tags(Resources=[instance], Tags=[{"Key": "a", "Value": "b"}])
    since = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=5)
    events = looked_up(
        quell_range, "ResourceName", instance, StartTime=since, EndTime=since + datetime.timedelta(minutes=10), MaxResults=50
    )
    launch = next(event for event in events if event["EventName"] == "RunInstances")
    assert (launch["Username"], launch["ReadOnly"], launch["EventSource"]) == ("developer", "false", "ec2.amazonaws.com")
    record = json.loads(launch["CloudTrailEvent"])
    assert record["responseElements"]["instancesSet"]["items"][0]["instanceId"] == instance
    assert looked_up(quell_range, "ResourceName", instance, EndTime=since) == []


def test_pages_newest_first_and_only_the_accounts_own(quell_range: Client) -> None:
    iam, trail = quell_range.developer("iam"), quell_range.developer("cloudtrail")
    for number in range(3):
        iam.create_group(GroupName=f"looked-up-{number}")
    quell_range.api("POST", "/flush")
    by_name = [{"AttributeKey": "EventName", "AttributeValue": "CreateGroup"}]
    first = trail.lookup_events(LookupAttributes=by_name, MaxResults=2)
    second = trail.lookup_events(LookupAttributes=by_name, MaxResults=2, NextToken=first["NextToken"])
    groups = [json.loads(e["CloudTrailEvent"])["requestParameters"]["groupName"] for e in [*first["Events"], *second["Events"]]]
    assert groups[:3] == ["looked-up-2", "looked-up-1", "looked-up-0"]
    theirs = quell_range.developer("cloudtrail", quell_range.sandbox).lookup_events(LookupAttributes=by_name)["Events"]
    assert not any("looked-up" in event["CloudTrailEvent"] for event in theirs)


@pytest.mark.parametrize("attributes", [["Colour"], ["EventName", "EventId"]])
def test_what_cannot_be_asked(quell_range: Client, attributes: list[str]) -> None:
    asked = [{"AttributeKey": key, "AttributeValue": "x"} for key in attributes]
    with pytest.raises(ClientError) as refused:
        quell_range.developer("cloudtrail").lookup_events(LookupAttributes=asked)
    assert refused.value.response["Error"]["Code"] == "InvalidLookupAttributesException"
