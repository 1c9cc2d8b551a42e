"""Messages taken apart into places (`header:range`, `body:Tags.0.Key`), so that a difference has a name."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus
from xml.etree import ElementTree

from .cbor_body import decoded
from .wire import Request

# What is about the connection, the moment, the program or the signature, not about the call. `expect` asks a server
# to say early whether it wants the body.
UNCOMPARED_HEADERS = {
    "accept-encoding",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "authorization",
    "connection",
    "content-length",
    "date",
    "expect",
    "host",
    "user-agent",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-user-agent",
}

Places = dict[str, Any]

_NUMBER_RE = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?")


def of_request(protocol: str, request: Request) -> Places:
    """Every place of a request."""
    places: Places = {"method": request.method, "path": request.path, "host-prefix": request.host_prefix}
    for name, values in _pairs(request.query).items():
        places[f"query:{name}"] = values
    for name, value in request.headers.items():
        if name not in UNCOMPARED_HEADERS:
            # The bodies may differ in what says nothing, such as the order of elements.
            is_of_body = value == _digest(name, request.body)
            places[f"header:{name}"] = "the body's checksum" if is_of_body else value
    places.update(_body(protocol, request.body))
    return places


def of_value(value: Any, prefix: str = "body:") -> Places:
    """Every leaf of a JSON value; within it, an empty list or map is a leaf."""
    return {} if value == {} else dict(_leaves(value, prefix))


def differing(ours: Places, theirs: Places) -> list[str]:
    """The places that are not the same, sorted."""
    missing = object()
    names = sorted({*ours, *theirs})
    return [name for name in names if not _same(ours.get(name, missing), theirs.get(name, missing))]


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, bool) is not isinstance(theirs, bool):
        return False
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    if isinstance(ours, str) and isinstance(theirs, str) and ours != theirs:
        return _is_written_number(ours, theirs) and float(ours) == float(theirs)
    return bool(ours == theirs)


def _is_written_number(ours: str, theirs: str) -> bool:
    """Whether the two are ways to write a number with an exponent: `1e21` and `1e+21`."""
    has_exponent = "e" in ours.lower() or "e" in theirs.lower()
    return has_exponent and all(_NUMBER_RE.fullmatch(text) for text in (ours, theirs))


def _digest(header: str, body: bytes) -> str | None:
    """What a header for checksums should say of a body."""
    match header.removeprefix("x-amz-checksum-"):
        case "crc32":
            digest = zlib.crc32(body).to_bytes(4, "big")
        case "sha1" | "sha256" as name:
            digest = hashlib.new(name, body).digest()
        case _:
            return None
    return base64.b64encode(digest).decode()


def _pairs(encoded: str) -> dict[str, list[str]]:
    """A query or a form, still encoded. The order matters only between values of one name."""
    pairs: dict[str, list[str]] = {}
    for pair in filter(None, encoded.split("&")):
        name, _, value = pair.partition("=")
        pairs.setdefault(name, []).append(value)
    return pairs


def _body(protocol: str, body: bytes) -> Places:
    try:
        match protocol:
            case "query" | "ec2":
                return {f"body:{name}": _decoded(values) for name, values in _pairs(body.decode()).items()}
            case "json" | "rest-json":
                return of_value(json.loads(body))
            case "smithy-rpc-v2-cbor" if body:
                return of_value(decoded(body))
            case "rest-xml":
                root = ElementTree.fromstring(body)
                return dict(_elements(root, f"body:{root.tag}"))
    except (ValueError, ElementTree.ParseError):
        pass
    return {"body": body}


def _decoded(values: list[str]) -> list[str]:
    return [unquote_plus(value) for value in values]


def _leaves(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, member in value.items():
            yield from _leaves(member, f"{place}{'' if place.endswith(':') else '.'}{name}")
    elif isinstance(value, list) and value:
        for i, item in enumerate(value):
            yield from _leaves(item, f"{place}.{i}")
    else:
        yield place, value


def _elements(element: ElementTree.Element, place: str) -> Iterator[tuple[str, Any]]:
    """The order matters only between elements of one name."""
    for name, value in element.attrib.items():
        yield f"{place}@{name}", value
    if len(element) == 0:
        yield place, element.text or ""
    seen: dict[str, int] = {}
    for child in element:
        index = seen.get(child.tag, 0)
        seen[child.tag] = index + 1
        yield from _elements(child, f"{place}.{child.tag}.{index}")
