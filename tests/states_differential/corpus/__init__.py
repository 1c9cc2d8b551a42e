"""The documents that were written by hand: one for each feature and integration."""

from __future__ import annotations

from ..case import Case
from . import branches, changes, choices, distributed, errors, expressions, flow, integrations, paths, variables


def written() -> list[Case]:
    """All of them."""
    modules = [flow, paths, choices, expressions, variables, branches, errors, changes, integrations, distributed]
    cases = [case for module in modules for case in module.CASES]
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), "two cases have one name"
    return cases
