"""`quell rule`: rules are tried, explained, checked, brought in and measured. Nothing of it needs AWS."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from harness.product import ROOT, Said, binary, quell

DATA = Path(os.environ.get("QUELL_DATA", ROOT.parent / "shared" / "data"))
DETECTIONS = ROOT / "content" / "detections"
STOPPED = DETECTIONS / "aws" / "cloudtrail" / "logging-stopped.yml"

RULE = """title: A user was made
license: DRL 1.1
author: Somebody
logsource: {product: aws, service: cloudtrail}
detection:
  a:
    eventSource: iam.amazonaws.com
    eventName: CreateUser
  failed:
    errorCode|exists: true
  condition: a and not failed
level: medium
"""


def rule(folder: Path, *words: str, output: str = "json") -> Said:
    return quell("rule", *words, cwd=folder, output=output)


def record(**fields: Any) -> dict[str, Any]:
    return {
        "eventTime": "2026-11-21T10:00:00Z",
        "eventSource": "iam.amazonaws.com",
        "eventName": "CreateUser",
        "awsRegion": "us-east-1",
        "recipientAccountId": "111122223333",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/eve", "userName": "eve"},
        **fields,
    }


def content(folder: Path) -> Path:
    """A content folder with one rule."""
    rules = folder / "content" / "detections"
    rules.mkdir(parents=True)
    (rules / "user-made.yml").write_text(RULE)
    return folder / "content"


def test_every_rule_of_the_project_is_as_its_samples_say(tmp_path: Path):
    said = rule(tmp_path, "test", str(DETECTIONS))
    assert said.code == 0, said.err
    verdicts = said.json
    assert len({v["rule"] for v in verdicts}) >= 150
    assert all(v["matches"] == v["wanted"] for v in verdicts)
    assert {v["wanted"] for v in verdicts} == {True, False}


def test_a_rule_that_is_not_as_its_samples_say_is_named(tmp_path: Path):
    path = tmp_path / "r.yml"
    path.write_text(RULE)
    (tmp_path / "r.hit.json").write_text(json.dumps([record(), record(eventName="DeleteUser")]))
    (tmp_path / "r.miss.json").write_text(json.dumps(record(errorCode="AccessDenied")))
    said = rule(tmp_path, "test", str(path))
    assert said.code == 1
    assert [v["matches"] for v in said.json] == [True, False, False]
    (tmp_path / "r.miss.json").unlink()
    assert rule(tmp_path, "test", str(path)).code == 3


def test_a_rule_is_tried_on_records_that_are_named(tmp_path: Path):
    path = tmp_path / "r.yml"
    path.write_text(RULE)
    packed = tmp_path / "trail.json.gz"
    packed.write_bytes(gzip.compress(json.dumps({"Records": [record(), record(eventName="GetUser")]}).encode()))
    said = rule(tmp_path, "test", str(path), str(packed))
    assert (said.code, [v["matches"] for v in said.json]) == (0, [True, False])
    (tmp_path / "none.json").write_text(json.dumps(record(eventName="GetUser")))
    assert rule(tmp_path, "test", str(path), "none.json").code == 1


def test_several_rules_are_tried_on_standard_input_and_on_a_folder(tmp_path: Path):
    for name, event in (("a", "CreateUser"), ("b", "DeleteUser")):
        (tmp_path / "rules").mkdir(exist_ok=True)
        (tmp_path / "rules" / f"{name}.yml").write_text(RULE.replace("CreateUser", event))
    logs = tmp_path / "logs" / "deep"
    logs.mkdir(parents=True)
    (logs / "one.json").write_text(json.dumps(record()))
    (logs / "two.json").write_text(json.dumps(record(eventName="DeleteUser")))
    both = "\n".join(json.dumps(r) for r in (record(), record(eventName="DeleteUser")))
    command = [binary(), "rule", "test", "rules", "-", "--output", "json"]
    piped = subprocess.run(command, cwd=tmp_path, input=both.encode(), capture_output=True, check=True)
    folder = rule(tmp_path, "test", "rules", "logs")
    for verdicts in (json.loads(piped.stdout), folder.json):
        assert [v["matches"] for v in verdicts] == [True, False, False, True], verdicts


def test_what_stopped_a_rule_is_explained(tmp_path: Path):
    (tmp_path / "r.json").write_text(json.dumps(record(eventSource="cloudtrail.amazonaws.com", eventName="StartLogging")))
    said = rule(tmp_path, "explain", str(STOPPED), "r.json")
    assert said.code == 1
    [explained] = said.json
    assert not explained["matches"]
    stopped = [c for c in explained["clauses"] if c["field"] == "eventName" and not c["matches"]]
    assert stopped and stopped[0]["found"] == "StartLogging" and stopped[0]["stop"] == "another value"
    text = rule(tmp_path, "explain", str(STOPPED), "r.json", output="table").out
    assert "record 1 does not match" in text and "another value" in text


def test_the_linter_knows_every_call_and_finds_nothing_wrong_with_the_project(tmp_path: Path):
    said = rule(tmp_path, "lint", str(DETECTIONS), "--strict")
    broad = [w for w in said.json["warnings"] if w["kind"] == "too-broad"]
    assert said.json["faults"] == [] and said.json["warnings"] == broad, said.json["warnings"]
    assert len(broad) <= 3, broad
    (tmp_path / "r.yml").write_text(RULE.replace("CreateUser", "CreateUsr").replace("errorCode", "errorcode"))
    warnings = rule(tmp_path, "lint", "r.yml").json["warnings"]
    assert {(w["kind"], w["help"]) for w in warnings} == {
        ("unknown-name", "did you mean «CreateUser»?"),
        ("unknown-field", "did you mean «errorCode»?"),
    }
    assert rule(tmp_path, "lint", "r.yml", "--strict").code == 1


def test_what_is_accepted_is_matched_unmatched_or_quarantined(tmp_path: Path):
    logs = tmp_path / "logs"
    logs.mkdir()
    good = {"Records": [record(), record(eventName="GetUser"), record(eventTime="soon"), {"eventName": 5}, 7, record(awsRegion=["x"])]}
    (logs / "a.json.gz").write_bytes(gzip.compress(json.dumps(good).encode()))
    (logs / "b.json").write_text("{\"Records\": [")
    said = rule(tmp_path, "backtest", str(logs), "--content", str(content(tmp_path)))
    assert said.code == 0, said.err
    records = said.json["records"]
    assert records == {"accepted": 7, "matched": 1, "unmatched": 1, "quarantined": 5}
    assert len(said.json["reasons"]) == 5
    [incident] = said.json["incidents"]
    assert (incident["severity"], incident["resource"]["id"]) == ("MEDIUM", "eve")


def test_rules_of_others_bring_their_licence_or_stay_out(tmp_path: Path):
    theirs = tmp_path / "sigma" / "rules" / "cloud" / "aws"
    theirs.mkdir(parents=True)
    (theirs / "user_made.yml").write_text(RULE)
    (theirs / "no_licence.yml").write_text(RULE.replace("license: DRL 1.1\n", ""))
    (theirs / "windows.yml").write_text(RULE.replace("product: aws", "product: windows"))
    (theirs / "broken.yml").write_text("title: [")
    into = tmp_path / "mine"
    said = rule(tmp_path, "import", "sigma", "--to", str(into))
    assert said.code == 1 and "without a licence" in said.err
    assert [t["licence"] for t in said.json["taken"]] == ["DRL 1.1"]
    assert sum(said.json["left"].values()) == 3 and "for windows, cloudtrail" in said.json["left"]
    copied = into / "detections" / "imported" / "rules" / "cloud" / "aws" / "user_made.yml"
    assert copied.read_text() == RULE
    (tmp_path / "sigma" / "LICENSE").write_text("Detection Rule License 1.1")
    said = rule(tmp_path, "import", "sigma", "--to", str(into))
    assert said.code == 0 and [Path(t["rule"]).name for t in said.json["taken"]] == ["no_licence.yml"]
    assert (into / "detections" / "imported" / "LICENSE").is_file()
    assert quell("content", "check", str(into), cwd=tmp_path).code == 0


@pytest.mark.skipif(not (DATA / "stratus").is_dir(), reason="the real logs are not at hand")
def test_the_scorecard_is_at_least_what_was_promised(tmp_path: Path):
    said = rule(tmp_path, "scorecard", str(DATA))
    assert said.code == 0, said.err
    card = said.json
    missed = [t["technique"] for t in card["stratus"] if t["severity"] not in ("MEDIUM", "HIGH", "CRITICAL")]
    assert len(card["stratus"]) >= 20 and missed == []
    hour = card["invictus"]
    counts = hour["records"]
    assert counts["accepted"] == counts["matched"] + counts["unmatched"] + counts["quarantined"] == 2900
    assert hour["incidents"] <= 60
    assert hour["markedInIncidents"] == hour["markedMatched"] > 0
    assert hour["simulationsWithAFinding"] >= 0.95 * hour["simulations"]
    found = card["traildiscover"]
    assert found["byName"] + found["byBehaviour"] >= 0.9 * found["apis"] and found["apis"] == 381
