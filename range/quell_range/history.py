"""The records that were made, for those who look them up: CloudTrail's event history."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

#: Records kept, of all accounts together. CloudTrail keeps 90 days.
RECORDS_MAX = 50_000

_LOCK = threading.Lock()
_RECORDS: deque[dict[str, Any]] = deque(maxlen=RECORDS_MAX)


def note(record: dict[str, Any]) -> None:
    with _LOCK:
        _RECORDS.append(record)


def newest_first(account: str, region: str) -> list[dict[str, Any]]:
    """The records of an account in a Region."""
    with _LOCK:
        return [r for r in reversed(_RECORDS) if r["recipientAccountId"] == account and r["awsRegion"] == region]
