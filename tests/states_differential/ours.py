"""Documents run by our interpreter: the example `steps` of the crate `quell`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from harness.product import cargo_folders

from .case import Case, Json
from .moto import ACCOUNT, REGION


class Steps:
    """The built example, one process for all runs."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def close(self) -> None:
        """Ends it."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=20)

    def run(self, case: Case, given: Json, endpoint: str) -> dict[str, Any]:
        """How a run of the document ends."""
        asked = {
            "endpoint": endpoint,
            "region": REGION,
            "account": ACCOUNT,
            "name": case.name,
            "document": case.document,
            "machines": case.machines,
            "input": given,
            "answers": case.answers,
        }
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"steps stopped at {case.name}")
        told: dict[str, Any] = json.loads(line)
        return {name: value for name, value in told.items() if value is not None or name == "output"}


def built() -> Path:
    """The example where cargo puts it."""
    places = [folder / "debug/examples/steps" for folder in cargo_folders()]
    found = next((place for place in places if place.is_file()), None)
    assert found, f"build it first (cargo build --package quell --example steps); looked at {[*map(str, places)]}"
    return found
