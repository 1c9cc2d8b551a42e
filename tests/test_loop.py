"""The main job: a security group is opened to the world, and Quell finds, fixes and verifies it.

Every test has a group of its own, so that they share one server and disturb each other no more than strangers would.
"""

from __future__ import annotations

from typing import Any

import pytest

from harness import state
from harness.awsrange import alike, exactly, group_arn
from harness.product import Product, Server
from harness.waiting import until

WORLD = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def ssh(**sources: Any) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, **sources}


def test_the_requirements_own_command_is_remediated_and_verified(home: Product, server: Server) -> None:
    group = home.range.seed()["group_id"]
    before = home.range.rules(group)
    answer = home.aws(
        "ec2", "authorize-security-group-ingress", "--group-id", group, "--protocol", "tcp", "--port", "22", "--cidr", "0.0.0.0/0"
    )
    opened = answer["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    incident, runs = server.fixed(group)
    assert exactly(home.range.rules(group)) == exactly(before)
    assert home.range.revocations()[opened] == 1
    assert [stage for stage, _ in runs[0]["timeline"]] == ["opened", "planned", "permitted", "acted", "verified", "ended"]
    assert incident["severity"] == "HIGH"
    assert incident["resource"]["arn"] == group_arn(group)


@pytest.mark.parametrize(("events", "trail"), [(True, False), (False, True)], ids=["event-path-only", "trail-path-only"])
def test_each_way_alone_is_enough(home: Product, server: Server, events: bool, trail: bool) -> None:
    home.range.deliver(events=events, trail=trail)
    group = home.range.seed()["group_id"]
    opened = home.range.open(group)
    server.fixed(group)
    assert opened not in exactly(home.range.rules(group))
    origins = [r["body"]["origin"]["kind"] for r in state.records_about(home.data, opened)]
    assert set(origins) == {"queue" if events else "object"}


def test_both_ways_together_give_one_incident_and_one_run(home: Product, server: Server) -> None:
    group = home.range.seed()["group_id"]
    opened = home.range.open(group)
    server.fixed(group)
    home.settled()
    exposures = [r for r in state.records_about(home.data, group) if r["body"]["body"]["eventName"] == "AuthorizeSecurityGroupIngress"]
    assert len(exposures) == 1, "the same record by two ways is stored once"
    assert len(server.incidents(group)) == 1
    assert [r["outcome"] for r in server.runs(group)] == ["fixed"]
    assert home.range.revocations()[opened] == 1


@pytest.mark.parametrize(
    "permissions",
    [
        pytest.param([ssh(Ipv6Ranges=[{"CidrIpv6": "::/0"}])], id="ipv6-any"),
        pytest.param([ssh(IpRanges=[{"CidrIp": "0.0.0.0/1"}, {"CidrIp": "128.0.0.0/1"}])], id="two-halves"),
        pytest.param([ssh(IpRanges=[{"CidrIp": "0.0.0.0/1"}]), ssh(IpRanges=[{"CidrIp": "128.0.0.0/1"}])], id="two-halves-apart"),
        pytest.param([ssh(IpRanges=[{"CidrIp": "0.0.0.0/0", "Description": "tempor\u00e4r <&> \"x\""}])], id="with-a-description"),
        pytest.param([ssh(**WORLD), {"IpProtocol": "udp", "FromPort": 0, "ToPort": 53, **WORLD}], id="udp-beside-tcp"),
        pytest.param([ssh(IpRanges=[{"CidrIp": "0.0.0.0/0"}, {"CidrIp": "192.0.2.0/24"}])], id="with-an-office-in-the-same-permission"),
    ],
)
def test_forms_of_exposure(home: Product, server: Server, permissions: list[dict[str, Any]]) -> None:
    group = home.range.seed()["group_id"]
    before = home.range.rules(group)
    answer = home.range.ec2().authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)
    narrow = [r for r in answer["SecurityGroupRules"] if r.get("CidrIpv4") == "192.0.2.0/24"]
    server.fixed(group)
    left = home.range.rules(group)
    assert [r["SecurityGroupRuleId"] for r in left] == sorted(r["SecurityGroupRuleId"] for r in before + narrow)
    assert exactly([r for r in left if r in before]) == exactly(before)


