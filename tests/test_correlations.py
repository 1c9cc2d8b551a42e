"""Several records are one finding, once: whatever comes first, whatever comes twice, whoever dies, and whoever else is at work.

Each test runs with two processes on a PostgreSQL server, and with two on one SQLite file.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from harness.postgres import PASSWORD, postgres
from harness.product import Product, Server
from harness.signing import Answer, Key, send, signed_headers
from harness.waiting import until

ACCOUNT = "111122223333"
BASE = """title: 'Base: a door is opened'
name: {name}
logsource: {{product: aws, service: cloudtrail}}
detection:
  s:
    eventName: {name}
  condition: s
level: informational
"""
BURST = """title: Doors are opened one after the other
correlation:
  type: event_count
  rules: [Opened]
  group-by: [userIdentity.userName]
  timespan: 10m
  condition:
    gte: 3
level: high
"""
ALONE = """title: A door is opened and not closed
correlation:
  type: temporal
  rules: [Left, Closed]
  group-by: [userIdentity.userName]
  timespan: 10m
  condition: Left and not Closed
level: medium
"""
TARGET = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "AWSEvents.PutEvents"}


def content(folder: Path) -> Path:
    """Content with two correlations, whose base rules have names and no ids."""
    detections = folder / "content/detections"
    detections.mkdir(parents=True)
    (detections / "burst.correlation.yml").write_text("---\n".join([BASE.format(name="Opened"), BURST]))
    (detections / "alone.correlation.yml").write_text("---\n".join([BASE.format(name="Left"), BASE.format(name="Closed"), ALONE]))
    return folder / "content"


def edge() -> datetime:
    """A moment some minutes ago at which ten minutes of the clock end, and others begin."""
    ago = datetime.now(timezone.utc) - timedelta(minutes=3)
    return ago.replace(minute=ago.minute // 10 * 10, second=0, microsecond=0)


def record(user: str, at: datetime, name: str = "Opened") -> dict[str, Any]:
    return {
        "eventVersion": "1.10",
        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/{user}", "accountId": ACCOUNT, "userName": user},
        "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "ec2.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "eventID": str(uuid.uuid4()),
        "recipientAccountId": ACCOUNT,
    }


@dataclass
class Pair:
    """Two data folders on one state store."""

    one: Product
    two: Product
    key: Key
    forwarder: Key

    def servers(self, stack: ExitStack) -> tuple[Server, Server]:
        up = [home.start_server(self.key) for home in (self.one, self.two)]
        for server in up:
            stack.callback(server.process.kill)
        return up[0], up[1]

    def put(self, server: Server, *records: dict[str, Any]) -> Answer:
        """Answered when the records are durable."""
        entries = [{"Source": "aws.ec2", "DetailType": "AWS API Call via CloudTrail", "Detail": json.dumps(r)} for r in records]
        body = json.dumps({"Entries": entries}).encode()
        answer = send("POST", f"{server.url}/", body, signed_headers("POST", f"{server.url}/", body, self.forwarder, TARGET))
        assert (answer.status, answer.json()["FailedEntryCount"]) == (200, 0), answer
        return answer

    def seen(self, server: Server, user: str) -> None:
        """Waits until all that came before this was looked at: what this user does is an incident in its turn."""
        marker = f"{user}-{uuid.uuid4()}"
        self.put(server, *(record(marker, edge(), "Opened") for _ in range(3)))
        until("what was sent is looked at", lambda: server.incidents(marker), 30)


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp(request.param)
    with ExitStack() as stack:
        env = {"QUELL__CONTENT": str(content(folder))}
        if request.param == "sqlite":
            env |= {"QUELL__STORE__URL": f"sqlite:{folder}/shared.db"}
        else:
            env |= {"QUELL__STORE__URL": stack.enter_context(postgres()), "QUELL__STORE__PASSWORD": "env:THE_PASSWORD", "THE_PASSWORD": PASSWORD}
            env |= {"QUELL__STORE__KEY": "env:THE_KEY", "THE_KEY": "0123456789abcdef" * 4}
        one, two = Product(folder / "one", env), Product(folder / "two", env)
        yield Pair(one, two, one.key("responder"), one.key("forwarder"))


@pytest.fixture
def up(pair: Pair) -> Iterator[tuple[Server, Server]]:
    with ExitStack() as stack:
        yield pair.servers(stack)


def only_finding(server: Server, user: str) -> dict[str, Any]:
    """The one finding of the one incident about a user."""
    incidents = until(f"{user} has an incident", lambda: server.incidents(user), 30)
    assert incidents
    (incident,) = incidents
    assert (incident["findingCount"], incident["severity"]) == (1, "HIGH")
    (finding,) = server.get(f"/api/v1/incidents/{incident['id']}/findings")["findings"]
    assert finding["principal"]["id"] == user
    return dict(finding)


def test_a_newer_event_that_comes_first_does_not_hide_the_older(pair: Pair, up: tuple[Server, Server]) -> None:
    one, two = up
    times = [edge() + timedelta(seconds=s) for s in (90, 10, 50)]
    for server, at in zip((one, two, one), times, strict=True):
        pair.put(server, record("newest-first", at))
        pair.seen(two, "newest-first")
    finding = only_finding(two, "newest-first")
    assert (finding["recordCount"], len(finding["records"])) == (3, 3)
    assert finding["eventTime"].startswith(times[0].strftime("%Y-%m-%dT%H:%M:%S"))
    assert finding["firstEventTime"].startswith(times[1].strftime("%Y-%m-%dT%H:%M:%S"))


def test_one_event_delivered_twice_counts_once(pair: Pair, up: tuple[Server, Server]) -> None:
    one, two = up
    first, second = (record("twice", edge() + timedelta(seconds=s)) for s in (1, 2))
    for server in (one, two, one):
        pair.put(server, first, second)
    pair.seen(one, "twice")
    assert one.incidents("twice") == []
    pair.put(two, record("twice", edge() + timedelta(seconds=3)))
    assert only_finding(one, "twice")["recordCount"] == 3


def test_a_base_rule_with_a_name_and_no_id_is_found(pair: Pair, up: tuple[Server, Server]) -> None:
    """Both base rules of the other correlation have names only; and it fires when its windows close, not before."""
    one, two = up
    hours = timedelta(hours=7)
    pair.put(one, record("careless", edge() - hours, "Left"), record("careful", edge() - hours, "Left"))
    pair.put(two, record("careful", edge() - hours + timedelta(minutes=1), "Closed"))
    pair.seen(one, "careless")
    incidents = until("the window is closed", lambda: two.incidents("careless"), 30)
    assert incidents and [i["findingCount"] for i in incidents] == [1]
    # Its window with the first call alone is as true as the other is not.
    pair.seen(two, "careless")
    assert len(two.incidents("careless")) == 1


def test_a_burst_across_the_edge_of_a_bucket_is_seen(pair: Pair, up: tuple[Server, Server]) -> None:
    one, two = up
    pair.put(one, *(record("edge", edge() + timedelta(seconds=s)) for s in (-60, -1, 2)))
    assert only_finding(two, "edge")["recordCount"] == 3


def test_exactly_one_finding_though_processes_are_killed_in_the_middle(pair: Pair) -> None:
    """Forty users open three doors each, through both processes; both are killed while they are at it, and all of it comes again."""
    users = [f"burst-{n}" for n in range(40)]
    calls = [record(user, edge() + timedelta(seconds=20 * n)) for n in range(3) for user in users]
    pages = [calls[n : n + 10] for n in range(0, len(calls), 10)]
    with ExitStack() as stack:
        one, two = pair.servers(stack)
        for n, page in enumerate(pages):
            if n in (4, 8):
                one.process.kill()
                one = pair.one.start_server(pair.key)
                stack.callback(one.process.kill)
            if n == 6:
                two.process.kill()
                two = pair.two.start_server(pair.key)
                stack.callback(two.process.kill)
            pair.put((one, two)[n % 2], *page)
        one.process.kill()
        two.process.kill()
    with ExitStack() as stack:
        one, two = pair.servers(stack)
        for user in users:
            finding = only_finding(two, user)
            assert sorted(finding["records"]) == sorted(set(finding["records"]))
        # All of it once more, and one door more for each: the same finding fires with more.
        for page in pages:
            pair.put(one, *page)
        for n in range(0, 40, 10):
            pair.put(two, *(record(user, edge() + timedelta(seconds=70)) for user in users[n : n + 10]))
        pair.seen(one, "burst")
        for user in users:
            only_finding(one, user)
        assert [one.process.end(), two.process.end()] == [0, 0]
