"""The API as the second requirements document has it, asked by signers that are not ours."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timezone
from typing import Any

import boto3
import pytest
from botocore.config import Config

from harness.awsrange import exactly, group_arn
from harness.process import environment
from harness.product import Product, Server
from harness.records import exposure, opened
from harness.signing import Key, send, signed_headers

METRICS = {"mttd", "mttr", "compliance_score", "incidents_last_24h", "false_positive_rate"}
REMEDIATION = {"remediation_id", "status", "estimated_completion"}


@pytest.fixture(scope="module")
def fixed(home: Product, server: Server) -> str:
    """A group that was exposed and fixed: something to be asked about."""
    group: str = home.range.seed()["group_id"]
    home.range.open(group)
    server.fixed(group)
    return group


@pytest.fixture(scope="module")
def keys(home: Product) -> dict[str, Key]:
    return {role: home.key(role, owner=f"the {role}") for role in ("viewer", "sender", "responder", "forwarder")}


def curl(url: str, key: Key, *words: str) -> tuple[int, Any]:
    """curl's own Signature Version 4."""
    command = ["curl", "--silent", "--max-time", "20", "--write-out", "\n%{http_code}", *words]
    command += ["--aws-sigv4", "aws:amz:us-east-1:execute-api", "--user", f"{key.id}:{key.secret}", url]
    said = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True, timeout=30).stdout
    body, _, status = said.rpartition("\n")
    return int(status), json.loads(body)


def test_metrics_have_the_documents_fields(server: Server, fixed: str, keys: dict[str, Key]) -> None:
    answer = server.call("GET", "/api/v1/metrics", key=keys["viewer"])
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    metrics = answer.json()
    assert set(metrics) >= METRICS
    for name in ("mttd", "mttr"):
        assert isinstance(metrics[name], str)
        assert float(metrics[name]) > 0
    assert isinstance(metrics["incidents_last_24h"], int)
    assert metrics["incidents_last_24h"] == len(server.incidents()) >= 1
    # What is not measured is null and never an invented number.
    for name in ("compliance_score", "false_positive_rate"):
        assert metrics[name] is None or isinstance(metrics[name], (int, float))


@pytest.mark.parametrize("path", ["/api/v1/metrics", "/api/v1/incidents", "/api/v1/incidents?limit=1&status=resolved", "/api/v1/runs"])
def test_curl_signs_too(server: Server, fixed: str, keys: dict[str, Key], path: str) -> None:
    status, body = curl(server.url + path, keys["viewer"])
    assert status == 200, body
    assert set(body) >= (METRICS if "metrics" in path else {path.split("?")[0].rsplit("/", 1)[1], "next"})


def test_incidents_tell_what_happened(server: Server, fixed: str) -> None:
    (incident,) = server.incidents(fixed)
    assert incident["resource"]["arn"] == group_arn(fixed)
    assert (incident["status"], incident["category"], incident["findingCount"]) == ("resolved", "Policy Violations", 2)
    assert server.get(f"/api/v1/incidents/{incident['id']}") == incident
    assert [r["id"] for r in server.runs(fixed)] == incident["runs"]
    assert server.call("GET", "/api/v1/incidents/inc-2025-01-01-00000000").status == 404


def test_incidents_come_in_pages(home: Product, server: Server, fixed: str) -> None:
    other = home.range.seed()["group_id"]
    home.range.open(other)
    server.fixed(other)
    everything = server.get("/api/v1/incidents")["incidents"]
    found, cursor = [], ""
    for _ in range(len(everything)):
        page = server.get(f"/api/v1/incidents?limit=1{cursor}")
        found += page["incidents"]
        cursor = f"&cursor={page['next']}"
    assert found == everything


class Observed:
    """A server that is told only to look, with a group that stays open."""

    def __init__(self, home: Product, server: Server) -> None:
        self.home, self.server = home, server


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    home = Product(tmp_path_factory.mktemp("observed"))
    with home.range_up(), home.server_up(env={"QUELL__RESPOND__LEVEL_MAX": "observe"}) as server:
        yield Observed(home, server)


def observe(observed: Observed) -> tuple[str, str, dict[str, str]]:
    """A group, the id of the rule that opens it, and the document's request about its incident."""
    home, server = observed.home, observed.server
    group = home.range.seed()["group_id"]
    rule = home.range.open(group)
    incident, runs = server.at_rest(group)
    assert (incident["status"], runs) == ("open", [])
    assert "observe" in incident["statusReason"]
    return group, rule, {"incident_id": incident["id"], "playbook": "PB-008", "resource_arn": group_arn(group), "severity": "HIGH"}


