"""What people lay down: exceptions, freezes, budgets, pipelines, from the command line to the range."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import state
from harness.awsrange import exactly, group_arn
from harness.product import Product, Server, quell
from harness.waiting import until

ACCOUNT = "444455556666"
GROUP = group_arn("sg-0123")
ADD = ["exception", "add", "--owner", "web team", "--reason", "a load test", "--playbook", "PB-008"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    home = Product(tmp_path_factory.mktemp("orders"))
    with home.range_up():
        yield home


@pytest.fixture(scope="module")
def server(home: Product) -> Iterator[Server]:
    with home.server_up() as server:
        yield server


def acts(home: Product, about: str) -> list[str]:
    """What the audit log has of it, the first first."""
    return [e["entry"]["act"] for e in home.quell("evidence", "list", "--about", about).json][::-1]


def test_what_is_excepted_is_left_as_it_is_until_the_exception_ends(home: Product, server: Server) -> None:
    group = home.range.seed()["group_id"]
    added = home.quell(*ADD, "--resource", group_arn(group), "--expires", "30d")
    assert added.code == 0, added.err
    exception = added.json["id"]
    mark = home.range.mark()
    home.range.open(group)
    before = exactly(home.range.rules(group))
    incident, runs = server.at_rest(group)
    assert (incident["status"], runs) == ("open", []), incident
    assert incident["statusReason"].startswith(f"{exception} of web team excepts it until "), incident
    # Also one that a person asks for, and a dry run says the same.
    dry = home.quell("playbook", "plan", "PB-008", "--resource", group_arn(group))
    assert dry.json["decision"] == "refuse" and exception in dry.json["reasons"][0], dry
    asked = {"incident_id": incident["id"], "resource_arn": group_arn(group), "playbook": "PB-008"}
    answer = server.call("POST", "/api/v1/remediate", asked)
    assert answer.status == 202, answer
    ended = until("it was refused", lambda: next((r for r in server.runs(group) if r.get("outcome")), None))
    assert ended and ended["outcome"] == "Quell.Refused" and exception in ended["reason"], ended
    assert home.range.revocations(mark) == {} and exactly(home.range.rules(group)) == before
    assert home.quell("exception", "end", exception).code == 0
    assert home.quell("exception", "end", exception).code == 4
    home.range.open(group, port=3389)
    server.fixed(group)
    assert acts(home, exception) == ["exception-added", "exception-ended"]


def test_tags_as_exemption(home: Product, server: Server) -> None:
    """The trap: a resource that says of itself that it is not to be touched. Whoever holds it writes its tags."""
    group = home.range.seed()["group_id"]
    tags = [{"Key": key, "Value": "true"} for key in ("quell:exempt", "quell:exception", "do-not-remediate")]
    home.range.ec2().create_tags(Resources=[group], Tags=tags)
    home.range.open(group)
    server.fixed(group)


def test_a_freeze_asks_and_taking_back_goes_on(home: Product, server: Server) -> None:
    first = home.range.seed()["group_id"]
    home.range.open(first)
    _, runs = server.fixed(first)
    frozen = home.quell("freeze", "add", "--reason", "end of year", "--until", "1h", "--account", ACCOUNT)
    assert frozen.code == 0, frozen.err
    freeze = frozen.json["id"]
    try:
        group = home.range.seed()["group_id"]
        home.range.open(group)
        _, waiting = server.at_rest(group)
        run = waiting[-1]
        assert run["status"] == "parked" and run.get("outcome") is None and freeze in run["reason"], run
        doctor = home.quell("doctor")
        assert "changes are frozen until" in next(c["found"] for c in doctor.json if c["what"] == "freezes")
        assert home.quell("undo", runs[-1]["id"]).code == 0, "taking back is no automatic change"
        plan = home.quell("run", "show", run["id"]).json["planHash"]
        assert home.quell("approve", run["id"], "--plan", plan).code == 0
        server.fixed(group)
    finally:
        assert home.quell("freeze", "end", freeze).code == 0
    assert home.quell("freeze", "list").json == []
    assert acts(home, freeze) == ["freeze-added", "freeze-ended"]


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("CHANGES_PER_ACTION_HOUR", '{"*" = 100, "ec2:RevokeSecurityGroupIngress" = 0}', "the budget of ec2:RevokeSecurityGroupIngress has 0 left"),
        ("CHANGES_PER_ORGANISATION_HOUR", "0", "the budget of the organisation has 0 left"),
        ("PIPELINES", '["arn:aws:iam::*:user/*", "arn:aws:iam::*:role/*"]', "fix it in the code"),
    ],
    ids=["action", "organisation", "pipeline"],
)
def test_over_a_budget_and_of_a_pipeline_a_person_is_asked(tmp_path: Path, setting: str, value: str, says: str) -> None:
    home = Product(tmp_path / "home")
    with home.range_up(), home.server_up(env={f"QUELL__RESPOND__{setting}": value}) as server:
        group, mark = home.range.seed()["group_id"], home.range.mark()
        home.range.open(group)
        _, runs = server.at_rest(group)
        assert runs[-1]["status"] == "parked" and runs[-1].get("outcome") is None and says in runs[-1]["reason"], runs
        assert home.range.revocations(mark) == {}
        plan = home.quell("run", "show", runs[-1]["id"]).json["planHash"]
        home.quell("approve", runs[-1]["id"], "--plan", plan)
        server.fixed(group)


# --- The command line alone ---


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--account", ACCOUNT, "--expires", "91d"], 4, "90 days"),
        (["--account", ACCOUNT, "--expires", "0d"], 4, "ends after"),
        (["--account", ACCOUNT, "--expires", "soon"], 2, "no moment"),
        (["--account", "12", "--expires", "1d"], 2, "twelve digits"),
        (["--expires", "1d"], 4, "account or a resource"),
        (["--resource", "arn:aws:*:us-east-1:444455556666:x", "--expires", "1d"], 2, "partition and service"),
        (["--resource", "arn:aws:ec2:*:*:*", "--expires", "1d"], 2, "it means everything"),
        (["--account", ACCOUNT, "--expires", "1d", "--detection", "aws/ec2/security-group-open-to-wolrd"], 2, "did you mean «aws/ec2/security-group-open-to-world»"),
    ],
)
def test_an_exception_that_nobody_may_make(tmp_path: Path, words: list[str], code: int, says: str) -> None:
    said = quell(*ADD, *words, "--data", tmp_path / "d", cwd=tmp_path)
    assert said.code == code and says in said.err, said
    assert quell("exception", "list", "--all", "--data", tmp_path / "d", cwd=tmp_path).json == []


def test_nobody_excepts_their_own(tmp_path: Path) -> None:
    words = [*ADD, "--account", ACCOUNT, "--expires", "1d", "--data", tmp_path / "d"]
    own = [str(word).replace("web team", "Ann") for word in words]
    said = quell(*own, cwd=tmp_path, env={"USER": "ann"})
    assert said.code == 4 and "does not approve it" in said.err, said
    said = quell(*own, cwd=tmp_path, env={"USER": "bob"})
    assert (said.code, said.json["approvedBy"]) == (0, "bob (command line)"), said


def test_one_that_ends_soon_is_told_of(tmp_path: Path) -> None:
    data = ["--data", tmp_path / "d"]
    assert quell(*ADD, "--account", ACCOUNT, "--expires", "6d", *data, cwd=tmp_path).code == 0
    assert quell(*ADD, "--resource", GROUP, "--expires", "80d", *data, cwd=tmp_path).code == 0
    soon, later = quell("exception", "list", *data, cwd=tmp_path).json
    assert (soon["endsSoon"], later["endsSoon"], later["status"]) == (True, False, "in force")
    assert "ENDS IN" in quell("exception", "list", *data, cwd=tmp_path, output="table").out
    checks: list[dict[str, Any]] = quell("doctor", *data, cwd=tmp_path).json
    (check,) = [c for c in checks if c["what"] == "exceptions"]
    assert not check["ok"] and soon["exception"]["id"] in check["found"] and later["exception"]["id"] not in check["found"]
    assert len(state.documents(tmp_path / "d", "exception", "in-force")) == 2


def test_a_freeze_names_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "quell.toml").write_text(f'data = "{tmp_path / "d"}"\n[[accounts]]\nid = "{ACCOUNT}"\nenvironment = "production"\n')
    add = ["freeze", "add", "--reason", "x", "--until", "2h"]
    for words, code, says in (
        (["--environment", "prodution"], 2, "there are production"),
        (["--account", "111122223333"], 2, ACCOUNT),
        (["--from", "3h"], 4, "ends after it begins"),
        (["--from", "1h", "--environment", "production"], 0, ""),
    ):
        said = quell(*add, *words, cwd=tmp_path)
        assert said.code == code and says in said.err, said
    (listed,) = quell("freeze", "list", cwd=tmp_path).json
    assert listed["status"] == "to come" and listed["freeze"]["environments"] == ["production"], json.dumps(listed)


def test_a_unit_that_no_account_is_in_is_told_of(tmp_path: Path) -> None:
    accounts = f'[[accounts]]\nid = "{ACCOUNT}"\nou = "Root/Prod"\n[respond.changes_per_ou_hour]\n"Root" = 5\n"Root/Prdo" = 5\n'
    (tmp_path / "quell.toml").write_text(f'data = "{tmp_path / "d"}"\n{accounts}')
    checks: list[dict[str, Any]] = quell("doctor", cwd=tmp_path).json
    (check,) = [c for c in checks if c["what"] == "organisational units"]
    assert not check["ok"] and "no account is in «Root/Prdo»" in check["found"] and "«Root»" not in check["found"]
