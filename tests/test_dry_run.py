"""Looking changes nothing: the range's journal is the witness."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import state
from harness.awsrange import exactly, group_arn
from harness.product import Product


@pytest.fixture(scope="module")
def exposed(home: Product) -> Iterator[str]:
    """A group that is open to the world, in a home whose server has fixed another and is gone."""
    with home.server_up() as server:
        first = home.range.seed()["group_id"]
        home.range.open(first)
        server.fixed(first)
        home.settled()
    # Nobody hears of this one: it stands as it is through the whole file.
    home.range.deliver(events=False, trail=False)
    group = home.range.seed()["group_id"]
    home.range.open(group)
    home.range.open(group, port=3389, cidr="::/0")
    home.range.flush()
    yield group


def test_a_plan_names_the_rules_the_state_afterwards_and_the_way_back(home: Product, exposed: str) -> None:
    before, mark = home.range.rules(exposed), home.range.mark()
    said = home.quell("playbook", "plan", "PB-008", "--resource", group_arn(exposed))
    assert said.code == 0, said.err
    plan = said.json["plan"]
    open_to_all = {r["SecurityGroupRuleId"] for r in before if not r["IsEgress"] and r["FromPort"] in (22, 3389) and "198" not in str(r)}
    assert len(open_to_all) == 2
    (call,) = plan["calls"]
    assert call["resource"].endswith("aws-sdk:ec2:revokeSecurityGroupIngress")
    assert (call["arguments"]["GroupId"], set(call["arguments"]["SecurityGroupRuleIds"])) == (exposed, open_to_all)
    after = sorted(plan["after"]["securityGroupRules"], key=lambda r: str(r["SecurityGroupRuleId"]))
    assert exactly(after) == exactly([r for r in before if r["SecurityGroupRuleId"] not in open_to_all])
    back = [undo["arguments"]["IpPermissions"] for undo in call["undo"]]
    assert sorted(json.dumps(b) for b in back) == sorted(
        json.dumps(b)
        for b in (
            [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
            [{"IpProtocol": "tcp", "FromPort": 3389, "ToPort": 3389, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}],
        )
    )
    assert len(said.json["planHash"]) == 64
    assert (said.json["decision"], said.json["changed"]) == ("permit", False)
    assert home.range.changes(mark) == []
    assert exactly(home.range.rules(exposed)) == exactly(before)


def test_a_plan_for_people_names_the_same(home: Product, exposed: str) -> None:
    said = home.quell("playbook", "plan", "PB-008", "--resource", group_arn(exposed), output="table")
    assert said.code == 0
    assert "nothing was changed" in said.out
    assert "sgr-" in said.out


def test_the_same_plan_twice_has_the_same_hash(home: Product, exposed: str) -> None:
    hashes = {home.quell("playbook", "plan", "PB-008", "--resource", group_arn(exposed)).json["planHash"] for _ in range(2)}
    assert len(hashes) == 1


def test_a_plan_for_a_group_with_nothing_to_fix(home: Product) -> None:
    said = home.quell("playbook", "plan", "PB-008", "--resource", group_arn(home.range.seed()["group_id"]))
    assert (said.code, said.json["plan"], said.json["changed"]) == (0, None, False)


@pytest.mark.parametrize(
    ("playbook", "arn", "code", "words"),
    [
        ("PB-999", group_arn("sg-1"), 4, "there is no playbook PB-999"),
        ("PB-008", group_arn("sg-1", account="999999999999"), 4, "not in scope"),
        ("PB-008", "arn:aws:s3:::bucket", 4, "not of a type"),
        ("PB-008", "sg-1", 2, "--resource"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_in_words(home: Product, playbook: str, arn: str, code: int, words: str) -> None:
    mark = home.range.mark()
    said = home.quell("playbook", "plan", playbook, "--resource", arn)
    assert said.code == code, said.err
    assert words in said.err
    # The last question of a server that is gone may still be answered: that is not this command's.
    assert [c for c in home.range.journal(mark) if c["service"] != "sqs"] == [], "nothing was even asked of AWS"


def commands(home: Product) -> list[list[str]]:
    """Every command that only looks, on something that is there."""
    incident = home.quell("incident", "list").json[0]["id"]
    run = home.quell("run", "list").json[0]["id"]
    return [
        ["incident", "list"],
        ["incident", "list", "--status", "resolved", "--limit", "1"],
        ["incident", "show", incident],
        ["run", "list"],
        ["run", "show", run],
        ["playbook", "list"],
        ["doctor"],
        ["config", "show"],
        ["config", "explain", "respond.level_max"],
        ["content", "check"],
        ["auth", "key", "list"],
        ["range", "info"],
        ["aws"],
        ["aws", "ec2"],
        ["aws", "ec2", "describe-instances", "--describe"],
        ["aws", "ec2", "describe-security-groups", "--account", home.range.production["id"], "--all"],
    ]


def test_every_command_that_looks_changes_nothing_and_speaks_json(home: Product, exposed: str) -> None:
    words = commands(home)
    mark = home.range.mark()
    stored = state.documents(home.data, "run") + state.documents(home.data, "incident") + state.documents(home.data, "record")
    for command in words:
        said = home.quell(*command)
        assert said.code == 0, (command, said)
        assert said.json is not None, command
        table = home.quell(*command, output="table")
        assert (table.code, bool(table.out.strip())) == (0, True), (command, table)
    calls = home.range.journal(mark)
    assert {c["operation"] for c in calls} >= {"GetCallerIdentity", "DescribeSecurityGroups", "AssumeRole"}, "doctor asked AWS"
    assert home.range.changes(mark) == []
    assert [c for c in calls if "QuellAct" in c["principal"] or "QuellAct" in str(c["params"])] == [], "the acting role was never taken on"
    assert stored == state.documents(home.data, "run") + state.documents(home.data, "incident") + state.documents(home.data, "record")


def test_a_server_that_may_only_suggest_plans_and_changes_nothing(tmp_path: Path) -> None:
    """Without `level_max` in any settings this is what every new installation does."""
    home = Product(tmp_path)
    with home.range_up(), home.server_up(env={"QUELL__RESPOND__LEVEL_MAX": "suggest"}) as server:
        group = home.range.seed()["group_id"]
        opened = home.range.open(group)
        incident, runs = server.at_rest(group)
        assert incident["status"] == "parked"
        assert "suggest" in runs[-1]["reason"]
        assert runs[-1]["plan"]["calls"][0]["arguments"]["SecurityGroupRuleIds"] == [opened]
        home.settled()
        assert [c for c in home.range.changes() if "Quell" in c["principal"]] == []