def check_remediated(observed: Observed, group: str, rule: str, answer: dict[str, Any]) -> None:
    """The document's answer, and the deed."""
    assert set(answer) >= REMEDIATION
    assert answer["status"] == "IN_PROGRESS"
    done_by = datetime.fromisoformat(answer["estimated_completion"].replace("Z", "+00:00"))
    assert done_by > datetime.now(timezone.utc)
    _, runs = observed.server.fixed(group)
    assert runs[-1]["id"] == answer["remediation_id"]
    assert rule not in exactly(observed.home.range.rules(group))
    assert observed.home.range.revocations()[rule] == 1


def test_remediate_signed_by_botocore(observed: Observed) -> None:
    group, rule, request = observe(observed)
    answer = observed.server.call("POST", "/api/v1/remediate", request)
    assert answer.status == 202, answer
    check_remediated(observed, group, rule, answer.json())
    run = observed.server.runs(group)[-1]
    assert run["requestedBy"].startswith("tests (QK")


def test_remediate_signed_by_curl(observed: Observed) -> None:
    group, rule, request = observe(observed)
    url = observed.server.url + "/api/v1/remediate"
    status, answer = curl(url, observed.server.key, "--header", "content-type: application/json", "--data-raw", json.dumps(request))
    assert status == 202, answer
    check_remediated(observed, group, rule, answer)


