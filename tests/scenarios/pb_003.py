"""PB-003: nobody without a key reads the bucket, and the policy's text stays as evidence."""

from __future__ import annotations

from scenarios.case import Scenario

SCENARIO = Scenario("PB-003", attacked="200", contained="403")
