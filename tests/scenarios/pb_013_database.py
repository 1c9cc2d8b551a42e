"""PB-013 on a database: it cannot be deleted, and its backups are kept as long again, once somebody agrees to the restart."""

from __future__ import annotations

from scenarios.case import Scenario

SCENARIO = Scenario("PB-013", attack="PB-013-DATABASE", attacked="lost", contained="kept")
