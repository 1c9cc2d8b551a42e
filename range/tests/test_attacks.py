"""Every attack works, and says what it did."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Client

from quell_range import attacks

#: What the probe says while nobody has answered.
WORKS = {
    "PB-001": "ok",
    "PB-002": "running",
    "PB-003": "200",
    "PB-004": "allowed",
    "PB-005": "open",
    "PB-006": "ok",
    "PB-007": "open",
    "PB-008": "open",
    "PB-009": "ok",
    "PB-010": "ok",
    "PB-011": "unseen",
    "PB-012": "ok",
    "PB-013": "KMSInvalidStateException",
    "PB-013-BUCKET": "nothing",
    "PB-013-DATABASE": "lost",
    "PB-013-TABLE": "lost",
    "PB-014": "open",
    "PB-015": "runs, ok",
}


def attack(tmp_path: Path, quell_range: Client, *words: str) -> subprocess.CompletedProcess[bytes]:
    info = tmp_path / "info.json"
    info.write_text(json.dumps(quell_range.info))
    command = [sys.executable, "-m", "quell_range", "attack", *words, "--info", str(info)]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, timeout=120, check=False)


@pytest.mark.parametrize("playbook", attacks.names())
def test_it_changes_what_it_says(tmp_path: Path, quell_range: Client, playbook: str) -> None:
    stage_of = attacks.of(playbook)
    from quell_range.attacks.stage import Stage

    stage = Stage(quell_range.info)
    made = stage_of.prepare(stage)
    stage_of.attack(stage, made)
    assert stage_of.probe(stage, made) == WORKS[playbook]
    json.dumps(stage_of.read(stage, made), default=str)


def test_the_command_prints_what_was_attacked(tmp_path: Path, quell_range: Client) -> None:
    done = attack(tmp_path, quell_range, "PB-008")
    told: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode, told["playbook"], told["account"]) == (0, "PB-008", quell_range.production["id"]), done.stderr
    assert len(told["after"]["rules"]) == len(told["before"]["rules"]) + 2
    assert quell_range.record("AuthorizeSecurityGroupIngress")["userAgent"].startswith("aws-cli/")


def test_an_attack_that_there_is_not(tmp_path: Path, quell_range: Client) -> None:
    done = attack(tmp_path, quell_range, "PB-999")
    assert done.returncode == 2 and b"there is no attack for PB-999" in done.stderr
    assert sorted(json.loads(attack(tmp_path, quell_range, "list").stdout)) == attacks.names()
