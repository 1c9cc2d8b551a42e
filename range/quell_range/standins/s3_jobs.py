"""S3 Batch Operations: jobs that are made, shown, listed, and told to go on or to end. They do nothing, and never end by themselves."""

from __future__ import annotations

import uuid
from typing import Any

from moto.s3control.models import s3control_backends

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.identity import PARTITION, utcnow
from quell_range.standins import page, stand_in

#: What a job in a state may be told to be.
_MOVES = {"Suspended": ("Ready", "Cancelled"), "Active": ("Cancelled",), "Ready": ("Cancelled",)}


def _jobs(call: Call) -> dict[str, dict[str, Any]]:
    account = str(call.params.get("AccountId") or call.account)
    if account != call.account:
        raise ApiError("AccessDenied", "Access Denied", 403)
    jobs: dict[str, dict[str, Any]] = s3control_backends[account][PARTITION].__dict__.setdefault("range_jobs", {})
    return jobs


@stand_in("s3control", "CreateJob")
def create(call: Call) -> dict[str, Any]:
    given = call.params
    if bool(given.get("Manifest")) == bool(given.get("ManifestGenerator")) or not given.get("Operation"):
        raise ApiError("BadRequestException", "Request must have a Manifest or a ManifestGenerator, and an Operation")
    name, waits = str(uuid.uuid4()), given.get("ConfirmationRequired") in (True, "true")
    shown = ("ConfirmationRequired", "Description", "Manifest", "ManifestGenerator", "Operation", "Priority", "Report", "RoleArn")
    _jobs(call)[name] = {
        **{member: given[member] for member in shown if member in given},
        "JobId": name,
        "JobArn": f"arn:{PARTITION}:s3:{call.region}:{call.account}:job/{name}",
        "Status": "Suspended" if waits else "Active",
        "CreationTime": utcnow(),
        "ProgressSummary": {"TotalNumberOfTasks": 0, "NumberOfTasksSucceeded": 0, "NumberOfTasksFailed": 0},
    }
    return {"JobId": name}


def _job(call: Call) -> dict[str, Any]:
    found = _jobs(call).get(str(call.params.get("JobId")))
    if found is None:
        raise ApiError("NoSuchJob", "The specified job does not exist.", 404)
    return found


@stand_in("s3control", "DescribeJob")
def describe(call: Call) -> dict[str, Any]:
    return {"Job": _job(call)}


@stand_in("s3control", "ListJobs")
def list_all(call: Call) -> dict[str, Any]:
    wanted = call.params.get("JobStatuses")
    members = ("JobId", "Description", "Priority", "Status", "CreationTime", "ProgressSummary")
    fit = [job for job in _jobs(call).values() if not wanted or job["Status"] in wanted]
    listed = [{**{m: job[m] for m in members if m in job}, "Operation": next(iter(job["Operation"]))} for job in fit]
    shown, token = page(listed, call, smallest=1)
    return {"Jobs": shown, **({"NextToken": token} if token else {})}


@stand_in("s3control", "UpdateJobStatus")
def update(call: Call) -> dict[str, Any]:
    job, wanted = _job(call), str(call.params.get("RequestedJobStatus"))
    if wanted not in _MOVES.get(job["Status"], ()):
        raise ApiError("JobStatusException", f"A job that is {job['Status']} cannot become {wanted}")
    job["Status"] = "Active" if wanted == "Ready" else wanted
    return {"JobId": job["JobId"], "Status": job["Status"]}
