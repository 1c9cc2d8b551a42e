"""PB-005: the scanner still serves, and sends to everywhere no more."""

from __future__ import annotations

from scenarios.case import Scenario

SCENARIO = Scenario("PB-005", attacked="open", contained="restricted", seconds=90)
