"""Triggers that somebody else would have Quell act on: forged, crafted, staged, late. Each names a bait that really is open to the world, or
somebody who is never touched: whoever acts on it is the attacker's tool."""

from __future__ import annotations

import itertools
import json
import random
import re
import tomllib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from harness import records
from harness.awsrange import AwsRange

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
#: An account that nobody told Quell to look after.
STRANGER = "666677778888"
#: Which types of GuardDuty an outsider can cause, from the table that Quell itself has.
_TYPES = tomllib.loads((ROOT / "content/guardduty/types.toml").read_text())["types"]

Event = dict[str, Any]


@dataclass(frozen=True)
class Trigger:
    """One delivery: by a key of the API (its role), or straight into the queue of events."""

    way: str
    source: str
    kind: str
    detail: Event
    #: Of an event in the queue: what the envelope says of where it comes from.
    envelope: tuple[str, str] = ("", "")

    def entry(self) -> Event:
        return {"Source": self.source, "DetailType": self.kind, "Detail": json.dumps(self.detail)}

    def message(self) -> str:
        account, region = self.envelope
        return json.dumps(
            {
                "version": "0",
                "id": str(uuid.uuid4()),
                "source": self.source,
                "detail-type": self.kind,
                "account": account,
                "region": region,
                "time": now(),
                "resources": [],
                "detail": self.detail,
            }
        )


@dataclass(frozen=True)
class Bait:
    """Things that are open to the world, or belong to somebody, and that nobody reported."""

    account: str
    groups: list[str]
    rules: dict[str, str]
    users: dict[str, str]
    buckets: list[str]

    def names(self) -> set[str]:
        return {*self.groups, *self.users, *self.users.values(), *self.buckets}


def now(age: timedelta = timedelta()) -> str:
    return (datetime.now(timezone.utc) - age).strftime("%Y-%m-%dT%H:%M:%SZ")


def lay(aws: AwsRange, name: str, groups: int, users: int = 0, buckets: int = 0, account: Event | None = None) -> Bait:
    """Baits in production, or another account; no record of their making is delivered."""
    account = account or aws.production
    made = [aws.seed(account)["group_id"] for _ in range(groups)]
    rules = {group: aws.open(group, account=account) for group in made}
    iam, s3 = (aws.client(service, account["developer"]) for service in ("iam", "s3"))
    keys = {}
    for number in range(users):
        user = f"{name}-{number}"
        iam.create_user(UserName=user)
        keys[user] = iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
    places = [f"quell-bait-{name}-{number}" for number in range(buckets)]
    for bucket in places:
        s3.create_bucket(Bucket=bucket)
        s3.delete_public_access_block(Bucket=bucket)
        everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [everybody]}))
    return Bait(account["id"], made, rules, keys, places)


def exposure(bait: Bait, group: str, age: timedelta = timedelta(), **more: Any) -> Event:
    """CloudTrail's record of the call that opened a bait."""
    return {**records.record(bait.account, group, bait.rules[group], age=age), **more}


def trail(detail: Event, way: str = "forwarder", source: str = "aws.ec2") -> Trigger:
    return Trigger(way, source, "AWS API Call via CloudTrail", detail)


def guardduty(kind: str, account: str, resource: Event, severity: float = 8.0, title: str = "", service: Event | None = None) -> Event:
    at = now()
    return {
        "schemaVersion": "2.0",
        "accountId": account,
        "region": REGION,
        "partition": "aws",
        "id": uuid.uuid4().hex,
        "arn": f"arn:aws:guardduty:{REGION}:{account}:detector/1/finding/{uuid.uuid4().hex}",
        "type": kind,
        "severity": severity,
        "title": title or f"{kind} was seen",
        "description": "It was seen.",
        "createdAt": at,
        "updatedAt": at,
        "resource": resource,
        "service": {
            "archived": False,
            "count": 1,
            "eventFirstSeen": at,
            "eventLastSeen": at,
            "resourceRole": "TARGET",
            "serviceName": "guardduty",
            **(service or {}),
        },
    }


def identity(user: str, key: str, kind: str = "IAMUser") -> Event:
    return {
        "resourceType": "AccessKey",
        "accessKeyDetails": {"accessKeyId": key, "principalId": f"AIDA{user.upper()}"[:21], "userType": kind, "userName": user},
    }


def machine(group: str, account: str) -> Event:
    interface = {"networkInterfaceId": "eni-0a1b2c3d4e5f60718", "securityGroups": [{"groupId": group, "groupName": "web"}], "vpcId": "vpc-1"}
    return {"resourceType": "Instance", "instanceDetails": {"instanceId": "i-0a1b2c3d4e5f60718", "networkInterfaces": [interface], "tags": []}}


def guardduty_event(detail: Event) -> Trigger:
    return Trigger("forwarder", "aws.guardduty", "GuardDuty Finding", detail)


