"""Taking a response back: exactly what was before, or nothing and a reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from harness.awsrange import Rule, alike, exactly
from harness.product import Product, Server

#: Everything about a rule that somebody could miss after an undo.
EXPOSURE: list[dict[str, Any]] = [
    {
        "IpProtocol": "tcp",
        "FromPort": 22,
        "ToPort": 22,
        "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "for a moment; ask Dana"}],
        "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
    },
    {"IpProtocol": "udp", "FromPort": 3300, "ToPort": 3399, "IpRanges": [{"CidrIp": "0.0.0.0/1"}, {"CidrIp": "128.0.0.0/1"}]},
    {"IpProtocol": "tcp", "FromPort": 3389, "ToPort": 3389, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
]
TAGS = [{"ResourceType": "security-group-rule", "Tags": [{"Key": "owner", "Value": "dev"}, {"Key": "ticket", "Value": "OPS-7"}]}]


class Fixed:
    """A group that was exposed and fixed."""

    def __init__(self, home: Product, server: Server) -> None:
        self.group: str = home.range.seed()["group_id"]
        home.range.deliver(events=False, trail=False)
        home.range.ec2().authorize_security_group_ingress(GroupId=self.group, IpPermissions=EXPOSURE[:2], TagSpecifications=TAGS)
        home.range.flush()
        # Only the last of the calls is heard of: the state that the run found is known to the byte.
        home.range.deliver()
        before = home.range.rules(self.group)
        last = home.range.ec2().authorize_security_group_ingress(GroupId=self.group, IpPermissions=EXPOSURE[2:])
        # EC2 leaves empty tags out of this answer, and shows them when asked.
        self.exposed: list[Rule] = before + [{"Tags": [], **rule} for rule in last["SecurityGroupRules"]]
        _, runs = server.fixed(self.group)
        self.run: str = runs[-1]["id"]
        self.after: list[Rule] = home.range.rules(self.group)
        home.settled()


class Down:
    """A home whose server has fixed some groups and is gone; the range is still up."""

    def __init__(self, home: Product, fixed: list[Fixed]) -> None:
        self.home, self.fixed = home, fixed


@pytest.fixture(scope="module")
def down(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Down]:
    home = Product(tmp_path_factory.mktemp("down"))
    with home.range_up():
        with home.server_up() as server:
            fixed = [Fixed(home, server) for _ in range(3)]
        yield Down(home, fixed)


@pytest.fixture(params=["server-up", "server-down"])
def place(request: pytest.FixtureRequest) -> tuple[Product, Fixed]:
    """A fixed group, with the server still up or gone."""
    if request.param == "server-down":
        gone: Down = request.getfixturevalue("down")
        return gone.home, gone.fixed.pop()
    home: Product = request.getfixturevalue("home")
    return home, Fixed(home, request.getfixturevalue("server"))


def test_it_restores_the_before_image(place: tuple[Product, Fixed]) -> None:
    home, fixed = place
    assert alike(fixed.after) != alike(fixed.exposed)
    mark = home.range.mark()
    said = home.quell("undo", fixed.run)
    assert said.code == 0, said.err
    assert (said.json["run"]["outcome"], said.json["run"]["undoOf"]) == ("undone", fixed.run)
    assert alike(home.range.rules(fixed.group)) == alike(fixed.exposed)
    # What had stayed is the very same, ids and all.
    assert exactly([r for r in home.range.rules(fixed.group) if r in fixed.after]) == exactly(fixed.after)
    assert {c["operation"] for c in home.range.changes(mark)} == {"AuthorizeSecurityGroupIngress"}
    assert all("assumed-role/QuellAct-Network/" in c["principal"] for c in home.range.changes(mark))
    assert home.quell("run", "show", fixed.run).json["run"]["status"] == "undone"


def test_twice_is_refused_in_words(place: tuple[Product, Fixed]) -> None:
    home, fixed = place
    assert home.quell("undo", fixed.run).code == 0
    mark = home.range.mark()
    said = home.quell("undo", fixed.run)
    assert said.code == 1
    assert f"{fixed.run} is undone already" in said.err
    assert home.range.changes(mark) == []


def test_a_group_changed_meanwhile_is_left_and_the_difference_shown(place: tuple[Product, Fixed]) -> None:
    home, fixed = place
    office = next(r for r in fixed.after if r.get("CidrIpv4") == "198.51.100.0/24")
    web = next(r for r in fixed.after if r["FromPort"] == 443)
    ec2 = home.range.ec2()
    added = home.range.open(fixed.group, port=8443, cidr="192.0.2.7/32")
    ec2.revoke_security_group_ingress(GroupId=fixed.group, SecurityGroupRuleIds=[office["SecurityGroupRuleId"]])
    changed = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 444, "CidrIpv4": "0.0.0.0/0", "Description": "https and more"}
    ec2.modify_security_group_rules(
        GroupId=fixed.group, SecurityGroupRules=[{"SecurityGroupRuleId": web["SecurityGroupRuleId"], "SecurityGroupRule": changed}]
    )
    now, mark = home.range.rules(fixed.group), home.range.mark()
    said = home.quell("undo", fixed.run)
    assert said.code == 1
    assert "nothing was done" in said.err
    assert said.json["run"]["outcome"] == "Quell.Drifted"
    difference = json.loads(said.json["run"]["reason"])
    assert [r["SecurityGroupRuleId"] for r in difference["added"]] == [added]
    assert [r["SecurityGroupRuleId"] for r in difference["removed"]] == [office["SecurityGroupRuleId"]]
    assert [r["live"]["SecurityGroupRuleId"] for r in difference["changed"]] == [web["SecurityGroupRuleId"]]
    assert home.range.changes(mark) == []
    assert exactly(home.range.rules(fixed.group)) == exactly(now)
    table = home.quell("undo", fixed.run, output="table")
    assert table.code == 1
    for words in ((added, "added since"), (office["SecurityGroupRuleId"], "gone since"), (web["SecurityGroupRuleId"], "changed since")):
        assert any(all(word in line for word in words) for line in table.out.splitlines()), (words, table.out)
    assert home.range.changes(mark) == []


def test_what_was_changed_and_put_back_can_be_undone(home: Product, server: Server) -> None:
    """A drift is judged by what is there, not by what happened: a refused undo can be had once the cause is gone."""
    fixed = Fixed(home, server)
    added = home.range.open(fixed.group, port=8443, cidr="192.0.2.7/32")
    assert home.quell("undo", fixed.run).code == 1
    home.range.ec2().revoke_security_group_ingress(GroupId=fixed.group, SecurityGroupRuleIds=[added])
    said = home.quell("undo", fixed.run)
    assert said.code == 0, said.err
    assert alike(home.range.rules(fixed.group)) == alike(fixed.exposed)


def test_over_the_api(home: Product, server: Server) -> None:
    fixed = Fixed(home, server)
    answer = server.call("POST", f"/api/v1/runs/{fixed.run}/undo")
    assert answer.status == 202, answer
    server.at_rest(fixed.group)
    assert alike(home.range.rules(fixed.group)) == alike(fixed.exposed)
    # Another address: the very same request within a second has the same signature, and is a replay.
    again = server.call("POST", f"/api/v1/runs/{fixed.run}/undo?again=1")
    assert again.status == 409
    assert "undone already" in again.json()["detail"]


def test_what_is_not_there_cannot_be_undone(home: Product) -> None:
    assert home.quell("undo", "run-2025-01-01-000000000000").code == 4
    said = home.quell("undo", "inc-1")
    assert said.code == 2
    assert "run-" in said.err


def test_a_run_that_changed_nothing_has_nothing_to_undo(home: Product, server: Server) -> None:
    group = home.range.seed()["group_id"]
    home.range.open(group, port=80)
    _, runs = server.at_rest(group)
    said = home.quell("undo", runs[-1]["id"])
    assert said.code == 1
    assert "nothing to undo" in said.err
