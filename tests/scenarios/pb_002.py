"""PB-002: the miner is stopped."""

from __future__ import annotations

from scenarios.case import Scenario

SCENARIO = Scenario("PB-002", attacked="running", contained="stopped", seconds=120)
