"""Two processes on one state store share the work: nothing is done twice, nothing is left, and what stops one stops both.

Each test runs on a PostgreSQL server, as two machines would, and on one SQLite file, as two processes of one machine would.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from harness.awsrange import AwsRange, exactly
from harness.postgres import PASSWORD, postgres
from harness.product import Product, Server
from harness.signing import Key
from harness.waiting import until

#: A process that stands still is taken for gone after ten seconds, and looked for every two.
TAKEN_OVER_SECONDS = 30
#: What a process had received when it was killed, or what is sent to one that was killed while it waited for it, comes again
#: when the queue's thirty seconds are over.
COMES_AGAIN_SECONDS = 50
REVOKE = "RevokeSecurityGroupIngress"


@dataclass
class Pair:
    """Two data folders on one range and one state store, and a key that both servers know."""

    one: Product
    two: Product
    key: Key
    #: Both processes are on this machine for sure, so that the system says at once that one has died.
    one_machine: bool

    @property
    def range(self) -> AwsRange:
        return self.one.range

    def servers(self, stack: ExitStack, env: dict[str, str] | None = None) -> tuple[Server, Server]:
        up = []
        for home in (self.one, self.two):
            server = home.start_server(self.key, env=env)
            stack.callback(server.process.kill)
            up.append(server)
        return up[0], up[1]

    def expose(self, count: int) -> dict[str, tuple[str, str]]:
        """Groups that were opened to the world, with what they were before and the rule that is too much."""
        groups = [self.range.seed()["group_id"] for _ in range(count)]
        return {g: (exactly(self.range.rules(g)), self.range.open(g)) for g in groups}

    def all_are_fixed(self, exposed: dict[str, tuple[str, str]], server: Server, seconds: float = 60) -> None:
        """Each group is as it was, by one revocation, in one incident."""
        for group in exposed:
            server.fixed(group, seconds)
        assert {g: exactly(self.range.rules(g)) for g in exposed} == {g: before for g, (before, _) in exposed.items()}
        revoked = self.range.revocations()
        assert [revoked[rule] for _, rule in exposed.values()] == [1] * len(exposed)
        assert [len(server.incidents(group)) for group in exposed] == [1] * len(exposed)


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp(request.param)
    with ExitStack() as stack:
        if request.param == "sqlite":
            env = {"QUELL__STORE__URL": f"sqlite:{folder}/shared.db"}
        else:
            env = {"QUELL__STORE__URL": stack.enter_context(postgres()), "QUELL__STORE__PASSWORD": "env:THE_PASSWORD", "THE_PASSWORD": PASSWORD}
            env |= {"QUELL__STORE__KEY": "env:THE_KEY", "THE_KEY": "0123456789abcdef" * 4}
        one = Product(folder / "one", env)
        stack.enter_context(one.range_up())
        yield Pair(one, one.beside("two"), one.key("responder"), request.param == "sqlite")


@pytest.fixture(autouse=True)
def calm(pair: Pair) -> Iterator[None]:
    yield
    pair.range.clear_faults()
    pair.one.quell("resume")


def ended_by(server: Server) -> int:
    """How many runs a process brought to their end."""
    return server.process.err().count("a run ended")


def test_forty_exposures_are_shared_and_each_is_revoked_once(pair: Pair) -> None:
    with ExitStack() as stack:
        one, two = pair.servers(stack)
        exposed = pair.expose(40)
        pair.all_are_fixed(exposed, two)
        assert len(one.runs()) == 40, "each process sees the runs of both"
        assert ended_by(one) + ended_by(two) == 40
        assert min(ended_by(one), ended_by(two)) > 0, "one of them did all the work"
        doctor = pair.two.quell("doctor")
        assert "2 processes share it" in str(doctor.json), doctor
        assert PASSWORD not in doctor.out + doctor.err
        assert [one.process.end(), two.process.end()] == [0, 0]


def test_what_a_killed_process_had_in_its_hands_is_taken_over(pair: Pair) -> None:
    with ExitStack() as stack:
        one, two = pair.servers(stack)
        # Both are in the middle of something when one is killed.
        pair.range.faults({"kind": "hang", "service": "ec2", "operation": "DescribeSecurityGroups", "count": 12, "delay_ms": 3000})
        exposed = pair.expose(12)
        until("runs hang", lambda: sum(pair.range.fault_hits()) >= 6)
        before = ended_by(one)
        one.process.kill()
        until("it is noticed", lambda: "its runs are taken over" in two.process.err(), 15 if pair.one_machine else TAKEN_OVER_SECONDS)
        pair.all_are_fixed(exposed, two, COMES_AGAIN_SECONDS)
        assert before + ended_by(two) >= len(exposed)


def test_a_process_that_was_paused_does_nothing_twice(pair: Pair) -> None:
    """It sleeps in the middle of its runs, the other takes them over, and it wakes up and believes that they are its own."""
    with ExitStack() as stack:
        one, two = pair.servers(stack)
        pair.range.faults({"kind": "hang", "service": "ec2", "operation": "DescribeSecurityGroups", "count": 8, "delay_ms": 2000})
        exposed = pair.expose(8)
        until("runs hang", lambda: sum(pair.range.fault_hits()) >= 6)
        os.kill(one.process.pid, signal.SIGSTOP)
        stack.callback(os.kill, one.process.pid, signal.SIGCONT)
        if pair.one_machine:
            # Who is stopped while writing to SQLite's file keeps the others from it: they wait for it.
            until("it is missed", lambda: any(said in two.process.err() for said in ("its runs are taken over", "is locked")), 45)
        else:
            pair.all_are_fixed(exposed, two, COMES_AGAIN_SECONDS)
        os.kill(one.process.pid, signal.SIGCONT)
        until("it knows that it was away", lambda: "begins anew" in one.process.err() or pair.one_machine, TAKEN_OVER_SECONDS)
        more = pair.expose(6)
        pair.all_are_fixed(more, one)
        pair.all_are_fixed(exposed, one)


def test_halt_on_one_stops_both_within_a_second(pair: Pair) -> None:
    with ExitStack() as stack:
        one, two = pair.servers(stack)
        warm = pair.expose(2)
        pair.all_are_fixed(warm, one)
        # A stream of exposures, so that both are changing things when the brake is pulled.
        flood = pair.expose(20)
        until("changes are being made", lambda: len(set(pair.range.revocations()) & {rule for _, rule in flood.values()}) > 2)
        said = pair.two.quell("halt")
        pulled = datetime.now(timezone.utc)
        assert said.code == 0, said
        late = pair.expose(6)
        for group in late:
            incident, _ = one.at_rest(group, 45)
            assert incident["status"] == "parked"
            assert "quell resume" in incident["statusReason"]
        ours = [c for c in pair.range.changes() if "Quell" in c["principal"]]
        assert [c for c in ours if datetime.fromisoformat(c["time"].replace("Z", "+00:00")) > pulled + timedelta(seconds=1)] == []
        assert not set(pair.range.revocations()) & {rule for _, rule in late.values()}
        for home in (pair.one, pair.two):
            assert [check["mend"] for check in home.quell("doctor").json if not check["ok"]] == ["quell resume"]


def test_a_yes_on_one_reaches_the_run_of_the_other(pair: Pair) -> None:
    with ExitStack() as stack:
        one, two = pair.servers(stack, {"QUELL__RESPOND__LEVEL_MAX": "suggest"})
        for server, other in ((one, two), (two, one)):
            exposed = pair.expose(1)
            (group,) = exposed
            _, runs = server.at_rest(group, COMES_AGAIN_SECONDS)
            run = runs[-1]["id"]
            hash = pair.one.quell("run", "show", run).json["planHash"]
            assert other.call("POST", f"/api/v1/runs/{run}/approve", {"plan_hash": hash}).status == 202
            pair.all_are_fixed(exposed, server)


def test_a_yes_at_the_command_line_of_the_other_machine(pair: Pair) -> None:
    with ExitStack() as stack:
        server = pair.one.start_server(pair.key, env={"QUELL__RESPOND__LEVEL_MAX": "suggest"})
        stack.callback(server.process.kill)
        exposed = pair.expose(1)
        (group,) = exposed
        _, runs = server.at_rest(group, COMES_AGAIN_SECONDS)
        run = runs[-1]["id"]
        hash = pair.one.quell("run", "show", run).json["planHash"]
        said = pair.two.quell("approve", run, "--plan", hash)
        assert (said.code, said.json["run"]["outcome"]) == (0, "fixed"), said
        # It may have ended others too: what an earlier test left in the queue comes again.
        assert f"a run ended run={run} " in server.process.err(), "the server that is up carried it"
        assert server.process.end() == 0
        # Nobody is up now: the command line does it itself.
        assert pair.two.quell("undo", run).code == 0


def test_one_request_counts_once_wherever_it_comes_in(pair: Pair) -> None:
    from harness.signing import send, signed_headers

    with ExitStack() as stack:
        one, two = pair.servers(stack)
        body = b'{"plan_hash": "none"}'
        headers = signed_headers("POST", f"{one.url}/api/v1/runs/run-none/approve", body, pair.key, {"content-type": "application/json"})
        first = send("POST", f"{one.url}/api/v1/runs/run-none/approve", body, headers)
        assert first.status == 404, first
        again = send("POST", f"{two.url}/api/v1/runs/run-none/approve", body, headers)
        assert again.status == 409, again


def test_keys_are_sealed_for_all_processes_and_no_reader(pair: Pair) -> None:
    with ExitStack() as stack:
        one, two = pair.servers(stack)
        key = pair.two.key("viewer")
        assert one.call("GET", "/api/v1/incidents", key=key).status == 200
        if pair.one_machine:
            stored = (pair.one.folder.parent / "shared.db").read_bytes() + (pair.one.folder.parent / "shared.db-wal").read_bytes()
            assert key.id.encode() in stored
            assert key.secret.encode() not in stored
            return
        said = pair.two.quell("doctor", env={"THE_KEY": "another secret that is long enough"})
        assert "store.key" in " ".join(check["mend"] for check in said.json if not check["ok"]), said
        stranger = pair.two.start_server(pair.key, env={"THE_KEY": "another secret that is long enough"})
        stack.callback(stranger.process.kill)
        answer = stranger.call("GET", "/api/v1/incidents", key=key)
        assert (answer.status, answer.json()["type"].rsplit("/", 1)[-1].rsplit(":", 1)[-1]) == (503, "key-unreadable"), answer
        assert "store.key" in stranger.process.err()


def test_settings_and_errors_never_show_the_password(pair: Pair, tmp_path: Path) -> None:
    url = pair.one.env["QUELL__STORE__URL"]
    shown = pair.one.quell("config", "explain", "store.url")
    assert url in str(shown.json["value"]), shown
    assert "QUELL__" in shown.json["from"]
    everything = pair.one.quell("config", "show")
    assert PASSWORD not in shown.out + everything.out
    if pair.one_machine:
        return
    for env, says in (
        ({"THE_PASSWORD": "wrong"}, "store.password"),
        ({"QUELL__STORE__URL": "postgres://quell@127.0.0.1:1/postgres"}, "Is the server up"),
        ({"QUELL__STORE__URL": url.replace("quell@", "quell:planted@")}, "store.password"),
        ({"QUELL__STORE__URL": url.replace("/postgres", "/nowhere")}, "createdb"),
    ):
        said = pair.one.quell("incident", "list", env=env)
        assert said.code in (3, 5)
        assert says in said.err, said
        assert "planted" not in said.err
        assert "wrong" not in said.err