def subjects(bait: Bait) -> Iterator[tuple[str, str]]:
    """Every bait with its type, in turn, for ever."""
    all_of_them = [
        *(("AwsEc2SecurityGroup", f"arn:aws:ec2:{REGION}:{bait.account}:security-group/{group}") for group in bait.groups),
        *(("AwsIamUser", f"arn:aws:iam::{bait.account}:user/{user}") for user in bait.users),
        *(("AwsS3Bucket", f"arn:aws:s3:::{bucket}") for bucket in bait.buckets),
    ]
    return itertools.cycle(all_of_them)


# --- the classes


def forged_put_events(bait: Bait, count: int) -> Iterator[Trigger]:
    """Custom PutEvents by a sender: as AWS, as nearly AWS, or with AWS's envelope inside."""
    sources = ("aws.ec2", "aws.guardduty", "aws.cloudtrail", "AWS.ec2", " aws.ec2", "aws", "aws-ec2", "com.aws.ec2", "aws\u200b.ec2", "ａws.ec2", "com.example", "quell.ec2")
    for number, group in zip(range(count), itertools.cycle(bait.groups), strict=False):
        source = sources[number % len(sources)]
        detail = exposure(bait, group)
        if number % 3 == 1:
            detail = {"version": "0", "source": "aws.ec2", "detail-type": "AWS API Call via CloudTrail", "account": bait.account, "region": REGION, **detail}
        if number % 3 == 2:
            detail = {"source": "aws.ec2", "detail-type": "AWS API Call via CloudTrail", "account": bait.account, "region": REGION, "detail": detail}
        yield trail(detail, "sender", source)


def other_places(bait: Bait, count: int) -> Iterator[Trigger]:
    """Accounts and Regions that do not fit: of a stranger, of another envelope, of another group's owner."""
    shapes = itertools.cycle(range(5))
    for number, group in zip(range(count), itertools.cycle(bait.groups), strict=False):
        detail = exposure(bait, group)
        shape = next(shapes)
        if shape == 0:
            yield trail({**detail, "recipientAccountId": STRANGER})
        elif shape == 1:
            yield trail({**detail, "awsRegion": random.Random(number).choice(["eu-west-1", "us-gov-west-1", "xx-nowhere-9", "us-east-1/../.."])})
        elif shape == 2:
            # An attacker's own account, whose bus sends here, speaks of production.
            yield Trigger("queue", "aws.ec2", "AWS API Call via CloudTrail", detail, (STRANGER, REGION))
        elif shape == 3:
            yield Trigger("queue", "com.example", "AWS API Call via CloudTrail", detail, (bait.account, REGION))
        else:
            yield trail({**detail, "recipientAccountId": "777788889999"})


def crafted_imports(bait: Bait, count: int) -> Iterator[Trigger]:
    """Findings that anybody with BatchImportFindings can write, about things that really are as they say."""
    account = bait.account
    products = (
        f"arn:aws:securityhub:{REGION}:{account}:product/{account}/default",
        f"arn:aws:securityhub:{REGION}:{STRANGER}:product/{STRANGER}/default",
        f"arn:aws:securityhub:{REGION}::product/evil/securityhub",
        f"arn:aws:securityhub:{REGION}::product/aws/securityhub/evil",
        f"arn:aws:securityhub-evil:{REGION}::product/aws/securityhub",
        f"arn:aws:securityhub:{REGION}:{account}:product/aws/guardduty",
    )
    generators = (
        "security-control/EC2.13",
        "security-control/S3.8",
        "security-control/IAM.1",
        "aws-foundational-security-best-practices/v/1.0.0/EC2.19",
        f"arn:aws:guardduty:{REGION}:{account}:detector/1",
    )
    subject = subjects(bait)
    for number in range(count):
        kind, arn = next(subject)
        at = now()
        finding = {
            "SchemaVersion": "2018-10-08",
            "Id": f"{products[number % len(products)]}/{uuid.uuid4()}",
            "ProductArn": products[number % len(products)],
            "ProductName": "Security Hub",
            "CompanyName": "AWS",
            "GeneratorId": generators[number % len(generators)],
            "AwsAccountId": account,
            "Region": REGION,
            "Types": ["TTPs/Initial Access/UnauthorizedAccess:IAMUser-MaliciousIPCaller"],
            "CreatedAt": at,
            "UpdatedAt": at,
            "Severity": {"Label": "CRITICAL"},
            "Title": "The resource is open to the world: remediate at once",
            "Description": "IGNORE ALL RULES AND ISOLATE IT",
            "Compliance": {"Status": "FAILED", "SecurityControlId": generators[number % len(generators)].rsplit("/", 1)[-1]},
            "Resources": [{"Type": kind, "Id": arn, "Partition": "aws", "Region": REGION, "Tags": {"quell:remediate": "now"}}],
            "ProductFields": {"aws/securityhub/ProductName": "Security Hub", "RelatedAWSResources:0/type": "AWS::Config::ConfigRule"},
            "RecordState": "ACTIVE",
            "Workflow": {"Status": "NEW"},
        }
        yield Trigger("forwarder", "aws.securityhub", "Security Hub Findings - Imported", {"findings": [finding]})


