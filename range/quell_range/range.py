"""The range as a whole: the parts, put together."""

from __future__ import annotations

import gc
import os
import sys
import threading
from typing import Any

from moto.core.routing import get_service_router

from quell_range import standins, world
from quell_range.app import AwsApp
from quell_range.control import PREFIX, Control
from quell_range.delivery import Delivery
from quell_range.errors import Answer
from quell_range.faults import Faults
from quell_range.journal import Journal
from quell_range.server import RangeServer
from quell_range.standins import sts

#: Services whose models are read at start-up (EC2's alone takes half a second), so that no first call is slow.
_WARM = ("sts", "iam", "sqs", "s3", "ec2")


class Range:
    """moto with its accounts, records, journal, faults and control pages, behind one port."""

    def __init__(self, host: str, port: int, trail_interval: float, record_reads: bool, accounts: int) -> None:
        standins.load()
        self._keys = sts.KEYS
        self._world = world.build(accounts, self._keys)
        self._journal = Journal()
        self._faults = Faults()
        self._delivery = Delivery(world.SECURITY_ACCOUNT, self._world.bucket, trail_interval, record_reads)
        self._app = AwsApp(self._keys, self._journal, self._faults, self._delivery.emit)
        self._server = RangeServer(host, port, self._handle)
        self._endpoint = f"http://{host}:{self._server.server_address[1]}"
        self._app.endpoint = self._endpoint
        os.environ["MOTO_PORT"] = str(self._server.server_address[1])
        self._control = Control(self._world, self._endpoint, self._journal, self._faults, self._delivery)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="server", daemon=True)

    def start(self) -> None:
        # The delivery thread must not keep a caller waiting for Python's usual 5 ms turn.
        sys.setswitchinterval(0.0005)
        for service in _WARM:
            get_service_router(service)
        # moto's managed policies and models are a million objects that never go: without this, each full
        # collection walks them all, and some call waits a tenth of a second for it.
        gc.collect()
        gc.freeze()
        self._delivery.start()
        self._thread.start()

    def stop(self) -> None:
        self._app.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._delivery.stop()

    def info(self) -> dict[str, Any]:
        return self._world.info(self._endpoint)

    def _handle(self, environ: dict[str, Any], body: bytes) -> Answer | None:
        if environ.get("PATH_INFO", "").startswith(PREFIX):
            return self._control.handle(environ, body)
        return self._app.handle(environ, body)
