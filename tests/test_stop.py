"""Stopping a run: nothing more is begun for it, whoever carries it."""

from __future__ import annotations

from pathlib import Path

from harness import state
from harness.awsrange import exactly
from harness.product import Product

SUGGEST = {"QUELL__RESPOND__LEVEL_MAX": "suggest"}


def test_a_run_that_waits_is_stopped_with_a_server_and_without(tmp_path: Path) -> None:
    home = Product(tmp_path)
    with home.range_up():
        waiting = {}
        with home.server_up(env=SUGGEST) as server:
            for _ in range(2):
                group = home.range.seed()["group_id"]
                home.range.open(group)
                _, runs = server.at_rest(group)
                assert (runs[-1]["status"], runs[-1].get("outcome")) == ("parked", None)
                waiting[runs[-1]["id"]] = (group, exactly(home.range.rules(group)))
            home.settled()
            first, second = waiting
            said = home.quell("run", "stop", first, "--reason", "it is a drill")
            assert said.code == 0, said
        # Nobody is up now: the command line does it itself.
        said = [said, home.quell("run", "stop", second, "--reason", "it is a drill")]
        assert [s.code for s in said] == [0, 0], said
        for stopped, (run, (group, before)) in zip(said, waiting.items(), strict=True):
            assert (stopped.json["id"], stopped.json["status"], stopped.json["outcome"]) == (run, "parked", "Quell.Stopped")
            assert "it is a drill" in stopped.json["reason"]
            assert exactly(home.range.rules(group)) == before
        assert [c for c in home.range.changes() if "Quell" in c["principal"]] == []
        assert state.count(home.data, "lease") == 0
        for gone in (first, "run-2026-11-21-000000000000"):
            again = home.quell("run", "stop", gone)
            assert again.code == 4, again
            assert gone in again.err