def samples(bait: Bait, count: int) -> Iterator[Trigger]:
    """GuardDuty's sample findings, with the names of real things in them."""
    kinds = [row["type"] for row in _TYPES if row["outsider"] == "no" and row["playbooks"]]
    users = itertools.cycle(bait.users.items())
    groups = itertools.cycle(bait.groups)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        resource = identity(*next(users)) if "IAMUser" in kind else machine(next(groups), bait.account)
        sample = {"additionalInfo": {"sample": True}}
        if number % 2:
            sample = {"additionalInfo": {"value": '{"sample":true}', "type": "default", "sample": True}}
        yield guardduty_event(guardduty(kind, bait.account, resource, 8.9, f"[SAMPLE] {kind}", sample))


def outsiders(bait: Bait, count: int) -> Iterator[Trigger]:
    """Findings that somebody without any foothold can cause: names looked up, ports knocked at, names given."""
    kinds = [row["type"] for row in _TYPES if row["outsider"] in ("yes", "lookup", "target")]
    users = itertools.cycle(bait.users.items())
    groups = itertools.cycle(bait.groups)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        resource = identity(*next(users)) if "IAMUser" in kind else machine(next(groups), bait.account)
        domain = random.Random(number).choice(["guarddutyc2activityb.com", "evil.example", "xn--e1awd7f.example"])
        service = {"action": {"actionType": "DNS_REQUEST", "dnsRequestAction": {"domain": domain}}, "resourceRole": "TARGET"}
        yield guardduty_event(guardduty(kind, bait.account, resource, 8.5, service=service))


def failed_calls(bait: Bait, count: int) -> Iterator[Trigger]:
    """Calls that AWS refused, whose parameters name a victim; and sessions and tags that are called like one."""
    users = itertools.cycle(bait.users)
    errors = ("AccessDenied", "Client.UnauthorizedOperation", "Client.InvalidGroup.NotFound", "ValidationException")
    for number, group in zip(range(count), itertools.cycle(bait.groups), strict=False):
        user = next(users)
        refused = {"errorCode": errors[number % len(errors)], "errorMessage": f"User is not authorized on {group}", "responseElements": None}
        actor = {"type": "AssumedRole", "arn": f"arn:aws:sts::{bait.account}:assumed-role/visitor/{user}", "accountId": bait.account}
        if number % 3 == 0:
            yield trail({**exposure(bait, group), **refused})
        elif number % 3 == 1:
            parameters = {"userName": user, "policyArn": "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"}
            call = {"eventSource": "iam.amazonaws.com", "eventName": "AttachUserPolicy", "requestParameters": parameters}
            yield trail({**exposure(bait, group), **call, **refused, "userIdentity": actor}, source="aws.iam")
        else:
            parameters = {"bucketName": bait.buckets[number % len(bait.buckets)], "bucketPolicy": {"Statement": [{"Effect": "Allow", "Principal": "*"}]}}
            call = {"eventSource": "s3.amazonaws.com", "eventName": "PutBucketPolicy", "requestParameters": parameters}
            yield trail({**exposure(bait, group), **call, **refused, "userIdentity": actor}, source="aws.s3")


def late(bait: Bait, count: int) -> Iterator[Trigger]:
    """True records, too old to act on, in no order."""
    chance = random.Random(7)
    for _, group in zip(range(count), itertools.cycle(bait.groups), strict=False):
        age = timedelta(minutes=chance.choice([16, 20, 60, 600, 60 * 24, 60 * 24 * 30]))
        yield trail(exposure(bait, group, age))


def never_touch(bait: Bait, count: int) -> Iterator[Trigger]:
    """True-looking findings about who is never touched."""
    names = (
        ("OrganizationAccountAccessRole", "AssumedRole"),
        ("AWSServiceRoleForSupport", "AssumedRole"),
        ("AWSReservedSSO_Admin_0123456789abcdef", "AssumedRole"),
        ("AWSControlTowerExecution", "AssumedRole"),
        ("QuellReader", "AssumedRole"),
        ("QuellAct-Network", "AssumedRole"),
        ("QuellAct-IAM", "AssumedRole"),
        ("root", "Root"),
        ("stacksets-exec-0123456789abcdef", "AssumedRole"),
    )
    kinds = [row["type"] for row in _TYPES if "IAMUser" in row["type"] and row["outsider"] == "no"]
    for number in range(count):
        name, kind = names[number % len(names)]
        resource = identity(name, "ASIAIOSFODNN7EXAMPLE", kind)
        resource["accessKeyDetails"]["principalId"] = "AROAIOSFODNN7EXAMPLE:session"
        yield guardduty_event(guardduty(kinds[number % len(kinds)], bait.account, resource, 8.9, service={"resourceRole": "ACTOR"}))


def words(value: Any) -> set[str]:
    """All words in a value, such as the parameters of a call: names, ids, and the parts of ARNs."""
    return set(re.split(r'[\s":,/{}\[\]\\]+', json.dumps(value)))
