"""S3: replication and batch jobs, by which data leaves a bucket."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import Client
from test_s3 import Bucket, says

from quell_range.attacks.stage import Stage

RULE = {
    "ID": "out", "Priority": 1, "Status": "Enabled", "Filter": {"And": {"Prefix": "a/", "Tags": [{"Key": "k", "Value": "v"}]}},
    "SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}}, "DeleteMarkerReplication": {"Status": "Disabled"},
    "Destination": {
        "Bucket": "arn:aws:s3:::elsewhere", "Account": "999900001111", "AccessControlTranslation": {"Owner": "Destination"},
        "EncryptionConfiguration": {"ReplicaKmsKeyID": "arn:aws:kms:us-east-1:999900001111:key/k"},
        "ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 15}}, "Metrics": {"Status": "Enabled", "EventThreshold": {"Minutes": 15}},
    },
}  # fmt: skip


@pytest.fixture
def bucket(quell_range: Client) -> Bucket:
    return Bucket(quell_range)


def replication(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"Role": "arn:aws:iam::111122223333:role/copy", "Rules": list(rules)}


def test_replication_is_kept_whole_and_replaced_as_a_whole(bucket: Bucket) -> None:
    s3, name = bucket.s3, bucket.name
    assert says(s3.get_bucket_replication, Bucket=name) == "ReplicationConfigurationNotFoundError"
    assert says(s3.put_bucket_replication, Bucket=name, ReplicationConfiguration=replication(RULE)) == "InvalidRequest"
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    second = {**RULE, "ID": "second", "Priority": 2}
    s3.put_bucket_replication(Bucket=name, ReplicationConfiguration=replication(RULE, second))
    assert s3.get_bucket_replication(Bucket=name)["ReplicationConfiguration"] == replication(RULE, second)
    s3.put_bucket_replication(Bucket=name, ReplicationConfiguration=replication(second))
    assert s3.get_bucket_replication(Bucket=name)["ReplicationConfiguration"] == replication(second)
    unnamed = {key: value for key, value in RULE.items() if key != "ID"}
    s3.put_bucket_replication(Bucket=name, ReplicationConfiguration=replication(unnamed))
    assert s3.get_bucket_replication(Bucket=name)["ReplicationConfiguration"]["Rules"][0]["ID"]
    assert says(s3.put_bucket_replication, Bucket=name, ReplicationConfiguration=replication(RULE, RULE)) == "InvalidArgument"
    assert says(s3.put_bucket_replication, Bucket=name, ReplicationConfiguration=replication()) == "MalformedXML"
    s3.delete_bucket_replication(Bucket=name)
    assert says(s3.get_bucket_replication, Bucket=name) == "ReplicationConfigurationNotFoundError"
    assert says(s3.get_bucket_replication, Bucket="nobody-has-this") == "NoSuchBucket"


def test_a_batch_job_is_made_shown_listed_and_cancelled_once(quell_range: Client, bucket: Bucket) -> None:
    control, account = Stage(quell_range.info).control(), quell_range.production["id"]

    def make(**more: Any) -> str:
        return str(
            control.create_job(
                AccountId=account, ClientRequestToken="t", Priority=1, RoleArn="arn:aws:iam::111122223333:role/batch", Report={"Enabled": False},
                Operation={"S3PutObjectCopy": {"TargetResource": "arn:aws:s3:::elsewhere"}},
                **{"ManifestGenerator": {"S3JobManifestGenerator": {"SourceBucket": f"arn:aws:s3:::{bucket.name}", "EnableManifestOutput": False}}, **more},
            )["JobId"]
        )  # fmt: skip

    first, waits = make(ConfirmationRequired=False), make(ConfirmationRequired=True)
    shown = control.describe_job(AccountId=account, JobId=first)["Job"]
    assert shown["Status"] == "Active" and shown["Operation"]["S3PutObjectCopy"]["TargetResource"] == "arn:aws:s3:::elsewhere"
    assert shown["ManifestGenerator"]["S3JobManifestGenerator"]["SourceBucket"].endswith(bucket.name)
    listed = control.list_jobs(AccountId=account, JobStatuses=["Suspended"])["Jobs"]
    assert waits in [job["JobId"] for job in listed] and first not in [job["JobId"] for job in listed]
    found, page = set(), {"NextToken": ""}
    while "NextToken" in page:
        page = control.list_jobs(AccountId=account, MaxResults=1, **({"NextToken": page["NextToken"]} if page["NextToken"] else {}))
        found |= {job["JobId"] for job in page["Jobs"]}
    assert {first, waits} <= found
    assert control.update_job_status(AccountId=account, JobId=first, RequestedJobStatus="Cancelled")["Status"] == "Cancelled"
    with pytest.raises(ClientError, match="JobStatusException"):
        control.update_job_status(AccountId=account, JobId=first, RequestedJobStatus="Cancelled")
    assert control.update_job_status(AccountId=account, JobId=waits, RequestedJobStatus="Ready")["Status"] == "Active"
    assert says(control.describe_job, AccountId=account, JobId="nobody-s-job") == "NoSuchJob"
    assert says(control.list_jobs, AccountId=quell_range.sandbox["id"]) == "AccessDenied"
    assert quell_range.record("UpdateJobStatus")["eventSource"] == "s3.amazonaws.com"
