"""PB-010: a stranger sees the snapshot no more; the account of one's own that backs it up still does."""

from __future__ import annotations

from scenarios.case import Scenario

SCENARIO = Scenario("PB-010", attacked="ok", contained="InvalidSnapshot.NotFound")
