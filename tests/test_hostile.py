"""A thousand triggers by which somebody else would have Quell change something: not one is obeyed, and what is true among them is.

Every bait really is open to the world, so that nothing but Quell's own judgement keeps it from acting. `make hostile` shows the figures.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness import hostile, state
from harness.awsrange import AwsRange
from harness.hostile import Bait, Trigger
from harness.product import Product, Server
from harness.signing import Key, send, signed_headers
from harness.waiting import until

#: So many entries has one request of PutEvents.
ENTRIES_MAX = 10
WORKERS = 50
#: The classes, and how many triggers of each.
CLASSES = {
    "forged PutEvents": (hostile.forged_put_events, 144),
    "another account or Region": (hostile.other_places, 120),
    "crafted Security Hub imports": (hostile.crafted_imports, 210),
    "samples": (hostile.samples, 90),
    "what an outsider can cause": (hostile.outsiders, 130),
    "failed calls that name a victim": (hostile.failed_calls, 150),
    "late, and in no order": (hostile.late, 120),
    "who is never touched": (hostile.never_touch, 108),
}
TARGET = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "AWSEvents.PutEvents"}


@dataclass
class Told:
    """What the test has seen, for the table."""

    rows: list[tuple[str, int, int]] = field(default_factory=list)
    acted: int = 0

    def show(self) -> None:
        for name, triggers, wrongful in [*self.rows, ("all", sum(row[1] for row in self.rows), sum(row[2] for row in self.rows))]:
            print(f"  {name:40} {triggers:5} triggers, {wrongful} wrongful changes")
        print(f"  true ones among them: {self.acted}, all answered")


class Post:
    """Brings triggers: by a key of the API, or into the queue of events."""

    def __init__(self, home: Product, server: Server) -> None:
        self.home, self.server = home, server
        self.keys: dict[str, Key] = {role: home.key(role) for role in ("forwarder", "sender")}

    def put(self, way: str, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        body = json.dumps({"Entries": entries}).encode()
        url = f"{self.server.url}/"
        answer = send("POST", url, body, signed_headers("POST", url, body, self.keys[way], TARGET))
        assert answer.status == 200, answer
        return list(answer.json()["Entries"])

    def bring(self, triggers: list[Trigger]) -> None:
        """All of them; what is refused at the door is refused for what it claims to be."""
        for way in ("forwarder", "sender"):
            entries = [trigger.entry() for trigger in triggers if trigger.way == way]
            for start in range(0, len(entries), ENTRIES_MAX):
                for said in self.put(way, entries[start : start + ENTRIES_MAX]):
                    assert said.get("ErrorCode") in (None, "NotAuthorizedForSourceException"), said
        queue = self.home.range.info["quell"]["queues"]["events"]
        for trigger in (trigger for trigger in triggers if trigger.way == "queue"):
            self.home.range.sqs().send_message(QueueUrl=queue, MessageBody=trigger.message())


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    told = Told()
    yield told
    print()
    told.show()


@pytest.fixture
def silent(home: Product) -> Product:
    """Both ways of the range are closed: what Quell hears of, it hears from the test."""
    home.range.deliver(events=False, trail=False)
    return home


@pytest.fixture(scope="module")
def server(home: Product) -> Iterator[Server]:
    with home.server_up(env={"QUELL__RESPOND__RUNS_AT_ONCE": str(WORKERS)}) as up:
        yield up


@pytest.fixture
def post(silent: Product, server: Server) -> Post:
    return Post(silent, server)


def settled(home: Product, seconds: float = 60) -> None:
    """Everything was collected and judged, and every run is over or waits for a person."""
    until("the queues are empty", lambda: home.range.undelivered() == 0, seconds)
    until("no record is pending", lambda: state.count(home.data, "record", "pending") == 0, seconds)
    until("no run is at work", lambda: state.count(home.data, "run", "running") == 0, seconds)


def wrongful(aws: AwsRange, mark: int, true: set[str]) -> list[dict[str, Any]]:
    """Quell's changes that are about nothing that is true."""
    own = [call for call in aws.changes(mark) if "Quell" in call["principal"]]
    return [call for call in own if not hostile.words(call["params"]) & true]


def true_one(aws: AwsRange, post: Post) -> tuple[str, str]:
    """An exposure as it happens, told as it is told."""
    bait = hostile.lay(aws, "true", groups=1)
    group = bait.groups[0]
    post.bring([hostile.trail(hostile.exposure(bait, group))])
    return group, bait.rules[group]


@pytest.mark.parametrize("name", CLASSES)
def test_nobody_else_pulls_the_trigger(silent: Product, server: Server, post: Post, told: Told, name: str) -> None:
    make, count = CLASSES[name]
    short = "".join(word[0] for word in name.split())
    bait = hostile.lay(silent.range, short, groups=12, users=4, buckets=3)
    mark = silent.range.mark()
    triggers = list(make(bait, count))
    assert len(triggers) == count
    half = count // 2
    post.bring(triggers[:half])
    group, rule = true_one(silent.range, post)
    post.bring(triggers[half:])
    settled(silent)
    bad = wrongful(silent.range, mark, {group, rule})
    told.rows.append((name, count, len(bad)))
    assert bad == [], bad[:3]
    # What is true among them is answered all the same: it is not that nothing works.
    server.fixed(group)
    assert silent.range.revocations()[rule] == 1
    told.acted += 1
    left = [rule for bait_group, rule in bait.rules.items() if rule not in silent.range.revocations()]
    assert len(left) == len(bait.groups)


