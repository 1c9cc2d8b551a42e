"""PB-001: the thief's key is refused, also the one that they made."""

from __future__ import annotations

from scenarios.case import Scenario

#: It looks again after 15, 60 and 300 seconds; here after one.
SCENARIO = Scenario("PB-001", attacked="ok", contained="InvalidAccessKeyId", facts={"sweepSeconds": [1]}, seconds=90)
