"""An instance with a public address talks to a command-and-control server."""

from __future__ import annotations

from typing import Any

from quell_range import guardduty
from quell_range.attacks.stage import Made, Stage, instance_as_it_is


def prepare(stage: Stage) -> Made:
    network, ec2, profile = stage.network(), stage.client("ec2"), f"app-{stage.mark}"
    stage.profile(profile)
    instance = stage.host(network, profile=profile)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    interface = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]["NetworkInterfaces"][0]
    ec2.associate_address(AllocationId=address, NetworkInterfaceId=interface["NetworkInterfaceId"])
    return {"resource": instance, "network": network, "role": profile}


def attack(stage: Stage, made: Made) -> None:
    """It is told by a port that is opened and a finding: what runs on it, the range has not."""
    shown = stage.client("ec2").describe_instances(InstanceIds=[made["resource"]])["Reservations"][0]["Instances"][0]
    stage.finding("Backdoor:EC2/C&CActivity.B", 8, guardduty.instance(shown), guardduty.connection(4444), role="ACTOR")


def read(stage: Stage, made: Made) -> Any:
    iam, role = stage.client("iam"), made["role"]
    inline = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return {
        **instance_as_it_is(stage, made["resource"]),
        "role": {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in inline},
    }


def probe(stage: Stage, made: Made) -> str:
    """Whether any rule of its groups lets anything in or out."""
    groups = [g for nic in read(stage, made)["interfaces"].values() for g in nic["groups"]]
    rules = stage.client("ec2").describe_security_group_rules(Filters=[{"Name": "group-id", "Values": groups}])["SecurityGroupRules"]
    return "open" if rules else "shut"
