"""What people say to a plan: yes by somebody else, no with a reason, nothing in time; and what no yes can open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.awsrange import exactly, group_arn
from harness.product import Product, Server
from harness.waiting import until

SUGGEST = {"QUELL__RESPOND__LEVEL_MAX": "suggest"}
WORLD = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    home = Product(tmp_path_factory.mktemp("approvals"))
    with home.range_up():
        yield home


@pytest.fixture(scope="module")
def server(home: Product) -> Iterator[Server]:
    with home.server_up(env=SUGGEST) as server:
        yield server


class Asked:
    """A group that is exposed, and the run that asks what to do about it."""

    def __init__(self, home: Product, server: Server, everything: bool = False) -> None:
        self.home = home
        self.group: str = home.range.seed()["group_id"]
        if everything:
            # It opens the web too, so a person is asked whoever wants the run.
            home.range.ec2().authorize_security_group_ingress(GroupId=self.group, IpPermissions=[{"IpProtocol": "-1", **WORLD}])
        else:
            home.range.open(self.group)
        self.before = exactly(home.range.rules(self.group))
        _, runs = server.at_rest(self.group)
        self.run: dict[str, Any] = runs[-1]
        assert (self.run["status"], self.run.get("outcome")) == ("parked", None), self.run
        self.plan: str = home.quell("run", "show", self.run["id"]).json["planHash"]

    def is_as_it_was(self) -> bool:
        return exactly(self.home.range.rules(self.group)) == self.before


def test_a_no_ends_the_run_and_changes_nothing(home: Product, server: Server) -> None:
    by_command, by_api = Asked(home, server), Asked(home, server)
    said = home.quell("reject", by_command.run["id"], "--plan", by_command.plan, "--reason", "a load test until noon")
    assert said.code == 1 and "a load test until noon" in said.out + said.err, said
    body = {"plan_hash": by_api.plan, "reason": "ours, and meant"}
    answer = server.call("POST", f"/api/v1/runs/{by_api.run['id']}/reject", body)
    assert answer.status == 202, answer
    for asked, reason in ((by_command, "a load test until noon"), (by_api, "ours, and meant")):
        ended = until("it ended", lambda a=asked: next((r for r in server.runs(a.group) if r.get("outcome")), None))
        assert ended and (ended["status"], ended["outcome"]) == ("parked", "Quell.Refused"), ended
        assert reason in ended["reason"], ended
        assert server.incidents(asked.group)[-1]["status"] == "parked"
        assert asked.is_as_it_was()
        again = home.quell("approve", asked.run["id"], "--plan", asked.plan)
        assert again.code == 1 and "does not wait" in again.err, again
        acts = [e["entry"]["act"] for e in home.quell("evidence", "list", "--about", asked.run["id"]).json]
        assert "rejected" in acts and "changed" not in acts, acts


def test_a_no_to_another_plan_is_no_no(home: Product, server: Server) -> None:
    asked = Asked(home, server)
    said = home.quell("reject", asked.run["id"], "--plan", "0" * 64, "--reason", "x")
    assert said.code == 1 and asked.plan in said.err, said
    assert home.quell("approve", asked.run["id"], "--plan", asked.plan).code == 0
    server.fixed(asked.group)


def test_who_asked_for_a_run_cannot_approve_it(home: Product, server: Server) -> None:
    first = Asked(home, server, everything=True)
    stopped = home.quell("run", "stop", first.run["id"])
    assert stopped.code == 0, stopped
    incident = server.incidents(first.group)[-1]
    wanted = {"incident_id": incident["id"], "playbook": "PB-008", "resource_arn": group_arn(first.group)}
    answer = server.call("POST", "/api/v1/remediate", wanted)
    assert answer.status in (200, 201, 202), answer
    run = until("it asks", lambda: next((r for r in server.runs(first.group) if r["status"] == "parked" and not r.get("outcome")), None))
    assert run and run["requestedBy"], run
    address = f"/api/v1/runs/{run['id']}/approve"
    own = server.call("POST", address, {"plan_hash": first.plan})
    assert own.status == 409 and "somebody else" in str(own.json), own
    assert first.is_as_it_was()
    other = server.call("POST", address, {"plan_hash": first.plan}, home.key("responder", "somebody else"))
    assert other.status == 202, other
    server.fixed(first.group)


def test_when_nobody_answers_in_time_nothing_is_done(tmp_path: Path) -> None:
    home = Product(tmp_path)
    with home.range_up(), home.server_up(env={**SUGGEST, "QUELL__RESPOND__APPROVAL_HOURS": "0"}) as server:
        group: str = home.range.seed()["group_id"]
        home.range.open(group)
        before = exactly(home.range.rules(group))
        ended = until("it ended", lambda: next((r for r in server.runs(group) if r.get("outcome")), None))
        assert ended and "nobody said yes within 0 hours" in ended["reason"], ended
        assert exactly(home.range.rules(group)) == before
        assert server.incidents(group)[-1]["status"] == "parked"


def test_in_an_account_that_is_never_touched_nothing_is_done_at_any_level(tmp_path: Path) -> None:
    home = Product(tmp_path)
    never = {"QUELL__RESPOND__LEVEL_MAX": "auto", "QUELL__RESPOND__NEVER_TOUCH__ACCOUNTS": '["444455556666"]'}
    with home.range_up(), home.server_up(env=never) as server:
        group: str = home.range.seed()["group_id"]
        home.range.open(group)
        before = exactly(home.range.rules(group))
        ended = until("it ended", lambda: next((r for r in server.runs(group) if r.get("outcome")), None))
        assert ended and (ended["outcome"], ended["status"]) == ("Quell.Refused", "parked"), ended
        assert "nothing is ever changed" in ended["reason"], ended
        assert exactly(home.range.rules(group)) == before


def test_what_was_refused_is_not_done_unasked_by_the_next_run(tmp_path: Path) -> None:
    """Something more happens to the same group: the playbook looks again, and asks again."""
    home = Product(tmp_path)
    with home.range_up(), home.server_up() as server:
        asked = Asked(home, server, everything=True)
        assert home.quell("reject", asked.run["id"], "--plan", asked.plan, "--reason", "a load test until noon").code == 1
        home.settled()
        mark = home.range.mark()
        home.range.open(asked.group)

        def second() -> dict[str, Any] | None:
            runs = [run for run in server.runs(asked.group) if run["id"] != asked.run["id"]]
            return next((run for run in runs if run["status"] == "parked"), None)

        run = until("another run asks", second, 30) or {}
        assert "a load test until noon" in run["reason"] and run.get("outcome") is None
        assert home.range.revocations(mark) == {}
