"""What happens to one request: who asks, for what, which fault, then moto or a stand-in, then the record."""

from __future__ import annotations

import datetime
import io
import logging
import re
import threading
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import botocore.parsers
from moto.backends import get_backend
from moto.core.request import Request
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from quell_range import errors, faults, permissions, planes, standins
from quell_range.call import Call, parse_params, set_current
from quell_range.errors import Answer, ApiError
from quell_range.follow import SILENT_HEADER, later, make_calls
from quell_range.identity import PARTITION, KeyRing, Principal, anonymous
from quell_range.journal import Journal
from quell_range.lock import STATE_LOCK, WAITING_CALLS
from quell_range.memento import Change, Memento
from quell_range.services import Route, Scope, route

log = logging.getLogger(__name__)

_CREDENTIAL = re.compile(r"([^/=\s]+)/(\d{8})/([^/]*)/([^/]+)/aws4_request")
#: moto gives every EC2 answer the same request id, or none; a record's id must name one call.
_EC2_REQUEST_ID = re.compile(rb"(?<=<requestId>)[^<]*(?=</requestId>)", re.IGNORECASE)
_UNSIGNED_STS = ("AssumeRoleWithWebIdentity", "AssumeRoleWithSAML")
#: The address a call comes from when its client does not say (RFC 5737, for documentation).
DEFAULT_SOURCE_IP = "203.0.113.10"
SOURCE_IP_HEADER = "x-quell-range-source-ip"


