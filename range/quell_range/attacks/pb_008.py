"""A security group is opened to the world."""

from __future__ import annotations

from typing import Any

from quell_range.attacks.stage import Made, Stage, group_as_it_is


def prepare(stage: Stage) -> Made:
    body = {"account": stage.account["id"], "region": stage.region, "kind": "security-group"}
    return {"resource": stage.page("POST", "/seed", body)["group_id"]}


def attack(stage: Stage, made: Made) -> None:
    words = ("ec2", "authorize-security-group-ingress", "--group-id", made["resource"], "--ip-permissions")
    ssh = 'IpProtocol=tcp,FromPort=22,ToPort=22,IpRanges=[{CidrIp=0.0.0.0/0,Description="for a moment"}]'
    stage.aws(*words, ssh, "IpProtocol=tcp,FromPort=3389,ToPort=3389,Ipv6Ranges=[{CidrIpv6=::/0}]")


def read(stage: Stage, made: Made) -> Any:
    return group_as_it_is(stage.client("ec2"), made["resource"])


def probe(stage: Stage, made: Made) -> str:
    """Whether SSH or remote desktop is open to everybody."""
    world = [r for r in read(stage, made)["rules"] if r.get("CidrIpv4") == "0.0.0.0/0" or r.get("CidrIpv6") == "::/0"]
    return "open" if any(r["FromPort"] in (22, 3389) and not r["IsEgress"] for r in world) else "closed"
