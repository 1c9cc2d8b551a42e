"""S3 event notifications: the key's slashes stay slashes, and the members S3 sends that moto leaves out."""

from __future__ import annotations

import itertools
import secrets
from typing import Any
from urllib.parse import quote_plus

from moto.s3 import notifications

_sequence = itertools.count(1)


def install() -> None:
    event_of_moto = notifications._get_s3_event

    def get_s3_event(event_name: str, bucket: Any, key: Any, notification_id: str) -> dict[str, Any]:
        event = event_of_moto(event_name, bucket, key, notification_id)
        for record in event["Records"]:
            record["userIdentity"] = {"principalId": f"AWS:{bucket.account_id}"}
            record["requestParameters"] = {"sourceIPAddress": "203.0.113.20"}
            record["responseElements"] = {"x-amz-request-id": secrets.token_hex(8).upper(), "x-amz-id-2": secrets.token_urlsafe(48)}
            record["s3"]["bucket"]["ownerIdentity"] = {"principalId": bucket.account_id}
            record["s3"]["object"]["key"] = quote_plus(key.name, safe="/")
            record["s3"]["object"]["sequencer"] = f"{next(_sequence):018X}"
        return event

    notifications._get_s3_event = get_s3_event
