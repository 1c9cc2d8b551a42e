"""PB-012: whoever has the root user's password can do nothing with it any more; the account's people go on."""

from __future__ import annotations

from scenarios.case import Scenario

SCENARIO = Scenario("PB-012", attacked="ok", contained="AccessDenied")
