"""The product: one data folder, its range, its server, and its command line."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from harness import state
from harness.awsrange import AwsRange
from harness.process import Process, environment
from harness.signing import Answer, Key, call
from harness.waiting import until

ROOT = Path(__file__).resolve().parents[2]

#: A run that has come to rest: nobody carries it on without a person.
AT_REST = ("done", "parked", "undone")


def cargo_folders() -> list[Path]:
    """Where cargo may have built, the likeliest first."""
    target = os.environ.get("CARGO_TARGET_DIR")
    cached = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "quell/target"
    return [*([Path(target)] if target else []), cached, ROOT / "target"]


@cache
def binary() -> Path:
    """The binary under test: where it was said to be, or where cargo puts it."""
    named = os.environ.get("QUELL_BIN")
    places = [Path(named)] if named else [folder / "debug/quell" for folder in cargo_folders()]
    found = next((place for place in places if place.is_file()), None)
    assert found, f"build it first (cargo build --package quell); looked at {[str(p) for p in places]}"
    return found


@dataclass(frozen=True)
class Said:
    """How a command ended and what it said."""

    code: int
    json: Any
    err: str
    out: str


def quell(*words: str | Path, cwd: Path, output: str = "json", env: dict[str, str] | None = None, seconds: float = 60) -> Said:
    """Runs a command to its end."""
    command = [str(word) for word in (binary(), *words, "--output", output)]
    done = subprocess.run(
        command, cwd=cwd, env=environment(**(env or {})), stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False
    )
    out = done.stdout.decode()
    value = json.loads(out) if output == "json" and out.strip() else None
    return Said(done.returncode, value, done.stderr.decode(), out)


class Server:
    """`quell serve`, up, with a key that may do what a responder may."""

    def __init__(self, process: Process, url: str, key: Key) -> None:
        self.process, self.url, self.key = process, url, key

    def call(self, method: str, path: str, body: Any = None, key: Key | None = None) -> Answer:
        return call(method, self.url + path, key or self.key, body)

    def get(self, path: str) -> Any:
        answer = self.call("GET", path)
        assert answer.status == 200, answer
        return answer.json()

    def incidents(self, group: str | None = None) -> list[dict[str, Any]]:
        """The incidents about a group (or all), oldest first."""
        found = self.get("/api/v1/incidents?limit=1000")["incidents"]
        return [i for i in reversed(found) if group in (None, i["resource"]["id"])]

    def runs(self, group: str | None = None) -> list[dict[str, Any]]:
        """The runs on a group (or all), oldest first."""
        found = self.get("/api/v1/runs?limit=1000")["runs"]
        return [r for r in reversed(found) if group in (None, r["resource"]["id"])]

    def at_rest(self, group: str, seconds: float = 20) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The group's newest incident and all runs on the group, once none of them is at work."""

        def look() -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
            incidents, runs = self.incidents(group), self.runs(group)
            quiet = incidents and all(i["status"] != "responding" for i in incidents) and all(r["status"] in AT_REST for r in runs)
            return (incidents[-1], runs) if quiet else None

        found = until(f"{group} at rest", look, seconds)
        assert found
        return found

    def fixed(self, group: str, seconds: float = 20) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """As `at_rest`, once the group's newest incident is resolved and a run has fixed it.

        One look is not enough: between two events of a group it can be at rest before the second has arrived, and
        incidents and runs are two requests.
        """
        seen: list[Any] = []

        def look() -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
            incident, runs = self.at_rest(group, seconds)
            seen[:] = [incident["status"], incident.get("statusReason"), [(r["status"], r.get("outcome"), r.get("reason")) for r in runs]]
            fixed = incident["status"] == "resolved" and any(r.get("outcome") == "fixed" for r in runs)
            return (incident, runs) if fixed else None

        try:
            found = until(f"{group} fixed", look, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}: {seen}") from error
        assert found
        return found


#: For who makes the same mistake many times on one resource: no person is asked for that.
AGAIN_AND_AGAIN = {"QUELL__RESPOND__CHANGES_PER_RESOURCE_DAY": "100000"}


