"""Keys of KMS: enabled, disabled, about to be deleted; what cannot be done in which state; and what a key was last used for."""

from __future__ import annotations

import datetime
from typing import Any

from moto.kms.models import Key, kms_backends

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.standins import check, stand_in

_USES = ("Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "Sign", "Verify", "GenerateMac", "VerifyMac")
#: Days that KMS waits before it deletes a key, when nothing is said; https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html
_WAITS_DAYS = 30
#: The last use of each key, by ARN, while the range is up.
_LAST: dict[str, dict[str, Any]] = {}


def _key(call: Call) -> Key | None:
    backend = kms_backends[call.account][call.region]
    return backend.keys.get(backend.any_id_to_key_id(str(call.params.get("KeyId", ""))))


def _existing(call: Call) -> Key:
    key = _key(call)
    if key is None:
        raise ApiError("NotFoundException", f"Key '{call.params.get('KeyId')}' does not exist")
    return key


@check("kms", *_USES)
def used(call: Call) -> None:
    """moto encrypts with keys that are disabled or about to be deleted. What is used is remembered."""
    key = _key(call)
    if key is None:
        return
    if key.deletion_date:
        raise ApiError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    if not key.enabled:
        raise ApiError("DisabledException", f"{key.arn} is disabled.")
    _LAST[key.arn] = {"Operation": call.operation, "Timestamp": datetime.datetime.now(datetime.UTC)}


@stand_in("kms", "EnableKey", "DisableKey")
def switch(call: Call) -> dict[str, Any]:
    key = _existing(call)
    if key.deletion_date:
        raise ApiError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    key.enabled = call.operation == "EnableKey"
    key.key_state = "Enabled" if key.enabled else "Disabled"
    return {}


@stand_in("kms", "ScheduleKeyDeletion")
def schedule(call: Call) -> dict[str, Any]:
    key, days = _existing(call), int(call.params.get("PendingWindowInDays") or _WAITS_DAYS)
    if key.deletion_date:
        raise ApiError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    kms_backends[call.account][call.region].schedule_key_deletion(key.id, days)
    return {"KeyId": key.arn, "DeletionDate": key.deletion_date, "KeyState": key.key_state, "PendingWindowInDays": days}


@stand_in("kms", "CancelKeyDeletion")
def call_off(call: Call) -> dict[str, Any]:
    key = _existing(call)
    if not key.deletion_date:
        raise ApiError("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
    kms_backends[call.account][call.region].cancel_key_deletion(key.id)
    return {"KeyId": key.arn}


@stand_in("kms", "GetKeyLastUsage")
def last_usage(call: Call) -> dict[str, Any]:
    key = _existing(call)
    made = {"KeyId": key.id, "KeyCreationDate": key.creation_date, "TrackingStartDate": key.creation_date}
    return {**made, "KeyLastUsage": _LAST[key.arn]} if key.arn in _LAST else made
