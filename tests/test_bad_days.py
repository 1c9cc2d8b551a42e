"""AWS on a bad day, and people who change things at the wrong moment: the right end all the same, and one effect."""

from __future__ import annotations

from typing import Any

import pytest

from harness.awsrange import exactly
from harness.product import Product, Server
from harness.waiting import until

READS = ("DescribeSecurityGroups", "DescribeSecurityGroupRules", "DescribeNetworkInterfaces")
REVOKE = "RevokeSecurityGroupIngress"


def fault(kind: str, operation: str, **more: Any) -> dict[str, Any]:
    # Quell's own calls only: the test's must work.
    return {"kind": kind, "service": "ec2", "operation": operation, "principal_contains": "assumed-role/Quell", **more}


@pytest.mark.parametrize(("kind", "operations"), [("throttle", (*READS, REVOKE)), ("server-error", READS)], ids=["throttle", "server-error"])
def test_half_of_all_calls_fail(home: Product, server: Server, kind: str, operations: tuple[str, ...]) -> None:
    """A 5xx to a revocation may hide an effect, so that it is not simply made again: it has its own test below."""
    home.range.faults(*(fault(kind, name, probability=0.5) for name in operations))
    groups = [home.range.seed()["group_id"] for _ in range(4)]
    before = [exactly(home.range.rules(group)) for group in groups]
    opened = [home.range.open(group) for group in groups]
    for group in groups:
        server.fixed(group, seconds=60)
    assert sum(home.range.fault_hits()) > 4
    assert [exactly(home.range.rules(group)) for group in groups] == before
    assert [home.range.revocations()[rule] for rule in opened] == [1] * len(opened)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(fault("timeout-after-effect", REVOKE, count=1, delay_ms=1000), id="no-answer-after-the-effect"),
        pytest.param(fault("hang", REVOKE, count=1, delay_ms=1000), id="no-answer-and-no-effect"),
        pytest.param(fault("malformed", REVOKE, count=1), id="a-broken-answer-after-the-effect"),
        pytest.param(fault("server-error", REVOKE, count=1), id="an-error-and-no-effect"),
        pytest.param(fault("hang", "DescribeSecurityGroupRules", count=1, delay_ms=1000), id="no-answer-to-a-read"),
        pytest.param(fault("malformed", "DescribeSecurityGroupRules", count=2), id="broken-answers-to-reads"),
        pytest.param(fault("malformed", "DescribeNetworkInterfaces", count=1), id="a-broken-answer-about-interfaces"),
        pytest.param(fault("stale-read", "DescribeSecurityGroupRules", delay_ms=2500), id="stale-reads"),
    ],
)
def test_one_effect_and_a_true_end(home: Product, server: Server, bad: dict[str, Any]) -> None:
    group = home.range.seed()["group_id"]
    before = home.range.rules(group)
    home.range.faults(bad)
    opened = home.range.open(group)
    server.fixed(group, seconds=45)
    assert sum(home.range.fault_hits()) > 0, "the fault never struck"
    assert exactly(home.range.rules(group)) == exactly(before)
    assert home.range.revocations()[opened] == 1


def test_reads_that_never_work_end_with_a_person_who_is_told_why(home: Product, server: Server) -> None:
    """Nothing was changed, others go on, and once AWS works again the person's word is enough."""
    home.range.faults(*(fault("server-error", name, account=home.range.sandbox["id"]) for name in READS))
    group = home.range.seed(home.range.sandbox)["group_id"]
    opened = home.range.open(group, account=home.range.sandbox)
    other = home.range.seed()["group_id"]
    home.range.open(other)
    server.fixed(other)
    incident, runs = server.at_rest(group, seconds=90)
    assert (incident["status"], runs[-1]["status"], runs[-1]["outcome"]) == ("parked", "parked", "Quell.ReadFailed")
    assert "Quell.ReadFailed" in incident["statusReason"]
    assert opened not in home.range.revocations()
    home.range.clear_faults()
    request = {"incident_id": incident["id"], "playbook": "PB-008", "resource_arn": incident["resource"]["arn"]}
    assert server.call("POST", "/api/v1/remediate", request).status == 202
    server.fixed(group)
    assert home.range.revocations()[opened] == 1


