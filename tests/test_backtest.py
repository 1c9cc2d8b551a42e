"""What a playbook would have done, over files and over what is stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.product import quell

SAMPLES = Path(__file__).resolve().parents[1] / "content/detections/aws/ec2"
ACCOUNT = "444455556666"


@pytest.fixture
def installation(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "quell.toml").write_text(f'[[accounts]]\nid = "{ACCOUNT}"\nenvironment = "test"\n')
    (tmp_path / "logs").mkdir()
    records = json.loads((SAMPLES / "security-group-open-to-world.hit.json").read_text())
    (tmp_path / "logs/trail.json").write_text(json.dumps({"Records": records}))
    return {"QUELL__DATA": str(tmp_path / "data")}


def backtest(folder: Path, env: dict[str, str], *words: str) -> Any:
    return quell("backtest", "PB-008", *words, cwd=folder, env=env)


def test_files_are_tried_twice_with_one_answer_and_nothing_is_stored(tmp_path: Path, installation: dict[str, str]) -> None:
    first, second = (backtest(tmp_path, installation, "logs") for _ in range(2))
    assert first.code in (0, 1), first.err
    totals = first.json["totals"]
    assert totals["triggers"] > 0 and totals["acts"] > 0 and first.json["isReconstructed"], totals
    act = next(act for act in first.json["acts"] if act["came"] == "acts")
    assert "revokeSecurityGroupIngress" in json.dumps(act["plan"]) and act["wouldHaveRead"], act
    assert first.json["digest"] == second.json["digest"]
    assert quell("incident", "list", cwd=tmp_path, env=installation).json == []
    # A day in which nothing happened; what is not in scope.
    nothing = backtest(tmp_path, installation, "logs", "--since", "2020-01-01T00:00:00Z", "--until", "2020-01-02T00:00:00Z")
    assert (nothing.code, nothing.json["totals"]["triggers"]) == (0, 0), nothing
    assert nothing.json["counts"]["outside"] > 0
    asks = backtest(tmp_path, installation, "logs", "--level", "suggest").json
    assert asks["totals"]["acts"] == 0 and asks["guards"]["level"] > 0, asks["totals"]
    (tmp_path / "quell.toml").write_text("")
    outside = backtest(tmp_path, installation, "logs").json
    assert set(outside["guards"]) == {"scope"} and outside["totals"]["acts"] == 0, outside["totals"]


def test_bad_command_lines_are_told_apart(tmp_path: Path, installation: dict[str, str]) -> None:
    for code, words in [(2, ["--since", "soon"]), (2, ["--since", "1d", "--until", "2d"])]:
        assert backtest(tmp_path, installation, *words).code == code, words
    unknown = quell("backtest", "PB-999", cwd=tmp_path, env=installation)
    assert unknown.code == 4, unknown
    empty = backtest(tmp_path, installation)
    assert (empty.code, empty.json["counts"]["records"]) == (0, 0), "nothing is stored yet"
    table = quell("backtest", "PB-008", "logs", cwd=tmp_path, env=installation, output="table")
    assert "no event tells, and it would have read" in table.out, table
