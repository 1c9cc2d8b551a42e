"""EC2 security groups behave as EC2's do, where moto's do not."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import Client


def refused(code: str) -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\)")


def rules_of(ec2: Any, group: str) -> dict[str, dict[str, Any]]:
    pages = ec2.get_paginator("describe_security_group_rules").paginate(Filters=[{"Name": "group-id", "Values": [group]}])
    return {rule["SecurityGroupRuleId"]: rule for page in pages for rule in page["SecurityGroupRules"]}


@pytest.fixture
def ec2(quell_range: Client) -> Any:
    return quell_range.developer("ec2")


@pytest.fixture
def group(quell_range: Client) -> str:
    return str(quell_range.seed()["group_id"])


def test_the_seed_is_three_rules_nobody_should_revoke(quell_range: Client, ec2: Any) -> None:
    seeded = quell_range.seed()
    inbound = [r for r in rules_of(ec2, seeded["group_id"]).values() if not r["IsEgress"]]
    assert [(r["FromPort"], r.get("CidrIpv4") or r["ReferencedGroupInfo"]["GroupId"]) for r in inbound] == [
        (443, "0.0.0.0/0"), (22, "198.51.100.0/24"), (5432, seeded["client_group_id"]),
    ]  # fmt: skip


def test_every_kind_of_source_with_its_description_and_tags(quell_range: Client, ec2: Any, group: str) -> None:
    prefix_list = ec2.create_managed_prefix_list(
        PrefixListName="corp", MaxEntries=3, AddressFamily="IPv4", Entries=[{"Cidr": "192.0.2.0/24"}]
    )["PrefixList"]["PrefixListId"]
    permission = {
        "IpProtocol": "tcp", "FromPort": 8000, "ToPort": 8100,
        "IpRanges": [{"CidrIp": "203.0.113.0/24", "Description": "four"}],
        "Ipv6Ranges": [{"CidrIpv6": "::/0", "Description": "six"}],
        "UserIdGroupPairs": [{"GroupId": group, "Description": "self"}],
        "PrefixListIds": [{"PrefixListId": prefix_list, "Description": "list"}],
    }  # fmt: skip
    tags = [{"ResourceType": "security-group-rule", "Tags": [{"Key": "quell", "Value": "plan-1"}]}]
    made = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission], TagSpecifications=tags)["SecurityGroupRules"]
    assert [r["Description"] for r in made] == ["four", "six", "self", "list"]
    shown = rules_of(ec2, group)
    for rule in made:
        assert shown[rule["SecurityGroupRuleId"]] == rule
        assert rule["Tags"] == [{"Key": "quell", "Value": "plan-1"}]
    (described,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    (grouped,) = [p for p in described["IpPermissions"] if p.get("FromPort") == 8000]
    account = quell_range.production["id"]
    assert grouped == {**permission, "UserIdGroupPairs": [{"GroupId": group, "UserId": account, "Description": "self"}]}
    by_tag = ec2.describe_security_group_rules(
        Filters=[{"Name": "tag:quell", "Values": ["plan-1"]}, {"Name": "group-id", "Values": [group]}]
    )
    assert len(by_tag["SecurityGroupRules"]) == 4


def test_rules_can_be_tagged_later(ec2: Any, group: str) -> None:
    rule = next(iter(rules_of(ec2, group)))
    ec2.create_tags(Resources=[rule], Tags=[{"Key": "later", "Value": "yes"}])
    assert rules_of(ec2, group)[rule]["Tags"] == [{"Key": "later", "Value": "yes"}]


def test_cidrs_are_canonical_and_duplicates_refused(ec2: Any, group: str) -> None:
    made = ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="100.68.0.18/18")
    assert made["SecurityGroupRules"][0]["CidrIpv4"] == "100.68.0.0/18"
    before = rules_of(ec2, group)
    with refused("InvalidPermission.Duplicate"):
        ec2.authorize_security_group_ingress(
            GroupId=group,
            IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "192.0.2.1/32"}, {"CidrIp": "100.68.0.0/18"}]}
            ],
        )
    assert rules_of(ec2, group) == before, "all or nothing"
    for wrong in ("300.0.0.0/8", "10.0.0.1", "::/0"):
        with refused("InvalidParameterValue"):
            ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=1, ToPort=1, CidrIp=wrong)


def test_revoking_by_id_takes_only_those_rules(ec2: Any, group: str) -> None:
    before = rules_of(ec2, group)
    ids = [i for i, rule in before.items() if not rule["IsEgress"]]
    answer = ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[ids[1]])
    assert answer["Return"] is True
    assert [r["SecurityGroupRuleId"] for r in answer["RevokedSecurityGroupRules"]] == [ids[1]]
    assert rules_of(ec2, group) == {i: r for i, r in before.items() if i != ids[1]}, "the others keep ids and content"


def test_an_unknown_id_revokes_nothing(quell_range: Client, ec2: Any, group: str) -> None:
    before = rules_of(ec2, group)
    mine = next(i for i, r in before.items() if not r["IsEgress"])
    egress = next(i for i, r in before.items() if r["IsEgress"])
    theirs = quell_range.seed()["rules"][0]["SecurityGroupRuleId"]
    for wrong in ("sgr-0123456789abcdef0", theirs, egress):
        with refused("InvalidSecurityGroupRuleId.NotFound"):
            ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[mine, wrong])
    assert rules_of(ec2, group) == before


def test_dry_run_changes_nothing(ec2: Any, group: str) -> None:
    before = rules_of(ec2, group)
    for call, arguments in (
        ("revoke_security_group_ingress", {"SecurityGroupRuleIds": [next(iter(before))]}),
        ("authorize_security_group_ingress", {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "CidrIp": "0.0.0.0/0"}),
        (
            "update_security_group_rule_descriptions_ingress",
            {"SecurityGroupRuleDescriptions": [{"SecurityGroupRuleId": next(iter(before)), "Description": "x"}]},
        ),
    ):
        with refused("DryRunOperation") as answer:
            getattr(ec2, call)(GroupId=group, DryRun=True, **arguments)
        assert answer.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert rules_of(ec2, group) == before


def test_undo_restores_everything_but_the_id(ec2: Any, group: str) -> None:
    before = next(r for r in rules_of(ec2, group).values() if r["FromPort"] == 22)
    ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[before["SecurityGroupRuleId"]])
    permission = {
        "IpProtocol": "tcp",
        "FromPort": 22,
        "ToPort": 22,
        "IpRanges": [{"CidrIp": before["CidrIpv4"], "Description": before["Description"]}],
    }
    (after,) = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])["SecurityGroupRules"]
    changed = ("SecurityGroupRuleId", "SecurityGroupRuleArn", "Tags")
    assert {k: v for k, v in after.items() if k not in changed} == {k: v for k, v in before.items() if k not in changed}


def test_modifying_keeps_the_id(ec2: Any, group: str) -> None:
    rule = next(r for r in rules_of(ec2, group).values() if r["FromPort"] == 22)
    wanted = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 23, "CidrIpv4": "192.0.2.99/24", "Description": "moved"}
    update = {"SecurityGroupRuleId": rule["SecurityGroupRuleId"], "SecurityGroupRule": wanted}
    assert ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[update])["Return"] is True
    after = rules_of(ec2, group)[rule["SecurityGroupRuleId"]]
    assert (after["CidrIpv4"], after["ToPort"], after["Description"]) == ("192.0.2.0/24", 23, "moved")
    with refused("InvalidParameterValue"):
        other = {
            "SecurityGroupRuleId": rule["SecurityGroupRuleId"],
            "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv6": "::/0"},
        }
        ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[other])


def test_pages(ec2: Any, group: str) -> None:
    for port in range(1, 10):
        ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="udp", FromPort=port, ToPort=port, CidrIp="0.0.0.0/0")
    pages = ec2.get_paginator("describe_security_group_rules").paginate(
        Filters=[{"Name": "group-id", "Values": [group]}], PaginationConfig={"PageSize": 5}
    )
    sizes = [len(page["SecurityGroupRules"]) for page in pages]
    assert sizes == [5, 5, 3]
    groups = ec2.get_paginator("describe_security_groups").paginate(PaginationConfig={"PageSize": 5})
    assert group in {g["GroupId"] for page in groups for g in page["SecurityGroups"]}


def test_network_interfaces_of_a_group(quell_range: Client, ec2: Any) -> None:
    seeded = quell_range.seed()
    subnet = ec2.create_subnet(VpcId=seeded["vpc_id"], CidrBlock="10.77.3.0/24")["Subnet"]["SubnetId"]
    interface = ec2.create_network_interface(SubnetId=subnet, Groups=[seeded["group_id"]])["NetworkInterface"]["NetworkInterfaceId"]
    for wanted, found in ((seeded["group_id"], [interface]), (seeded["client_group_id"], [])):
        shown = ec2.describe_network_interfaces(Filters=[{"Name": "group-id", "Values": [wanted]}])["NetworkInterfaces"]
        assert [i["NetworkInterfaceId"] for i in shown] == found


def test_all_traffic_and_the_quota(ec2: Any, group: str) -> None:
    (rule,) = ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    )["SecurityGroupRules"]
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("-1", -1, -1)
    many = [{"CidrIp": f"10.0.{n}.0/24"} for n in range(60)]
    with refused("RulesPerSecurityGroupLimitExceeded"):
        ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": many}]
        )


def test_concurrent_calls_on_one_group_lose_nothing(quell_range: Client, ec2: Any, group: str) -> None:
    before = set(rules_of(ec2, group))
    failures: list[BaseException] = []

    def work(worker: int) -> None:
        try:
            for port in range(6):
                ec2.authorize_security_group_ingress(
                    GroupId=group, IpProtocol="tcp", FromPort=2000 + port, ToPort=2000 + port, CidrIp=f"10.{worker}.0.0/16"
                )
                rules_of(ec2, group)
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(set(rules_of(ec2, group)) - before) == 36


def test_prefix_lists_have_versions(ec2: Any) -> None:
    entries = [{"Cidr": f"10.{n}.0.0/16", "Description": f"site {n}"} for n in range(3)]
    made = ec2.create_managed_prefix_list(PrefixListName="sites", MaxEntries=4, AddressFamily="IPv4", Entries=entries)["PrefixList"]
    name = {"PrefixListId": made["PrefixListId"]}
    pages = ec2.get_paginator("get_managed_prefix_list_entries").paginate(**name, PaginationConfig={"PageSize": 2})
    assert [e for page in pages for e in page["Entries"]] == entries
    with refused("PrefixListVersionMismatch"):
        ec2.modify_managed_prefix_list(**name, CurrentVersion=7, AddEntries=[{"Cidr": "192.0.2.0/24"}])
    changed = ec2.modify_managed_prefix_list(
        **name, CurrentVersion=1, AddEntries=[{"Cidr": "192.0.2.9/24"}], RemoveEntries=[{"Cidr": "10.0.0.0/16"}]
    )
    assert (changed["PrefixList"]["Version"], changed["PrefixList"]["PrefixListName"]) == (2, "sites")
    assert {e["Cidr"] for e in ec2.get_managed_prefix_list_entries(**name)["Entries"]} == {"10.1.0.0/16", "10.2.0.0/16", "192.0.2.0/24"}
    assert ec2.get_managed_prefix_list_entries(**name, TargetVersion=1)["Entries"] == entries
    ec2.restore_managed_prefix_list_version(**name, PreviousVersion=1, CurrentVersion=2)
    assert ec2.get_managed_prefix_list_entries(**name)["Entries"] == entries
    with refused("InvalidPrefixListID.NotFound"):
        ec2.get_managed_prefix_list_entries(PrefixListId="pl-0123456789abcdef0")
