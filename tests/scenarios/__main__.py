"""`python -m scenarios [PB-008 …]`: every scenario as it would be outside of tests, with all waits; a table; 1 if one fails.

The scenarios run beside one another on one range and one server, each in two accounts and two Regions: each has resources of its own."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from harness.product import Product

from .driver import ELSEWHERE, PRODUCTION, Play, content, play_together, scenarios, table

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
            plays = [Play(home, server, scenario, keys, place) for place in (PRODUCTION, ELSEWHERE) for scenario in chosen]
            told = play_together(plays)
    print(table(told))
    return 1 if any(one.fault for one in told) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
