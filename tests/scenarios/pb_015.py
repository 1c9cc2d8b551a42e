"""PB-015: nothing of the function runs any more, nobody without a login may call it, and its stolen session is denied."""

from __future__ import annotations

from scenarios.case import Scenario

SCENARIO = Scenario("PB-015", attacked="runs, ok", contained="throttled, AccessDenied", seconds=120)
