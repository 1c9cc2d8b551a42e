"""Carries records out, both real ways, on its own thread: a call never waits for its record."""

from __future__ import annotations

import gzip
import json
import logging
import queue
import random
import string
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.events.models import events_backends
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from quell_range import history, planes, record
from quell_range.call import Call
from quell_range.errors import Answer
from quell_range.identity import PARTITION, utcnow
from quell_range.lock import STATE_LOCK

log = logging.getLogger(__name__)

HOME_REGION = "us-east-1"
EVENTS_QUEUE = "quell-events"
TRAIL_QUEUE = "quell-trail"


@dataclass
class Paths:
    """Which of the two ways are open."""

    events: bool = True
    trail: bool = True
    #: Nothing goes out, and all of it once it is let go.
    hold: bool = False


class Delivery:
    """One thread, one queue: records keep the order of their calls, and none is lost."""

    def __init__(self, security_account: str, bucket: str, interval_seconds: float, record_reads: bool) -> None:
        self.paths = Paths()
        self.delivered = {"events": 0, "trail_records": 0, "trail_files": 0, "failed": 0}
        self._account = security_account
        self._bucket = bucket
        self._interval = interval_seconds
        self._record_reads = record_reads
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._pending: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)
        self._random = random.Random()
        self._held: list[Callable[[], None]] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._queue.put(None)
        self._thread.join(timeout=2)

    def emit(self, call: Call, answer: Answer) -> None:
        """Take a call's record in hand; called on the request's thread, so it only queues."""
        if record.wanted(call, self._record_reads):
            self._queue.put(lambda: self._unless_held(lambda: self._deliver(record.build(call, answer))))

    def emit_record(self, made: dict[str, Any]) -> None:
        self._queue.put(lambda: self._unless_held(lambda: self._deliver([made])))

    def emit_event(self, event: dict[str, Any]) -> None:
        """An event that is no record: a finding."""
        self._queue.put(lambda: self._unless_held(lambda: self._send(event) if self.paths.events else None))

    def hold(self, wanted: bool) -> None:
        """Keeps back all that comes from now on, or lets it go in the order in which it came."""

        def work() -> None:
            self.paths.hold = wanted
            if not wanted:
                held, self._held = self._held, []
                for one in held:
                    one()

        self._queue.put(work)

    def _unless_held(self, work: Callable[[], None]) -> None:
        if self.paths.hold:
            self._held.append(work)
        else:
            work()

    def flush(self, timeout_seconds: float = 10) -> list[str]:
        """Write everything recorded so far; returns the keys of the files."""
        done = threading.Event()
        keys: list[str] = []

        def work() -> None:
            try:
                keys.extend(self._write_files())
            finally:
                done.set()

        self._queue.put(work)
        done.wait(timeout_seconds)
        return keys

    def drain(self) -> dict[str, int]:
        """Deliver what is under way, then empty both queues; returns how many messages each held.

        SQS itself allows one PurgeQueue a minute, which is no use between two tests.
        """
        self.flush()
        emptied = {}
        with STATE_LOCK:
            for name in (EVENTS_QUEUE, TRAIL_QUEUE):
                held = sqs_backends[self._account][HOME_REGION].get_queue(name)
                emptied[name] = len(held._messages)
                held._messages.clear()
                held.pending_messages.clear()
        return emptied

    def _run(self) -> None:
        next_write = time.monotonic() + self._interval
        while True:
            try:
                work = self._queue.get(timeout=max(0.0, next_write - time.monotonic()))
            except queue.Empty:
                work = self._write_files  # type: ignore[assignment]
            if work is None:
                return
            try:
                work()
                if time.monotonic() >= next_write:
                    self._write_files()
            except Exception:
                self.delivered["failed"] += 1
                log.exception("a record was not delivered")
            if time.monotonic() >= next_write:
                next_write = time.monotonic() + self._interval

    def _deliver(self, records: list[dict[str, Any]]) -> None:
        for made in records:
            history.note(made)
            if self.paths.trail:
                self._pending.setdefault((made["recipientAccountId"], made["awsRegion"]), []).append(made)
            if self.paths.events and planes.goes_to_eventbridge(made["eventName"]):
                self._send_event(made)

    def _send_event(self, made: dict[str, Any]) -> None:
        self._send(envelope(made))

    def _send(self, event: dict[str, Any]) -> None:
        body = json.dumps(event)
        with STATE_LOCK:
            sqs_backends[self._account][HOME_REGION].send_message(EVENTS_QUEUE, body)
            self._match_rules(event)
        self.delivered["events"] += 1

    def _match_rules(self, event: dict[str, Any]) -> None:
        """The account's own EventBridge rules, as moto knows them (only where someone made an events backend)."""
        account, region = event["account"], event["region"]
        if account not in events_backends or region not in events_backends[account]:
            return
        bus = events_backends[account][region].event_buses.get("default")
        for rule in list(bus.rules.values()) if bus else []:
            if rule.state != "ENABLED" or rule.event_pattern is None:
                continue
            try:
                # moto formats the time itself, and wants seconds for that.
                rule.send_to_targets(dict(event, time=time.time()), transform_input=False)  # type: ignore[arg-type]
            except Exception:
                log.warning("rule %s did not deliver", rule.name, exc_info=True)

    def _write_files(self) -> list[str]:
        pending, self._pending = self._pending, {}
        keys = []
        for (account, region), records in pending.items():
            key = trail_key(account, region, "".join(self._random.choices(string.ascii_letters + string.digits, k=16)))
            body = gzip.compress(json.dumps({"Records": records}).encode(), compresslevel=6)
            with STATE_LOCK:
                s3_backends[self._account][PARTITION].put_object(self._bucket, key, body)
            keys.append(key)
            self.delivered["trail_files"] += 1
            self.delivered["trail_records"] += len(records)
        return keys


def envelope(made: dict[str, Any]) -> dict[str, Any]:
    """The EventBridge event that carries a record."""
    console = made["eventType"] == "AwsConsoleSignIn"
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "AWS Console Sign In via CloudTrail" if console else "AWS API Call via CloudTrail",
        "source": "aws." + made["eventSource"].removesuffix(".amazonaws.com"),
        "account": made["recipientAccountId"],
        "time": made["eventTime"],
        "region": made["awsRegion"],
        "resources": [],
        "detail": made,
    }


def trail_key(account: str, region: str, unique: str) -> str:
    """CloudTrail's own layout; the time in the name is the minute of writing."""
    now = utcnow()
    name = f"{account}_CloudTrail_{region}_{now:%Y%m%dT%H%MZ}_{unique}.json.gz"
    return f"AWSLogs/{account}/CloudTrail/{region}/{now:%Y/%m/%d}/{name}"
