"""Answers of AWS that say no, in every form that a protocol has for them, and what the two clients read from them."""

from __future__ import annotations

from random import Random
from typing import Any
from xml.sax.saxutils import escape

from botocore.model import OperationModel, Shape

from . import places, reference
from .answers import REQUEST_ID, bindings, namespace
from .json_body import JsonBody
from .plain import to_plain
from .report import Difference
from .values import Generator
from .wire import Answer, read_query
from .xml_body import XmlBody

MESSAGES = ["", "no", "User: arn:aws:iam::1:user/ü is <not> & «never»", "a\nb"]


UNKNOWN = "an unknown error"
PAGE = "a page"


class No:
    """A refusal: an error of the model, one that the model does not have (`UNKNOWN`), or what a proxy says (`PAGE`)."""

    of = "error"

    def __init__(self, service: str, operation: OperationModel, kind: Shape | str, seed: str) -> None:
        self.service = service
        self.operation = operation
        self.kind = kind
        self.seed = seed
        random, shape = Random(seed), kind if isinstance(kind, Shape) else None
        self.answer = page(random) if kind == PAGE else refusal(operation, shape, random)

    def query(self) -> dict[str, Any]:
        """What our client is asked."""
        return read_query(self.service, self.operation.name, self.answer)

    def differences(self, reply: dict[str, Any]) -> list[Difference]:
        """Where our client's `reply` is not what botocore reads."""

        def difference(place: str, ours: Any, theirs: Any) -> Difference:
            kind = self.kind.name if isinstance(self.kind, Shape) else self.kind
            where = f"{self.service}/{self.operation.name}/{kind}/{place}"
            return Difference(self.of, where, self.seed, ours, theirs, self.answer)

        try:
            parsed = reference.read(self.operation, self.answer)
        except reference.Refused as refused:
            return [difference("refused by botocore", reply, str(refused))]
        error = parsed["Error"]
        theirs = {
            "code": error.get("Code", ""),
            "message": error.get("Message") or "",
            "request id": parsed.get("ResponseMetadata", {}).get("RequestId"),
        }
        said = reply["error"]
        ours = {"code": said["code"], "message": said["message"], "request id": said["request_id"]}
        shape = reference.error_shape(self.operation, parsed)
        if shape is not None:
            theirs |= places.of_value(to_plain(shape, parsed["members"]), "value:")
            ours |= places.of_value(said["detail"], "value:")
        return [difference(place, ours.get(place), theirs.get(place)) for place in places.differing(ours, theirs)]


def page(random: Random) -> Answer:
    """What a proxy or a load balancer says when the service says nothing."""
    body = random.choice([b"", b"<html><body><h1>503 Service Unavailable</h1></body></html>"])
    return Answer(random.choice([500, 502, 503]), [("x-amzn-RequestId", REQUEST_ID)], body)


def refusal(operation: OperationModel, shape: Shape | None, random: Random) -> Answer:
    """An error as the answer of an operation."""
    protocol = operation.service_model.resolved_protocol
    status = random.choice([400, 403, 404, 409, 429, 500, 503])
    code, message = _code(shape), random.choice(MESSAGES)
    texts = "text" if protocol in ("json", "rest-json") else "xml"
    value = {} if shape is None else Generator(random, 0.7, texts=texts).structure(shape)
    # What every error has is written as every error's is.
    value = {name: given for name, given in value.items() if name.lower() not in ("message", "errortype", "code")}
    headers = [("x-amzn-RequestId", REQUEST_ID)]
    if shape is not None and protocol.startswith("rest-"):
        headers += bindings(shape, value)
    if protocol in ("json", "rest-json"):
        more, body = _json(operation, shape, value, code, message, random)
        return Answer(status, headers + more, body)
    return Answer(status, headers, _xml(operation, shape, value, code, message, random))


def _code(shape: Shape | None) -> str:
    if shape is None:
        return "NobodyModelledThis"
    return shape.metadata.get("error", {}).get("code", shape.name)


def _json(
    operation: OperationModel, shape: Shape | None, value: dict[str, Any], code: str, message: str, random: Random
) -> tuple[list[tuple[str, str]], bytes]:
    # A member that the model calls `Message` is `message` on the wire of some services, and the other way round.
    more: dict[str, Any] = {random.choice(["message", "Message"] if shape is None else [_message_name(shape)]): message}
    headers = []
    decorated = random.choice([code, f"com.amazonaws.{operation.service_model.service_name}#{code}"])
    forms = ["__type"] if operation.service_model.resolved_protocol == "json" else ["__type", "header", "code"]
    match random.choice(forms):
        case "header":
            headers.append(("x-amzn-ErrorType", random.choice([code, f"{code}:http://internal.amazon.com/"])))
        case member:
            more[member] = decorated if member == "__type" else code
    if operation.service_model.is_query_compatible and random.random() < 0.5:
        headers.append(("x-amzn-query-error", "AWS.SimpleQueueService.Old;Sender"))
    return headers, JsonBody(random).text(shape, value, more)


def _message_name(shape: Shape) -> str:
    for name, member in shape.members.items():
        if name.lower() == "message":
            return member.serialization.get("name", name)
    return "message"


def _xml(
    operation: OperationModel, shape: Shape | None, value: dict[str, Any], code: str, message: str, random: Random
) -> bytes:
    body, uri = XmlBody(random), namespace(operation)
    members = "" if shape is None else "".join(body.members(shape, value))
    said = f"<Code>{code}</Code><Message>{escape(message)}</Message>{members}"
    protocol = operation.service_model.resolved_protocol
    if protocol == "ec2":
        content = f"<Errors><Error>{said}</Error></Errors><RequestID>{REQUEST_ID}</RequestID>"
        return body.wrapped("Response", content, None)
    if operation.service_model.service_name == "s3":
        return body.wrapped("Error", f"{said}<RequestId>{REQUEST_ID}</RequestId><HostId>h</HostId>", None)
    content = f"<Error><Type>Sender</Type>{said}</Error><RequestId>{REQUEST_ID}</RequestId>"
    return body.wrapped("ErrorResponse", content, uri)
