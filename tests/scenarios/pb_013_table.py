"""PB-013 on a table: it cannot be deleted, and can be recovered again to any moment."""

from __future__ import annotations

from scenarios.case import Scenario

SCENARIO = Scenario("PB-013", attack="PB-013-TABLE", attacked="lost", contained="kept")
