"""Our client: the example `wire` of the crate `quell-aws`, which writes and reads without a network."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.product import cargo_folders


@dataclass(frozen=True)
class Request:
    """A request before it is signed; `query` is encoded, `headers` have small names."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    host_prefix: str


@dataclass(frozen=True)
class Answer:
    """An answer of AWS as it comes."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Wire:
    """The built example."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def services(self) -> list[str]:
        """The services that our client has models of."""
        done = subprocess.run([self._program, "services"], capture_output=True, text=True, check=True)
        return done.stdout.split()

    def ask(self, queries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """What comes of each query, in order."""
        lines = "".join(json.dumps(query) + "\n" for query in queries)
        done = subprocess.run([self._program], input=lines, capture_output=True, text=True, check=False)
        replies = [json.loads(line) for line in done.stdout.rstrip("\n").split("\n") if line]
        if done.returncode != 0 or len(replies) != len(queries):
            raise RuntimeError(f"wire stopped after {len(replies)} of {len(queries)}: {done.stderr}")
        return replies


def read_query(service: str, operation: str, answer: Answer) -> dict[str, Any]:
    """The query to read an answer."""
    body = base64.b64encode(answer.body).decode()
    given = {"status": answer.status, "headers": answer.headers, "body": body}
    return {"service": service, "operation": operation, "answer": given}


def request_of(reply: dict[str, Any]) -> Request | None:
    """The request of a reply, when the parameters were not refused."""
    written = reply.get("request")
    if written is None:
        return None
    return Request(
        method=written["method"],
        path=written["path"],
        query=written["query"],
        headers={name.lower(): value for name, value in written["headers"]},
        body=base64.b64decode(written["body"]),
        host_prefix=written["host_prefix"] or "",
    )


def built() -> Path:
    """The example where cargo puts it."""
    places = [folder / "debug/examples/wire" for folder in cargo_folders()]
    found = next((place for place in places if place.is_file()), None)
    assert found, f"build it first (cargo build --package quell-aws --example wire); looked at {[*map(str, places)]}"
    return found
