"""PB-014: no block list stands before the instance, so a person decides on its subnet's network ACL; then nothing of the attacker's comes in."""

from __future__ import annotations

from scenarios.case import Scenario

SCENARIO = Scenario("PB-014", attacked="open", contained="blocked", seconds=90)
