"""After a response: what comes back too often is a person's, what was done is looked at again, and evidence is locked away."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from harness import state
from harness.product import Product
from harness.waiting import until


def test_what_keeps_coming_back_is_changed_twice_and_then_a_person_is_asked(tmp_path: Path) -> None:
    home = Product(tmp_path)
    with home.range_up(), home.server_up() as server:
        group = home.range.seed()["group_id"]
        mark = home.range.mark()
        for times in (1, 2):
            home.range.open(group)
            until(f"revoked {times} times", lambda times=times: sum(home.range.revocations(mark).values()) == times, 30)
            home.settled()
        for port in (22, 23, 445, 1433):
            home.range.open(group, port=port)
            server.at_rest(group)
            home.settled()
        assert sum(home.range.revocations(mark).values()) == 2
        asked = [run for run in server.runs(group) if run["status"] == "parked"]
        assert asked and "came back" in asked[-1]["reason"], asked


def test_a_silent_return_is_seen_by_the_next_look(tmp_path: Path) -> None:
    home = Product(tmp_path, env={"QUELL__RESPOND__WATCH_SECONDS": "[4, 3600]"})
    with home.range_up(), home.server_up() as server:
        group = home.range.seed()["group_id"]
        home.range.open(group)
        server.fixed(group)
        home.settled()
        # From now on nobody tells Quell what happens.
        home.range.deliver(events=False, trail=False)
        mark = home.range.mark()
        home.range.open(group)
        until("the look found it, and it was mended", lambda: sum(home.range.revocations(mark).values()) == 1, 30)
        home.settled()
        [incident] = server.incidents(group)
        assert len(incident["runs"]) == 2 and incident["status"] == "resolved"


@pytest.fixture
def locked(tmp_path: Path) -> Product:
    env = {"QUELL__EVIDENCE__LOCK__BUCKET": "quell-evidence", "QUELL__EVIDENCE__LOCK__PREFIX": "p/", "QUELL__EVIDENCE__LOCK__DAYS": "30"}
    return Product(tmp_path, env=env)


def test_evidence_and_the_log_are_locked_in_a_bucket(locked: Product) -> None:
    with locked.range_up():
        s3 = locked.range.client("s3", locked.range.info["accounts"][0]["developer"])
        s3.create_bucket(Bucket="quell-evidence", ObjectLockEnabledForBucket=True)
        locked_away(locked, s3)


def locked_away(locked: Product, s3: Any) -> None:
    with locked.server_up() as server:
        group = locked.range.seed()["group_id"]
        locked.range.open(group)
        _, runs = server.fixed(group)
        key = f"p/evidence/{runs[-1]['id']}.json"

        def keys() -> list[str]:
            return [found["Key"] for found in s3.list_objects_v2(Bucket="quell-evidence").get("Contents", [])]

        until("the evidence is there", lambda: key in keys(), 30)
        until("a checkpoint is there", lambda: any(k.startswith("p/checkpoint/") for k in keys()), 90)
        kept = s3.get_object(Bucket="quell-evidence", Key=key)
        assert kept["ObjectLockMode"] == "GOVERNANCE"
        body = json.loads(kept["Body"].read())
        canonical = json.dumps(body["evidence"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(canonical.encode()).hexdigest() == body["sha256"]
        lines = b"".join(
            s3.get_object(Bucket="quell-evidence", Key=k)["Body"].read() for k in sorted(keys()) if k.startswith("p/log/")
        ).splitlines()
        [checkpoint] = [s3.get_object(Bucket="quell-evidence", Key=k)["Body"].read().decode() for k in keys() if k.startswith("p/checkpoint/")][:1]
        assert int(checkpoint.splitlines()[1]) <= len(lines)
    assert state.count(locked.data, "evidence", "locked") == 1
    # What is in the bucket is in an export all the same.
    folder = locked.folder / "export"
    said = locked.quell("evidence", "export", str(folder))
    assert said.code == 0, said
    assert any((folder / "checkpoints").iterdir())


def test_a_persons_verdict_closes_an_incident_and_counts(tmp_path: Path) -> None:
    home = Product(tmp_path)
    with home.range_up(), home.server_up() as server:
        group = home.range.seed()["group_id"]
        home.range.open(group)
        incident, _ = server.fixed(group)
        home.settled()
        said = home.quell("incident", "close", incident["id"], "--as", "benign-true", "--note", "a drill")
        assert said.code == 0, said
        assert said.json["disposition"]["verdict"] == "benign-true"
        shown = home.quell("incident", "show", incident["id"]).json
        assert [clock["standing"] for clock in shown["clocks"]] == ["met", "met", "met"]
        kpis = home.quell("incident", "stats").json["kpis"]
        assert kpis["categories"]["Policy Violations"] == {"detections": 1, "automatic": 1, "manual": 0, "falsePositives": 0}
        assert kpis["contain"]["n"] == 1 and 0 < kpis["contain"]["meanSeconds"] < 120
        assert (kpis["judged"], kpis["falsePositiveRate"]) == (1, 0.0)
        told = home.quell("evidence", "list", "--about", incident["id"]).json
        assert "judged" in [entry["entry"]["act"] for entry in told]