class AwsApp:
    """Answers AWS API calls. `None` as the answer means: close the connection without one."""

    def __init__(self, keys: KeyRing, journal: Journal, installed: faults.Faults, emit: Callable[[Call, Answer], None]) -> None:
        self.keys = keys
        self.journal = journal
        self.faults = installed
        self.stopping = threading.Event()
        #: Where the range itself is; known once its server is.
        self.endpoint = ""
        self._emit = emit
        self._moto = DomainDispatcherApplication(create_backend_app)

    def handle(self, environ: dict[str, Any], body: bytes) -> Answer | None:
        request = _request(environ, body)
        scope = _scope(request)
        found = route(request, scope)
        protocol, service = (found.protocol, found.service) if found else ("json", scope.signing_name)
        try:
            principal = self._principal(request, scope, protocol, service)
        except ApiError as refusal:
            return errors.error_answer(protocol, service, refusal, _namespace(found))
        if found is None:
            return self._serve_unknown(environ, body, principal)
        call = _call(request, body, scope, found, principal)
        return self._serve(call, environ, body)

    def _principal(self, request: Request, scope: Scope, protocol: str, service: str) -> Principal:
        if scope.access_key_id is None:
            return anonymous(self.keys.accounts[0])
        token = request.headers.get("X-Amz-Security-Token") or request.args.get("X-Amz-Security-Token")
        return self.keys.resolve(scope.access_key_id, token, protocol, service)

    def _serve(self, call: Call, environ: dict[str, Any], body: bytes) -> Answer | None:
        if call.silent:
            return self._perform(call, environ, body)
        fault = self.faults.choose(call)
        if fault is None:
            answer = self._perform(call, environ, body)
            self._settle(call, answer)
            return answer
        call.fault = fault.kind if fault.kind != "stale-read" else None
        if fault.kind in ("hang", "throttle", "server-error"):
            return self._fail(call, fault)
        if fault.kind == "stale-read":
            stale = self.faults.stale_answer(call, fault)
            if stale is not None:
                call.fault = fault.kind
                call.status = stale.status
                self.journal.append(call)
                return stale
        answer = self._perform(call, environ, body, fault)
        if fault.kind == "excess" and answer.status < 400:
            make_calls(self.endpoint, self.keys, call, fault.also, fault.access_key_id, silent=True)
        self._settle(call, answer, fault)
        if fault.kind == "interfere":
            later(fault.delay_ms / 1000, lambda: self._interfere(call, fault))
        if fault.kind in ("timeout-after-effect", "malformed"):
            self.stopping.wait(fault.delay_ms / 1000)
            return faults.malformed(answer) if fault.kind == "malformed" else None
        return answer

    def _fail(self, call: Call, fault: faults.Fault) -> Answer | None:
        """A fault without any effect: a refusal, or silence."""
        if fault.kind == "hang":
            self.journal.append(call)
            self.stopping.wait(fault.delay_ms / 1000)
            return None
        make = errors.throttled if fault.kind == "throttle" else errors.server_error
        answer = errors.error_answer(call.protocol, call.service, make(call.protocol, call.service), _namespace_of(call))
        self._settle(call, answer)
        self.stopping.wait(fault.delay_ms / 1000)
        return answer

    def _perform(self, call: Call, environ: dict[str, Any], body: bytes, fault: faults.Fault | None = None) -> Answer:
        refusal = permissions.refusal(call)
        if refusal is not None:
            return errors.error_answer(call.protocol, call.service, refusal, _namespace_of(call))
        if call.dry_run:
            error = ApiError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
            return errors.error_answer("ec2", "ec2", error)
        if (call.service, call.operation) in WAITING_CALLS:
            return self._answer(call, environ, body)
        with STATE_LOCK:
            if fault is None or fault.kind not in ("no-effect", "revert"):
                return self._answer(call, environ, body)
            before = Memento(*_backends(call))
            answer = self._answer(call, environ, body)
            if fault.kind == "no-effect":
                before.restore()
            elif answer.status < 400:
                changes = before.changes()
                later(fault.delay_ms / 1000, lambda: self._revert(call, fault, changes))
            return answer

    def _revert(self, call: Call, fault: faults.Fault, changes: list[Change]) -> None:
        if not self.faults.is_installed(fault):
            return
        with STATE_LOCK:
            for change in reversed(changes):
                change.take_back()
        self.faults.note_change(call)
        fault.followed += 1

    def _interfere(self, call: Call, fault: faults.Fault) -> None:
        if self.faults.is_installed(fault):
            make_calls(self.endpoint, self.keys, call, fault.also, fault.access_key_id, silent=False)
            fault.followed += 1

    def _answer(self, call: Call, environ: dict[str, Any], body: bytes) -> Answer:
        set_current(call)
        try:
            answer = standins.answer(call)
            if answer is None and not _moto_has(call.service):
                raise NotImplementedError(f"{call.service} is not there")
            if answer is None:
                answer = self._ask_moto(environ, body, call.account)
                if call.service == "ec2":
                    answer.body = _EC2_REQUEST_ID.sub(_fresh_request_id, answer.body, count=1)
            return answer
        except NotImplementedError as missing:
            return errors.error_answer(
                call.protocol, call.service, ApiError("NotImplemented", f"moto: {missing}", 501), _namespace_of(call)
            )
        except Exception:
            log.error("%s %s failed inside moto", call.service, call.operation, exc_info=True)
            error = errors.server_error(call.protocol, call.service)
            return errors.error_answer(call.protocol, call.service, error, _namespace_of(call))
        finally:
            set_current(None)

    def _serve_unknown(self, environ: dict[str, Any], body: bytes, principal: Principal) -> Answer:
        """A request no model knows (moto's own pages, presigned oddities): moto answers, nothing is recorded."""
        with STATE_LOCK:
            try:
                return self._ask_moto(environ, body, principal.account)
            except Exception as error:  # noqa: BLE001 - as above
                return Answer(501, [("Content-Type", "text/plain")], f"not known to the range: {error}".encode())

    def _ask_moto(self, environ: dict[str, Any], body: bytes, account: str) -> Answer:
        environ = dict(environ)
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = account
        started: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
            started["status"], started["headers"] = int(status.split()[0]), headers
            return lambda data: None

        chunks = self._moto(environ, start_response)
        try:
            payload = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        return Answer(started["status"], list(started["headers"]), payload)

    def _settle(self, call: Call, answer: Answer, fault: faults.Fault | None = None) -> None:
        """Journal, remember, record: in that order, and before the caller hears."""
        call.settle(answer, error_code(call, answer) if answer.status >= 400 else None)
        if fault is not None and fault.kind == "timeout-after-effect":
            call.status = 0
        if fault is not None and fault.kind == "no-effect":
            call.took_effect = False
        if call.took_effect:
            self.faults.note_change(call)
        elif not call.changing:
            self.faults.note_read(call, answer)
        self.journal.append(call)
        if not call.data_plane and answer.status != 501:
            self._emit(call, answer)


