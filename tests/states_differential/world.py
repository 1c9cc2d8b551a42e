"""The state of a moto, read back with boto3: what a run changed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from .case import Case
from .moto import Moto

Read = Callable[[Moto], Any]


def state(moto: Moto, case: Case) -> dict[str, Any]:
    """What is there of the services that the case speaks of."""
    text = json.dumps([case.document, case.machines]) + (" ".join(case.set_up.__code__.co_names) if case.set_up else "")
    return {name: read(moto) for name, read in READERS.items() if any(word in text for word in WORDS[name])}


def _queues(moto: Moto) -> Any:
    sqs = moto.client("sqs")
    queues: dict[str, Any] = {}
    for url in sqs.list_queues().get("QueueUrls", []):
        messages: list[Any] = []
        while got := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]).get("Messages"):
            messages.extend(got)
        kept = ("MessageGroupId", "MessageDeduplicationId")
        queues[url] = {
            "attributes": sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout", "DelaySeconds", "FifoQueue"]).get("Attributes"),
            "tags": sqs.list_queue_tags(QueueUrl=url).get("Tags"),
            "messages": sorted(
                (
                    {
                        "body": _parsed(_TOKEN_RE.sub("<token>", m["Body"]) if url.endswith("/tokens") else m["Body"]),
                        "attributes": m.get("MessageAttributes"),
                        **{name: m["Attributes"][name] for name in kept if name in m["Attributes"]},
                    }
                    for m in messages
                ),
                key=lambda message: json.dumps(message, sort_keys=True),
            ),
        }
    return queues


#: A task token, theirs and ours.
_TOKEN_RE = re.compile(r"\b([0-9a-f]{64}|[0-9a-f-]{36})\b")


def _parsed(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body


def _tables(moto: Moto) -> Any:
    dynamodb = moto.client("dynamodb")
    tables = dynamodb.list_tables()["TableNames"]
    scans = {table: dynamodb.scan(TableName=table)["Items"] for table in tables}
    return {table: sorted(items, key=lambda item: json.dumps(item, sort_keys=True)) for table, items in scans.items()}


def _objects(moto: Moto) -> Any:
    s3 = moto.client("s3")
    buckets: dict[str, Any] = {}
    for bucket in (b["Name"] for b in s3.list_buckets()["Buckets"]):
        keys = [o["Key"] for o in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
        buckets[bucket] = {
            key: {
                "body": _parsed(s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()),
                "type": s3.head_object(Bucket=bucket, Key=key)["ContentType"],
                "tags": s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"],
            }
            for key in keys
        }
    return buckets


def _groups(moto: Moto) -> Any:
    ec2 = moto.client("ec2")
    instances = [i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]]
    rules = ec2.describe_security_group_rules()["SecurityGroupRules"]
    named = ("GroupId", "IsEgress", "IpProtocol", "FromPort", "ToPort", "CidrIpv4", "Description")
    return {
        "instances": {i["InstanceId"]: [i["State"]["Name"], i["SecurityGroups"], i.get("Tags")] for i in instances},
        "rules": sorted(json.dumps([rule.get(name) for name in named]) for rule in rules),
        "groups": sorted(g["GroupName"] for g in ec2.describe_security_groups()["SecurityGroups"]),
        "tags": sorted(json.dumps([t["ResourceId"], t["Key"], t.get("Value")]) for t in ec2.describe_tags()["Tags"]),
    }


def _identities(moto: Moto) -> Any:
    iam = moto.client("iam")
    users = [user["UserName"] for user in iam.list_users()["Users"]]
    return {
        user: {
            "keys": [key["Status"] for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]],
            "inline": iam.list_user_policies(UserName=user)["PolicyNames"],
            "tags": iam.list_user_tags(UserName=user)["Tags"],
        }
        for user in users
    }


def _parameters(moto: Moto) -> Any:
    ssm = moto.client("ssm")
    return [(p["Name"], p["Type"], p["Value"]) for p in ssm.get_parameters_by_path(Path="/", Recursive=True)["Parameters"]]


def _secrets(moto: Moto) -> Any:
    secrets = moto.client("secretsmanager")
    found = secrets.list_secrets()["SecretList"]
    return {s["Name"]: [secrets.get_secret_value(SecretId=s["Name"]).get("SecretString"), s.get("Tags")] for s in found}


def _topics(moto: Moto) -> Any:
    return sorted(topic["TopicArn"] for topic in moto.client("sns").list_topics()["Topics"])


def _rules(moto: Moto) -> Any:
    events = moto.client("events")
    return {rule["Name"]: [rule["State"], rule.get("EventPattern")] for rule in events.list_rules()["Rules"]}


def _keys(moto: Moto) -> Any:
    kms = moto.client("kms")
    keys = [key["KeyId"] for key in kms.list_keys()["Keys"]]
    return [kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] for key in keys]


READERS: dict[str, Read] = {
    "sqs": _queues,
    "dynamodb": _tables,
    "s3": _objects,
    "ec2": _groups,
    "iam": _identities,
    "ssm": _parameters,
    "secretsmanager": _secrets,
    "sns": _topics,
    "events": _rules,
    "kms": _keys,
}

#: A service is read when one of these is in the document or among the names of its set-up. A topic and a bus hand on to queues.
WORDS = {
    "sqs": ["sqs:", "queue", "sns:", "events:", "states:startExecution"],
    "dynamodb": ["dynamodb:", "table"],
    "s3": ["s3:", "bucket"],
    "ec2": ["ec2:"],
    "iam": ["iam:"],
    "ssm": ["ssm:"],
    "secretsmanager": ["secretsmanager:"],
    "sns": ["sns:"],
    "events": ["events:"],
    "kms": ["kms:"],
}
