"""Errors spelt as the service's own protocol spells them, so that every SDK parses them."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from xml.sax.saxutils import escape


@dataclass
class ApiError(Exception):
    """An error answer of an API: raised by stand-ins, by the key check and by faults."""

    code: str
    message: str
    status: int = 400

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


@dataclass
class Answer:
    """One HTTP answer, complete: the range never streams."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None


def error_answer(protocol: str, service: str, error: ApiError, namespace: str = "") -> Answer:
    """Build the error answer of `protocol` ("ec2", "query", "rest-xml", "json", "rest-json")."""
    request_id = str(uuid.uuid4())
    code, message = escape(error.code), escape(error.message)
    kind = "Sender" if error.status < 500 else "Receiver"
    if protocol == "ec2":
        body = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>{code}</Code>'
            f"<Message>{message}</Message></Error></Errors><RequestID>{request_id}</RequestID></Response>"
        )
        return _xml(error.status, request_id, body)
    if protocol == "rest-xml" and service in ("s3", "s3control"):
        body = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message>'
            f"<RequestId>{request_id}</RequestId><HostId>{uuid.uuid4().hex}</HostId></Error>"
        )
        return _xml(error.status, request_id, body)
    if protocol in ("query", "rest-xml"):
        xmlns = f' xmlns="{namespace}"' if namespace else ""
        body = (
            f"<ErrorResponse{xmlns}><Error><Type>{kind}</Type><Code>{code}</Code><Message>{message}</Message>"
            f"</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return _xml(error.status, request_id, body)
    if protocol == "rest-json":
        headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", error.code)]
        payload = {"message": error.message}
    else:
        headers = [("Content-Type", "application/x-amz-json-1.1")]
        payload = {"__type": error.code, "message": error.message}
    headers.append(("x-amzn-RequestId", request_id))
    return Answer(error.status, headers, json.dumps(payload).encode())


def _xml(status: int, request_id: str, body: str) -> Answer:
    return Answer(status, [("Content-Type", "text/xml;charset=UTF-8"), ("x-amzn-RequestId", request_id)], body.encode())


def throttled(protocol: str, service: str) -> ApiError:
    """The error a service gives when it is asked too often."""
    if protocol == "ec2":
        return ApiError("RequestLimitExceeded", "Request limit exceeded.", 503)
    if service in ("s3", "s3control"):
        return ApiError("SlowDown", "Please reduce your request rate.", 503)
    if protocol == "query":
        return ApiError("Throttling", "Rate exceeded", 400)
    return ApiError("ThrottlingException", "Rate exceeded", 429 if protocol == "rest-json" else 400)


def server_error(protocol: str, service: str) -> ApiError:
    """The error a service gives when it fails itself."""
    if protocol == "ec2" or service in ("s3", "s3control"):
        return ApiError("InternalError", "An internal error has occurred", 500)
    return ApiError("InternalFailure", "The request processing has failed because of an unknown error.", 500)


def denied(protocol: str, service: str, principal: str, action: str) -> ApiError:
    """The error for a caller whom a policy of its own denies the action."""
    said = f"User: {principal} is not authorized to perform: {action} with an explicit deny in an identity-based policy"
    if protocol == "ec2":
        return ApiError("UnauthorizedOperation", f"You are not authorized to perform this operation. {said}", 403)
    if service in ("s3", "s3control") or protocol in ("query", "rest-xml"):
        return ApiError("AccessDenied", said, 403)
    return ApiError("AccessDeniedException", said, 403 if protocol == "rest-json" else 400)


def unknown_key(protocol: str, service: str) -> ApiError:
    """The error for an access key no account has, or a session token that is not the key's."""
    if protocol == "ec2":
        return ApiError("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    if service in ("s3", "s3control"):
        return ApiError("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403)
    if protocol == "query":
        return ApiError("InvalidClientTokenId", "The security token included in the request is invalid.", 403)
    return ApiError(
        "UnrecognizedClientException", "The security token included in the request is invalid.", 403 if protocol == "rest-json" else 400
    )


def expired_key(protocol: str, service: str) -> ApiError:
    """The error for a session whose time is over."""
    if protocol == "ec2":
        return ApiError("RequestExpired", "Request has expired.", 400)
    if service in ("s3", "s3control"):
        return ApiError("ExpiredToken", "The provided token has expired.", 400)
    if protocol == "query":
        return ApiError("ExpiredToken", "The security token included in the request is expired", 403)
    return ApiError(
        "ExpiredTokenException", "The security token included in the request is expired", 403 if protocol == "rest-json" else 400
    )
