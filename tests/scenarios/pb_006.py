"""PB-006: the stolen session of one instance is denied, and the other instance with the same role goes on."""

from __future__ import annotations

from scenarios.case import Scenario

SCENARIO = Scenario("PB-006", attacked="ok", contained="AccessDenied")
