"""A stolen key launches large instances that mine coins."""

from __future__ import annotations

from typing import Any

from quell_range import guardduty
from quell_range.attacks.stage import Made, Stage, allow, instance_as_it_is


def prepare(stage: Stage) -> Made:
    return {"resource": "", "network": stage.network(), "keys": stage.user(f"mallory-{stage.mark}", allow("ec2:*"))}


def attack(stage: Stage, made: Made) -> None:
    """The instance is launched and kept from being stopped; GuardDuty sees it talk to a mining pool."""
    made["resource"] = stage.host(made["network"], made["keys"], kind="p3.2xlarge")
    stage.aws("ec2", "modify-instance-attribute", "--instance-id", made["resource"], "--disable-api-stop", keys=made["keys"])
    shown = stage.client("ec2").describe_instances(InstanceIds=[made["resource"]])["Reservations"][0]["Instances"][0]
    stage.finding("CryptoCurrency:EC2/BitcoinTool.B", 8, guardduty.instance(shown), guardduty.connection(3333))


def read(stage: Stage, made: Made) -> Any:
    return instance_as_it_is(stage, made["resource"]) if made["resource"] else None


def probe(stage: Stage, made: Made) -> str:
    """Whether it still runs."""
    return str(read(stage, made)["state"])
