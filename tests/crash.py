"""Kills `quell serve` with SIGKILL again and again while exposures are in flight, then counts what came of each.

    python tests/crash.py --kills 200 --exposures 50

Exits 1 when an exposure is left open, was revoked twice, or left anything behind.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from harness import state  # noqa: E402
from harness.awsrange import exactly  # noqa: E402
from harness.product import AGAIN_AND_AGAIN, Product  # noqa: E402
from harness.waiting import until  # noqa: E402

#: A server lives at least so long between two kills: it does not listen yet.
LIFE_SECONDS_MIN = 0.02
#: And at most so long beyond what a start takes on this machine: after several runs.
WORK_SECONDS_MAX = 0.5
GROUPS = 8
#: Everything a port can be open for here is critical, and no two exposures of a group are the same rule.
PORTS = (20, 21, 22, 23, 25, 110, 135, 139, 143, 389, 445, 1433, 1521, 2049, 3306, 3389, 5900, 6379, 9200, 27017)
#: A message that a killed server had in its hands comes again after so long. Short: more of them come twice.
VISIBILITY_SECONDS = 2
SETTLED_SECONDS = 90


@dataclass
class Result:
    """What was done, what came of it, and what should not have."""

    seed: int
    kills: int = 0
    killed_at_work: int = 0
    exposures: list[str] = field(default_factory=list)
    seconds: float = 0
    revoked_once: int = 0
    revoked_twice: int = 0
    left_open: int = 0
    runs: Counter[str] = field(default_factory=Counter)
    records_lost: int = 0
    records_twice: int = 0
    pending: int = 0
    leases: int = 0
    incidents: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def table(self) -> str:
        rows = [
            ("seed", self.seed),
            ("kills", self.kills),
            ("  of them with a run or a record under way", self.killed_at_work),
            ("exposures", len(self.exposures)),
            ("  revoked exactly once", self.revoked_once),
            ("  revoked more than once", self.revoked_twice),
            ("  still open", self.left_open),
            ("records of exposures lost", self.records_lost),
            ("records of exposures stored twice", self.records_twice),
            ("records pending", self.pending),
            ("leases left", self.leases),
            ("runs", ", ".join(f"{n} {s}" for s, n in sorted(self.runs.items()))),
            ("incidents", ", ".join(f"{n} {s}" for s, n in sorted(self.incidents.items()))),
            ("seconds", f"{self.seconds:.1f}"),
            ("result", "; ".join(self.violations) or "nothing lost, nothing twice, nothing stuck"),
        ]
        return "\n".join(f"{name:<44} {value}" for name, value in rows)


class Crash:
    """One experiment on one data folder."""

    def __init__(self, home: Product, kills: int, exposures: int, seed: int) -> None:
        self._home, self._kills, self._wanted = home, kills, exposures
        self._random = random.Random(seed)
        self._groups = [home.range.seed()["group_id"] for _ in range(GROUPS)]
        self._before = {group: exactly(home.range.rules(group)) for group in self._groups}
        self._key = home.key("responder")
        self._life_seconds_max = WORK_SECONDS_MAX
        self.result = Result(seed)

    def run(self) -> Result:
        began = time.monotonic()
        for url in self._home.range.info["quell"]["queues"].values():
            self._home.range.sqs().set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)})
        self._life_seconds_max = self._start_seconds() + WORK_SECONDS_MAX
        makes = [self._random.randrange(self._kills) for _ in range(self._wanted)]
        for number in range(self._kills):
            self._live_and_die(number, makes.count(number))
        with self._home.server_up(name="last"):
            self._settle()
        self._count()
        self.result.seconds = time.monotonic() - began
        return self.result

    def _start_seconds(self) -> float:
        """How long a server takes to start on this machine."""
        began = time.monotonic()
        with self._home.server_up(name="first"):
            return time.monotonic() - began

    def _live_and_die(self, number: int, exposures: int) -> None:
        """Starts a server and kills it at a random moment of its life, with exposures being made meanwhile."""
        life = self._random.uniform(LIFE_SECONDS_MIN, self._life_seconds_max)
        process = self._home.spawn_server(f"killed-{number % 10}")
        makers = [threading.Thread(target=self._expose, args=(len(self.result.exposures) + n,)) for n in range(exposures)]
        try:
            for maker in makers:
                maker.start()
            # The moment is what is random here: nothing is waited for.
            threading.Event().wait(life)
            if not process.is_up():
                self.result.violations.append(f"the server ended by itself: {process.err()[-500:]}")
        finally:
            process.kill()
            for maker in makers:
                maker.join()
        self.result.kills += 1
        if (self._home.data / "quell.db").exists():
            under_way = state.count(self._home.data, "run", "running") + state.count(self._home.data, "record", "pending")
            self.result.killed_at_work += under_way > 0

    def _expose(self, number: int) -> None:
        group = self._groups[number % GROUPS]
        port = PORTS[number // GROUPS % len(PORTS)]
        rule = self._home.range.open(group, port, "::/0" if number // (GROUPS * len(PORTS)) % 2 else "0.0.0.0/0")
        self.result.exposures.append(rule)

    def _settle(self) -> None:
        """Until all is quiet, or the time is over: then the counting says what is wrong."""
        try:
            until("every exposure is gone", lambda: not self._open(), SETTLED_SECONDS)
            self._home.settled(SETTLED_SECONDS)
        except AssertionError as late:
            self.result.violations.append(str(late)[:300])

    def _open(self) -> list[str]:
        text = "".join(exactly(self._home.range.rules(group)) for group in self._groups)
        return [rule for rule in self.result.exposures if rule in text]

    def _count(self) -> None:
        home, r = self._home, self.result
        revoked = home.range.revocations()
        r.revoked_once = sum(revoked.get(rule) == 1 for rule in r.exposures)
        r.revoked_twice = sum(revoked.get(rule, 0) > 1 for rule in r.exposures)
        r.left_open = len(self._open())
        records = [json.dumps(d["body"]) for d in state.documents(home.data, "record") if d["body"].get("body", {}).get("eventName", "").startswith("Authorize")]
        seen = [sum(rule in record for record in records) for rule in r.exposures]
        r.records_lost, r.records_twice = seen.count(0), sum(n > 1 for n in seen)
        r.pending, r.leases = state.count(home.data, "record", "pending"), state.count(home.data, "lease")
        r.runs = Counter(d["status"] for d in state.documents(home.data, "run"))
        r.incidents = Counter(d["status"] for d in state.documents(home.data, "incident"))
        wrong = [
            ("exposures made", len(r.exposures) - self._wanted),
            ("exposures not revoked exactly once", self._wanted - r.revoked_once),
            ("exposures still open", r.left_open),
            ("rules revoked that nobody opened", len(set(revoked) - set(r.exposures))),
            ("groups that are not as they were", sum(exactly(home.range.rules(g)) != before for g, before in self._before.items())),
            ("records lost", r.records_lost),
            ("records stored twice", r.records_twice),
            ("records pending", r.pending),
            ("records quarantined", state.count(home.data, "record", "quarantined")),
            ("leases left", r.leases),
            # A run that was parked says why, and its incident is open or was answered by the next run.
            ("runs neither done nor parked", sum(r.runs.values()) - r.runs["done"] - r.runs["parked"]),
            ("incidents not resolved", sum(r.incidents.values()) - r.incidents["resolved"]),
        ]
        r.violations += [f"{what}: {number}" for what, number in wrong if number]
        if r.killed_at_work == 0:
            r.violations.append("no kill struck anything under way: this proves nothing")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--exposures", type=int, default=50)
    parser.add_argument("--seed", type=int, default=None, help="repeats the moments of an earlier experiment")
    parser.add_argument("--keep", action="store_true", help="leave the data folder for a look")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(2**32)
    print(f"{options.kills} kills, {options.exposures} exposures, --seed {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="quell-crash-"))
    home = Product(folder, env=AGAIN_AND_AGAIN)
    with home.range_up():
        result = Crash(home, options.kills, options.exposures, seed).run()
    print(result.table())
    if options.keep:
        print(f"the data folder is {home.data}")
    else:
        shutil.rmtree(folder)
    return 1 if result.violations else 0


if __name__ == "__main__":
    sys.exit(main())
