"""PB-004: the user is no administrator any more."""

from __future__ import annotations

from scenarios.case import Scenario

SCENARIO = Scenario("PB-004", attacked="allowed", contained="implicitDeny", facts={"settleSeconds": 1}, seconds=120)
