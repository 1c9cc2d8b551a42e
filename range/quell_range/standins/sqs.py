"""SQS: receiving under the state lock, awake at once when a message comes, and long queues that stay quick.

moto counts and compares every message of a queue at each send, receive and delete; a test that sends a flood of
events would measure that instead of its own subject.
"""

from __future__ import annotations

import time
import uuid
from copy import deepcopy
from typing import Any

from moto.sqs.models import Message, Queue, SQSBackend, _filter_message_attributes

from quell_range.lock import STATE_LOCK

#: How long a waiting receiver sleeps before it looks for messages whose visibility timeout has ended.
_LOOK_AGAIN_SECONDS = 0.25


def install() -> None:
    """Wrap moto's send, receive and delete; what they do not cover goes on to moto's own."""
    send_of_moto = SQSBackend.send_message
    look_of_moto = SQSBackend.receive_message
    delete_of_moto = Queue.delete_message

    def send_message(self: SQSBackend, queue_name: str, message_body: str, *args: Any, **kwargs: Any) -> Message:
        queue = self.get_queue(queue_name)
        if args or queue.fifo_queue or kwargs.get("delay_seconds") or queue.delay_seconds or kwargs.get("deduplication_id"):  # type: ignore[attr-defined]
            return send_of_moto(self, queue_name, message_body, *args, **kwargs)
        self._validate_message(queue, message_body=message_body, delay_seconds=0)
        message = Message(str(uuid.uuid4()), message_body, kwargs.get("system_attributes"))
        message.group_id = kwargs.get("group_id")
        message.message_attributes = kwargs.get("message_attributes") or {}
        message.mark_sent()
        queue.add_message(message)
        return message

    def receive_message(
        self: SQSBackend,
        queue_name: str,
        count: int,
        wait_seconds_timeout: int,
        visibility_timeout: int,
        message_attribute_names: list[str] | None = None,
    ) -> list[Any]:
        end = time.monotonic() + (wait_seconds_timeout or 0)
        while True:
            with STATE_LOCK:
                queue = self.get_queue(queue_name)
                if queue.fifo_queue or queue.dead_letter_queue is not None:
                    found = look_of_moto(self, queue_name, count, 0, visibility_timeout, message_attribute_names)
                else:
                    found = _look(queue, count, visibility_timeout, message_attribute_names or [])
            remaining = end - time.monotonic()
            if found or remaining <= 0:
                return found
            with queue._messages_lock:
                if not queue.messages:
                    queue._messages_lock.wait(min(remaining, _LOOK_AGAIN_SECONDS))

    def delete_message(self: Queue, receipt_handle: str) -> None:
        message = _handles(self).pop(receipt_handle, None)
        if message is None or message not in self._messages:
            delete_of_moto(self, receipt_handle)
            return
        self._messages.remove(message)
        self.pending_messages.discard(message)
        self.deleted_messages.update(message.all_receipt_handles)  # type: ignore[arg-type]

    SQSBackend.send_message = send_message  # type: ignore[method-assign]
    SQSBackend.receive_message = receive_message  # type: ignore[method-assign]
    Queue.delete_message = delete_message  # type: ignore[method-assign]


def _look(queue: Queue, count: int, visibility_timeout: int, names: list[str]) -> list[Message]:
    """moto's own steps for a standard queue, ending at the first `count` messages instead of after the last."""
    found: list[Message] = []
    # moto counts the whole queue again for each message to learn this one attribute.
    oldest = int(queue.message_retention_period)  # type: ignore[attr-defined]
    for message in queue._messages:
        if not message.visible or message.delayed:
            continue
        queue.pending_messages.add(message)
        message.mark_received(visibility_timeout=visibility_timeout)
        if int(message.sent_timestamp or 0) / 1000 + oldest <= time.time():
            continue
        _handles(queue)[str(message.receipt_handle)] = message
        copy = deepcopy(message)
        _filter_message_attributes(copy, names)
        found.append(copy)
        if len(found) >= count:
            break
    return found


def _handles(queue: Queue) -> dict[str, Message]:
    """Receipt handle -> message: moto searches every message for it."""
    handles: dict[str, Message] = queue.__dict__.setdefault("_range_handles", {})
    return handles
