"""Who did it, over accounts; and what is new about it.

Records of three accounts are dropped into the folder of `quell serve`, as a trail of the organisation would bring them.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from harness.product import Product, Server
from harness.waiting import until

ROOT = Path(__file__).parent.parent
A, B, C, D = "111122223333", "444455556666", "777788889999", "222233334444"
USER_MADE = """title: A user is made
logsource: {product: aws, service: cloudtrail}
detection:
  s:
    eventName: CreateUser
  condition: s
level: medium
"""
NOW = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(minutes=10)

Record = dict[str, Any]


def moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def user(account: str, name: str) -> Record:
    arn = f"arn:aws:iam::{account}:user/{name}"
    return {"type": "IAMUser", "principalId": f"AIDA{name}", "arn": arn, "accountId": account, "accessKeyId": "AKIA0", "userName": name}


def session(account: str, role: str, name: str, made: datetime, key: str) -> Record:
    issuer = {"type": "Role", "arn": f"arn:aws:iam::{account}:role/{role}", "accountId": account, "userName": role}
    return {
        "type": "AssumedRole",
        "principalId": f"AROA{role}:{name}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}",
        "accountId": account,
        "accessKeyId": key,
        "sessionContext": {"sessionIssuer": issuer, "attributes": {"creationDate": moment(made), "mfaAuthenticated": "false"}},
    }


def call(account: str, who: Record, name: str, at: datetime, source: str = "iam", **more: Any) -> Record:
    return {
        "eventVersion": "1.10",
        "userIdentity": who,
        "eventTime": moment(at),
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2.17.0",
        "eventID": str(uuid.uuid4()),
        "recipientAccountId": account,
        "readOnly": False,
        **more,
    }


def assume(who: Record, to: str, role: str, name: str, at: datetime, key: str) -> list[Record]:
    """Both accounts' records of one call."""
    shared = str(uuid.uuid4())
    more = {
        "sharedEventID": shared,
        "requestParameters": {"roleArn": f"arn:aws:iam::{to}:role/{role}", "roleSessionName": name, "durationSeconds": 3600},
        "responseElements": {
            "credentials": {"accessKeyId": key, "expiration": "soon"},
            "assumedRoleUser": {"arn": f"arn:aws:sts::{to}:assumed-role/{role}/{name}"},
        },
    }
    foreign = {"type": "AWSAccount", "principalId": who["principalId"], "accountId": who["accountId"]}
    return [
        call(who["accountId"], who, "AssumeRole", at, "sts", **more),
        call(to, foreign, "AssumeRole", at, "sts", **more),
    ]


def drop(place: Product, records: list[Record]) -> None:
    """Puts a file there whole."""
    name = f"{uuid.uuid4().hex}.json"
    beside = place.data / name
    beside.write_text(json.dumps({"Records": records}))
    beside.rename(place.data / "drop" / name)


def story(name: str) -> tuple[list[Record], list[Record]]:
    """Somebody of A takes a role in B, from there one in C, and makes a user in each: the links, and the calls."""
    eve = user(A, name)
    b_at, c_at = NOW + timedelta(seconds=10), NOW + timedelta(seconds=20)
    b, c = session(B, f"ops-{name}", "x", b_at, f"ASIAB{name}"), session(C, f"admin-{name}", "y", c_at, f"ASIAC{name}")
    links = [*assume(eve, B, f"ops-{name}", "x", b_at, f"ASIAB{name}"), *assume(b, C, f"admin-{name}", "y", c_at, f"ASIAC{name}")]
    calls = [call(account, who, "CreateUser", NOW + timedelta(seconds=30)) for account, who in ((A, eve), (B, b), (C, c))]
    return links, calls


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Product:
    folder = tmp_path_factory.mktemp("initiator")
    detections = folder / "content/detections"
    detections.mkdir(parents=True)
    (detections / "user-made.yml").write_text(USER_MADE)
    shutil.copy(ROOT / "content/detections/baseline/new-network-and-action.baseline.yml", detections)
    return Product(folder / "home", {"QUELL__CONTENT": str(folder / "content")})


@pytest.fixture(scope="module")
def server(place: Product) -> Iterator[Server]:
    with place.server_up() as server:
        yield server


def named(server: Server, who: str) -> list[Record]:
    return [i for i in server.incidents() if i.get("initiator", {}).get("id") == who]


def test_one_attacker_in_three_accounts_is_one_incident_that_names_who_began_it(place: Product, server: Server) -> None:
    links, calls = story("eve")
    drop(place, [*links, *calls])
    eve = f"arn:aws:iam::{A}:user/eve"
    found = until("the incident holds all three", lambda: [i for i in named(server, eve) if i["findingCount"] == 3], 30)
    assert found and len(named(server, eve)) == 1
    initiator = found[0]["initiator"]
    assert (initiator["kind"], initiator["label"]) == ("user", f"user eve of {A}")
    assert not [i for i in server.incidents() if "eve" in i["resource"]["id"] and i["id"] != found[0]["id"]], "no other for the roles"


def test_what_is_told_late_corrects_the_name(place: Product, server: Server) -> None:
    links, calls = story("mallory")
    drop(place, calls)
    roles = {"ops-mallory", "admin-mallory"}
    by_role = lambda: [i for i in server.incidents() if i["resource"]["id"] in roles]  # noqa: E731
    found = until("an incident for each role", lambda: by_role() if len(by_role()) == 2 else None, 30)
    assert found and not any("initiator" in i for i in found)
    # The farther link first: it is not enough, and what waited waits on.
    drop(place, links[2:])
    drop(place, links[:2])
    mallory = f"arn:aws:iam::{A}:user/mallory"
    until("all three name her", lambda: len(named(server, mallory)) == 3, 30)
    hops = sorted(len(i["initiator"].get("hops", [])) for i in named(server, mallory))
    assert hops == [0, 1, 2]


def test_something_new_from_a_new_network_says_why(place: Product, server: Server) -> None:
    kim, arn = user(D, "kim"), f"arn:aws:iam::{D}:user/kim"
    past = [call(D, kim, "ListBuckets", NOW - timedelta(hours=6 * n), "s3") for n in range(4, 90)]
    # What is made at the end of it says that all of it was looked at.
    drop(place, [*past, call(D, user(D, "tom"), "CreateUser", NOW - timedelta(hours=1))])
    until("the past is known", lambda: named(server, f"arn:aws:iam::{D}:user/tom"), 30)
    assert not named(server, arn)
    drop(place, [call(D, kim, "GetAccountAuthorizationDetails", NOW, sourceIPAddress="203.0.113.77")])
    found = until("the incident", lambda: named(server, arn), 30)
    assert found and found[0]["title"].startswith("A principal does something new from a new network")
    findings = server.get(f"/api/v1/incidents/{found[0]['id']}/findings")["findings"]
    (why,) = [f["explanation"] for f in findings]
    assert "203.0.113.0/24" in why and "by 87 calls" in why
