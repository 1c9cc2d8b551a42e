"""A short form of `crash.py`, and what an orderly restart has to keep."""

from __future__ import annotations

from pathlib import Path

import pytest

from crash import Crash
from harness.awsrange import exactly
from harness.product import Product

SEED = 20_240_315


def test_nothing_is_lost_twice_or_stuck_after_kills(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Product(tmp_path)
    with home.range_up():
        result = Crash(home, kills=15, exposures=12, seed=SEED).run()
    print(result.table())
    assert result.violations == [], result.table()


def test_an_orderly_restart_loses_no_time(tmp_path: Path) -> None:
    """What happens just after a server was stopped is fixed by the next one in seconds, not when queues give it again."""
    home = Product(tmp_path)
    with home.range_up():
        with home.server_up() as server:
            # It has been at its queues, and waits at them now.
            group = home.range.seed()["group_id"]
            home.range.open(group)
            server.fixed(group)
            home.settled()
        group = home.range.seed()["group_id"]
        before = home.range.rules(group)
        home.range.open(group)
        with home.server_up() as server:
            server.fixed(group, seconds=8)
            assert exactly(home.range.rules(group)) == exactly(before)


def test_a_second_server_on_the_same_data_folder_is_refused_in_words(tmp_path: Path) -> None:
    """Two would carry the same runs; the first is not disturbed by the attempt."""
    home = Product(tmp_path)
    with home.range_up(), home.server_up() as first:
        said = home.quell("serve", "--listen", "127.0.0.1:0")
        assert said.code == 3
        assert str(home.data) in said.err
        assert "--data" in said.err
        group = home.range.seed()["group_id"]
        rule = home.range.open(group)
        first.fixed(group)
        assert home.range.revocations()[rule] == 1
