"""The one lock around moto's state.

moto keeps everything in plain dictionaries and never locks them: two calls on one security group can lose a
rule, and a listing during a change can die with "dictionary changed size". The work is bound to one core by
Python anyway, so one lock costs nothing that threads would have won.
"""

from __future__ import annotations

import threading

#: Reentrant, because moto's services call each other (an S3 write sends an SQS message).
STATE_LOCK = threading.RLock()

#: Calls that wait inside moto, or that make moto call this server again: holding the lock there would
#: stop every other caller, or deadlock. ReceiveMessage takes the lock itself, for each look at the queue.
WAITING_CALLS = frozenset(
    {
        ("sqs", "ReceiveMessage"),
        ("lambda", "Invoke"),
        ("stepfunctions", "StartSyncExecution"),
        ("stepfunctions", "TestState"),
    }
)