def test_a_group_deleted_before_it_is_read(home: Product, server: Server) -> None:
    home.range.faults(fault("hang", "DescribeSecurityGroups", count=1, delay_ms=1500))
    group = home.range.seed()["group_id"]
    home.range.open(group)
    until("the first read hangs", lambda: sum(home.range.fault_hits()))
    home.range.ec2().delete_security_group(GroupId=group)
    incident, runs = server.at_rest(group, seconds=45)
    assert (incident["status"], runs[-1]["status"], runs[-1]["outcome"]) == ("resolved", "done", "already-fixed")


def test_a_group_deleted_between_the_plan_and_the_deed(home: Product, server: Server) -> None:
    home.range.faults(fault("hang", REVOKE, count=1, delay_ms=1500))
    group = home.range.seed()["group_id"]
    opened = home.range.open(group)
    until("the revocation hangs", lambda: sum(home.range.fault_hits()))
    home.range.ec2().delete_security_group(GroupId=group)
    incident, runs = server.at_rest(group, seconds=60)
    assert incident["status"] in ("resolved", "parked")
    assert runs[-1]["status"] in ("done", "parked")
    assert runs[-1].get("outcome"), runs[-1]
    assert opened not in home.range.revocations()
    assert incident["statusReason"]


def test_somebody_else_takes_the_rule_away_first(home: Product, server: Server) -> None:
    home.range.faults(fault("hang", "DescribeSecurityGroups", count=1, delay_ms=1500))
    group = home.range.seed()["group_id"]
    before = home.range.rules(group)
    opened = home.range.open(group)
    until("the first read hangs", lambda: sum(home.range.fault_hits()))
    home.range.ec2().revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[opened])
    incident, runs = server.at_rest(group, seconds=45)
    assert (incident["status"], runs[-1]["outcome"]) == ("resolved", "already-fixed")
    assert exactly(home.range.rules(group)) == exactly(before)


def test_halt_stops_changes_and_resume_allows_them(home: Product, server: Server) -> None:
    mark = home.range.mark()
    assert home.quell("halt").code == 0
    group = home.range.seed()["group_id"]
    before = home.range.rules(group)
    opened = home.range.open(group)
    incident, runs = server.at_rest(group)
    assert (incident["status"], runs[-1]["status"]) == ("parked", "parked")
    assert "quell resume" in incident["statusReason"]
    doctor = home.quell("doctor")
    assert doctor.code == 1
    assert [check["mend"] for check in doctor.json if not check["ok"]] == ["quell resume"]
    home.settled()
    assert [c for c in home.range.changes(mark) if "Quell" in c["principal"]] == []
    assert opened in exactly(home.range.rules(group))

    assert home.quell("resume").code == 0
    again = home.range.open(group, port=3389)
    until("both are fixed", lambda: exactly(home.range.rules(group)) == exactly(before))
    server.fixed(group)
    assert [home.range.revocations()[rule] for rule in (opened, again)] == [1, 1]
    assert home.quell("doctor").code == 0


def test_a_halt_in_the_middle_of_a_run_stops_it_before_the_deed(home: Product, server: Server) -> None:
    home.range.faults(fault("hang", "DescribeNetworkInterfaces", count=1, delay_ms=1500))
    group = home.range.seed()["group_id"]
    opened = home.range.open(group)
    until("the run is at work", lambda: sum(home.range.fault_hits()))
    assert home.quell("halt").code == 0
    incident, _ = server.at_rest(group, seconds=45)
    assert home.quell("resume").code == 0
    assert incident["status"] == "parked"
    assert opened not in home.range.revocations()