def test_tags_and_a_description_are_kept_for_the_undo(home: Product, server: Server) -> None:
    group = home.range.seed()["group_id"]
    tags = [{"ResourceType": "security-group-rule", "Tags": [{"Key": "owner", "Value": "dev"}]}]
    home.range.ec2().authorize_security_group_ingress(
        GroupId=group, IpPermissions=[ssh(IpRanges=[{"CidrIp": "0.0.0.0/0", "Description": "for a moment"}])], TagSpecifications=tags
    )
    _, runs = server.fixed(group)
    (call,) = runs[-1]["plan"]["calls"]
    (undo,) = call["undo"]
    assert undo["arguments"]["IpPermissions"][0]["IpRanges"][0]["Description"] == "for a moment"
    assert undo["arguments"]["TagSpecifications"][0]["Tags"] == [{"Key": "owner", "Value": "dev"}]


def test_a_prefix_list_that_holds_the_world(home: Product, server: Server) -> None:
    group = home.range.seed()["group_id"]
    before = home.range.rules(group)
    ec2 = home.range.ec2()
    made = {}
    for name, cidr in (("everybody", "0.0.0.0/0"), ("partners", "192.0.2.0/24")):
        answer = ec2.create_managed_prefix_list(PrefixListName=name, MaxEntries=2, AddressFamily="IPv4", Entries=[{"Cidr": cidr}])
        made[name] = answer["PrefixList"]["PrefixListId"]
    lists = [{"PrefixListId": pl} for pl in made.values()]
    answer = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[ssh(PrefixListIds=lists)])
    kept = [r for r in answer["SecurityGroupRules"] if r["PrefixListId"] == made["partners"]]
    server.fixed(group)
    assert {r["SecurityGroupRuleId"] for r in home.range.rules(group)} == {r["SecurityGroupRuleId"] for r in before + kept}


def test_legitimate_rules_and_egress_stay_to_the_byte(home: Product, server: Server) -> None:
    seeded = home.range.seed()
    group, ec2 = seeded["group_id"], home.range.ec2()
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            ssh(IpRanges=[{"CidrIp": "192.0.2.0/24", "Description": "office"}, {"CidrIp": "10.0.0.0/8"}]),
            ssh(UserIdGroupPairs=[{"GroupId": seeded["client_group_id"], "Description": "bastion"}]),
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
            {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, **WORLD},
            {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "172.16.0.0/12"}]},
        ],
        TagSpecifications=[{"ResourceType": "security-group-rule", "Tags": [{"Key": "keep", "Value": "me"}]}],
    )
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[ssh(**WORLD)])
    before = home.range.rules(group)
    opened = home.range.open(group, port=3389)
    server.fixed(group)
    assert exactly(home.range.rules(group)) == exactly(before)
    home.settled()
    assert [c["params"]["SecurityGroupRuleIds"] for c in home.range.changes() if c["operation"].startswith("Revoke") and c["params"]["GroupId"] == group] == [
        [opened]
    ]


def test_what_is_legitimate_starts_nothing(home: Product, server: Server) -> None:
    group = home.range.seed()["group_id"]
    mark = home.range.mark()
    home.range.open(group, cidr="192.0.2.0/24")
    home.range.open(group, port=22, cidr="10.0.0.0/8")
    home.range.ec2().authorize_security_group_egress(GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, **WORLD}])
    home.settled()
    assert server.incidents(group) == []
    assert all("QuellAct" not in c["principal"] for c in home.range.changes(mark))


def test_the_web_open_to_all_is_looked_at_and_left(home: Product, server: Server) -> None:
    """The port is judged by the playbook on live state: the incident says so, and nothing is changed."""
    group = home.range.seed()["group_id"]
    opened = home.range.open(group, port=80)
    incident, runs = server.at_rest(group)
    assert (incident["status"], runs[-1]["outcome"]) == ("resolved", "already-fixed")
    assert opened in exactly(home.range.rules(group))
    assert opened not in home.range.revocations()


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_a_second_account_and_a_second_region(home: Product, server: Server, region: str) -> None:
    sandbox = home.range.sandbox
    group = home.range.seed(sandbox, region)["group_id"]
    before = home.range.rules(group, sandbox, region)
    opened = home.range.open(group, account=sandbox, region=region)
    incident, _ = server.fixed(group)
    assert incident["resource"]["arn"] == group_arn(group, sandbox["id"], region)
    assert exactly(home.range.rules(group, sandbox, region)) == exactly(before)
    (call,) = [c for c in home.range.changes() if c["operation"].startswith("Revoke") and opened in c["params"]["SecurityGroupRuleIds"]]
    assert (call["account"], call["region"]) == (sandbox["id"], region)
    assert "assumed-role/QuellAct-Network/run-" in call["principal"]


