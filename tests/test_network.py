"""Network logs: a flow log in a gz file becomes a finding, every line is counted, and twice the same is once."""

from __future__ import annotations

import gzip
import json
import uuid
from typing import Any

from harness import state
from harness.product import ROOT, Product, Server
from harness.waiting import until

SAMPLES = ROOT / "content/detections/network"


def drop(home: Product, name: str, body: bytes) -> None:
    """A file that is there as a whole, or not at all."""
    beside = home.folder / uuid.uuid4().hex
    beside.write_bytes(body)
    beside.rename(home.data / "drop" / name)


def flows(interface: str, name: str = "port-scan.network.hit.log") -> str:
    return (SAMPLES / name).read_text().replace("eni-0a1b2c3d", interface).replace("i-0a1b2c3d", interface.replace("eni", "i"))


def findings(home: Product, about: str) -> list[dict[str, Any]]:
    return [f["body"] for f in state.documents(home.data, "finding") if about in json.dumps(f["body"]["resource"])]


def counts(home: Product, about: str) -> list[dict[str, int]]:
    found = [r["body"] for r in state.records_about(home.data, about)]
    return [r["lines"] for r in found if "lines" in r]


def test_a_port_scan_in_a_flow_log_is_found_and_its_lines_are_counted(home: Product, server: Server) -> None:
    interface = f"eni-{uuid.uuid4().hex[:12]}"
    lines = flows(interface) + "5 111122223333 no such line\n"
    drop(home, f"{interface}.log.gz", gzip.compress(lines.encode()))
    (finding,) = until("the finding", lambda: findings(home, interface.replace("eni", "i")))
    assert finding["detection"] == "network/port-scan.network"
    assert finding["resource"]["type"] == "AWS::EC2::Instance"
    assert finding["attack"] == ["T1046"]
    assert "10.0.1.5 knocked on 50 ports of 10.0.2.9" in finding["explanation"]
    home.settled()
    (counted,) = counts(home, interface)
    assert counted == {"accepted": 51, "matched": 50, "unmatched": 0, "quarantined": 1}
    aside = [q["body"]["reason"] for q in state.documents(home.data, "record", "quarantined")]
    assert any("1 malformed lines: line 52: " in reason and finding["record"] in reason for reason in aside), aside


def test_halves_of_a_scan_make_one_finding_and_the_same_file_again_makes_none(home: Product, server: Server) -> None:
    interface = f"eni-{uuid.uuid4().hex[:12]}"
    header, *lines = flows(interface).splitlines()
    halves = ["\n".join([header, *half]) for half in (lines[25:], lines[:25])]
    drop(home, f"{interface}-1.log.gz", gzip.compress(halves[0].encode()))
    until("the first half", lambda: counts(home, interface))
    home.settled()
    assert findings(home, interface.replace("eni", "i")) == []
    drop(home, f"{interface}-2.log.gz", gzip.compress(halves[1].encode()))
    (finding,) = until("the finding", lambda: findings(home, interface.replace("eni", "i")))
    assert finding["recordCount"] == 2
    read = state.count(home.data, "cursor")
    drop(home, f"{interface}-again.log.gz", gzip.compress(halves[0].encode()))
    drop(home, f"{interface}-header-alone.log", header.encode())
    until("both files are read", lambda: state.count(home.data, "cursor") == read + 2)
    home.settled()
    assert len(findings(home, interface.replace("eni", "i"))) == 1
    assert len(counts(home, interface)) == 2, "the same lines are the same record"


def test_a_query_for_a_mining_pool_is_found(home: Product, server: Server) -> None:
    instance = f"i-{uuid.uuid4().hex[:12]}"
    drop(home, f"{instance}.log", (SAMPLES / "mining-pool-name.network.hit.log").read_text().replace("i-0a1b2c3d", instance).encode())
    (finding,) = until("the finding", lambda: findings(home, instance))
    assert finding["detection"] == "network/mining-pool-name.network"
    assert "2miners.com" in finding["explanation"]
