"""Faults on demand: what AWS does on a bad day, at a chosen call."""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from quell_range.call import Call, without_blobs
from quell_range.errors import Answer, ApiError
from quell_range.follow import check_calls

KINDS = (
    "throttle",
    "server-error",
    "timeout-after-effect",
    "hang",
    "stale-read",
    "malformed",
    "no-effect",
    "excess",
    "revert",
    "interfere",
)
_DEFAULT_DELAY_MS = {"hang": 60_000, "timeout-after-effect": 60_000, "stale-read": 1_000, "revert": 1_000, "interfere": 0}
#: Kinds that say something of a change, and so pass reads by; kinds that need to be told what else is called.
_CHANGES_ONLY = ("no-effect", "excess", "revert")
_WITH_CALLS = ("excess", "interfere")
#: Answers kept for stale reads; an answer longer than this is not kept.
STALE_ANSWERS_MAX = 4_000
STALE_ANSWER_BYTES_MAX = 256 * 1024


@dataclass
class Fault:
    """One rule: which calls, what happens to them, how often."""

    kind: str
    service: str = "*"
    operation: str = "*"
    account: str | None = None
    principal_contains: str | None = None
    count: int | None = None
    probability: float = 1.0
    delay_ms: int = 0
    #: What else is called (see `follow.py`), and with whose key; without one, the account's root user's.
    also: list[dict[str, Any]] = field(default_factory=list)
    access_key_id: str | None = None
    hits: int = 0
    #: How many hits have had what comes later: the reverts and interferences that are done.
    followed: int = 0

    def matches(self, call: Call) -> bool:
        return (
            self.service in ("*", call.service)
            and self.operation in ("*", call.operation)
            and self.account in (None, call.account)
            and (self.principal_contains is None or self.principal_contains in call.principal.arn)
            and (self.count is None or self.hits < self.count)
        )

    def describe(self) -> dict[str, Any]:
        return dict(self.__dict__)


def parse_faults(items: Any) -> list[Fault]:
    """Faults from JSON; every mistake is an error, because a fault that never fires proves nothing."""
    if isinstance(items, dict):
        items = [items]
    if not isinstance(items, list):
        raise ApiError("InvalidFault", "the body is a JSON list of faults")
    known = set(Fault.__dataclass_fields__) - {"hits", "followed"}
    faults = []
    for item in items:
        unknown = set(item) - known
        if unknown or item.get("kind") not in KINDS:
            raise ApiError("InvalidFault", f"unknown keys {sorted(unknown)}" if unknown else f"kind must be one of {', '.join(KINDS)}")
        if bool(item.get("also")) != (item["kind"] in _WITH_CALLS):
            raise ApiError("InvalidFault", f"also says what else is called: {' and '.join(_WITH_CALLS)} want it, the others do not")
        check_calls(item.get("also") or [])
        given = {key: value for key, value in item.items() if value is not None}
        given.setdefault("delay_ms", _DEFAULT_DELAY_MS.get(item["kind"], 0))
        faults.append(Fault(**given))
    return faults


@dataclass
class Faults:
    """The installed faults, and what stale reads need to remember."""

    _faults: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _answers: OrderedDict[str, Answer] = field(default_factory=OrderedDict)
    _changed_at: dict[tuple[str, str, str], float] = field(default_factory=dict)
    _random: random.Random = field(default_factory=lambda: random.Random(7))

    def install(self, faults: list[Fault]) -> None:
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        """Takes all faults away, with what they had still to do."""
        with self._lock:
            self._faults.clear()

    def is_installed(self, fault: Fault) -> bool:
        with self._lock:
            return any(fault is one for one in self._faults)

    def describe(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.describe() for fault in self._faults]

    def choose(self, call: Call) -> Fault | None:
        """The fault for this call, counted as a hit (a stale read is counted when it is served)."""
        if not self._faults:
            return None
        with self._lock:
            for fault in self._faults:
                if not fault.matches(call) or (fault.kind == "stale-read" and call.changing):
                    continue
                if fault.kind in _CHANGES_ONLY and not call.changing:
                    continue
                if fault.probability < 1 and self._random.random() >= fault.probability:
                    continue
                if fault.kind != "stale-read":
                    fault.hits += 1
                return fault
        return None

    def note_change(self, call: Call) -> None:
        self._changed_at[(call.account, call.region, call.service)] = time.monotonic()

    def note_read(self, call: Call, answer: Answer) -> None:
        """Remember a fresh answer: it is what a stale read gives later."""
        if answer.status >= 400 or len(answer.body) > STALE_ANSWER_BYTES_MAX:
            return
        key = _question(call)
        with self._lock:
            self._answers[key] = answer
            self._answers.move_to_end(key)
            if len(self._answers) > STALE_ANSWERS_MAX:
                self._answers.popitem(last=False)

    def stale_answer(self, call: Call, fault: Fault) -> Answer | None:
        """The answer from before the last change, when that change is younger than the fault's window."""
        changed = self._changed_at.get((call.account, call.region, call.service))
        if changed is None or time.monotonic() - changed >= fault.delay_ms / 1000:
            return None
        with self._lock:
            answer = self._answers.get(_question(call))
            if answer is not None:
                fault.hits += 1
            return answer


def _question(call: Call) -> str:
    params = json.dumps(without_blobs(call.params), sort_keys=True)
    text = "\n".join((call.account, call.region, call.service, call.operation, params))
    return hashlib.sha256(text.encode()).hexdigest()


def malformed(answer: Answer) -> Answer:
    """The answer cut in half, with a length that agrees: it arrives whole and does not parse."""
    body = answer.body[: len(answer.body) // 2] or b"<"
    headers = [(k, v) for k, v in answer.headers if k.lower() not in ("content-length", "x-amz-crc32")]
    return Answer(answer.status, headers, body)
