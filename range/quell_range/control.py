"""The control pages under /range-api: for tests and people, never for clients of AWS."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.iam.models import iam_backends

from quell_range import record
from quell_range.app import DEFAULT_SOURCE_IP, query_of
from quell_range.delivery import Delivery
from quell_range.errors import Answer, ApiError
from quell_range.faults import Faults, parse_faults
from quell_range.identity import PARTITION, utcnow
from quell_range.journal import Journal
from quell_range.seed import seed
from quell_range.world import World

PREFIX = "/range-api"


class Control:
    """One method a page; each takes the query and the JSON body and returns JSON."""

    def __init__(self, world: World, endpoint: str, journal: Journal, faults: Faults, delivery: Delivery) -> None:
        self._world = world
        self._endpoint = endpoint
        self._journal = journal
        self._faults = faults
        self._delivery = delivery
        self._pages: dict[tuple[str, str], Callable[[dict[str, str], Any], Any]] = {
            ("GET", "/info"): lambda query, body: self._world.info(self._endpoint),
            ("GET", "/journal"): self._read_journal,
            ("GET", "/faults"): lambda query, body: self._faults.describe(),
            ("POST", "/faults"): self._install_faults,
            ("DELETE", "/faults"): self._clear_faults,
            ("GET", "/delivery"): lambda query, body: self._delivery_state(),
            ("POST", "/delivery"): self._set_delivery,
            ("POST", "/event"): self._event,
            ("POST", "/sign-in"): self._sign_in,
            ("POST", "/flush"): lambda query, body: {"files": self._delivery.flush()},
            ("POST", "/drain"): lambda query, body: self._delivery.drain(),
            ("POST", "/seed"): self._seed,
        }

    def handle(self, environ: dict[str, Any], body: bytes) -> Answer:
        path = environ.get("PATH_INFO", "")[len(PREFIX) :].rstrip("/")
        page = self._pages.get((environ["REQUEST_METHOD"], path))
        if page is None:
            return _json(404, {"error": f"no such page; pages: {sorted(' '.join(key) for key in self._pages)}"})
        try:
            parsed = json.loads(body) if body else {}
            return _json(200, page(query_of(environ), parsed))
        except ApiError as error:
            return _json(error.status, {"error": error.message})
        except (ValueError, KeyError, TypeError) as error:
            return _json(400, {"error": f"{type(error).__name__}: {error}"})

    def _read_journal(self, query: dict[str, str], body: Any) -> Any:
        changing = query.get("changing")
        return self._journal.read(
            since=self._journal.last() if query.get("since") == "end" else int(query.get("since", 0)),
            changing=None if changing is None else changing == "true",
            wait_seconds=min(float(query.get("wait", 0)), 60),
            limit=int(query.get("limit", 10_000)),
        )

    def _install_faults(self, query: dict[str, str], body: Any) -> Any:
        self._faults.install(parse_faults(body))
        return self._faults.describe()

    def _clear_faults(self, query: dict[str, str], body: Any) -> Any:
        before = self._faults.describe()
        self._faults.clear()
        return before

    def _delivery_state(self) -> Any:
        paths = self._delivery.paths
        return {"events": paths.events, "trail": paths.trail, "hold": paths.hold, "delivered": self._delivery.delivered}

    def _set_delivery(self, query: dict[str, str], body: Any) -> Any:
        self._delivery.paths.events = bool(body.get("events", self._delivery.paths.events))
        self._delivery.paths.trail = bool(body.get("trail", self._delivery.paths.trail))
        if "hold" in body:
            self._delivery.hold(bool(body["hold"]))
        return self._delivery_state()

    def _event(self, query: dict[str, str], body: Any) -> Any:
        missing = {"source", "detail-type", "account", "region", "detail"} - set(body)
        if missing:
            raise ApiError("InvalidEvent", f"the event has no {', '.join(sorted(missing))}")
        self._account(body)
        self._delivery.emit_event(body)
        return {"id": body.get("id")}

    def _sign_in(self, query: dict[str, str], body: Any) -> Any:
        account = self._account(body)
        user = str(body.get("user", "developer"))
        known = iam_backends[account][PARTITION].users.get(user)
        if user != "root" and known is None:
            raise ApiError("NoSuchUser", f"{account} has no user {user}", 404)
        made = record.sign_in(
            account,
            user,
            known.id if known else account,
            bool(body.get("mfa", False)),
            bool(body.get("success", True)),
            str(body.get("source_ip", DEFAULT_SOURCE_IP)),
            utcnow(),
        )
        self._delivery.emit_record(made)
        return {"event_id": made["eventID"], "record": made}

    def _seed(self, query: dict[str, str], body: Any) -> Any:
        return seed(self._account(body), str(body.get("region", "us-east-1")), str(body.get("kind", "security-group")))

    def _account(self, body: Any) -> str:
        account = str(body.get("account", ""))
        if self._world.account(account) is None:
            raise ApiError("NoSuchAccount", f"no account {account!r}; the range has {[a.id for a in self._world.accounts]}", 404)
        return account


def _json(status: int, value: Any) -> Answer:
    return Answer(status, [("Content-Type", "application/json")], json.dumps(value).encode() + b"\n")
