"""Runs cases through both clients."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from random import Random
from typing import Any, Protocol

from . import cbor, reference
from .answers import Yes
from .calls import Call
from .cbor import CborCall, CborYes
from .faults import Wrong, faults
from .refusals import PAGE, UNKNOWN, No
from .report import Difference, Report
from .targets import PLACES, Placed
from .wire import Wire

# How much of what need not be given is given: some, nearly all, nothing.
RICHNESS = [0.4, 1.0, 0.0]
# How many of the calls are also made somewhere: most of a service's go to one host.
PLACED = 0.1


class Case(Protocol):
    """One thing to do with both clients."""

    of: str

    def query(self) -> dict[str, Any]:
        """What our client is asked."""

    def differences(self, reply: dict[str, Any]) -> list[Difference]:
        """Where our client's `reply` is not botocore's."""


def operations(service: str, pattern: str = "*") -> list[str]:
    """The operations of a service that botocore knows, by a pattern of names."""
    return [name for name in reference.model(service).operation_names if fnmatchcase(name, pattern)]


def cases(service: str, name: str, number: int, seed: str) -> Iterator[Case]:
    """The cases of one number for an operation: the same ones for the same seed."""
    operation = reference.model(service).operation_model(name)
    seed, richness = f"{seed}/{service}/{name}/{number}", RICHNESS[number % len(RICHNESS)]
    yield Call(service, operation, seed, richness)
    if Random(seed).random() < PLACED:
        # One place for all operations of the service, because a client of botocore is slow to make.
        place = Random(f"{service}/{number}").choice(PLACES)
        yield Placed(service, operation, seed, richness, place)
    if faults(operation):
        yield Wrong(service, operation, seed, richness)
    # A stream of events is no value yet when botocore gives it.
    if not operation.has_event_stream_output:
        yield Yes(service, operation, seed, richness)
    if cbor.is_spoken(operation):
        yield CborCall(service, operation, seed, richness)
        yield CborYes(service, operation, seed, richness)
    errors = [UNKNOWN, *operation.error_shapes, PAGE]
    yield No(service, operation, Random(seed).choice(errors), seed)


def compare(wire: Wire, service: str, names: Iterable[str], numbers: Iterable[int], seed: str, report: Report) -> None:
    """Compares the cases of some numbers for some operations of a service."""
    numbers = list(numbers)
    made = [case for name in names for number in numbers for case in cases(service, name, number, seed)]
    for case, reply in zip(made, wire.ask([case.query() for case in made]), strict=True):
        report.count(case.of, case.differences(reply))
