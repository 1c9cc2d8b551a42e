"""Somebody guesses an instance's passwords over SSH."""

from __future__ import annotations

import ipaddress
from typing import Any

from quell_range import guardduty
from quell_range.attacks.stage import Made, Stage
from quell_range.guardduty import ATTACKER_IP


def prepare(stage: Stage) -> Made:
    network = stage.network()
    return {"resource": stage.host(network), "network": network}


def attack(stage: Stage, made: Made) -> None:
    """No call of AWS: packets, which GuardDuty sees in the flow logs."""
    shown = stage.client("ec2").describe_instances(InstanceIds=[made["resource"]])["Reservations"][0]["Instances"][0]
    came_in = guardduty.connection(22, "INBOUND")
    stage.finding("UnauthorizedAccess:EC2/SSHBruteForce", 2, guardduty.instance(shown), came_in, role="TARGET")


def read(stage: Stage, made: Made) -> Any:
    """The entries of the subnet's network ACL, in the order in which they are looked at."""
    filters = [{"Name": "association.subnet-id", "Values": [made["network"]["subnet"]]}]
    acls = stage.client("ec2").describe_network_acls(Filters=filters)["NetworkAcls"]
    entries = [entry for acl in acls for entry in acl["Entries"]]
    return {"entries": sorted(entries, key=lambda entry: (entry["Egress"], entry["RuleNumber"]))}


def probe(stage: Stage, made: Made) -> str:
    """Whether packets of the attacker's come into the subnet, by the first entry that speaks of them."""
    attacker = ipaddress.ip_address(ATTACKER_IP)
    entries = [e for e in read(stage, made)["entries"] if not e["Egress"] and attacker in ipaddress.ip_network(e.get("CidrBlock", "::/0"))]
    return "open" if entries[0]["RuleAction"] == "allow" else "blocked"
