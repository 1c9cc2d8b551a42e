"""The journal: what was called, what took effect, and waiting for it."""

from __future__ import annotations

import contextlib
import threading

import pytest
from botocore.exceptions import ClientError
from conftest import Client


def test_what_took_effect(quell_range: Client) -> None:
    seeded = quell_range.seed()
    since = quell_range.mark()
    ec2 = quell_range.client("ec2", quell_range.assume(quell_range.production["roles"]["network"], session="run-1"))
    rule = seeded["rules"][1]["SecurityGroupRuleId"]
    ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [seeded["group_id"]]}])
    for arguments in ({"DryRun": True}, {}, {}):
        with contextlib.suppress(ClientError):
            ec2.revoke_security_group_ingress(GroupId=seeded["group_id"], SecurityGroupRuleIds=[rule], **arguments)
    calls = quell_range.journal(since)
    assert [(c["operation"], c["changing"], c["status"], c["error_code"], c["took_effect"]) for c in calls] == [
        ("AssumeRole", False, 200, None, False),
        ("DescribeSecurityGroupRules", False, 200, None, False),
        ("RevokeSecurityGroupIngress", True, 412, "DryRunOperation", False),
        ("RevokeSecurityGroupIngress", True, 200, None, True),
        ("RevokeSecurityGroupIngress", True, 400, "InvalidSecurityGroupRuleId.NotFound", False),
    ]
    last = calls[-1]
    assert last["principal"] == f"arn:aws:sts::{quell_range.production['id']}:assumed-role/QuellAct-Network/run-1"
    assert last["params"] == {"GroupId": seeded["group_id"], "SecurityGroupRuleIds": [rule]}
    assert (last["account"], last["region"], last["service"]) == (quell_range.production["id"], "us-east-1", "ec2")
    assert [c["seq"] for c in calls] == list(range(since + 1, since + 6))


def test_filters_and_paging(quell_range: Client) -> None:
    since = quell_range.mark()
    iam = quell_range.developer("iam")
    iam.list_users()
    iam.create_group(GroupName="journal")
    assert [c["operation"] for c in quell_range.journal(since, changing="true")] == ["CreateGroup"]
    assert [c["operation"] for c in quell_range.journal(since, changing="false")] == ["ListUsers"]
    page = quell_range.api("GET", f"/journal?since={since}&limit=1")
    assert [c["operation"] for c in page["calls"]] == ["ListUsers"]
    assert [c["operation"] for c in quell_range.journal(page["next"])] == ["CreateGroup"]
    # A queue's consumer reads; it does not fill the journal of changes.
    sqs = quell_range.client("sqs", quell_range.quell)
    sqs.receive_message(QueueUrl=quell_range.quell["queues"]["events"], WaitTimeSeconds=0)
    assert [c["changing"] for c in quell_range.journal(since) if c["service"] == "sqs"] == [False]


def test_waiting_for_a_call(quell_range: Client) -> None:
    since = quell_range.mark()
    found: list[str] = []
    waiter = threading.Thread(target=lambda: found.extend(c["operation"] for c in quell_range.journal(since, changing="true", wait=20)))
    waiter.start()
    quell_range.developer("iam").create_group(GroupName="awaited")
    waiter.join(timeout=10)
    assert found == ["CreateGroup"]


def test_a_full_journal_drops_the_oldest_and_says_so() -> None:
    from types import SimpleNamespace

    from quell_range.journal import Journal

    journal = Journal(calls_max=3)
    for number in range(5):
        journal.append(SimpleNamespace(changing=number % 2 == 0, number=number))  # type: ignore[arg-type]
    journal._entry = staticmethod(lambda seq, call: (seq, call.number))  # type: ignore[method-assign,assignment]
    assert journal.read(0) == {"next": 5, "dropped": 2, "calls": [(3, 2), (4, 3), (5, 4)]}
    assert journal.read(4)["calls"] == [(5, 4)]
    assert journal.read(0, changing=True)["calls"] == [(3, 2), (5, 4)]
    assert journal.read(5, wait_seconds=0.01)["calls"] == []


@pytest.mark.parametrize("page", ["/nothing", "/journal/too/deep"])
def test_unknown_pages_say_which_there_are(quell_range: Client, page: str) -> None:
    import urllib.error

    with pytest.raises(urllib.error.HTTPError) as missing:
        quell_range.api("GET", page)
    assert b"/journal" in missing.value.read()
