"""The journal: every call the range answered, in order, for tests to ask about."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any

from quell_range.call import Call, without_blobs

CALLS_MAX = 500_000


class Journal:
    """A bounded list with sequence numbers; the oldest calls are dropped and counted."""

    def __init__(self, calls_max: int = CALLS_MAX) -> None:
        self._calls: deque[tuple[int, Call]] = deque()
        self._calls_max = calls_max
        self._next = 1
        self._dropped = 0
        self._changed = threading.Condition()

    def append(self, call: Call) -> int:
        with self._changed:
            seq = self._next
            self._next += 1
            self._calls.append((seq, call))
            if len(self._calls) > self._calls_max:
                self._calls.popleft()
                self._dropped += 1
            self._changed.notify_all()
            return seq

    def last(self) -> int:
        """The number of the newest call."""
        with self._changed:
            return self._next - 1

    def read(self, since: int = 0, changing: bool | None = None, wait_seconds: float = 0, limit: int = 10_000) -> dict[str, Any]:
        """Calls with a number above `since`; `next` is what to pass as `since` the next time."""
        deadline = time.monotonic() + wait_seconds
        while True:
            with self._changed:
                found, last = self._collect(since, changing, limit)
                remaining = deadline - time.monotonic()
                if found or remaining <= 0:
                    calls = [self._entry(seq, call) for seq, call in found]
                    return {"next": last, "dropped": self._dropped, "calls": calls}
                self._changed.wait(remaining)

    def _collect(self, since: int, changing: bool | None, limit: int) -> tuple[list[tuple[int, Call]], int]:
        found: list[tuple[int, Call]] = []
        last = max(since, 0)
        if not self._calls:
            return found, max(last, self._next - 1)
        first_index = max(0, since + 1 - self._calls[0][0])
        # A deque indexes slowly in its middle: walk from the end when little is new.
        fresh = len(self._calls) - first_index
        recent: list[tuple[int, Call]] = []
        for item in reversed(self._calls):
            if len(recent) >= fresh:
                break
            recent.append(item)
        for seq, call in reversed(recent):
            if len(found) >= limit:
                return found, last
            last = seq
            if changing is None or call.changing == changing:
                found.append((seq, call))
        return found, last

    @staticmethod
    def _entry(seq: int, call: Call) -> dict[str, Any]:
        return {
            "seq": seq,
            "time": call.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "account": call.account,
            "region": call.region,
            "service": call.service,
            "operation": call.operation,
            "changing": call.changing,
            "data_plane": call.data_plane,
            "status": call.status,
            "error_code": call.error_code,
            "took_effect": call.took_effect,
            "fault": call.fault,
            "principal": call.principal.arn,
            "access_key_id": call.principal.access_key_id,
            "user_agent": call.user_agent,
            "source_ip": call.source_ip,
            "params": without_blobs(call.params),
        }