@pytest.mark.parametrize("role", ["viewer", "sender"])
def test_who_may_not_remediate_is_told_so_and_nothing_happens(observed: Observed, role: str) -> None:
    group, rule, request = observe(observed)
    mark = observed.home.range.mark()
    answer = observed.server.call("POST", "/api/v1/remediate", request, key=observed.home.key(role))
    assert (answer.status, answer.headers["content-type"]) == (403, "application/problem+json")
    assert "responder" in answer.json()["detail"]
    assert role in answer.json()["detail"]
    assert observed.server.runs(group) == []
    assert observed.home.range.changes(mark) == []
    assert rule in exactly(observed.home.range.rules(group))


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"incident_id": "inc-2025-01-01-00000000"}, 404, "there is no incident"),
        ({"incident_id": "../x"}, 400, "is not an incident id"),
        ({"playbook": "PB-999"}, 404, "there is no playbook"),
        ({"resource_arn": group_arn("sg-0")}, 400, "the incident is about"),
        ({"resource": "x"}, 400, "unknown field"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_in_words(observed: Observed, change: dict[str, str], status: int, words: str) -> None:
    group, _, request = observe(observed)
    answer = observed.server.call("POST", "/api/v1/remediate", {**request, **change})
    assert answer.status == status, answer
    assert answer.json()["status"] == status
    assert words in answer.json()["detail"]
    assert observed.server.runs(group) == []


def test_only_one_run_at_a_time_for_an_incident(observed: Observed) -> None:
    """Two people press the button at once: one run, and the other is told."""
    group, rule, request = observe(observed)
    observed.home.range.faults({"kind": "hang", "service": "ec2", "operation": "DescribeSecurityGroupRules", "count": 1, "delay_ms": 500})
    first = observed.server.call("POST", "/api/v1/remediate", request)
    second = observed.server.call("POST", "/api/v1/remediate", {**request, "severity": "CRITICAL"})
    assert (first.status, second.status) == (202, 409)
    assert first.json()["remediation_id"] in second.json()["detail"]
    check_remediated(observed, group, rule, first.json())
    observed.home.range.clear_faults()


def events_client(server: Server, key: Key) -> Any:
    """EventBridge's own client, pointed at Quell."""
    return boto3.client(
        "events",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id=key.id,
        aws_secret_access_key=key.secret,
        config=Config(retries={"max_attempts": 0}),
    )


@pytest.fixture
def silent(home: Product) -> Any:
    """Both ways closed: what Quell hears of, it hears from the test."""
    home.range.deliver(events=False, trail=False)
    yield home
    home.range.flush()
    home.range.deliver()


def entry(record: dict[str, Any], source: str = "aws.ec2") -> dict[str, Any]:
    return {"Source": source, "DetailType": "AWS API Call via CloudTrail", "Detail": json.dumps(record)}


def test_a_forwarder_may_bring_aws_events_and_they_are_remediated(silent: Product, server: Server, keys: dict[str, Key]) -> None:
    group = silent.range.seed()["group_id"]
    before = silent.range.rules(group)
    record = exposure(silent.range, group)
    client = events_client(server, keys["forwarder"])
    answer = client.put_events(Entries=[entry(record)])
    assert answer["FailedEntryCount"] == 0
    assert answer["Entries"][0]["EventId"].startswith("rec-")
    server.fixed(group)
    assert exactly(silent.range.rules(group)) == exactly(before)
    # The same event in another request is the same record.
    again = client.put_events(Entries=[{**entry(record), "Resources": ["again"]}])
    assert again["Entries"] == answer["Entries"]
    silent.settled()
    assert len(server.runs(group)) == 1


def test_a_sender_may_not_speak_for_aws_entry_by_entry(silent: Product, server: Server, keys: dict[str, Key]) -> None:
    group = silent.range.seed()["group_id"]
    record = exposure(silent.range, group)
    own = {"Source": "com.example.app", "DetailType": "order", "Detail": json.dumps({"n": 1})}
    bad = {"Source": "com.example.app", "DetailType": "order", "Detail": "{not json"}
    answer = events_client(server, keys["sender"]).put_events(Entries=[entry(record), own, bad, entry(record, "aws.anything")])
    assert answer["FailedEntryCount"] == 3
    codes = [e.get("ErrorCode") for e in answer["Entries"]]
    assert codes == ["NotAuthorizedForSourceException", None, "MalformedDetail", "NotAuthorizedForSourceException"]
    assert "EventId" in answer["Entries"][1]
    silent.settled()
    assert server.incidents(group) == []
    assert opened(record) in exactly(silent.range.rules(group))


def test_a_sender_cannot_pass_off_its_own_event_as_aws(silent: Product, server: Server, keys: dict[str, Key]) -> None:
    """The record of a call, under a source of one's own: it is kept, and no detection for AWS believes it."""
    group = silent.range.seed()["group_id"]
    record = exposure(silent.range, group)
    answer = events_client(server, keys["sender"]).put_events(Entries=[entry(record, "com.example.app")])
    assert answer["FailedEntryCount"] == 0
    silent.settled()
    assert server.incidents(group) == []
    assert opened(record) not in silent.range.revocations()


def test_a_sender_cannot_take_a_real_records_place(silent: Product, server: Server, keys: dict[str, Key]) -> None:
    """Somebody who knows an event's id sends something harmless under it first: the real one still counts."""
    group = silent.range.seed()["group_id"]
    before = silent.range.rules(group)
    record = exposure(silent.range, group)
    decoy = {"eventID": record["eventID"], "recipientAccountId": record["recipientAccountId"], "eventName": "Nothing"}
    assert events_client(server, keys["sender"]).put_events(Entries=[entry(decoy, "com.example.app")])["FailedEntryCount"] == 0
    assert events_client(server, keys["forwarder"]).put_events(Entries=[entry(record)])["FailedEntryCount"] == 0
    server.fixed(group)
    assert exactly(silent.range.rules(group)) == exactly(before)


def test_a_viewer_may_not_send(server: Server, keys: dict[str, Key]) -> None:
    client = events_client(server, keys["viewer"])
    with pytest.raises(client.exceptions.ClientError) as refused:
        client.put_events(Entries=[{"Source": "a", "DetailType": "b", "Detail": "{}"}])
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert "sender" in refused.value.response["Error"]["Message"]


def test_eleven_entries_are_too_many(server: Server, keys: dict[str, Key]) -> None:
    client = events_client(server, keys["sender"])
    with pytest.raises(client.exceptions.ClientError) as refused:
        client.put_events(Entries=[{"Source": "a", "DetailType": "b", "Detail": "{}"}] * 11)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_only_health_is_open(server: Server) -> None:
    assert send("GET", server.url + "/healthz", b"", {}).status == 200
    for path in ("/api/v1/metrics", "/api/v1/incidents", "/api/v1/runs"):
        assert send("GET", server.url + path, b"", {}).status == 401
    unknown = Key("QKAAAAAAAAAAAAAAAAAA", "x" * 27)
    headers = signed_headers("GET", server.url + "/api/v1/metrics", b"", unknown)
    assert send("GET", server.url + "/api/v1/metrics", b"", headers).status == 403


def test_keys_are_listed_without_their_secrets(home: Product, keys: dict[str, Key]) -> None:
    listed = home.quell("auth", "key", "list")
    assert {k.id for k in keys.values()} <= {row["accessKeyId"] for row in listed.json}
    assert all(k.secret not in listed.out for k in keys.values())
    assert all(k.secret not in home.quell("auth", "key", "list", output="table").out for k in keys.values())
