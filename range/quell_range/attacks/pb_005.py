"""An instance scans its neighbours."""

from __future__ import annotations

from typing import Any

from quell_range import guardduty
from quell_range.attacks.stage import Made, Stage, group_as_it_is, instance_as_it_is


def prepare(stage: Stage) -> Made:
    network = stage.network()
    return {"resource": stage.host(network), "network": network}


def attack(stage: Stage, made: Made) -> None:
    """No call of AWS: packets, which GuardDuty sees in the flow logs."""
    shown = stage.client("ec2").describe_instances(InstanceIds=[made["resource"]])["Reservations"][0]["Instances"][0]
    stage.finding("Recon:EC2/Portscan", 8, guardduty.instance(shown), guardduty.connection(22), role="ACTOR")


def read(stage: Stage, made: Made) -> Any:
    return {"instance": instance_as_it_is(stage, made["resource"]), "group": group_as_it_is(stage.client("ec2"), made["network"]["group"])}


def probe(stage: Stage, made: Made) -> str:
    """Whether all that the instance's groups let out is to everywhere."""
    ec2 = stage.client("ec2")
    groups = {g for nic in read(stage, made)["instance"]["interfaces"].values() for g in nic["groups"]}
    rules = [rule for group in groups for rule in group_as_it_is(ec2, group)["rules"]]
    return "open" if any(r["IsEgress"] and r.get("CidrIpv4") == "0.0.0.0/0" and r["IpProtocol"] == "-1" for r in rules) else "restricted"
