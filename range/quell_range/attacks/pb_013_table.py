"""A table can be deleted, and not recovered."""

from __future__ import annotations

from typing import Any

from quell_range.attacks.stage import Made, Stage


def prepare(stage: Stage) -> Made:
    name, dynamodb = f"carts-{stage.mark}", stage.client("dynamodb")
    dynamodb.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST", DeletionProtectionEnabled=True,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )  # fmt: skip
    # For 35 days, which is what DynamoDB does when nothing is said.
    dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    return {"resource": name}


def attack(stage: Stage, made: Made) -> None:
    name = made["resource"]
    stage.aws("dynamodb", "update-table", "--table-name", name, "--no-deletion-protection-enabled")
    off = "PointInTimeRecoveryEnabled=false"
    stage.aws("dynamodb", "update-continuous-backups", "--table-name", name, "--point-in-time-recovery-specification", off)


def read(stage: Stage, made: Made) -> Any:
    dynamodb, name = stage.client("dynamodb"), made["resource"]
    recovery = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    return {
        "protected": dynamodb.describe_table(TableName=name)["Table"]["DeletionProtectionEnabled"],
        "recovery": {key: recovery.get(key) for key in ("PointInTimeRecoveryStatus", "RecoveryPeriodInDays")},
    }


def probe(stage: Stage, made: Made) -> str:
    """What is left of it once somebody deletes it."""
    shown = read(stage, made)
    return "kept" if shown["protected"] and shown["recovery"]["PointInTimeRecoveryStatus"] == "ENABLED" else "lost"
