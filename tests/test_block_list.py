"""A block list: who guesses passwords is put on it, also when an outsider can cause that; and it ends by itself."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from harness import state
from harness.product import ROOT, Product
from harness.waiting import until

sys.path.insert(0, str(ROOT / "range"))

from quell_range import attacks  # noqa: E402
from quell_range.attacks.stage import Stage  # noqa: E402
from quell_range.guardduty import ATTACKER_IP  # noqa: E402

THEIRS = "192.0.2.77/32"


def named(folder: Path, stage: Stage, made: dict[str, Any]) -> None:
    """The content with that list before instances."""
    path = folder / "playbooks/PB-014/playbook.toml"
    members = {"kind": "wafv2", "account": stage.account["id"], "region": stage.region, "scope": "REGIONAL", "name": made["Name"], "id": made["Id"]}
    table = ", ".join(f"{name} = {json.dumps(value)}" for name, value in members.items())
    text = path.read_text()
    assert "\nlists = []\n" in text
    path.write_text(text.replace("\nlists = []\n", f'\nlists = [{{ {table}, before = ["AWS::EC2::Instance"] }}]\n'))


def past(data: Path, run: str) -> None:
    """The end of what the run did has come, by the store's word."""
    with closing(sqlite3.connect(data / "quell.db", timeout=20)) as db, db:
        done = db.execute("UPDATE document SET at = 0 WHERE kind = 'watch' AND id = ?", (run,))
        assert done.rowcount == 1, "the run has no end of its own"


def test_a_block_is_made_without_a_question_and_ends_by_itself(tmp_path: Path) -> None:
    content = tmp_path / "content"
    shutil.copytree(ROOT / "content", content)
    home = Product(tmp_path / "home", {"QUELL__CONTENT": str(content)})
    with home.range_up():
        stage, scene = Stage(home.range.info), attacks.of("PB-014")
        waf = stage.client("wafv2")
        made = waf.create_ip_set(Name="quell", Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=[], Description="ours")["Summary"]
        named(content, stage, made)
        which = {"Name": made["Name"], "Scope": "REGIONAL", "Id": made["Id"]}

        def listed() -> set[str]:
            return set(waf.get_ip_set(**which)["IPSet"]["Addresses"])

        with home.server_up() as server:
            attacked = scene.prepare(stage)
            home.range.flush()
            scene.attack(stage, attacked)
            until("the attacker is on the list", lambda: listed() == {f"{ATTACKER_IP}/32"}, 90)
            home.settled()
            [run] = [r for r in server.runs() if r["playbook"] == "PB-014"]
            assert (run["outcome"], run["approvals"]) == ("contained", [])
            # Somebody else is put on it before its end.
            seen = waf.get_ip_set(**which)
            waf.update_ip_set(**which, Description="ours", Addresses=[f"{ATTACKER_IP}/32", THEIRS], LockToken=seen["LockToken"])
            [end] = [d for d in state.documents(home.data, "watch") if d["id"] == run["id"]]
            assert end["status"] == "watching" and end["body"]["ends"]
            past(home.data, run["id"])
            until("it has ended, and the other is there", lambda: listed() == {THEIRS}, 60)
            home.settled()
            [undo] = [r for r in server.runs() if r["mode"] == "undo"]
            assert (undo["outcome"], undo["requestedBy"]) == ("undone", "policy:end")
            [incident] = [i for i in server.incidents() if run["id"] in i["runs"]]
            assert (incident["status"], incident["statusReason"]) == ("resolved", f"what {run['id']} did has ended as planned")
            assert waf.get_ip_set(**which)["IPSet"]["Description"] == "ours"
