"""A database loses its protection against deletion and its backups."""

from __future__ import annotations

from typing import Any

from quell_range.attacks.stage import Made, Stage


def prepare(stage: Stage) -> Made:
    name = f"orders-{stage.mark}"
    stage.client("rds").create_db_instance(
        DBInstanceIdentifier=name, Engine="postgres", DBInstanceClass="db.t3.micro", AllocatedStorage=20, MasterUsername="orders",
        MasterUserPassword=f"not-secret-{stage.mark}", DeletionProtection=True, BackupRetentionPeriod=14,
    )  # fmt: skip
    return {"resource": name}


def attack(stage: Stage, made: Made) -> None:
    # The command line heeds AWS_ENDPOINT_URL for all services but this one.
    stage.aws(
        "--endpoint-url", stage.info["endpoint"], "rds", "modify-db-instance", "--db-instance-identifier", made["resource"],
        "--no-deletion-protection", "--backup-retention-period", "0", "--apply-immediately",
    )  # fmt: skip


def read(stage: Stage, made: Made) -> Any:
    shown = stage.client("rds").describe_db_instances(DBInstanceIdentifier=made["resource"])["DBInstances"][0]
    kept = ("DBInstanceStatus", "DeletionProtection", "BackupRetentionPeriod", "PendingModifiedValues", "EngineVersion", "DBInstanceClass")
    return {name: shown.get(name) for name in kept}


def probe(stage: Stage, made: Made) -> str:
    """What is left of it once somebody deletes it."""
    shown = read(stage, made)
    return "kept" if shown["DeletionProtection"] and shown["BackupRetentionPeriod"] == 14 else "lost"
