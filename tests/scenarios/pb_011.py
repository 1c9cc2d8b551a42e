"""PB-011: what is done is recorded again."""

from __future__ import annotations

from scenarios.case import Scenario

SCENARIO = Scenario("PB-011", attacked="unseen", contained="recorded")
