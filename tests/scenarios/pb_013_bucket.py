"""PB-013 on a bucket: old versions are kept again, and the rule that was to delete everything is off."""

from __future__ import annotations

from scenarios.case import Scenario

SCENARIO = Scenario("PB-013", attack="PB-013-BUCKET", attacked="nothing", contained="all")
