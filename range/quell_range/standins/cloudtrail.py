"""CloudTrail's event history: what was recorded, by one attribute. On AWS a record is there after some minutes, here at once."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

from quell_range import history
from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.standins import page, stand_in

_KEYS = ("EventId", "EventName", "ReadOnly", "Username", "ResourceType", "ResourceName", "EventSource", "AccessKeyId")
PAGE_MAX = 50


@stand_in("cloudtrail", "LookupEvents")
def lookup(call: Call) -> dict[str, Any]:
    attributes = call.params.get("LookupAttributes") or []
    if len(attributes) > 1 or any(a.get("AttributeKey") not in _KEYS for a in attributes):
        raise ApiError("InvalidLookupAttributesException", "Exactly one lookup attribute, of those that there are, can be specified")
    first, last = (_moment(call.params.get(name)) for name in ("StartTime", "EndTime"))
    if first and last and first > last:
        raise ApiError("InvalidTimeRangeException", "Start time must be before end time")
    found = [
        event
        for event in map(_event, history.newest_first(call.account, call.region))
        if (first is None or event["EventTime"] >= first)
        and (last is None or event["EventTime"] <= last)
        and all(_fits(event, a["AttributeKey"], str(a["AttributeValue"])) for a in attributes)
    ]
    call.params.setdefault("MaxResults", PAGE_MAX)
    shown, token = page(found, call, smallest=1, largest=PAGE_MAX)
    return {"Events": shown, "NextToken": token}


def _event(record: dict[str, Any]) -> dict[str, Any]:
    identity = record["userIdentity"]
    issuer = identity.get("sessionContext", {}).get("sessionIssuer", {})
    session = str(identity.get("arn", "")).rpartition("/")[2] if issuer else None
    return {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "ReadOnly": str(bool(record.get("readOnly"))).lower(),
        "AccessKeyId": identity.get("accessKeyId"),
        "EventTime": datetime.datetime.fromisoformat(record["eventTime"].replace("Z", "+00:00")),
        "EventSource": record["eventSource"],
        "Username": session or identity.get("userName") or identity.get("type", "").lower(),
        "Resources": [{"ResourceName": name} for name in sorted(set(_names(record)))],
        "CloudTrailEvent": json.dumps(record),
    }


def _fits(event: dict[str, Any], key: str, wanted: str) -> bool:
    if key == "ResourceName":
        return any(one["ResourceName"] == wanted for one in event["Resources"])
    # Types of resources are not told from a record here.
    return key != "ResourceType" and str(event.get(key)) == wanted


def _names(record: dict[str, Any]) -> Iterator[str]:
    """What a record names: every id, name and ARN in what was asked and answered."""
    waiting = [record.get("requestParameters"), record.get("responseElements")]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            for key, value in item.items():
                if isinstance(value, str) and (key.endswith(("Id", "Name", "name", "Arn", "arn")) or key in ("items", "id")):
                    yield value
                waiting.append(value)
        elif isinstance(item, list):
            waiting.extend(item)


def _moment(value: Any) -> datetime.datetime | None:
    if value is None:
        return None
    if isinstance(value, int | float):
        return datetime.datetime.fromtimestamp(value, datetime.UTC)
    made = value if isinstance(value, datetime.datetime) else datetime.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    return made if made.tzinfo else made.replace(tzinfo=datetime.UTC)
