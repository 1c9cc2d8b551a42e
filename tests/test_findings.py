"""Findings of AWS's own detectors, from the door and from files: each is one finding, whatever comes of it later, in one incident."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import state
from harness.product import Product, Server
from harness.signing import Answer, Key, send, signed_headers
from harness.waiting import until

ACCOUNT = "111122223333"
REGION = "eu-west-1"
TARGET = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "AWSEvents.PutEvents"}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Product, Server]]:
    """A server without a range: nothing here needs AWS."""
    home = Product(tmp_path_factory.mktemp("alone"))
    server = home.start_server(home.key("responder"))
    yield home, server
    server.process.kill()


@pytest.fixture(scope="module")
def forwarder(alone: tuple[Product, Server]) -> Key:
    return alone[0].key("forwarder")


def put(server: Server, key: Key, source: str, kind: str, detail: dict[str, Any]) -> Answer:
    """Answered when the event is durable."""
    body = json.dumps({"Entries": [{"Source": source, "DetailType": kind, "Detail": json.dumps(detail)}]}).encode()
    return send("POST", f"{server.url}/", body, signed_headers("POST", f"{server.url}/", body, key, TARGET))


def guardduty(finding: str, instance: str, *, severity: float, minute: int, **more: Any) -> dict[str, Any]:
    at = f"2026-11-21T10:{minute:02}:00Z"
    return {
        "schemaVersion": "2.0",
        "accountId": ACCOUNT,
        "region": REGION,
        "partition": "aws",
        "id": finding,
        "type": "Backdoor:EC2/Spambot",
        "severity": severity,
        "title": f"{instance} sends mail that nobody wants",
        "description": "It sends mail.",
        "createdAt": "2026-11-21T10:00:00Z",
        "updatedAt": at,
        "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": instance}},
        "service": {"archived": False, "count": minute + 1, "eventFirstSeen": "2026-11-21T09:59:00Z", "eventLastSeen": at, "resourceRole": "ACTOR"},
        **more,
    }


def asff(finding: str, bucket: str) -> dict[str, Any]:
    return {
        "SchemaVersion": "2018-10-08",
        "Id": finding,
        "ProductArn": f"arn:aws:securityhub:{REGION}::product/aws/securityhub",
        "GeneratorId": "security-control/S3.8",
        "AwsAccountId": ACCOUNT,
        "Region": REGION,
        "Types": ["Software and Configuration Checks/Industry and Regulatory Standards"],
        "CreatedAt": "2026-11-21T10:00:00Z",
        "UpdatedAt": "2026-11-21T10:00:00Z",
        "Severity": {"Label": "HIGH"},
        "Title": "S3 general purpose buckets should block public access",
        "Description": "It does not.",
        "Compliance": {"Status": "FAILED", "SecurityControlId": "S3.8"},
        "Resources": [{"Type": "AwsS3Bucket", "Id": f"arn:aws:s3:::{bucket}"}],
    }


def findings(server: Server, incident: dict[str, Any]) -> list[dict[str, Any]]:
    return list(server.get(f"/api/v1/incidents/{incident['id']}/findings")["findings"])


def told(home: Product) -> None:
    until("no record is pending", lambda: state.count(home.data, "record", "pending") == 0)


def drop(home: Product, files: dict[str, str]) -> None:
    """Puts files in place whole, and waits until they are read and their records are judged."""
    read = state.count(home.data, "cursor", "read")
    for name, content in files.items():
        beside = home.folder / f"{name}.partial"
        beside.write_text(content)
        beside.rename(home.data / "drop" / name)
    until("the files are read", lambda: state.count(home.data, "cursor", "read") == read + len(files), 30)
    told(home)


def instance() -> str:
    return f"i-{uuid.uuid4().hex[:17]}"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)], ids=str)
def test_a_guardduty_finding_and_its_updates_are_one(alone: tuple[Product, Server], forwarder: Key, order: tuple[int, ...]) -> None:
    home, server = alone
    about, name = instance(), uuid.uuid4().hex
    updates = [guardduty(name, about, severity=5, minute=1), guardduty(name, about, severity=5, minute=2), guardduty(name, about, severity=8, minute=3)]
    for at in order:
        answer = put(server, forwarder, "aws.guardduty", "GuardDuty Finding", updates[at])
        assert (answer.status, answer.json()["FailedEntryCount"]) == (200, 0)
        told(home)
    (incident,) = server.incidents(about)
    (finding,) = findings(server, incident)
    assert (incident["severity"], incident["status"], incident["findingCount"]) == ("HIGH", "open", 1)
    assert incident["statusReason"] == f"account {ACCOUNT} is not in scope: list it under [[accounts]] in quell.toml to have it looked after"
    assert (finding["product"], finding["detection"], finding["severity"]) == ("guardDuty", "guardduty/Backdoor:EC2/Spambot", "HIGH")
    assert finding["report"] == {"uid": name, "account": ACCOUNT, "region": REGION, "updatedAt": "2026-11-21T10:03:00.000Z", "state": "active", "part": "actor"}
    assert (finding["firstEventTime"], finding["eventTime"]) == ("2026-11-21T09:59:00.000Z", "2026-11-21T10:03:00.000Z")
    assert finding["attack"] == ["T1496"]
    assert "outsider" not in finding
    assert "sample" not in finding


def test_an_import_of_two_findings_is_two_and_a_broken_one_is_put_aside(alone: tuple[Product, Server], forwarder: Key) -> None:
    home, server = alone
    one, two, mark = f"b-{uuid.uuid4().hex}", f"b-{uuid.uuid4().hex}", uuid.uuid4().hex
    before = state.count(home.data, "record", "quarantined")
    detail = {"findings": [asff(f"{mark}/1", one), {"Id": mark}, asff(f"{mark}/2", two)]}
    assert put(server, forwarder, "aws.securityhub", "Security Hub Findings - Imported", detail).json()["FailedEntryCount"] == 0
    told(home)
    for bucket, uid in ((one, f"{mark}/1"), (two, f"{mark}/2")):
        (incident,) = server.incidents(bucket)
        (finding,) = findings(server, incident)
        assert (finding["detection"], finding["report"]["uid"]) == ("security-hub/S3.8", uid)
    assert state.count(home.data, "record", "quarantined") == before + 1
    (aside,) = [d["body"] for d in state.documents(home.data, "record", "quarantined") if mark in json.dumps(d["body"])]
    assert aside["reason"] == "findings[1]: it has no «/ProductArn»"


def test_findings_in_a_file_are_read_too_and_a_sample_is_marked(alone: tuple[Product, Server]) -> None:
    home, server = alone
    about = instance()
    sample = guardduty(uuid.uuid4().hex, about, severity=8, minute=1, title="[SAMPLE] of something")
    lines = [sample, guardduty(uuid.uuid4().hex, about, severity=8, minute=1)]
    drop(home, {f"export-{about}.jsonl": "".join(json.dumps(line) + "\n" for line in lines)})
    (incident,) = server.incidents(about)
    marks = sorted(finding.get("sample", False) for finding in findings(server, incident))
    assert marks == [False, True]


def test_only_a_forwarder_speaks_for_aws_and_another_source_is_nobodys_detector(alone: tuple[Product, Server], forwarder: Key) -> None:
    home, server = alone
    about = instance()
    detail = guardduty(uuid.uuid4().hex, about, severity=9, minute=1)
    answer = put(server, home.key("sender"), "aws.guardduty", "GuardDuty Finding", detail)
    assert answer.json()["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
    for source in ("custom.guardduty", "guardduty", "awsguardduty"):
        assert put(server, forwarder, source, "GuardDuty Finding", detail).json()["FailedEntryCount"] == 0
    told(home)
    assert server.incidents(about) == []
    # The very same from AWS is one.
    put(server, forwarder, "aws.guardduty", "GuardDuty Finding", detail)
    told(home)
    assert len(server.incidents(about)) == 1


def test_a_custom_products_finding_is_marked_as_anybodys(alone: tuple[Product, Server], forwarder: Key) -> None:
    home, server = alone
    bucket = f"b-{uuid.uuid4().hex}"
    custom = asff(bucket, bucket) | {"ProductArn": f"arn:aws:securityhub:{REGION}:{ACCOUNT}:product/{ACCOUNT}/default", "CompanyName": "AWS"}
    put(server, forwarder, "aws.securityhub", "Security Hub Findings - Imported", {"findings": [custom]})
    told(home)
    (finding,) = findings(server, server.incidents(bucket)[0])
    assert finding["outsider"] is True
    assert "BatchImportFindings" in finding["explanation"]


def test_the_golden_deliveries_come_to_rest(alone: tuple[Product, Server]) -> None:
    """Every form that Quell knows, one after the other: nothing is left pending, and what is put aside is what is known to be broken."""
    home, _ = alone
    golden = Path(__file__).parent.parent / "crates/normalize/tests/golden"
    sources = ("guardduty", "security-hub", "security-hub-v2", "inspector", "macie", "access-analyzer", "config", "health")
    drop(home, {f"{source}-{path.stem}.json": path.read_text() for source in sources for path in sorted((golden / source).glob("*.json"))})
    aside = [d["body"] for d in state.documents(home.data, "record", "quarantined")]
    reasons = sorted(a["reason"] for a in aside if any(f"/drop/{source}-" in a["origin"].get("path", "") for source in sources))
    assert reasons == [
        "findings[1]: it has no «/ProductArn»",
        "findings[3]: its /Severity/Label «TERRIBLE» is not one of Security Hub's labels",
        "the finding: its /severity «11» is not a number from 0 to 10",
    ]
