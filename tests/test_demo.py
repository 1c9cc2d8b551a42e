"""The demonstration does the whole job by itself and says truly how it went."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.product import Said, quell

STAGES = ["opened", "recorded", "detected", "planned", "permitted", "revoked", "verified"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Said:
    folder: Path = tmp_path_factory.mktemp("demo")
    return quell("demo", "--once", "--listen", "127.0.0.1:0", "--data", folder / "data", cwd=folder, seconds=120)


def test_it_ends_well_and_resolves_the_incident(demo: Said) -> None:
    assert demo.code == 0, demo.err
    assert demo.json["status"] == "resolved"


def test_the_stages_come_in_order_and_start_at_nought(demo: Said) -> None:
    timeline = demo.json["timeline"]
    assert [step["stage"] for step in timeline] == STAGES
    millis = [step["millis"] for step in timeline]
    assert millis[0] == 0
    assert millis == sorted(millis)
    assert [step["at"] for step in timeline] == sorted(step["at"] for step in timeline)


def test_the_exposed_rules_are_gone_and_the_three_legitimate_ones_are_as_they_were(demo: Said) -> None:
    exposed, after = demo.json["rulesExposed"], demo.json["rulesAfter"]
    gone = [rule for rule in exposed if rule not in after]
    assert sorted((r["FromPort"], r.get("CidrIpv4") or r.get("CidrIpv6")) for r in gone) == [(22, "0.0.0.0/0"), (3389, "::/0")]
    assert len(after) == 3
    assert all(rule in exposed for rule in after)


def test_the_mean_times_are_measured(demo: Said) -> None:
    stages = {step["stage"]: step["millis"] for step in demo.json["timeline"]}
    assert demo.json["mttdMillis"] == stages["detected"] > 0
    assert demo.json["mttrMillis"] == stages["verified"] - stages["detected"] > 0


def test_the_tables_for_people_tell_the_same_and_how_to_undo(tmp_path: Path) -> None:
    """A second demonstration in the same place begins with nothing, and works again."""
    for _ in range(2):
        said = quell("demo", "--once", "--listen", "127.0.0.1:0", "--data", tmp_path / "data", cwd=tmp_path, output="table", seconds=120)
        assert said.code == 0, said.err
    words = [line.split()[0] for line in said.out.splitlines() if line.split()]
    assert [word for word in words if word in STAGES][: len(STAGES)] == STAGES
    assert words.count("revoked") == 1 + 2, "a stage, and two rules"
    assert words.count("kept") == 3
    assert "MTTD" in said.out
    assert "MTTR" in said.out
    assert " undo run-" in said.out
