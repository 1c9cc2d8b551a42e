"""One scenario, from the attack to the undo. What it measures comes from the run's timeline, the journal and the audit log."""

from __future__ import annotations

import datetime
import importlib
import json
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.product import ROOT, Product, Server
from harness.signing import Key
from harness.waiting import until

from .case import Scenario

sys.path.insert(0, str(ROOT / "range"))

from quell_range import attacks  # noqa: E402
from quell_range.attacks.stage import Made, Stage  # noqa: E402

#: An account, none for the range's production, and a Region.
Place = tuple[str | None, str]
PRODUCTION: Place = (None, "us-east-1")
#: Another account, which is not production, and another Region.
ELSEWHERE: Place = ("777788889999", "eu-west-1")
#: A person is asked at most this often in one run.
ASKED_MAX = 6


@dataclass
class Told:
    """What became of a scenario. Times are milliseconds after the attack was let out."""

    playbook: str
    #: Where: account and Region.
    place: str = ""
    detected: int = 0
    contained: int = 0
    verified: int = 0
    #: How long the undo took, from the word to its end.
    undone: int = 0
    calls: int = 0
    evidence: int = 0
    approvals: int = 0
    run: dict[str, Any] = field(default_factory=dict)
    undo_run: dict[str, Any] = field(default_factory=dict)
    made: Made = field(default_factory=dict)
    fault: str = ""


def play_together(plays: list[Play]) -> list[Told]:
    """The attacks one after the other, since each is let out alone and its times are its own; what becomes of them side by side."""
    for play in plays:
        play.begin()
    with ThreadPoolExecutor(len(plays)) as pool:
        return list(pool.map(Play.finish, plays))


def table(told: list[Told]) -> str:
    """For people. Times are in milliseconds."""
    head = ["playbook", "where", "detected in", "contained in", "verified in", "undone in", "approvals", "calls", "evidence", ""]
    rows = [
        [t.playbook, t.place, t.detected, t.contained, t.verified, t.undone, t.approvals, t.calls, t.evidence, t.fault or "ok"]
        for t in told
    ]
    words = [head, *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[i]) for row in words) for i in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in words)


def scenarios() -> list[Scenario]:
    """Those whose playbook is there."""
    found = []
    for path in sorted(Path(__file__).parent.glob("pb_*.py")):
        scenario: Scenario = importlib.import_module(f"scenarios.{path.stem}").SCENARIO
        if (content() / "playbooks" / scenario.playbook / "playbook.toml").exists():
            found.append(scenario)
    return found


def content() -> Path:
    return ROOT / "content"


def shortened(target: Path, of: list[Scenario]) -> Path:
    """A copy of the content in which the scenarios' facts are as they wish."""
    shutil.copytree(content(), target)
    for scenario in of:
        path = target / "playbooks" / scenario.playbook / "playbook.toml"
        lines = path.read_text().splitlines()
        for name, value in scenario.facts.items():
            at = next((n for n, line in enumerate(lines) if line.split("=")[0].strip() == name), None)
            assert at is not None, f"{path} has no fact {name} on a line of its own"
            lines[at] = f"{name} = {json.dumps(value)}"
        path.write_text("\n".join(lines) + "\n")
        assert tomllib.loads(path.read_text())["facts"].items() >= scenario.facts.items()
    return target


