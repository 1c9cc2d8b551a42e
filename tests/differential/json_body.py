"""JSON bodies as AWS writes them: members in any order, new ones that no model knows, `null` for what is not there."""

from __future__ import annotations

import base64
import json
from random import Random
from typing import Any

from botocore.model import Shape

from . import times
from .plain import to_plain

Json = Any


class JsonBody:
    """Writes bodies. The same random numbers give the same text."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def text(self, shape: Shape | None, value: dict[str, Any], more: dict[str, Json] | None = None) -> bytes:
        """The members of `value` that belong into the body, and `more` besides."""
        body = {} if shape is None else self._structure(shape, value)
        body |= more or {}
        indent, ascii_only = self._random.choice([None, 2]), self._random.random() < 0.5
        return json.dumps(body, indent=indent, ensure_ascii=ascii_only).encode()

    def _structure(self, shape: Shape, value: dict[str, Any]) -> dict[str, Json]:
        members = [
            (member.serialization.get("name", name), self._value(member, value[name]) if name in value else None)
            for name, member in shape.members.items()
            if "location" not in member.serialization and (name in value or self._random.random() < 0.05)
        ]
        if not shape.is_tagged_union and self._random.random() < 0.2:
            members.append(("aNewMember", self._random.choice([None, 1, "x", [1], {"y": {}}])))
        self._random.shuffle(members)
        return dict(members)

    def _value(self, shape: Shape, value: Any) -> Json:
        if getattr(shape, "is_document_type", False):
            return value
        match shape.type_name:
            case "structure":
                return self._structure(shape, value)
            case "list":
                items = [self._value(shape.member, given) for given in value]
                return items if self._random.random() < 0.95 else [*items, None]
            case "map":
                return {key: self._value(shape.value, given) for key, given in value.items()}
            case "timestamp":
                return self._time(shape, value)
            case "blob":
                return base64.b64encode(value).decode()
            case _:
                return to_plain(shape, value)

    def _time(self, shape: Shape, value: Any) -> Json:
        """As the model says, mostly: services do not always do as their model says."""
        form = shape.serialization.get("timestampFormat", "unixTimestamp")
        if form != "unixTimestamp" or self._random.random() < 0.2:
            return times.text(value, self._random.choice([form, "iso8601"]))
        seconds = times.seconds(value)
        return self._random.choice([seconds, float(seconds)])
