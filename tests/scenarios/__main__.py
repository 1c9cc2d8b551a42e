"""`python -m scenarios [PB-008 …]`: every scenario as it would be outside of tests, with all waits; a table; 1 if one fails.

The scenarios run beside one another on one range and one server: each has resources of its own."""

from __future__ import annotations

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from harness.product import Product

from .driver import Play, Told, content, scenarios

#: What a run may take beyond a scenario's own seconds when no fact of its playbook is shortened.
LATER_LOOKS_SECONDS = 600


def main(wanted: list[str]) -> int:
    """Runs those that are wanted, or all, and prints what was measured."""
    chosen = [replace(s, facts={}, seconds=s.seconds + LATER_LOOKS_SECONDS) for s in scenarios() if not wanted or s.playbook in wanted]
    unknown = sorted({*wanted} - {s.playbook for s in chosen})
    if unknown or not chosen:
        print(f"no scenario: {', '.join(unknown)}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="quell-scenarios-") as folder:
        home = Product(Path(folder) / "home", {"QUELL__CONTENT": str(content())})
        with home.range_up(), home.server_up() as server:
            keys = [home.key("responder", owner) for owner in ("first", "second")]
            plays = [Play(home, server, scenario, keys) for scenario in chosen]
            # The attacks one after the other: each is let out alone, so that its times are its own.
            for play in plays:
                play.begin()
            with ThreadPoolExecutor(len(plays)) as pool:
                told = list(pool.map(Play.finish, plays))
    print(table(told))
    return 1 if any(one.fault for one in told) else 0


def table(told: list[Told]) -> str:
    """For people. Times are in milliseconds."""
    head = ["playbook", "detected in", "contained in", "verified in", "undone in", "approvals", "calls", "evidence", ""]
    rows = [
        [t.playbook, t.detected, t.contained, t.verified, t.undone, t.approvals, t.calls, t.evidence, t.fault or "ok"]
        for t in told
    ]
    words = [head, *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[i]) for row in words) for i in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
