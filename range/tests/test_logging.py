"""What records: trails, and detectors with the addresses that they trust."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import Client

ALL = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [], "ExcludeManagementEventSources": []}


def refused(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**params)
    return str(error.value.response["Error"]["Code"])


def test_a_trail_says_where_it_is_and_when_it_was_stopped(quell_range: Client) -> None:
    quell_range.developer("s3").create_bucket(Bucket="logs-of-a-trail")
    trail = quell_range.developer("cloudtrail")
    arn = trail.create_trail(Name="whole", S3BucketName="logs-of-a-trail")["TrailARN"]
    assert trail.get_trail(Name=arn)["Trail"]["HomeRegion"] == "us-east-1"
    assert refused(trail.create_trail, Name="whole", S3BucketName="logs-of-a-trail") == "TrailAlreadyExistsException"
    trail.start_logging(Name=arn)
    trail.stop_logging(Name="whole")
    status = trail.get_trail_status(Name=arn)
    assert not status["IsLogging"]
    assert abs(datetime.datetime.now(datetime.UTC) - status["StopLoggingTime"]) < datetime.timedelta(minutes=5)
    trail.delete_trail(Name=arn)
    assert refused(trail.get_trail, Name="whole") == refused(trail.delete_trail, Name=arn) == "TrailNotFoundException"


def test_selectors_are_of_one_kind_and_replaced_as_a_whole(quell_range: Client) -> None:
    quell_range.developer("s3").create_bucket(Bucket="logs-of-another")
    trail = quell_range.developer("cloudtrail")
    trail.create_trail(Name="chosen", S3BucketName="logs-of-another")
    assert trail.get_event_selectors(TrailName="chosen")["EventSelectors"] == [ALL]
    advanced = [{"Name": "all", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}]
    trail.put_event_selectors(TrailName="chosen", AdvancedEventSelectors=advanced)
    assert "EventSelectors" not in trail.get_event_selectors(TrailName="chosen")
    trail.put_event_selectors(TrailName="chosen", EventSelectors=[{"ReadWriteType": "ReadOnly"}])
    told = trail.get_event_selectors(TrailName="chosen")
    assert (told["EventSelectors"], told.get("AdvancedEventSelectors")) == ([{**ALL, "ReadWriteType": "ReadOnly"}], None)
    both = {"EventSelectors": [{"ReadWriteType": "All"}], "AdvancedEventSelectors": advanced}
    assert refused(trail.put_event_selectors, TrailName="chosen", **both) == "InvalidEventSelectorsException"
    assert refused(trail.get_insight_selectors, TrailName="chosen") == "InsightNotEnabledException"
    for kind in ("ApiCallRateInsight", "ApiErrorRateInsight"):
        trail.put_insight_selectors(TrailName="chosen", InsightSelectors=[{"InsightType": kind}])
    assert trail.get_insight_selectors(TrailName="chosen")["InsightSelectors"] == [{"InsightType": "ApiErrorRateInsight"}]


def test_a_detector_keeps_what_is_not_said(quell_range: Client) -> None:
    duty = quell_range.developer("guardduty")
    parts = [{"Name": "EC2_AGENT_MANAGEMENT", "Status": "ENABLED"}]
    features = [
        {"Name": "S3_DATA_EVENTS", "Status": "ENABLED"},
        {"Name": "RUNTIME_MONITORING", "Status": "ENABLED", "AdditionalConfiguration": parts},
    ]
    detector = duty.create_detector(Enable=True, Features=features)["DetectorId"]
    before = duty.get_detector(DetectorId=detector)
    duty.update_detector(DetectorId=detector, Features=[{"Name": "S3_DATA_EVENTS", "Status": "DISABLED"}])
    duty.update_detector(DetectorId=detector, Enable=False)
    told = duty.get_detector(DetectorId=detector)
    assert {f["Name"]: f["Status"] for f in told["Features"]} == {"S3_DATA_EVENTS": "DISABLED", "RUNTIME_MONITORING": "ENABLED"}
    assert told["Features"][1]["AdditionalConfiguration"] == parts
    assert (told["Status"], before["Status"]) == ("DISABLED", "ENABLED")
    assert told["UpdatedAt"] > before["UpdatedAt"]


def test_lists_of_trusted_addresses(quell_range: Client) -> None:
    duty = quell_range.developer("guardduty")
    detector = duty.create_detector(Enable=True)["DetectorId"]
    made = {"DetectorId": detector, "Format": "TXT", "Location": "https://s3.amazonaws.com/b/l"}
    first = duty.create_ip_set(Name="ours", Activate=True, **made)["IpSetId"]
    assert refused(duty.create_ip_set, Name="theirs", Activate=True, **made) == "BadRequestException"
    assert duty.get_ip_set(DetectorId=detector, IpSetId=first)["Status"] == "ACTIVE"
    duty.update_ip_set(DetectorId=detector, IpSetId=first, Activate=False)
    assert duty.get_ip_set(DetectorId=detector, IpSetId=first)["Status"] == "INACTIVE"
    assert first in duty.list_ip_sets(DetectorId=detector)["IpSetIds"]
    duty.delete_ip_set(DetectorId=detector, IpSetId=first)
    assert refused(duty.get_ip_set, DetectorId=detector, IpSetId=first) == "BadRequestException"
