"""One API call, from its request to what became of it."""

from __future__ import annotations

import datetime
import threading
from dataclasses import dataclass, field
from typing import Any

from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request

from quell_range import planes
from quell_range.errors import Answer
from quell_range.identity import Principal
from quell_range.services import Route

#: Bodies longer than this are described, not kept: evidence uploads would fill the journal.
BLOB_KEPT_BYTES_MAX = 1024


@dataclass
class Call:
    """What was asked, by whom, where; and after `settle`, what came of it."""

    service: str
    operation: str
    protocol: str
    model: ServiceModel
    operation_model: OperationModel
    account: str
    region: str
    principal: Principal
    params: dict[str, Any]
    user_agent: str
    source_ip: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    time: datetime.datetime
    status: int = 0
    error_code: str | None = None
    took_effect: bool = False
    fault: str | None = None
    #: A part of another call, which a fault makes: no journal, no record.
    silent: bool = False
    #: Facts a stand-in knows and the record needs, such as the second account of an AssumeRole.
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def changing(self) -> bool:
        return planes.is_changing(self.service, self.operation)

    @property
    def data_plane(self) -> bool:
        return planes.is_data(self.service, self.operation)

    @property
    def dry_run(self) -> bool:
        return self.service == "ec2" and self.params.get("DryRun") is True

    def settle(self, answer: Answer, error_code: str | None) -> None:
        """Note the API's own answer, whether or not a fault then hides it."""
        self.status = answer.status
        self.error_code = error_code
        self.took_effect = self.changing and answer.status < 400 and not self.dry_run


def parse_params(request: Request, route: Route) -> dict[str, Any]:
    """The parameters, typed by the service's model; {} when the body does not parse."""
    parser = PROTOCOL_PARSERS[route.protocol](route.operation)
    try:
        parsed = parser.parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": request.data,
                "url_path": request.path,
                "url_params": route.uri_params,
            }
        )
    except Exception:  # noqa: BLE001 - any malformed body: the service answers it, the journal only notes it
        return {}
    return dict(parsed) if parsed else {}


def without_blobs(value: Any) -> Any:
    """`value` with long binary replaced by its length, and JSON's types only."""
    if isinstance(value, dict):
        return {str(k): without_blobs(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_blobs(v) for v in value]
    if isinstance(value, (bytes, bytearray)):
        if len(value) > BLOB_KEPT_BYTES_MAX:
            return f"<{len(value)} bytes>"
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)


_local = threading.local()


def current() -> Call | None:
    """The call this thread is serving."""
    return getattr(_local, "call", None)


def set_current(call: Call | None) -> None:
    _local.call = call
