"""Most services: the API's own names with a small first letter (`dBInstanceIdentifier`, `aRN`: naively so)."""

from __future__ import annotations

import datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from quell_range.call import Call

#: Services whose dates carry a comma after the year ("Jul 10, 2023, 12:09:47 PM").
_COMMA = frozenset({"sts", "secretsmanager"})

#: Services whose records show the one structure of an answer without its name.
_UNWRAPPED = frozenset({"rds", "docdb", "neptune", "redshift", "elasticache"})


def small(name: str) -> str:
    return name[:1].lower() + name[1:]


def request(call: Call) -> dict[str, Any]:
    shape = call.operation_model.input_shape
    return spell(call, call.params, shape) if shape is not None else {}


def response(call: Call, parsed: dict[str, Any]) -> dict[str, Any]:
    shape = call.operation_model.output_shape
    spelt = spell(call, parsed, shape) if shape is not None else {}
    if call.service in _UNWRAPPED and isinstance(shape, StructureShape) and len(shape.members) == 1:
        (member,) = shape.members
        if isinstance(shape.members[member], StructureShape):
            return dict(spelt.get(small(member), {}))
    return dict(spelt)


def spell(call: Call, value: Any, shape: Shape | None) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        members = shape.members
        return {small(k): spell(call, v, members.get(k)) for k, v in value.items() if v is not None and k in members}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [spell(call, item, shape.member) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {str(k): spell(call, v, shape.value) for k, v in value.items()}
    return scalar(call, value)


def scalar(call: Call, value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return java_date(value, comma=call.service in _COMMA) if call.protocol != "rest-json" else value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", "replace") if len(value) <= 256 else f"<{len(value)} bytes>"
    if value is None or isinstance(value, (str, int, float, bool, dict, list)):
        return value
    return str(value)


def java_date(value: datetime.datetime, comma: bool = False) -> str:
    """ "Jul 10, 2023 12:23:05 PM": the default date format of the services' own language."""
    if value.tzinfo is not None:
        value = value.astimezone(datetime.UTC)
    hour = value.hour % 12 or 12
    return f"{value:%b} {value.day}, {value.year}{',' if comma else ''} {hour}:{value:%M:%S} {'AM' if value.hour < 12 else 'PM'}"
