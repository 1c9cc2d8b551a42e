"""Differences, and the list of those that have an explanation (`explained.toml`)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

EXPLAINED = Path(__file__).with_name("explained.toml")


@dataclass(frozen=True)
class Difference:
    """One place where the two clients are not the same."""

    of: str
    """What was compared: `request`, `target`, `fault`, `answer`, `error`; `request in CBOR`, `answer in CBOR`."""
    where: str
    """`service/operation/place`."""
    seed: str
    ours: Any
    theirs: Any
    message: Any = None
    """What was read, when something was."""

    def __str__(self) -> str:
        message = "" if self.message is None else f"\n    read   {self.message!r:.2000}"
        told = f"{self.of} {self.where} (seed {self.seed})\n    ours   {self.ours!r:.500}"
        return f"{told}\n    theirs {self.theirs!r:.500}{message}"


@dataclass(frozen=True)
class Explanation:
    """Why some differences are right: `where` is a pattern in which `*` is anything, `theirs` an expression that is found
    in what the other has."""

    of: str
    where: str
    why: str
    theirs: str = ""

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(".*".join(map(re.escape, self.where.split("*"))), re.DOTALL)

    def explains(self, difference: Difference) -> bool:
        """Whether it is about `difference`."""
        is_there = self.of == difference.of and self._pattern.fullmatch(difference.where) is not None
        return is_there and re.search(self.theirs, str(difference.theirs)) is not None

    def is_about(self, service: str) -> bool:
        """Whether it is about operations of a service."""
        return fnmatchcase(service, self.where.split("/")[0])

    @property
    def operations(self) -> str:
        """A pattern of the operations that it is about."""
        return self.where.split("/")[1]


def explanations(file: Path = EXPLAINED) -> list[Explanation]:
    """A committed list."""
    entries = tomllib.loads(file.read_text())
    return [Explanation(**entry) for entry in entries.get("explained", [])]


@dataclass
class Report:
    """What a run found."""

    explanations: list[Explanation]
    compared: dict[str, int] = field(default_factory=dict)
    unexplained: list[Difference] = field(default_factory=list)
    used: set[Explanation] = field(default_factory=set)
    explained: int = 0
    alike: int = 0
    """How many comparisons found no difference at all."""

    def count(self, of: str, differences: list[Difference]) -> None:
        """Adds what came of one comparison."""
        self.compared[of] = self.compared.get(of, 0) + 1
        self.alike += not differences
        for difference in differences:
            reasons = [e for e in self.explanations if e.explains(difference)]
            self.used.update(reasons)
            self.explained += bool(reasons)
            if not reasons:
                self.unexplained.append(difference)

    def __str__(self) -> str:
        compared = ", ".join(f"{of} {count}" for of, count in self.compared.items())
        return f"compared ({compared}), {self.alike} alike: {len(self.unexplained)} unexplained differences, {self.explained} explained"
