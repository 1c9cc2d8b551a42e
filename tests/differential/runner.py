"""Runs cases through both clients."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from . import reference
from .calls import Call
from .report import Report
from .wire import Wire

# What must be given and no more; some of the rest; nearly all of it.
RICHNESS = [0.0, 0.4, 1.0]


def operations(service: str, pattern: str = "*") -> list[str]:
    """The operations of a service that botocore knows, by a pattern of names."""
    return [name for name in reference.model(service).operation_names if fnmatchcase(name, pattern)]


def compare(wire: Wire, service: str, names: Iterable[str], cases: Iterable[int], seed: str, report: Report) -> None:
    """Compares the given cases of some operations of a service; `seed` and the number of a case make its values."""
    model = reference.model(service)
    calls = [
        Call(service, model.operation_model(name), f"{seed}/{service}/{name}/{i}", RICHNESS[i % len(RICHNESS)])
        for i in cases
        for name in names
    ]
    for call, reply in zip(calls, wire.ask([call.query() for call in calls]), strict=True):
        report.count("request", call.differences(reply))