class Product:
    """A data folder with everything that stands around it."""

    def __init__(self, folder: Path, env: dict[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        #: What is set for every command and server here.
        self.env = env or {}
        # Commands run here, so that no settings file of somebody's working folder is picked up.
        self.folder = folder
        self.data = folder / "data"
        self._range: AwsRange | None = None
        self._servers = 0

    @property
    def range(self) -> AwsRange:
        assert self._range, "no range is up"
        return self._range

    def quell(self, *words: str | Path, output: str = "json", env: dict[str, str] | None = None, seconds: float = 60) -> Said:
        return quell(*words, "--data", self.data, cwd=self.folder, output=output, env={**self.env, **(env or {})}, seconds=seconds)

    def key(self, role: str, owner: str = "tests") -> Key:
        said = self.quell("auth", "key", "create", "--owner", owner, "--role", role)
        assert said.code == 0, said
        return Key(said.json["accessKeyId"], said.json["secretAccessKey"])

    @contextmanager
    def range_up(self, trail_interval: float = 0.5) -> Iterator[AwsRange]:
        """`quell range up`, until the end of the block."""
        command = [binary(), "range", "up", "--data", self.data, "--output", "json", "--", "--trail-interval", str(trail_interval)]
        process = Process(command, self.folder / "range", self.folder, environment())
        try:
            # The settings file is the last thing written: whoever starts a server now finds the range.
            until("the range is up", lambda: self._range_stands(process), seconds=120)
            self._range = AwsRange(json.loads((self.data / "range/info.json").read_text()))
            yield self._range
        finally:
            self._range = None
            process.end()

    def beside(self, name: str) -> Product:
        """Another data folder with the same range and the same settings: as on another machine."""
        other = Product(self.folder.parent / name, self.env)
        other.data.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.data / "range.toml", other.data)
        other._range = self._range
        return other

    def _range_stands(self, process: Process) -> bool:
        assert process.is_up(), process.err()
        return (self.data / "range.toml").exists() and process.out().rstrip().endswith("}")

    def spawn_server(self, name: str, *more: str | Path, env: dict[str, str] | None = None) -> Process:
        """`quell serve` on a free port, just begun. Whoever starts it ends it."""
        command = [binary(), "serve", "--data", self.data, "--listen", "127.0.0.1:0", *more]
        return Process(command, self.folder / f"serve-{name}", self.folder, environment(**{**self.env, **(env or {})}))

    def start_server(self, key: Key | None = None, config: Path | None = None, env: dict[str, str] | None = None, name: str = "") -> Server:
        """`quell serve`, up and answering. Whoever starts it ends it."""
        self._servers += 1
        key = key or self.key("responder")
        process = self.spawn_server(name or str(self._servers), *(["--config", config] if config else []), env=env)
        try:
            line = process.wait_for("the server is up", "serves on http://")
        except BaseException:
            process.kill()
            raise
        url = re.search(r"http://\S+", line)
        assert url, line
        return Server(process, url.group(0), key)

    @contextmanager
    def server_up(self, config: Path | None = None, env: dict[str, str] | None = None, name: str = "") -> Iterator[Server]:
        """`quell serve`, until the end of the block; then it ends as an operator would end it."""
        server = self.start_server(config=config, env=env, name=name)
        try:
            yield server
            assert server.process.is_up(), server.process.err()[-2000:]
            assert server.process.end() == 0
        finally:
            server.process.kill()

    def settled(self, seconds: float = 20) -> None:
        """Waits until everything that was recorded so far was collected, acknowledged and judged."""
        self.range.flush()
        until("both queues are empty", lambda: self.range.undelivered() == 0, seconds)
        until("no record is pending", lambda: state.count(self.data, "record", "pending") == 0, seconds)
        until("no run is at work", lambda: state.count(self.data, "run", "running") == 0, seconds)

    def aws(self, *words: str, account: dict[str, Any] | None = None, region: str = "us-east-1") -> Any:
        """The real aws command line, as the developer of an account."""
        keys = (account or self.range.production)["developer"]
        env = environment(
            AWS_ACCESS_KEY_ID=keys["access_key_id"], AWS_SECRET_ACCESS_KEY=keys["secret_access_key"], AWS_DEFAULT_REGION=region, AWS_PAGER=""
        )
        command = [sys.executable, str(Path(sys.executable).parent / "aws"), *words, "--output", "json", "--endpoint-url", self.range.endpoint]
        done = subprocess.run(command, env=env, cwd=self.folder, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout or b"null")
