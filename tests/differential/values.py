"""Values for a shape of a service model: what a caller might give, and what AWS might answer.

They are in botocore's own types (`datetime`, `bytes`, `float("nan")`), hold the limits that the shape states, and
like what breaks a client: reserved characters, empty lists, times before 1970, numbers that a double cannot hold.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from botocore.model import Shape
from botocore.utils import is_json_value_header

Value = Any

PLAIN = ["a", "Z9", "quell", "-_.~", "0", "null", "true"]
RESERVED = ["x y", "&<>\"'", "%2F", "a+b=c", "/", "?", "#", ",", ";", ":", "@", "{}", "[0]", "\\", "$*!()"]
UNICODE = ["ü", "日本", "😀", "\u2028", "\u00a0"]
SPACES = ["\t", "\n"]
CONTROLS = ["\r\n", "\u0001", "\u007f"]

# A header is printable ASCII here: what else may be in one is between the HTTP libraries, not the two clients. XML
# cannot hold control characters, and `\r` in it does not come back from botocore.
ALPHABETS = {
    "label": PLAIN[:3],
    "header": PLAIN + RESERVED,
    "list in a header": PLAIN,
    "uri": PLAIN + RESERVED + UNICODE,
    "xml": PLAIN + RESERVED + UNICODE + SPACES,
    "text": PLAIN + RESERVED + UNICODE + SPACES + CONTROLS,
}

UTC = datetime.timezone.utc
TIMES = [
    datetime.datetime(1970, 1, 1, tzinfo=UTC),
    datetime.datetime(2026, 11, 21, 13, 7, 5, tzinfo=UTC),
    datetime.datetime(2015, 1, 25, 8, 0, 0, 123000, tzinfo=UTC),
    datetime.datetime(2000, 2, 29, 23, 59, 59, 3691, tzinfo=UTC),
    datetime.datetime(1951, 7, 1, 1, 2, 3, tzinfo=UTC),
    datetime.datetime(1969, 12, 31, 23, 59, 58, 250000, tzinfo=UTC),
    datetime.datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC),
]
INTEGERS = {
    "integer": [0, 1, -1, 42, 2**31 - 1, -(2**31)],
    "long": [0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)],
}
FLOATS = [0.0, 0.5, -1.5, 3.0, 100.25, 65536.0, 7]
DOUBLES = [*FLOATS, 0.1, 1e21, 1.5e-7, -1234567.891]
NO_NUMBERS = [float("nan"), float("inf"), float("-inf")]
DOCUMENTS = [{}, [], {"a": [1, None, {"b": True}]}, "text", 7, 1.5, False, {"ü": "\n"}]

LENGTH_MORE_MAX = 12
ITEMS_MAX = 3
DEPTH_MAX = 8


class Generator:
    """Makes one value. `richness` (0 to 1) is how likely what need not be given is given."""

    def __init__(self, random: Random, richness: float, *, texts: str = "text", parts_max: int = 120) -> None:
        self._random = random
        self._richness = richness
        self._texts = texts
        self._parts_left = parts_max

    def structure(self, shape: Shape, choices: Mapping[str, Sequence[Value]] | None = None) -> dict[str, Value]:
        """The members of an input, an output or an error. Those in `choices` have one of the values there; when
        there is none, they are left out.
        """
        choices = choices or {}
        value = self._members(shape, 0)
        for name in value.keys() & choices.keys():
            if choices[name]:
                value[name] = self._random.choice(choices[name])
            else:
                del value[name]
        return value

    def _members(self, shape: Shape, depth: int) -> dict[str, Value]:
        members: dict[str, Shape] = dict(shape.members)
        if shape.is_tagged_union:
            flattest = min(members, key=lambda name: _height(members[name]))
            chosen = {flattest if depth > DEPTH_MAX else self._random.choice(list(members))}
        else:
            likely = self._richness * 0.75**depth if self._parts_left > 0 else 0.0
            wanted = {name for name in members if self._random.random() < likely}
            chosen = {*shape.required_members, *wanted}
        return {name: self._value(member, depth + 1) for name, member in members.items() if name in chosen}

    def _value(self, shape: Shape, depth: int, texts: str | None = None) -> Value:
        self._parts_left -= 1
        texts = texts or self._texts_of(shape)
        if is_json_value_header(shape) or getattr(shape, "is_document_type", False):
            return self._random.choice(DOCUMENTS)
        match shape.type_name:
            case "structure":
                return self._members(shape, depth)
            case "list":
                texts = "list in a header" if texts == "header" else texts
                return [self._value(shape.member, depth + 1, texts) for _ in range(self._count(shape, depth))]
            case "map":
                texts = "header name" if shape.serialization.get("location") == "headers" else texts
                return self._map(shape, depth, texts)
            case "string" | "character":
                return self._text(shape, texts)
            case "timestamp":
                whole = texts in ("header", "list in a header")
                time = self._random.choice(TIMES)
                return time.replace(microsecond=0) if whole else time
            case "blob":
                return self._random.randbytes(self._length(shape))
            case "boolean":
                return self._random.random() < 0.5
            case "integer" | "long":
                return self._number(shape, INTEGERS[shape.type_name])
            case "float" | "double":
                numbers = FLOATS if shape.type_name == "float" else DOUBLES
                return self._number(shape, numbers + NO_NUMBERS)
            case other:
                raise ValueError(f"{shape.name}: {other} is a type unknown here")

    def _texts_of(self, shape: Shape) -> str:
        if shape.serialization.get("hostLabel"):
            return "label"
        match shape.serialization.get("location"):
            case "uri":
                return "uri"
            case "header" | "headers":
                return "header"
            case "querystring":
                return "text"
            case _:
                return self._texts

    def _map(self, shape: Shape, depth: int, texts: str) -> dict[str, Value]:
        is_header = texts == "header name"
        count = range(self._count(shape, depth))
        keys = {self._text(shape.key, "label" if is_header else texts) for _ in count}
        # In one order, because a form numbers the entries and our parameters come sorted.
        return {key: self._value(shape.value, depth + 1, "header" if is_header else texts) for key in sorted(keys)}

    def _count(self, shape: Shape, depth: int) -> int:
        least = shape.metadata.get("min", 0)
        most = shape.metadata.get("max", ITEMS_MAX)
        if self._parts_left <= 0 or depth > DEPTH_MAX:
            return least
        return self._random.randint(least, max(least, min(most, least + ITEMS_MAX)))

    def _length(self, shape: Shape) -> int:
        least = shape.metadata.get("min", 0)
        most = shape.metadata.get("max", least + LENGTH_MORE_MAX)
        return self._random.randint(least, max(least, min(most, least + LENGTH_MORE_MAX)))

    def _text(self, shape: Shape, texts: str) -> str:
        if shape.enum:
            return self._random.choice(shape.enum)
        length = self._length(shape)
        if texts in ("uri", "label", "list in a header", "header"):
            length = max(length, 1)
        text = ""
        while len(text) < length:
            text += self._random.choice(ALPHABETS[texts])
        text = text[:length]
        # Space around a header's value is nobody's.
        return text if text == text.strip() or texts != "header" else "h" * length

    def _number(self, shape: Shape, numbers: list[Any]) -> Any:
        least, most = shape.metadata.get("min"), shape.metadata.get("max")
        legal = [n for n in numbers if (least is None or n >= least) and (most is None or n <= most)]
        return self._random.choice(legal) if legal else least if least is not None else most


def _height(shape: Shape, above: frozenset[str] = frozenset()) -> float:
    """How deep a value of the shape must be."""
    if shape.name in above:
        return float("inf")
    above |= {shape.name}
    match shape.type_name:
        case "structure" if shape.is_tagged_union:
            return 1 + min(_height(member, above) for member in shape.members.values())
        case "structure":
            return 1 + max((_height(shape.members[name], above) for name in shape.required_members), default=0)
        case "list" if shape.metadata.get("min", 0) > 0:
            return 1 + _height(shape.member, above)
        case _:
            return 0
