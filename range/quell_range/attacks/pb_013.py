"""A key that is in use is to be deleted."""

from __future__ import annotations

from typing import Any

from quell_range.attacks.stage import Made, Stage, tried


def prepare(stage: Stage) -> Made:
    kms = stage.client("kms")
    key = kms.create_key(Description=f"orders {stage.mark}")["KeyMetadata"]
    kms.encrypt(KeyId=key["KeyId"], Plaintext=b"an order")
    return {"resource": key["KeyId"], "key": key["Arn"]}


def attack(stage: Stage, made: Made) -> None:
    """From the moment on nobody can read what it encrypts; in a week nobody ever can."""
    stage.aws("kms", "schedule-key-deletion", "--key-id", made["key"], "--pending-window-in-days", "7")


def read(stage: Stage, made: Made) -> Any:
    kms, key = stage.client("kms"), made["key"]
    shown = kms.describe_key(KeyId=key)["KeyMetadata"]
    return {
        "state": shown["KeyState"],
        "deletion": shown.get("DeletionDate"),
        "policy": kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"],
        "grants": kms.list_grants(KeyId=key)["Grants"],
    }


def probe(stage: Stage, made: Made) -> str:
    """What somebody is told who wants to encrypt."""
    return tried(stage.client("kms").encrypt, KeyId=made["key"], Plaintext=b"an order")
