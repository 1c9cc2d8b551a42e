"""Measures the main job: from the answer of the call that opens a group to the rule being gone, and to `verified`.

    python tests/bench_loop.py --times 100

Each delivery path is measured apart. Exits 1 when the event path's p99 is not under the limit.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from harness.product import AGAIN_AND_AGAIN, Product, Server  # noqa: E402
from harness.waiting import until  # noqa: E402

GROUPS = 10
LIMIT_SECONDS = 5.0
TRAIL_INTERVAL_SECONDS = 0.5
PERCENTILES = (50, 90, 99)


@dataclass
class Measured:
    """One delivery path's measurements, in milliseconds."""

    name: str
    gone: list[float] = field(default_factory=list)
    verified: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        return {"path": self.name, "times": len(self.verified), "gone": figures(self.gone), "verified": figures(self.verified)}


def figures(millis: list[float]) -> dict[str, float]:
    """Percentiles by nearest rank: each is a time that was really measured."""
    ordered = sorted(millis)
    found = {f"p{p}": ordered[max(0, -(-len(ordered) * p // 100) - 1)] for p in PERCENTILES}
    return {name: round(value, 1) for name, value in {**found, "max": ordered[-1]}.items()}


def moment(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Bench:
    """One range, one server, a few groups."""

    def __init__(self, home: Product, server: Server) -> None:
        self._home, self._server = home, server
        self._groups = [home.range.seed()["group_id"] for _ in range(GROUPS)]

    def measure(self, name: str, times: int, events: bool, trail: bool) -> Measured:
        path = Measured(name)
        self._home.range.deliver(events=events, trail=trail)
        for number in range(times):
            gone, verified = self._once(self._groups[number % GROUPS])
            path.gone.append(gone)
            path.verified.append(verified)
        self._home.settled()
        return path

    def _once(self, group: str) -> tuple[float, float]:
        """The document's own command, by its API call: the command line's start-up is not what is measured."""
        mark = self._home.range.mark()
        rule = self._home.range.open(group)
        answered = time.time()
        revoked = until(f"{rule} revoked", lambda: self._revoked(rule, mark), seconds=60)
        verified = until(f"{rule} verified", lambda: self._verified(rule), seconds=60)
        return (revoked - answered) * 1000, (verified - answered) * 1000

    def _revoked(self, rule: str, mark: int) -> float:
        """When the range took the rule away; it waits for the call, so that looking costs nothing meanwhile."""
        for call in self._home.range.api("GET", f"/journal?since={mark}&changing=true&wait=2")["calls"]:
            if call["operation"] == "RevokeSecurityGroupIngress" and call["took_effect"] and rule in call["params"]["SecurityGroupRuleIds"]:
                return moment(call["time"])
        return 0.0

    def _verified(self, rule: str) -> float:
        for run in self._server.get("/api/v1/runs?limit=3")["runs"]:
            stages = dict(run["timeline"])
            if "verified" in stages and rule in json.dumps((run.get("plan") or {}).get("calls")):
                return moment(stages["verified"])
        return 0.0


def table(paths: list[dict[str, Any]]) -> str:
    heads = ["path", "from the API call to", "times", *(f"p{p}" for p in PERCENTILES), "max"]
    rows = [heads]
    for path in paths:
        for what, words in (("gone", "the rule is gone"), ("verified", "verified")):
            rows.append([path["path"], words, str(path["times"]), *(f"{v:.0f} ms" for v in path[what].values())])
    widths = [max(len(row[i]) for row in rows) for i in range(len(heads))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=100, help="exposures on each path")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="quell-bench-"))
    home = Product(folder, env=AGAIN_AND_AGAIN)
    with home.range_up(trail_interval=TRAIL_INTERVAL_SECONDS), home.server_up() as server:
        bench = Bench(home, server)
        paths = [
            bench.measure("events", options.times, events=True, trail=False).summary(),
            bench.measure("trail", options.times, events=False, trail=True).summary(),
        ]
    shutil.rmtree(folder)
    met = paths[0]["verified"]["p99"] < LIMIT_SECONDS * 1000
    if options.output == "json":
        print(json.dumps({"paths": paths, "trailIntervalSeconds": TRAIL_INTERVAL_SECONDS, "limitMillis": LIMIT_SECONDS * 1000, "met": met}, indent=2))
    else:
        print(table(paths))
        print(f"\nThe range writes a trail file every {TRAIL_INTERVAL_SECONDS} s; AWS takes about five minutes.")
        print(f"p99 of the event path under {LIMIT_SECONDS:.0f} s: {'yes' if met else 'NO'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
