"""Answers that AWS could give to an operation, and what each of the two clients reads from them."""

from __future__ import annotations

import base64
import json
from random import Random
from typing import Any

from botocore.model import OperationModel, Shape
from botocore.utils import is_json_value_header

from . import places, reference, times
from .json_body import JsonBody
from .plain import to_plain
from .report import Difference
from .values import Generator
from .wire import Answer, read_query
from .xml_body import XmlBody

REQUEST_ID = "b25f48e8-84fd-11e6-80d9-574e0c4664cb"


class Yes:
    """An answer that says yes. The same seed gives the same answer."""

    of = "answer"

    def __init__(self, service: str, operation: OperationModel, seed: str, richness: float) -> None:
        self.service = service
        self.operation = operation
        self.seed = seed
        self.protocol = getattr(self, "protocol", reference.protocol(service))
        random = Random(seed)
        shape = operation.output_shape
        texts = "xml" if self.protocol in ("query", "ec2", "rest-xml") else "text"
        self.value = {} if shape is None else Generator(random, richness, texts=texts).structure(shape)
        self.answer = self.written(random)

    def written(self, random: Random) -> Answer:
        """The answer to be read."""
        return answer(self.operation, self.value, random)

    def query(self) -> dict[str, Any]:
        """What our client is asked."""
        return read_query(self.service, self.operation.name, self.answer)

    def differences(self, reply: dict[str, Any]) -> list[Difference]:
        """Where our client's `reply` is not what botocore reads."""

        def difference(place: str, ours: Any, theirs: Any) -> Difference:
            where = f"{self.service}/{self.operation.name}/{place}"
            return Difference(self.of, where, self.seed, ours, theirs, self.answer)

        try:
            parsed = reference.read(self.operation, self.answer, self.protocol)
        except reference.Refused as refused:
            return [difference("refused by botocore", reply, str(refused))]
        if "value" not in reply:
            return [difference("refused", reply, parsed)]
        metadata = parsed.pop("ResponseMetadata", {})
        theirs = places.of_value(to_plain(self.operation.output_shape, parsed), "value:")
        ours = places.of_value(reply["value"], "value:")
        ours["request id"], theirs["request id"] = reply["request_id"], metadata.get("RequestId")
        return [
            difference(self._name(place), ours.get(place), theirs.get(place))
            for place in places.differing(ours, theirs)
        ]

    def _name(self, place: str) -> str:
        """What is known by a place; a payload that is empty is the same everywhere."""
        shape = self.operation.output_shape
        payload = None if shape is None else shape.serialization.get("payload")
        return "an empty payload" if place == f"value:{payload}" and not self.answer.body else place


def answer(operation: OperationModel, value: dict[str, Any], random: Random) -> Answer:
    """`value` as the answer of an operation."""
    shape = operation.output_shape
    headers = [("x-amzn-RequestId", REQUEST_ID)]
    match operation.service_model.resolved_protocol:
        case "json":
            return Answer(200, headers, JsonBody(random).text(shape, value))
        case "query":
            return Answer(200, headers, _query(operation, value, random))
        case "ec2":
            return Answer(200, headers, _ec2(operation, value, random))
        case "rest-json" | "rest-xml" as protocol:
            bound = [] if shape is None else bindings(shape, value)
            return Answer(200, headers + bound, _rest(protocol, operation, value, random))
        case other:
            raise ValueError(f"{other} is a protocol unknown here")


def namespace(operation: OperationModel) -> str | None:
    """The XML namespace of the operation's service."""
    return operation.service_model.metadata.get("xmlNamespace")


def _query(operation: OperationModel, value: dict[str, Any], random: Random) -> bytes:
    body, shape = XmlBody(random), operation.output_shape
    content = f"<ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata>"
    if shape is not None:
        wrapper = shape.serialization["resultWrapper"]
        content = f"<{wrapper}>{''.join(body.members(shape, value))}</{wrapper}>{content}"
    return body.wrapped(f"{operation.name}Response", content, namespace(operation))


def _ec2(operation: OperationModel, value: dict[str, Any], random: Random) -> bytes:
    body, shape = XmlBody(random), operation.output_shape
    content = "" if shape is None else "".join(body.members(shape, value))
    content = f"<requestId>{REQUEST_ID}</requestId>{content}"
    return body.wrapped(f"{operation.name}Response", content, "http://ec2.amazonaws.com/doc/2016-11-15/")


def _rest(protocol: str, operation: OperationModel, value: dict[str, Any], random: Random) -> bytes:
    shape = operation.output_shape
    if shape is None:
        return b""
    payload = shape.serialization.get("payload")
    if payload is not None:
        shape, value = shape.members[payload], value.get(payload)
        if value is None:
            return b""
        if shape.type_name in ("blob", "string"):
            return value if isinstance(value, bytes) else value.encode()
    if protocol == "rest-json":
        return JsonBody(random).text(shape, value)
    name = shape.serialization.get("name", shape.name)
    return XmlBody(random).document(name, shape, value, namespace(operation))


def bindings(shape: Shape, value: dict[str, Any]) -> list[tuple[str, str]]:
    """The members of a structure that are in headers."""
    headers = []
    for name, member in shape.members.items():
        wire = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "header" if name in value and value[name] != []:
                headers.append((wire, _header(member, value[name])))
            case "headers":
                # S3 gives them in small letters; which letters they came in is lost in HTTP/2.
                prefix = member.serialization.get("name", "")
                given = {f"{prefix}{key}".lower(): text for key, text in value.get(name, {}).items()}
                headers += given.items()
    return headers


def _header(shape: Shape, value: Any) -> str:
    if is_json_value_header(shape):
        return base64.b64encode(json.dumps(value).encode()).decode()
    match shape.type_name:
        case "list":
            return ", ".join(_header(shape.member, item) for item in value)
        case "timestamp":
            return times.text(value, shape.serialization.get("timestampFormat", "rfc822"))
        case "boolean":
            return "true" if value else "false"
        case _:
            return str(to_plain(shape, value))
