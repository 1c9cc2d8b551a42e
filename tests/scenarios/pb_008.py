"""PB-008: SSH and remote desktop are closed; what was meant to be open is."""

from __future__ import annotations

from scenarios.case import Scenario

SCENARIO = Scenario("PB-008", attacked="open", contained="closed")
