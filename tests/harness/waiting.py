"""Waiting for a condition. Nothing in these tests waits for a length of time: it is too long or too short."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: Between two looks; short beside anything measured here, long beside the cost of a look.
PAUSE_SECONDS = 0.03


def until(what: str, look: Callable[[], T], seconds: float = 15) -> T:
    """The first truthy thing that `look` gives. Fails with `what` and the last look when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what} (last seen: {seen!r})")
        time.sleep(PAUSE_SECONDS)
