"""botocore's values as JSON in the way of our client: RFC 3339 times, base64 blobs, and text for what JSON has no
number for.
"""

from __future__ import annotations

import base64
import datetime
import math
from typing import Any

from botocore.model import Shape
from botocore.utils import is_json_value_header

Json = Any


def to_plain(shape: Shape | None, value: Any) -> Json:
    """`value`, which botocore takes or gives for `shape`, as our client takes or gives it."""
    if value is None or shape is None:
        return value
    if is_json_value_header(shape) or getattr(shape, "is_document_type", False):
        return value
    match shape.type_name:
        case "structure":
            # A member of a union that botocore does not know is no member of the shape.
            return {name: to_plain(shape.members.get(name), given) for name, given in value.items()}
        case "list":
            return [to_plain(shape.member, given) for given in value]
        case "map":
            return {key: to_plain(shape.value, given) for key, given in value.items()}
        case "timestamp":
            return rfc3339(value)
        case "blob":
            return base64.b64encode(_bytes(value)).decode()
        case "float" | "double":
            return _number(value)
        case _:
            return value


def rfc3339(time: datetime.datetime) -> str:
    """In UTC, with as many digits of a second as it needs: 0, 3 or 6."""
    utc = time.astimezone(datetime.timezone.utc)
    fraction = ""
    if utc.microsecond:
        fraction = f".{utc.microsecond:06}"
        fraction = fraction.removesuffix("000")
    return f"{utc:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def _bytes(value: Any) -> bytes:
    if hasattr(value, "read"):
        return value.read()
    return value.encode() if isinstance(value, str) else bytes(value)


def _number(value: Any) -> Json:
    if isinstance(value, str) or math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
