"""CBOR bodies as AWS could write them, and read again for the comparison."""

from __future__ import annotations

import io
import struct
from random import Random
from typing import Any

from botocore.model import Shape
from botocore.parsers import RpcV2CBORParser

from . import times

# What a member that no model knows may hold: null, undefined, a list.
NEW = [b"\xf6", b"\xf7", b"\x83\x01\x20\xf5"]


def decoded(body: bytes) -> Any:
    """A body as JSON could have it: times are numbers, bytes are text."""
    parser = RpcV2CBORParser(timestamp_parser=lambda seconds: f"time {float(seconds)}")
    return _plain(parser.parse_data_item(io.BufferedReader(io.BytesIO(body))))


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case bytes():
            return f"bytes {value.hex()}"
        case float() if value != value:
            return "NaN"
        case _:
            return value


class CborBody:
    """Writes bodies, with and without lengths. The same random numbers give the same bytes."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def item(self, shape: Shape, value: Any, in_map: bool = False) -> bytes:
        """A value of a shape. botocore does not read what is in maps by the model, so nothing new is put there."""
        match shape.type_name:
            case "structure":
                members = [
                    self._text(name) + self.item(shape.members[name], given, in_map) for name, given in value.items()
                ]
                if not in_map and not shape.is_tagged_union and self._random.random() < 0.2:
                    members.append(self._text("aNewMember") + self._random.choice(NEW))
                self._random.shuffle(members)
                return self._many(5, members)
            case "map":
                entries = [self._text(key) + self.item(shape.value, item, True) for key, item in value.items()]
                return self._many(5, entries)
            case "list":
                return self._many(4, [self.item(shape.member, item, in_map) for item in value])
            case "string" | "character":
                return self._text(value)
            case "blob":
                return _head(2, len(value)) + value
            case "boolean":
                return b"\xf5" if value else b"\xf4"
            case "integer" | "long":
                return _integer(value)
            case "timestamp":
                seconds = times.seconds(value)
                return b"\xc1" + (_integer(seconds) if isinstance(seconds, int) else _double(seconds))
            case "float" | "double":
                return _double(value)
            case other:
                raise ValueError(f"{shape.name}: {other} is a type unknown here")

    def _text(self, text: str) -> bytes:
        return _head(3, len(text.encode())) + text.encode()

    def _many(self, major: int, items: list[bytes]) -> bytes:
        """A list or a map; without its length it ends with a break."""
        if self._random.random() < 0.3:
            return bytes([major << 5 | 31]) + b"".join(items) + b"\xff"
        return _head(major, len(items)) + b"".join(items)


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    size = next(size for size in (1, 2, 4, 8) if number < 1 << 8 * size)
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[size]]) + number.to_bytes(size, "big")


def _integer(number: int) -> bytes:
    return _head(0, number) if number >= 0 else _head(1, -1 - number)


def _double(number: float) -> bytes:
    return b"\xfb" + struct.pack(">d", number)
