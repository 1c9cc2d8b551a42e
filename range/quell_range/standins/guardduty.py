"""Detectors of GuardDuty, and the lists of addresses that they trust. They detect nothing: findings are made by `quell_range/guardduty.py`."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from moto.guardduty.models import Detector, guardduty_backends

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.standins import page, stand_in

#: Lists of a detector that may be in force at a time.
ACTIVE_MAX = 1


def _detector(call: Call) -> Detector:
    found = guardduty_backends[call.account][call.region].detectors.get(str(call.params["DetectorId"]))
    if found is None:
        raise ApiError(
            "BadRequestException",
            "The request is rejected because the input detectorId is not owned by the current account.",
        )
    detector: Detector = found
    return detector


def _sets(detector: Detector) -> dict[str, dict[str, Any]]:
    sets: dict[str, dict[str, Any]] = detector.__dict__.setdefault("ip_sets", {})
    return sets


@stand_in("guardduty", "UpdateDetector")
def update(call: Call) -> dict[str, Any]:
    """What is not said stays; so do features that are not named."""
    detector, given = _detector(call), call.params
    detector.update(given.get("Enable"), given.get("FindingPublishingFrequency"), given.get("DataSources"), None)
    features = {str(one.get("name") or one.get("Name")): dict(one) for one in detector.features}
    for one in given.get("Features") or []:
        named = {name[0].lower() + name[1:]: value for name, value in one.items()}
        there = features.setdefault(named["name"], {"name": named["name"]})
        parts = {p["name"]: p for p in there.get("additionalConfiguration", [])}
        for part in named.pop("additionalConfiguration", []):
            plain = {name[0].lower() + name[1:]: value for name, value in part.items()}
            parts[plain["name"]] = plain
        there.update(named)
        if parts:
            there["additionalConfiguration"] = list(parts.values())
    detector.features = list(features.values())
    detector.updated_at = datetime.datetime.now(datetime.UTC)
    return {}


@stand_in("guardduty", "CreateIPSet")
def create_set(call: Call) -> dict[str, Any]:
    sets, given = _sets(_detector(call)), call.params
    name = uuid.uuid4().hex
    sets[name] = {"Name": given["Name"], "Format": given["Format"], "Location": given["Location"], "Status": "INACTIVE"}
    _activate(sets, name, bool(given["Activate"]))
    return {"IpSetId": name}


@stand_in("guardduty", "UpdateIPSet")
def update_set(call: Call) -> dict[str, Any]:
    sets = _sets(_detector(call))
    known = _set(call, sets)
    known.update({name: call.params[name] for name in ("Name", "Location") if name in call.params})
    if "Activate" in call.params:
        _activate(sets, str(call.params["IpSetId"]), bool(call.params["Activate"]))
    return {}


@stand_in("guardduty", "GetIPSet")
def get_set(call: Call) -> dict[str, Any]:
    return dict(_set(call, _sets(_detector(call))))


@stand_in("guardduty", "ListIPSets")
def list_sets(call: Call) -> dict[str, Any]:
    shown, token = page(list(_sets(_detector(call))), call, smallest=1, largest=50)
    return {"IpSetIds": shown, "NextToken": token}


@stand_in("guardduty", "DeleteIPSet")
def delete_set(call: Call) -> dict[str, Any]:
    sets = _sets(_detector(call))
    _set(call, sets)
    del sets[str(call.params["IpSetId"])]
    return {}


def _set(call: Call, sets: dict[str, dict[str, Any]]) -> dict[str, Any]:
    found = sets.get(str(call.params["IpSetId"]))
    if found is None:
        raise ApiError("BadRequestException", "The request is rejected because the input ipSetId is not owned by the current account.")
    return found


def _activate(sets: dict[str, dict[str, Any]], name: str, on: bool) -> None:
    others = [other for other, known in sets.items() if known["Status"] == "ACTIVE" and other != name]
    if on and len(others) >= ACTIVE_MAX:
        raise ApiError("BadRequestException", "The request is rejected because the number of active IP sets is at its limit.")
    sets[name]["Status"] = "ACTIVE" if on else "INACTIVE"