def test_a_rule_changed_to_the_world(home: Product, server: Server) -> None:
    group = home.range.seed()["group_id"]
    narrow = home.range.open(group, cidr="192.0.2.0/24")
    home.settled()
    assert server.incidents(group) == []
    changed = {"SecurityGroupRuleId": narrow, "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "0.0.0.0/0"}}
    home.range.ec2().modify_security_group_rules(GroupId=group, SecurityGroupRules=[changed])
    server.fixed(group)
    assert narrow not in exactly(home.range.rules(group))


def waiting_run(server: Server, group: str) -> dict[str, Any]:
    """The run that asks a person about the group."""
    incident, runs = server.at_rest(group)
    assert (incident["status"], runs[-1]["status"], runs[-1].get("outcome")) == ("parked", "parked", None), (incident, runs[-1])
    assert runs[-1]["id"] in incident["statusReason"]
    return runs[-1]


def test_the_default_group_in_use_is_asked_about_and_a_yes_acts(home: Product, server: Server) -> None:
    ec2 = home.range.ec2()
    (default,) = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])["SecurityGroups"][:1]
    group, subnet = default["GroupId"], ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [default["VpcId"]]}])["Subnets"][0]
    ec2.create_network_interface(SubnetId=subnet["SubnetId"], Groups=[group])
    before = home.range.rules(group)
    opened = home.range.open(group)
    run = waiting_run(server, group)
    assert opened in exactly(home.range.rules(group)), "nothing is changed before the yes"
    shown = home.quell("run", "show", run["id"])
    refused = home.quell("approve", run["id"], "--plan", "0" * 64)
    assert refused.code == 1
    assert shown.json["planHash"] in refused.err
    assert opened in exactly(home.range.rules(group))
    approved = home.quell("approve", run["id"], "--plan", shown.json["planHash"])
    assert approved.code == 0, approved.err
    assert approved.json["run"]["outcome"] == "fixed"
    assert exactly(home.range.rules(group)) == exactly(before)
    assert home.range.revocations()[opened] == 1
    assert server.at_rest(group)[0]["status"] == "resolved"
    again = home.quell("approve", run["id"], "--plan", shown.json["planHash"])
    assert again.code == 1
    assert "does not wait" in again.err


def test_all_traffic_is_asked_about_because_it_opens_the_web_too(home: Product, server: Server) -> None:
    group = home.range.seed()["group_id"]
    before = home.range.rules(group)
    home.range.ec2().authorize_security_group_ingress(GroupId=group, IpPermissions=[{"IpProtocol": "-1", **WORLD}])
    run = waiting_run(server, group)
    plan = home.quell("run", "show", run["id"]).json["planHash"]
    answer = server.call("POST", f"/api/v1/runs/{run['id']}/approve", {"plan_hash": plan})
    assert answer.status == 202, answer
    server.fixed(group)
    assert exactly(home.range.rules(group)) == exactly(before)


def test_what_quell_itself_puts_back_is_no_new_incident(home: Product, server: Server) -> None:
    group = home.range.seed()["group_id"]
    home.range.open(group)
    _, runs = server.fixed(group)
    exposed = runs[-1]["plan"]["before"]["securityGroupRules"]
    undone = home.quell("undo", runs[-1]["id"])
    assert undone.code == 0, undone.err
    home.settled()
    own = [
        r
        for r in state.records_about(home.data, group)
        if r["body"]["body"]["eventName"] == "AuthorizeSecurityGroupIngress" and "QuellAct" in str(r["body"]["body"]["userIdentity"])
    ]
    assert [r["status"] for r in own] == ["done"], "its own record was seen and judged"
    assert len(server.incidents(group)) == 1
    assert [r["mode"] for r in server.runs(group)] == ["respond", "undo"]
    assert alike(home.range.rules(group)) == alike(exposed)


def test_an_exposure_while_the_first_is_fixed_is_fixed_too(home: Product, server: Server) -> None:
    """Bursts on one group: whatever the interleaving, no rule is left and none is revoked twice."""
    group = home.range.seed()["group_id"]
    before = home.range.rules(group)
    opened = [home.range.open(group, port=port) for port in (21, 22, 23, 445, 1433, 3306, 3389, 5432)]

    def clean() -> bool:
        return exactly(home.range.rules(group)) == exactly(before)

    until("every rule is gone", clean)
    server.at_rest(group)
    counts = home.range.revocations()
    assert [counts.get(rule) for rule in opened] == [1] * len(opened)