def test_ten_copies_on_fifty_workers_are_one_effect(silent: Product, server: Server, post: Post, told: Told) -> None:
    bait = hostile.lay(silent.range, "copies", groups=12)
    mark = silent.range.mark()
    copies = [hostile.trail(hostile.exposure(bait, group)).entry() for group in bait.groups] * 10
    with ThreadPoolExecutor(WORKERS) as workers:
        list(workers.map(lambda entry: post.put("forwarder", [entry]), copies))
    settled(silent)
    for group in bait.groups:
        server.fixed(group)
    effects = silent.range.revocations(mark)
    too_many = sum(effects.get(rule, 0) - 1 for rule in bait.rules.values())
    told.rows.append((f"each ten times, {WORKERS} at once", len(copies), too_many))
    told.acted += len(bait.groups)
    assert [effects[rule] for rule in bait.rules.values()] == [1] * len(bait.groups)
    assert wrongful(silent.range, mark, {*bait.groups}) == []


def fault(kind: str, service: str, operation: str, principal: str = "assumed-role/Quell") -> dict[str, Any]:
    return {"kind": kind, "service": service, "operation": operation, "principal_contains": principal}


DOWN = {
    "the group cannot be read": [fault("server-error", "ec2", "DescribeSecurityGroups")],
    "its rules cannot be read": [fault("server-error", "ec2", "DescribeSecurityGroupRules")],
    "who uses it cannot be read": [fault("server-error", "ec2", "DescribeNetworkInterfaces")],
    "answers of AWS are broken": [fault("malformed", "ec2", "DescribeSecurityGroupRules")],
    "AWS throttles for ever": [fault("throttle", "ec2", "*")],
    "no role can be assumed": [fault("server-error", "sts", "AssumeRole", "")],
}


@pytest.mark.parametrize("what", DOWN)
def test_with_a_dependency_down_nothing_is_changed(silent: Product, server: Server, post: Post, told: Told, what: str) -> None:
    """What is reported is true: whoever cannot see it does not touch it, and a person is told."""
    # Nobody has been in the sandbox yet: the roles there have to be assumed first.
    account = silent.range.sandbox if "role" in what else silent.range.production
    bait = hostile.lay(silent.range, "down", groups=4, account=account)
    mark = silent.range.mark()
    silent.range.faults(*DOWN[what])
    post.bring([hostile.trail(hostile.exposure(bait, group)) for group in bait.groups])
    until("a run met the fault", lambda: sum(silent.range.fault_hits()))
    settled(silent, 180)
    bad = wrongful(silent.range, mark, set())
    told.rows.append((f"{what}", len(bait.groups), len(bad)))
    assert bad == []
    for group in bait.groups:
        incident, runs = server.at_rest(group)
        assert (incident["status"], runs[-1]["status"]) == ("parked", "parked"), incident
        assert incident["statusReason"]


def test_with_the_store_locked_nothing_is_changed(silent: Product, server: Server, post: Post, told: Told) -> None:
    bait = hostile.lay(silent.range, "store", groups=2)
    mark = silent.range.mark()
    entries = [hostile.trail(hostile.exposure(bait, group)).entry() for group in bait.groups]
    store = sqlite3.connect(Path(silent.data) / "quell.db", isolation_level=None)
    store.execute("BEGIN EXCLUSIVE")
    with ThreadPoolExecutor(1) as worker:
        answer = worker.submit(post.put, "forwarder", entries)
        # Reads of the API do not pass either way; what counts is that nothing goes out while nothing can be noted.
        until("the request waits, or was refused", lambda: answer.running() or answer.done())
        during = wrongful(silent.range, mark, set())
        assert not answer.done() or answer.exception(), "it was accepted, and could not be kept"
        store.execute("COMMIT")
        store.close()
        answer.result()
    told.rows.append(("the store is locked", len(entries), len(during)))
    assert during == []
    for group in bait.groups:
        server.fixed(group)
    told.acted += len(bait.groups)


def test_a_stolen_key_is_answered(silent: Product, server: Server, post: Post, told: Told) -> None:
    """Those who are named in vain above are contained when AWS itself says so of them."""
    bait = hostile.lay(silent.range, "stolen", groups=0, users=1)
    user, key = next(iter(bait.users.items()))
    kind = "CredentialAccess:IAMUser/CompromisedCredentials"
    post.bring([hostile.guardduty_event(hostile.guardduty(kind, bait.account, hostile.identity(user, key)))])
    iam = silent.range.client("iam", silent.range.production["developer"])

    def is_off() -> bool:
        keys = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
        policies = iam.list_attached_user_policies(UserName=user)["AttachedPolicies"]
        return all(key["Status"] == "Inactive" for key in keys) and bool(policies)

    until(f"{user} is contained", is_off, 60)
    told.acted += 1


def test_there_are_a_thousand(told: Told) -> None:
    """Last in the file: the classes above are as many as they say."""
    assert sum(triggers for _, triggers, _ in told.rows) >= 1_000
    assert sum(bad for *_, bad in told.rows) == 0
    assert told.acted >= len(CLASSES)
