"""What follows a call: the calls that a fault makes beside it, and what is done to its change a moment later."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.config import Config

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.identity import KeyRing

log = logging.getLogger(__name__)

#: A call that carries this is neither recorded nor in the journal, and no fault strikes it: it is a part of another one.
SILENT_HEADER = "x-quell-range-silent"
_KEYS = {"service", "operation", "params", "region"}
_NAME = re.compile(r"\{([A-Za-z0-9_.]+)\}")
_SESSION = botocore.session.Session()


def check_calls(calls: Any) -> None:
    """Refuses what could not be called: a fault that does nothing proves nothing."""
    if not isinstance(calls, list):
        raise ApiError("InvalidFault", "also is a list of calls")
    for item in calls:
        if not isinstance(item, dict) or set(item) - _KEYS or not {"service", "operation"} <= set(item):
            raise ApiError("InvalidFault", f"a call is {{{', '.join(sorted(_KEYS))}}}")
        try:
            _SESSION.get_service_model(item["service"]).operation_model(item["operation"])
        except Exception as error:  # noqa: BLE001 - whatever botocore says of it
            raise ApiError("InvalidFault", f"{item['service']} has no {item['operation']}: {error}") from None


def make_calls(endpoint: str, keys: KeyRing, call: Call, calls: list[dict[str, Any]], access_key_id: str | None, silent: bool) -> None:
    """Makes calls through the front door, in the account and Region of `call`. One that is refused is logged, and the next is made."""
    key = access_key_id or next(key for key, (account, _) in keys.roots.items() if account == call.account)
    session = keys.sessions.get(key)
    for item in calls:
        client = _SESSION.create_client(
            item["service"],
            region_name=item.get("region") or call.region,
            endpoint_url=endpoint,
            aws_access_key_id=key,
            # Nobody checks signatures here.
            aws_secret_access_key="unchecked",
            aws_session_token=session.session_token if session else None,
            config=Config(retries={"max_attempts": 0}, inject_host_prefix=False),
        )
        if silent:
            client.meta.events.register("before-sign", lambda request, **_: request.headers.add_header(SILENT_HEADER, "1"))
        try:
            getattr(client, xform_name(item["operation"]))(**filled(item.get("params") or {}, call.params))
        except Exception:
            log.warning("%s %s, which a fault makes, failed", item["service"], item["operation"], exc_info=True)


def later(seconds: float, work: Callable[[], None]) -> None:
    """Does it after a while, on a thread that ends with the process."""
    timer = threading.Timer(seconds, work)
    timer.daemon = True
    timer.start()


def filled(value: Any, params: dict[str, Any]) -> Any:
    """`value` with `{Name}` replaced by the call's own parameter; a text that is nothing else takes its type too."""
    if isinstance(value, dict):
        return {key: filled(member, params) for key, member in value.items()}
    if isinstance(value, list):
        return [filled(item, params) for item in value]
    if not isinstance(value, str):
        return value
    whole = _NAME.fullmatch(value)
    return _look(whole.group(1), params) if whole else _NAME.sub(lambda match: str(_look(match.group(1), params)), value)


def _look(path: str, params: Any) -> Any:
    for part in path.split("."):
        params = params[int(part)] if isinstance(params, list) else params[part]
    return params
