"""EC2's newer dialect: the wire form, numbered."""

from __future__ import annotations

import datetime
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from quell_range.spelling.s3 import coerced


def request(value: dict[str, Any], shape: Shape | None) -> dict[str, Any]:
    if not isinstance(shape, StructureShape):
        return {}
    return {
        _query_name(name, shape.members[name]): _value(item, shape.members[name]) for name, item in value.items() if name in shape.members
    }


def _query_name(name: str, shape: Shape) -> str:
    """The parameter's name in an EC2 query: its queryName, or its locationName with a capital."""
    wire = shape.serialization.get("queryName") or shape.serialization.get("name") or name
    return str(wire[:1].upper() + wire[1:])


def _value(value: Any, shape: Shape) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return request(value, shape)
    if isinstance(shape, ListShape) and isinstance(value, list):
        items = [_numbered(_value(item, shape.member), number) for number, item in enumerate(value, 1)]
        return items[0] if len(items) == 1 else items
    return _scalar(value)


def _numbered(value: Any, number: int) -> dict[str, Any]:
    return {**value, "tag": number} if isinstance(value, dict) else {"tag": number, "content": value}


def response(value: dict[str, Any], shape: Shape | None) -> dict[str, Any]:
    if not isinstance(shape, StructureShape):
        return {"return": True}
    return {
        str(shape.members[n].serialization.get("name", n)): _answer(v, shape.members[n]) for n, v in value.items() if n in shape.members
    }


def _answer(value: Any, shape: Shape) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return response(value, shape) or ""
    if isinstance(shape, ListShape) and isinstance(value, list):
        items = [_answer(item, shape.member) for item in value]
        if not items:
            return ""
        return {"item": items[0] if len(items) == 1 else items}
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return coerced(value) if isinstance(value, str) else value
