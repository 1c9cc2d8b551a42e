"""botocore: what it puts on the wire, with all its handlers, and what it reads from an answer."""

from __future__ import annotations

import io
import os
import uuid
from functools import cache
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
from botocore.validate import ParamValidator

from .wire import Answer, Request

REGION = "us-east-1"
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
    # What the machine is configured for must not change what is written.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    return botocore.session.get_session()


@cache
def model(service: str) -> ServiceModel:
    """The model of a service."""
    return _session().get_service_model(service)


@cache
def _client(service: str) -> BaseClient:
    config = Config(
        # As our client: a checksum where one is demanded, no compression, the bucket in the path, no retries.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        disable_request_compression=True,
        s3={"addressing_style": "path"},
        retries={"total_max_attempts": 1},
    )
    client = _session().create_client(
        service,
        region_name=REGION,
        config=config,
        # Over TLS a checksum of a stream would come after it, chunked, which needs no other checksum.
        use_ssl=False,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
    )
    client.meta.events.register("before-send.*", _catch)
    return client


def _catch(request: AWSPreparedRequest, **_: Any) -> None:
    raise _Caught(request)


def write(service: str, operation: str, params: dict[str, Any]) -> Request:
    """The request that botocore sends for a call."""
    client = _client(service)
    seen: dict[str, Any] = {}

    def note(params: dict[str, Any], **_: Any) -> None:
        seen.update(params)

    client.meta.events.register_last("before-call.*", note)
    try:
        with mock.patch("uuid.uuid4", lambda: TOKEN):
            client._make_api_call(operation, params)
    except _Caught as caught:
        return _request(caught.request, seen.get("host_prefix") or "")
    except (BotoCoreError, ValueError, TypeError, AttributeError) as error:
        raise Refused(f"{type(error).__name__}: {error}") from error
    finally:
        client.meta.events.unregister("before-call.*", note)
    raise AssertionError("botocore sent nothing")


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


def read(operation: OperationModel, answer: Answer) -> dict[str, Any]:
    """What botocore reads from an answer: the output, or an error and its members, with `ResponseMetadata`."""
    parser = create_parser(operation.service_model.resolved_protocol)
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