class Play:
    """One scenario on one product."""

    def __init__(self, home: Product, server: Server, scenario: Scenario, keys: list[Key], place: Place = PRODUCTION) -> None:
        self.home, self.server, self.scenario, self.keys = home, server, scenario, keys
        self.scene = attacks.of(scenario.name)
        self.stage = Stage(home.range.info, *place)
        self.told = Told(scenario.name, f"{self.stage.account['id']} {self.stage.region}")

    def run(self) -> Told:
        """All of it; what goes wrong is in `fault`."""
        self.begin()
        return self.finish()

    def begin(self) -> None:
        """The attack, until Quell has begun to answer it."""
        self._noting(self.attack)

    def finish(self) -> Told:
        """What becomes of it, to the undo."""
        for part in (self.respond, self.undo):
            if not self.told.fault:
                self._noting(part)
        return self.told

    def _noting(self, part: Callable[[], None]) -> None:
        try:
            part()
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is what the table says
            self.told.fault = f"{part.__name__}: {str(error).splitlines()[0] if str(error) else type(error).__name__}"

    def read(self) -> Any:
        return json.loads(json.dumps(self.scene.read(self.stage, self.told.made), sort_keys=True, default=str))

    def probe(self) -> str:
        return str(self.scene.probe(self.stage, self.told.made))

    def attack(self) -> None:
        """It happens whole, and then what is told of it goes out."""
        self.told.made = self.scene.prepare(self.stage)
        self.home.range.flush()
        self.stage.until_the_next_second()
        # Kept back until everything of the attack has happened: what the run found is then known to the byte.
        with self.held() as let_out:
            self.scene.attack(self.stage, self.told.made)
            self.attacked = self.read()
            assert self.probe() == self.scenario.attacked, f"the attack does not work: the probe says {self.probe()}"
            self.mark = self.home.range.mark()
        self.began = let_out[0]
        self.told.run = until("a run is there", lambda: self._run("respond"), 60) or {}

    def respond(self) -> None:
        """What Quell makes of it."""
        self.told.run = run = self._ended(str(self.told.run["id"]))
        assert run.get("outcome") in self.scenario.outcomes, f"the run ended {run.get('outcome')}: {run.get('reason')}"
        assert self.probe() == self.scenario.contained, f"it is not contained: the probe says {self.probe()}"
        stages = {name: _moment(at) for name, at in run["timeline"]}
        incident = next(i for i in self.server.incidents() if run["id"] in i["runs"])
        self.told.detected = _millis(self.began, _moment(incident["detectedAt"]))
        self.told.contained, self.told.verified = (_millis(self.began, stages[name]) for name in ("acted", "verified"))
        self.told.calls = len(self.calls(str(run["id"])))
        self.told.evidence = len(self.home.quell("evidence", "list", "--about", run["id"]).json)
        self.contained = self.read()
        assert self.contained != self.attacked, "nothing has changed"

    def undo(self) -> None:
        """The response, taken back: exactly what was."""
        said = self.home.quell("undo", self.told.run["id"], seconds=self.scenario.seconds)
        first = (said.json or {}).get("run") or {}
        assert first.get("id") and first["id"] != self.told.run["id"], f"no undo was begun: {said.err.strip() or said.out}"
        self.told.undo_run = undo = self._ended(str(first["id"]))
        assert undo.get("outcome") == "undone", f"the undo ended {undo.get('outcome')}: {undo.get('reason')}"
        stages = {name: _moment(at) for name, at in undo["timeline"]}
        self.told.undone = _millis(stages["opened"], stages["ended"])
        kept, now = self.scenario.kept, self.read()
        assert kept(now) == kept(self.attacked), f"it is not as it was: {_differences(kept(self.attacked), kept(now))}"

    def calls(self, run: str) -> list[dict[str, Any]]:
        """What a run changed, in order."""
        return [c for c in self.home.range.changes(self.mark) if f"/{run}" in c["principal"] and c["took_effect"]]

    @contextmanager
    def held(self) -> Iterator[list[datetime.datetime]]:
        """Nothing of what happens in the block goes out before its end; then the list has the moment when it did."""
        let_out: list[datetime.datetime] = []
        self.home.range.api("POST", "/delivery", {"hold": True})
        self.home.range.flush()
        try:
            yield let_out
        finally:
            let_out.append(datetime.datetime.now(datetime.UTC))
            self.home.range.api("POST", "/delivery", {"hold": False})

    def _run(self, mode: str) -> dict[str, Any] | None:
        """The newest run of the playbook whose resource, or whose incident's, is what was attacked."""
        about = str(self.told.made["resource"])
        found = [r for r in self.server.runs() if r["playbook"] == self.scenario.playbook and r["mode"] == mode and about in json.dumps(r["resource"])]
        return found[-1] if found else None

    def _ended(self, name: str) -> dict[str, Any]:
        """The run once it has ended. Whoever has not said yes yet says so when a person is asked."""
        said: set[tuple[str, str]] = set()
        for _ in range(ASKED_MAX):
            run = until(f"{name} has ended or asks", lambda: self._look(name), self.scenario.seconds)
            if run.get("outcome"):
                return run
            plan = self.home.quell("run", "show", name).json["planHash"]
            # Two people may have to say yes to one plan; it asks again in between.
            for key in (key for key in self.keys if (plan, key.id) not in said):
                said.add((plan, key.id))
                answer = self.server.call("POST", f"/api/v1/runs/{name}/approve", {"plan_hash": plan}, key)
                if answer.status == 202:
                    self.told.approvals += 1
                waits = self._look(name)
                if waits is None or waits.get("outcome"):
                    break
        raise AssertionError(f"{name} asks more than {ASKED_MAX} times")

    def _look(self, name: str) -> dict[str, Any] | None:
        run = next((r for r in self.server.runs() if r["id"] == name), None)
        return run if run and (run.get("outcome") or run["status"] == "parked") else None


def _moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def _millis(since: datetime.datetime, at: datetime.datetime) -> int:
    return round((at - since).total_seconds() * 1000)


def _differences(was: Any, now: Any, path: str = "") -> list[str]:
    """Where two images differ, for people."""
    if isinstance(was, dict) and isinstance(now, dict):
        return [d for key in sorted({*was, *now}) for d in _differences(was.get(key), now.get(key), f"{path}/{key}")]
    return [] if was == now else [f"{path}: {json.dumps(was)[:200]} -> {json.dumps(now)[:200]}"]
