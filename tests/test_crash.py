"""A short form of `crash.py`, and what an orderly restart has to keep."""

from __future__ import annotations

from pathlib import Path

import pytest

from crash import Crash
from harness.awsrange import exactly
from harness.product import AGAIN_AND_AGAIN, Product
from harness.waiting import until

SEED = 20_240_315


def test_nothing_is_lost_twice_or_stuck_after_kills(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Product(tmp_path, env=AGAIN_AND_AGAIN)
    with home.range_up():
        result = Crash(home, kills=15, exposures=12, seed=SEED).run()
    print(result.table())
    assert result.violations == [], result.table()


def test_an_orderly_restart_loses_no_time(tmp_path: Path) -> None:
    """What happens just after a server was stopped is fixed by the next one in seconds, not when queues give it again."""
    home = Product(tmp_path, env=AGAIN_AND_AGAIN)
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


def test_a_second_server_on_the_same_data_folder_takes_over_when_the_first_is_killed(tmp_path: Path) -> None:
    """At once: the system itself says that a process of this machine has died."""
    home = Product(tmp_path, env=AGAIN_AND_AGAIN)
    with home.range_up(), home.server_up() as second:
        first = home.start_server(second.key)
        home.range.faults({"kind": "hang", "service": "ec2", "operation": "DescribeSecurityGroups", "count": 8, "delay_ms": 2000})
        groups = [home.range.seed()["group_id"] for _ in range(8)]
        rules = [home.range.open(group) for group in groups]
        until("runs hang", lambda: sum(home.range.fault_hits()) >= 4)
        first.process.kill()
        for group in groups:
            second.fixed(group, seconds=15)
        assert [home.range.revocations()[rule] for rule in rules] == [1] * 8
        assert not list(home.data.glob("carrier.lock"))
