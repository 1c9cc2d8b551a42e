"""PB-007: nothing comes in or goes out, and there are snapshots of every disk."""

from __future__ import annotations

from scenarios.case import Scenario

SCENARIO = Scenario("PB-007", attacked="open", contained="shut", seconds=120)
