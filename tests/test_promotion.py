"""A playbook asks until it was promoted; and what responses came to is counted from what was recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.product import Product, Server
from harness.waiting import until

#: The range's own settings want no promotion: everything there is made to be changed.
GATED = {"QUELL__RESPOND__PROMOTION__REQUIRED": "true", "QUELL__RESPOND__PROMOTION__CLEAN_RUNS": "2"}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Product]:
    home = Product(tmp_path, GATED)
    with home.range_up():
        yield home


def opened(home: Product) -> str:
    group: str = home.range.seed()["group_id"]
    home.range.open(group)
    return group


def shown(home: Product) -> Any:
    return home.quell("playbook", "show", "PB-008").json


def approved(home: Product, server: Server) -> str:
    """An exposure that waits for a person, and is fixed once they agree."""
    group = opened(home)
    run = until("it asks", lambda: next((r for r in server.runs(group) if r["status"] == "parked"), None))
    assert run and "«approve»" in run["reason"], run
    plan = home.quell("run", "show", run["id"]).json["planHash"]
    assert home.quell("approve", run["id"], "--plan", plan).code == 0
    server.fixed(group)
    return str(run["id"])


def test_it_asks_until_it_has_shown_what_the_settings_want(home: Product) -> None:
    with home.server_up() as server:
        before = shown(home)
        assert before["levelInEffectProduction"] == "approve" and len(before["gate"]["missing"]) == 2, before
        first = approved(home, server)
        refused = home.quell("playbook", "promote", "PB-008", "--reason", "it works")
        assert refused.code == 1 and "1 of 2 clean runs" in refused.err, refused
        second = approved(home, server)
        assert home.quell("playbook", "promote", "PB-008", "--reason", " ").code == 4
        promoted = home.quell("playbook", "promote", "PB-008", "--reason", "it works")
        assert promoted.code == 0, promoted
        assert sorted(promoted.json["runs"]) == sorted([first, second]) and promoted.json["records"] > 0, promoted
        assert shown(home)["gate"]["holds"] and shown(home)["levelInEffectProduction"] == "auto-with-undo"
        group = opened(home)
        _, runs = server.fixed(group)
        assert not runs[-1].get("approvals"), "nobody is asked any more"
        assert server.call("POST", f"/api/v1/runs/{runs[-1]['id']}/undo").status in (200, 201, 202)
        until("it is undone", lambda: server.get(f"/api/v1/runs/{runs[-1]['id']}")["status"] == "undone", 30)

        stats = home.quell("playbook", "stats", "--since", "1h").json
        of = next(row for row in stats["playbooks"] if row["playbook"] == "PB-008")
        counts = {name: of[name] for name in ("runs", "verified", "automatic", "approved", "manual", "refused", "failed", "undone")}
        assert counts == {"runs": 3, "verified": 3, "automatic": 1, "approved": 2, "manual": 0, "refused": 0, "failed": 0, "undone": 1}, counts
        assert (of["successRate"], of["levelProduction"]) == (1.0, "auto-with-undo")
        assert of["response"]["n"] == 3 and 0 < of["responseAutomatic"]["p50Seconds"] <= of["response"]["p95Seconds"], of
        assert stats["categories"] == home.quell("incident", "stats").json["kpis"]["categories"]
        assert home.quell("playbook", "stats", "--since", "0m").json["playbooks"][0]["runs"] == 0

        assert home.quell("playbook", "demote", "PB-008").code == 0
        assert home.quell("playbook", "demote", "PB-008").code == 4
        approved(home, server)
    acts = [e["entry"]["act"] for e in home.quell("evidence", "list", "--about", "PB-008").json][::-1]
    assert acts == ["promoted", "demoted"]
