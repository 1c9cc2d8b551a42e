"""The HTTP server: werkzeug's request handler, with kept connections and whole answers."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import ThreadedWSGIServer

from quell_range.errors import Answer

log = logging.getLogger(__name__)

Handle = Callable[[dict[str, Any], bytes], "Answer | None"]


class RangeRequestHandler(MotoRequestHandler):
    """Keeps connections open: werkzeug's own handler closes each, because it cannot know that a body was read.

    Here the body is always read before the request is served and the answer is always complete, so HTTP/1.1
    keep-alive is safe.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: RangeServer

    def run_wsgi(self) -> None:
        if self.headers.get("Expect", "").lower().strip() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        environ = self.make_environ()
        try:
            body = _read_body(environ)
        except (OSError, ValueError):
            self.close_connection = True
            return
        answer = self.server.handle(environ, body)
        if answer is None:
            self.close_connection = True
            _reset_quietly(self.connection)
            return
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        reason = HTTPStatus(answer.status).phrase if answer.status in HTTPStatus._value2member_map_ else ""
        lines = [f"HTTP/1.1 {answer.status} {reason}"]
        head = self.command == "HEAD"
        for key, value in answer.headers:
            name = key.lower()
            if name in ("connection", "transfer-encoding") or (name == "content-length" and not head):
                continue
            lines.append(f"{key}: {str(value).strip()}".replace("\r", "").replace("\n", " "))
        if not head and answer.status not in (204, 304):
            lines.append(f"Content-Length: {len(answer.body)}")
        elif head and not any(key.lower() == "content-length" for key, _ in answer.headers):
            lines.append("Content-Length: 0")
        lines.append("Connection: close" if self.close_connection else "Connection: keep-alive")
        payload = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
        if not head and answer.status not in (204, 304):
            payload += answer.body
        try:
            self.wfile.write(payload)
            self.wfile.flush()
        except OSError:
            self.close_connection = True

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Quiet: the journal knows every call."""

    def log(self, type: str, message: str, *args: Any) -> None:
        log.debug(message, *args)


class RangeServer(ThreadedWSGIServer):
    """One thread a connection; the threads end with the process."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int, handle: Handle) -> None:
        self.handle = handle
        super().__init__(host, port, _unused_app, handler=RangeRequestHandler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("connection of %s ended badly", client_address, exc_info=True)


def _unused_app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """werkzeug's server wants a WSGI application; the handler above never calls it."""
    raise RuntimeError("the range serves requests itself")


def _read_body(environ: dict[str, Any]) -> bytes:
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        return bytes(stream.read())
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = bytes(stream.read(length)) if length else b""
    if len(body) != length:
        raise ValueError("the client went away")
    return body


def _reset_quietly(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
