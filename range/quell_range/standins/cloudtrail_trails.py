"""Trails: what records what. Only what is said of them: the range writes its own trail, whatever becomes of these."""

from __future__ import annotations

import calendar
from typing import Any

from moto.cloudtrail.models import Trail, cloudtrail_backends

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.standins import check, stand_in

#: What a trail has that was never given any.
_DEFAULT = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [], "ExcludeManagementEventSources": []}


def _trail(call: Call) -> Trail:
    """moto's trail, by its name or its ARN."""
    name = str(call.params.get("Name") or call.params.get("TrailName"))
    trails: list[Trail] = list(cloudtrail_backends[call.account][call.region].trails.values())
    found = next((trail for trail in trails if name in (trail.trail_name, trail.arn)), None)
    if found is None:
        raise ApiError("TrailNotFoundException", f"Unknown trail: {name} for the user: {call.account}")
    return found


@check("cloudtrail", "CreateTrail")
def is_new(call: Call) -> None:
    name = str(call.params["Name"])
    if name in cloudtrail_backends[call.account][call.region].trails:
        raise ApiError("TrailAlreadyExistsException", f"Trail {name} already exists for customer: {call.account}")


@stand_in("cloudtrail", "GetTrail")
def get(call: Call) -> dict[str, Any]:
    told = _trail(call).description(include_region=True)
    return {"Trail": {name: value for name, value in told.items() if value not in (None, "")}}


@stand_in("cloudtrail", "GetTrailStatus")
def status(call: Call) -> dict[str, Any]:
    """In true time: moto takes that of the machine's zone."""
    kept = _trail(call).status
    told = {"IsLogging": kept.is_logging}
    for name, moment in (("StartLoggingTime", kept.started), ("StopLoggingTime", kept.stopped)):
        if moment:
            told[name] = calendar.timegm(moment.timetuple())
    return told


@stand_in("cloudtrail", "DeleteTrail")
def delete(call: Call) -> dict[str, Any]:
    del cloudtrail_backends[call.account][call.region].trails[_trail(call).trail_name]
    return {}


@stand_in("cloudtrail", "PutEventSelectors")
def put_selectors(call: Call) -> dict[str, Any]:
    trail, basic, advanced = _trail(call), call.params.get("EventSelectors"), call.params.get("AdvancedEventSelectors")
    if bool(basic) == bool(advanced):
        raise ApiError("InvalidEventSelectorsException", "Specify event selectors of one kind: EventSelectors or AdvancedEventSelectors")
    trail.event_selectors = [{**_DEFAULT, **one} for one in basic or []]
    trail.advanced_event_selectors = advanced or []
    return _selectors(trail)


@stand_in("cloudtrail", "GetEventSelectors")
def get_selectors(call: Call) -> dict[str, Any]:
    return _selectors(_trail(call))


def _selectors(trail: Trail) -> dict[str, Any]:
    if trail.advanced_event_selectors:
        return {"TrailARN": trail.arn, "AdvancedEventSelectors": trail.advanced_event_selectors}
    return {"TrailARN": trail.arn, "EventSelectors": trail.event_selectors or [_DEFAULT]}


@stand_in("cloudtrail", "PutInsightSelectors")
def put_insights(call: Call) -> dict[str, Any]:
    trail = _trail(call)
    trail.insight_selectors = list(call.params["InsightSelectors"])
    return {"TrailARN": trail.arn, "InsightSelectors": trail.insight_selectors}


@stand_in("cloudtrail", "GetInsightSelectors")
def get_insights(call: Call) -> dict[str, Any]:
    trail = _trail(call)
    if not trail.insight_selectors:
        raise ApiError("InsightNotEnabledException", f"Insights are not enabled for trail {trail.trail_name}")
    return {"TrailARN": trail.arn, "InsightSelectors": trail.insight_selectors}
