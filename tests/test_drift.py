"""IAM: rights are raised, and Quell takes back what is new for certain, asks about the rest, and can put it back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harness.product import Product, Server
from harness.waiting import until
from scenarios.case import Scenario
from scenarios.driver import shortened

#: Here both versions of a policy are made within seconds: dates count to the second.
FACTS = Scenario("PB-004", attacked="", contained="", facts={"settleSeconds": 1, "skewSeconds": 0})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder: Path = tmp_path_factory.mktemp("policies")
    home = Product(folder, {"QUELL__CONTENT": str(shortened(folder / "content", [FACTS]))})
    with home.range_up():
        yield home


@pytest.fixture(scope="module")
def server(home: Product) -> Iterator[Server]:
    with home.server_up(env={"QUELL__RESPOND__LEVEL_MAX": "auto"}) as up:
        yield up


@pytest.fixture(scope="module")
def iam(home: Product) -> Any:
    return home.range.client("iam", home.range.production["developer"], "us-east-1")


def allow(action: str) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust(*principals: Any) -> str:
    statements = [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"} for principal in principals]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def a_second_later() -> None:
    """Waits until what is made next has a later date."""
    second = datetime.now(UTC).replace(microsecond=0)
    until("the next second", lambda: datetime.now(UTC).replace(microsecond=0) > second, 5)


def undone(server: Server, run: str) -> None:
    answer = server.call("POST", f"/api/v1/runs/{run}/undo")
    assert answer.status in (200, 201, 202), answer
    until("it is undone", lambda: server.get(f"/api/v1/runs/{run}")["status"] == "undone", 30)


def test_a_new_version_that_allows_everything_gives_way_to_the_one_before(server: Server, iam: Any) -> None:
    arn = iam.create_policy(PolicyName="deploy", PolicyDocument=allow("s3:GetObject"))["Policy"]["Arn"]
    a_second_later()
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=allow("*"), SetAsDefault=True)

    def versions() -> dict[str, bool]:
        return {v["VersionId"]: v["IsDefaultVersion"] for v in iam.list_policy_versions(PolicyArn=arn)["Versions"]}

    _, runs = server.fixed("deploy")
    assert versions() == {"v1": True, "v2": False}, "the bad version is evidence"
    undone(server, runs[0]["id"])
    assert versions() == {"v1": False, "v2": True}


def test_a_role_that_everybody_may_take_waits_for_a_person(home: Product, server: Server, iam: Any) -> None:
    service = {"Service": "ec2.amazonaws.com"}
    iam.create_role(RoleName="ship", AssumeRolePolicyDocument=trust(service))
    opened = trust(service, "*")
    iam.update_assume_role_policy(RoleName="ship", PolicyDocument=opened)

    def trusted() -> Any:
        return iam.get_role(RoleName="ship")["Role"]["AssumeRolePolicyDocument"]

    def asks() -> bool:
        return any(r["status"] == "parked" and not r.get("outcome") and "from outside" in str(r.get("reason")) for r in server.runs("ship"))

    until("a run asks about it", asks, 30)
    assert trusted() == json.loads(opened), "nothing is done before somebody has said yes"
    run = server.runs("ship")[-1]["id"]
    plan = home.quell("run", "show", run).json["planHash"]
    assert home.quell("approve", run, "--plan", plan).code == 0
    server.fixed("ship")
    assert trusted() == json.loads(trust(service))
    undone(server, run)
    assert trusted() == json.loads(opened)
