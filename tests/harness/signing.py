"""Requests signed by AWS's own signer, so that what is tested is the standard and not two halves of one mistake."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


@dataclass(frozen=True)
class Key:
    """An access key that Quell issued."""

    id: str
    secret: str


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class _OffBy(SigV4Auth):  # type: ignore[misc]
    """botocore's signer on a machine whose clock is wrong."""

    def __init__(self, key: Key, off: timedelta) -> None:
        super().__init__(Credentials(key.id, key.secret), "execute-api", "us-east-1")
        self._off = off

    def _modify_request_before_signing(self, request: AWSRequest) -> None:
        request.context["timestamp"] = (datetime.now(timezone.utc) + self._off).strftime("%Y%m%dT%H%M%SZ")
        super()._modify_request_before_signing(request)


def signed_headers(
    method: str, url: str, body: bytes, key: Key, headers: dict[str, str] | None = None, off: timedelta = timedelta()
) -> dict[str, str]:
    """The headers of a request, signed by a clock that is `off`."""
    request = AWSRequest(method=method, url=url, data=body, headers={"host": urlsplit(url).netloc, **(headers or {})})
    _OffBy(key, off).add_auth(request)
    return dict(request.headers.items())


def send(method: str, url: str, body: bytes, headers: dict[str, str], seconds: float = 20) -> Answer:
    """Sends exactly these bytes under exactly these headers: no redirects, no retries, nothing added."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body=body or None, headers=headers)
        answer = connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def call(method: str, url: str, key: Key, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
    """A signed request with a JSON body."""
    data = b"" if body is None else json.dumps(body).encode()
    more = {"content-type": "application/json", **(headers or {})} if data else headers
    return send(method, url, data, signed_headers(method, url, data, key, more))
