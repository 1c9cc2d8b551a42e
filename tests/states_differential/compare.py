"""Runs cases on both sides, and says where they are not the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from differential.places import differing, of_value
from differential.report import Difference, Report

from . import world
from .case import Case
from .moto import Moto
from .ours import Steps, built

EXPLAINED = Path(__file__).with_name("explained.toml")

#: What is about the moment or the process. Each pattern is replaced by the word beside it.
MOMENTS = [
    (re.compile(r"http://(127\.0\.0\.1|localhost):\d+"), "http://moto"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?"), "<moment>"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"Request ID: [^,;)]+"), "Request ID: <id>"),
    # What newer SDKs add to it.
    (re.compile(r" \(SDK Attempt Count: 1\)$"), ""),
    # JSON that is quoted in a text.
    (re.compile(r'(?<=["\d\]}el])([:,]) (?=["\d\[{tfn-])'), r"\1"),
]


class Sides:
    """Our interpreter and moto's, each with a moto of its own."""

    def __init__(self) -> None:
        self._ours, self._theirs, self._steps = Moto(), Moto(), Steps(built())

    def close(self) -> None:
        """Ends all."""
        for side in (self._steps, self._ours, self._theirs):
            side.close()

    def compare(self, cases: Iterable[Case], report: Report) -> None:
        """Runs cases, and adds what came of them."""
        for case in cases:
            report.count("run", self.differences(case))

    def both(self, case: Case) -> tuple[dict[str, Any], dict[str, Any]]:
        """What came of a case, here and there: how it ended and what it left."""
        given = self._ours.prepare(case)
        ours = self._steps.run(case, given, self._ours.url)
        theirs = self._theirs.run(case, self._theirs.prepare(case))
        return (
            {**ours, "resources": world.state(self._ours, case)},
            {**theirs, "resources": world.state(self._theirs, case)},
        )

    def differences(self, case: Case) -> list[Difference]:
        """Where the two ends of a case are not the same."""
        ours, theirs = self.both(case)
        return [Difference("run", place, "", here, there) for place, here, there in _unlike(case.name, timeless(ours), timeless(theirs))]


def _unlike(name: str, ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The places that differ. Two runs that end differently differ in that, and not in each part of what they say."""
    here, there = ({key: end.get(key) for key in ("error", "cause", "output")} for end in (ours, theirs))
    if ours["status"] != theirs["status"]:
        yield f"{name}:status", f"{ours['status']} {here}", f"{theirs['status']} {there}"
    # Two interpreters that refuse a document do it in their own words.
    elif ours["status"] != "REFUSED":
        yield from _leaves(f"{name}:", here, there)
    yield from _leaves(f"{name}:", {"resources": ours["resources"]}, {"resources": theirs["resources"]})


def _leaves(prefix: str, ours: Any, theirs: Any) -> Iterator[tuple[str, Any, Any]]:
    here, there = (of_value(value, prefix) for value in (ours, theirs))
    for place in differing(here, there):
        yield place, here.get(place), there.get(place)


def timeless(value: Any) -> Any:
    """A value without what is about the moment or the process."""
    if isinstance(value, dict):
        return {timeless(name): timeless(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [timeless(item) for item in value]
    if isinstance(value, str):
        for pattern, word in MOMENTS:
            value = pattern.sub(word, value)
    return value
