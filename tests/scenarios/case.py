"""What one playbook's scenario has to end in. The attack itself is `quell_range.attacks`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = Any


@dataclass(frozen=True)
class Scenario:
    """A playbook, and what must be true of what it did."""

    playbook: str
    #: What the probe says while the attack works, and once it is contained.
    attacked: str
    contained: str
    #: How a run that did its work may end.
    outcomes: tuple[str, ...] = ("contained", "fixed")
    #: What of the image is kept on purpose when the run is taken back: it is left out of the comparison.
    kept: Callable[[Json], Json] = lambda image: image
    #: Facts of the playbook that a test shortens: waits of minutes that have nothing to do with the range.
    facts: dict[str, Json] = field(default_factory=dict)
    seconds: float = 60
    #: Which attack it is, where the playbook answers several: the module's name, as `PB-013-TABLE`.
    attack: str = ""

    @property
    def name(self) -> str:
        """What tests call it."""
        return self.attack or self.playbook