def _fresh_request_id(_: re.Match[bytes]) -> bytes:
    return str(uuid.uuid4()).encode()


def error_code(call: Call, answer: Answer) -> str | None:
    error = parse_answer(call, answer).get("Error", {})
    return error.get("Code") or None


def parse_answer(call: Call, answer: Answer) -> dict[str, Any]:
    """The answer as an SDK sees it."""
    parser = botocore.parsers.create_parser(call.protocol)
    headers = {key.lower(): value for key, value in answer.headers}
    try:
        return dict(
            parser.parse(
                {"status_code": answer.status, "headers": headers, "body": answer.body, "context": {"operation_name": call.operation}},
                call.operation_model.output_shape,
            )
        )
    except Exception:  # noqa: BLE001 - moto's answer does not fit the model: the record goes without it
        return {}


def _request(environ: dict[str, Any], body: bytes) -> Request:
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ.pop("wsgi.input_terminated", None)
    environ["CONTENT_LENGTH"] = str(len(body))
    copy = dict(environ)
    copy["wsgi.input"] = io.BytesIO(body)
    request = Request(copy)
    request.from_wsgi_server = True
    # Forms first: reading the data first would leave the form empty.
    if (request.content_type or "").startswith("application/x-www-form-urlencoded"):
        request.get_data(cache=True, parse_form_data=False)
    return request


def _scope(request: Request) -> Scope:
    text = request.headers.get("Authorization") or request.args.get("X-Amz-Credential") or ""
    match = _CREDENTIAL.search(text)
    if match:
        return Scope(match.group(1), match.group(3) or "us-east-1", match.group(4))
    action = request.values.get("Action", "")
    return Scope(None, "us-east-1", "sts" if action in _UNSIGNED_STS else "s3")


def _call(request: Request, body: bytes, scope: Scope, found: Route, principal: Principal) -> Call:
    operation = str(found.operation.name)
    keep = not (planes.is_data(found.service, operation) and len(body) > 4096)
    return Call(
        service=found.service,
        operation=operation,
        protocol=found.protocol,
        model=found.model,
        operation_model=found.operation,
        account=principal.account,
        region=scope.region,
        principal=principal,
        params=parse_params(request, found) if keep else {key: value for key, value in found.uri_params.items()},
        user_agent=request.headers.get("User-Agent", "")[:512],
        source_ip=request.headers.get(SOURCE_IP_HEADER, DEFAULT_SOURCE_IP),
        method=request.method,
        path=request.raw_path,
        query=request.query_string.decode("utf-8", "replace"),
        headers={key.lower(): value for key, value in request.headers.items() if key.lower().startswith(("x-amz-", "host"))},
        body=body if found.service in ("s3", "s3control") and keep else b"",
        time=datetime.datetime.now(datetime.UTC),
        silent=SILENT_HEADER in request.headers,
    )


def _moto_has(service: str) -> bool:
    """Whether moto has the service at all: it fails in its own ways where it does not."""
    try:
        get_backend(service)
    except Exception:  # noqa: BLE001 - whatever it is, there is none
        return False
    return True


def _backends(call: Call) -> list[Any]:
    """Where moto keeps what a call can change: the service's state in its account and Region, or everywhere in the account."""
    regions = get_backend(call.service)[call.account]
    return [regions[name] for name in (call.region, PARTITION, "global") if name in regions]


def _namespace(found: Route | None) -> str:
    return str(found.model.metadata.get("xmlNamespace", "")) if found else ""


def _namespace_of(call: Call) -> str:
    return str(call.model.metadata.get("xmlNamespace", ""))


def query_of(environ: dict[str, Any]) -> dict[str, str]:
    """The query string, last value wins: for the control pages."""
    return {key: values[-1] for key, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
