"""botocore: what it puts on the wire, with all its handlers, and what it reads from an answer."""

from __future__ import annotations

import io
import os
import re
import uuid
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import botocore.session
from botocore.awsrequest import AWSPreparedRequest, HeadersDict
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.parsers import ResponseParserError, create_parser
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator

from .wire import Answer, Request

_CREDENTIAL_RE = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request")
# The token that `wire.rs` fills in.
TOKEN = uuid.UUID("00000000-0000-4000-8000-000000000000")


class Refused(Exception):
    """botocore does not take the parameters, or cannot read the answer."""


class _Caught(BaseException):
    """Carries a request out of botocore. Not an `Exception`, which botocore would take for a lost connection."""

    def __init__(self, request: AWSPreparedRequest) -> None:
        super().__init__()
        self.request = request


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


def _unconfigured() -> AbstractContextManager[Any]:
    """What the machine is configured for must not change what is written."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return mock.patch.dict(os.environ, {**others, **files}, clear=True)


@cache
def model(service: str) -> ServiceModel:
    """The model of a service."""
    return _session().get_service_model(service)


ACCOUNT = "123456789012"


@dataclass(frozen=True)
class Place:
    """Where a call is made, and what the client is told of endpoints."""

    region: str
    account: str
    use_fips: bool = False
    use_dual_stack: bool = False


# Over TLS a checksum of a stream would come after it, chunked, which needs no other checksum; and the bucket stays
# in the path, where the protocols put it.
PLAIN = {"use_ssl": False, "addressing_style": "path"}
REAL = {"use_ssl": True, "addressing_style": "auto"}


@lru_cache(maxsize=64)
def _client(service: str, place: Place, use_ssl: bool, addressing_style: str) -> BaseClient:
    config = Config(
        # As our client: a checksum where one is demanded, no retries, and the old global endpoints forgotten.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        disable_request_compression=True,
        s3={"addressing_style": addressing_style, "us_east_1_regional_endpoint": "regional"},
        retries={"total_max_attempts": 1},
        use_fips_endpoint=place.use_fips,
        use_dualstack_endpoint=place.use_dual_stack,
    )
    with _unconfigured():
        client = _session().create_client(
            service,
            region_name=place.region,
            config=config,
            use_ssl=use_ssl,
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="secret",
            aws_account_id=place.account,
        )
    client.meta.events.register("before-send.*", _catch)
    return client


def _catch(request: AWSPreparedRequest, **_: Any) -> None:
    raise _Caught(request)


def _sent(client: BaseClient, operation: str, params: dict[str, Any]) -> AWSPreparedRequest:
    """What botocore would send."""
    try:
        with mock.patch("uuid.uuid4", lambda: TOKEN):
            client._make_api_call(operation, params)
    except _Caught as caught:
        return caught.request
    except (BotoCoreError, ValueError, TypeError, AttributeError) as error:
        raise Refused(f"{type(error).__name__}: {error}") from error
    raise AssertionError("botocore sent nothing")


def write(service: str, operation: str, params: dict[str, Any]) -> Request:
    """The request that botocore sends for a call."""
    client = _client(service, Place("us-east-1", ACCOUNT), **PLAIN)
    host_prefix = ""

    def note(params: dict[str, Any], **_: Any) -> None:
        nonlocal host_prefix
        host_prefix = params.get("host_prefix") or ""

    client.meta.events.register_last("before-call.*", note)
    try:
        request = _sent(client, operation, params)
    finally:
        client.meta.events.unregister("before-call.*", note)
    return _request(request, host_prefix)


def target(service: str, operation: str, params: dict[str, Any], place: Place) -> dict[str, str]:
    """Where botocore sends a call, without the query, and what it signs it for, if it signs it."""
    try:
        client = _client(service, place, **REAL)
    except BotoCoreError as error:
        raise Refused(f"{type(error).__name__}: {error}") from error
    request = _sent(client, operation, params)
    scope = _CREDENTIAL_RE.search(_text(request.headers.get("Authorization", "")))
    region, name = scope.groups() if scope else ("", "")
    return {"url": request.url.partition("?")[0], "signing_region": region, "signing_name": name}


def serialized(protocol: str, operation: OperationModel, params: dict[str, Any]) -> Request:
    """The request that botocore writes in a protocol that it does not choose by itself."""
    params = {**{name: str(TOKEN) for name in operation.idempotent_members}, **params}
    written = create_serializer(protocol).serialize_to_request(params, operation)
    return Request(
        method=written["method"],
        path=written["url_path"],
        query="",
        headers={name.lower(): value for name, value in written["headers"].items()},
        body=written["body"],
        host_prefix=written.get("host_prefix") or "",
    )


def refuses(operation: OperationModel, params: dict[str, Any]) -> bool:
    """Whether botocore takes the parameters for wrong."""
    return bool(ParamValidator().validate(params, operation.input_shape).has_errors())


def _request(request: AWSPreparedRequest, host_prefix: str) -> Request:
    url = urlsplit(request.url)
    body = request.body.read() if hasattr(request.body, "read") else request.body or b""
    return Request(
        method=request.method,
        path=url.path,
        query=url.query,
        headers={name.lower(): _text(value) for name, value in request.headers.items()},
        body=body.encode() if isinstance(body, str) else bytes(body),
        host_prefix=host_prefix,
    )


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def protocol(service: str) -> str:
    """The protocol that botocore speaks with a service."""
    return model(service).resolved_protocol


def read(operation: OperationModel, answer: Answer, protocol: str | None = None) -> dict[str, Any]:
    """What botocore reads from an answer: the output, or an error and its members, with `ResponseMetadata`."""
    parser = create_parser(protocol or operation.service_model.resolved_protocol)
    response = _response(operation, answer)
    try:
        parsed = parser.parse(response, operation.output_shape)
        if answer.status >= 300:
            shape = error_shape(operation, parsed)
            members = {} if shape is None else parser.parse(response, shape)
            parsed = {**parsed, "members": members}
    except (ResponseParserError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise Refused(f"{type(error).__name__}: {error}") from error
    return parsed


def error_shape(operation: OperationModel, parsed: dict[str, Any]) -> Shape | None:
    """The model's shape for an error that was read."""
    return operation.service_model.shape_for_error_code(parsed.get("Error", {}).get("Code"))


def _response(operation: OperationModel, answer: Answer) -> dict[str, Any]:
    headers = HeadersDict()
    for name, value in answer.headers:
        headers[name] = value
    return {
        "status_code": answer.status,
        "headers": headers,
        # botocore hands a stream on as it is.
        "body": io.BytesIO(answer.body) if operation.has_streaming_output and answer.status < 300 else answer.body,
        "context": {"operation_name": operation.name},
    }
