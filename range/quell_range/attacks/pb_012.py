"""Somebody has the password of an account's root user: they sign in and make a key of their own for it."""

from __future__ import annotations

from typing import Any

from quell_range.attacks.stage import Made, Stage, tried
from quell_range.organization import MANAGEMENT_ACCOUNT


def prepare(stage: Stage) -> Made:
    return {"resource": f"iam::{stage.account['id']}:root"}


def attack(stage: Stage, made: Made) -> None:
    """The root user signs in from elsewhere, and what it does next is nothing that it has to do."""
    stage.page("POST", "/sign-in", {"account": stage.account["id"], "user": "root", "mfa": False, "success": True, "source_ip": "198.51.100.66"})
    tried(stage.client("ec2", stage.account["root"]).describe_regions)


def read(stage: Stage, made: Made) -> Any:
    """What is attached to the account."""
    organizations = stage.client("organizations", stage.role(MANAGEMENT_ACCOUNT, "QuellReader"))
    found = organizations.list_policies_for_target(TargetId=stage.account["id"], Filter="SERVICE_CONTROL_POLICY")
    return sorted(policy["Name"] for policy in found["Policies"])


def probe(stage: Stage, made: Made) -> str:
    """What the root user is told now; the account's people go on."""
    assert tried(stage.client("iam").list_users) == "ok"
    return tried(stage.client("iam", stage.account["root"]).list_users)
