"""Attacks, one a playbook: what a victim has, what the attacker does to it with real clients, and how to see what became of it.

A module has `prepare(stage)`, which makes what is attacked and names it (`resource`: the id of what the incident is about);
`attack(stage, made)`, which attacks; and `read(stage, made)`, all that a response could have changed, read anew.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def names() -> list[str]:
    """What there is an attack for: `PB-001`, and `PB-013-TABLE` where a playbook answers several."""
    found = [module.name for module in pkgutil.iter_modules(__path__) if module.name.startswith("pb_")]
    return sorted(name.upper().replace("_", "-") for name in found)


def of(playbook: str) -> ModuleType:
    """The attack that a playbook answers."""
    if playbook not in names():
        raise ValueError(f"there is no attack for {playbook}; there are {', '.join(names())}")
    return importlib.import_module(f"{__name__}.{playbook.lower().replace('-', '_')}")
