"""One document to run, and the world it runs in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .moto import Moto

Json = Any
#: Makes what a document works on; the answer is its input.
SetUp = Callable[["Moto"], Json]


@dataclass(frozen=True)
class Case:
    """A document and all that decides what comes of it."""

    name: str
    document: Json
    input: Json = field(default_factory=dict)
    set_up: SetUp | None = None
    #: Other state machines that are there, by name.
    machines: dict[str, Json] = field(default_factory=dict)
    #: Calls that fail: `operation`, `times`, `code`, `message`.
    faults: list[dict[str, Any]] = field(default_factory=list)
    #: What comes for each task token: `output`, or `error` and `cause`. The token is in the queue `tokens`.
    answers: list[dict[str, Any]] = field(default_factory=list)


def states(start: str, states: dict[str, Json], **more: Json) -> Json:
    """A document in JSONPath."""
    return {"StartAt": start, "States": states, **more}


def jsonata(start: str, of: dict[str, Json], **more: Json) -> Json:
    """A document in JSONata."""
    return {"QueryLanguage": "JSONata", "StartAt": start, "States": of, **more}


def inner(start: str, states: dict[str, Json]) -> Json:
    """What is inside of a state: it has its language from outside."""
    return {"StartAt": start, "States": states}


def one(state: Json, **more: Json) -> Json:
    """A document of one state, in JSONPath."""
    return states("It", {"It": {**state, **({} if state["Type"] in ("Fail", "Succeed", "Choice") else {"End": True})}}, **more)


def one_jsonata(state: Json, **more: Json) -> Json:
    """A document of one state, in JSONata."""
    return {"QueryLanguage": "JSONata", **one(state, **more)}


def sdk(service: str, action: str, **more: Json) -> Json:
    """A task that is any call of a service."""
    return {"Type": "Task", "Resource": f"arn:aws:states:::aws-sdk:{service}:{action}", **more}


def task(resource: str, **more: Json) -> Json:
    """A task of an integration that Step Functions wrote by hand: `sqs:sendMessage`."""
    return {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", **more}
