"""Network ACLs: how many entries there are, entries that are not there, and the interface that an address belongs to."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import Client


@pytest.fixture
def acl(quell_range: Client) -> tuple[Any, str]:
    ec2 = quell_range.developer("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.21.0.0/16")["Vpc"]["VpcId"]
    shown = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"][0]
    return ec2, str(shown["NetworkAclId"])


def entry(acl: str, number: int, egress: bool = False) -> dict[str, Any]:
    block = f"198.51.100.{number}/32"
    return {"NetworkAclId": acl, "RuleNumber": number, "Protocol": "-1", "RuleAction": "deny", "Egress": egress, "CidrBlock": block}


def refused(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**params)
    return str(error.value.response["Error"]["Code"])


def test_an_acl_holds_twenty_entries_in_each_direction(acl: tuple[Any, str]) -> None:
    ec2, name = acl
    # It has one that allows, and the last, which is not counted.
    for number in range(1, 20):
        ec2.create_network_acl_entry(**entry(name, number))
    assert refused(ec2.create_network_acl_entry, **entry(name, 20)) == "NetworkAclEntryLimitExceeded"
    ec2.create_network_acl_entry(**entry(name, 20, egress=True))


def test_an_entry_that_is_not_there_is_not_deleted(acl: tuple[Any, str]) -> None:
    ec2, name = acl
    ec2.create_network_acl_entry(**entry(name, 7))
    code = "InvalidNetworkAclEntry.NotFound"
    assert refused(ec2.delete_network_acl_entry, NetworkAclId=name, RuleNumber=7, Egress=True) == code
    ec2.delete_network_acl_entry(NetworkAclId=name, RuleNumber=7, Egress=False)
    assert refused(ec2.delete_network_acl_entry, NetworkAclId=name, RuleNumber=7, Egress=False) == code


def test_an_interface_is_found_by_its_public_address(quell_range: Client) -> None:
    ec2 = quell_range.developer("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.22.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.22.0.0/24")["Subnet"]["SubnetId"]
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    address = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=interface)

    def found(value: str) -> list[str]:
        shown = ec2.describe_network_interfaces(Filters=[{"Name": "association.public-ip", "Values": [value]}])
        return [one["NetworkInterfaceId"] for one in shown["NetworkInterfaces"]]

    assert found(address["PublicIp"]) == [interface]
    assert found("203.0.113.99") == []
