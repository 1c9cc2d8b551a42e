"""The accounts, keys, roles and queues a range starts with."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from quell_range.delivery import EVENTS_QUEUE, HOME_REGION, TRAIL_QUEUE
from quell_range import organization
from quell_range.identity import PARTITION, KeyRing

SECURITY_ACCOUNT = "111122223333"
_NAMED = [(SECURITY_ACCOUNT, "security", "security"), ("444455556666", "production", "production"), ("777788889999", "sandbox", "sandbox")]
EXTERNAL_ID = "quell-range-external-id"
READ_ROLE = "QuellReader"
ACT_ROLE_PREFIX = "QuellAct-"
#: The managed policy that contains an identity: Deny everything.
QUARANTINE = "QuellQuarantine"

_READ_ACTIONS = ["ec2:Describe*", "ec2:Get*", "iam:Get*", "iam:List*", "s3:GetBucket*", "s3:ListAllMyBuckets", "rds:Describe*",
                 "lambda:Get*", "lambda:List*", "autoscaling:Describe*", "elasticloadbalancing:Describe*", "ssm:Describe*",
                 "iam:Simulate*", "kms:Describe*", "kms:Get*", "kms:List*", "cloudtrail:Get*", "cloudtrail:LookupEvents"]  # fmt: skip
# What the acting roles may do, by family: what the playbooks declare.
_ACT_ACTIONS = {
    "Network": ["ec2:AuthorizeSecurityGroup*", "ec2:RevokeSecurityGroup*", "ec2:ModifySecurityGroupRules",
                "ec2:UpdateSecurityGroupRuleDescriptions*", "ec2:CreateTags", "ec2:CreateSecurityGroup", "ec2:DeleteSecurityGroup",
                "ec2:ModifyNetworkInterfaceAttribute", "ec2:AssociateAddress", "ec2:DisassociateAddress",
                "ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroupRules", "ec2:DescribeNetworkInterfaces",
                "elasticloadbalancing:*Targets", "elasticloadbalancing:*InstancesWithLoadBalancer",
                "elasticloadbalancing:*InstancesFromLoadBalancer"],
    "Compute": ["ec2:ModifyInstance*", "ec2:CreateTags", "ec2:DeleteTags", "ec2:CreateSnapshots", "ec2:LockSnapshot", "ec2:StopInstances",
                "ec2:StartInstances", "ec2:*IamInstanceProfile*", "ec2:CancelSpotInstanceRequests", "ec2:ModifyFleet", "autoscaling:*"],
    "IAM": ["iam:*"],
    "S3": ["s3:*"],
    "Data": ["kms:*"],
    "Logging": ["cloudtrail:*"],
}  # fmt: skip
# And of the two roles in the account that manages the organisation.
_ORGANIZATION_ACTIONS = {
    "readOrganization": (READ_ROLE, ["organizations:Describe*", "organizations:List*"]),
    "organization": (ACT_ROLE_PREFIX + "Organization", ["organizations:AttachPolicy", "organizations:DetachPolicy"]),
}


@dataclass
class Account:
    """One account and what its people sign with."""

    id: str
    name: str
    environment: str
    developer: dict[str, str] = field(default_factory=dict)
    root: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "environment": self.environment,
            "developer": self.developer,
            "root": self.root,
            "roles": self.roles,
            "external_id": EXTERNAL_ID,
        }


@dataclass
class World:
    """Everything that exists before the first call."""

    accounts: list[Account]
    quell: dict[str, str]
    bucket: str

    def account(self, account_id: str) -> Account | None:
        return next((account for account in self.accounts if account.id == account_id), None)

    def info(self, endpoint: str) -> dict[str, Any]:
        queues = {kind: f"{endpoint}/{SECURITY_ACCOUNT}/{name}" for kind, name in (("events", EVENTS_QUEUE), ("trail", TRAIL_QUEUE))}
        return {
            "endpoint": endpoint,
            "management_account": organization.MANAGEMENT_ACCOUNT,
            "accounts": [account.describe() for account in self.accounts],
            "quell": {
                "account": SECURITY_ACCOUNT,
                **self.quell,
                "region": HOME_REGION,
                "external_id": EXTERNAL_ID,
                "queues": queues,
                "trail_bucket": self.bucket,
            },
            "pid": os.getpid(),
        }


def account_ids(count: int) -> list[tuple[str, str, str]]:
    """(id, name, environment) of `count` accounts; the ids beyond the named ones are derived, hence the same each time."""
    made = list(_NAMED[:count])
    for number in range(len(made) + 1, count + 1):
        digits = int(hashlib.sha256(f"quell-range-account-{number}".encode()).hexdigest(), 16) % 10**11
        made.append((f"2{digits:011d}", f"sandbox-{number}", "sandbox"))
    return made


def build(count: int, keys: KeyRing) -> World:
    """Make the accounts, directly in moto's backends: none of it is a call anyone made."""
    if count < 1:
        raise ValueError("a range has at least the security account")
    accounts = [Account(*entry) for entry in account_ids(count)]
    keys.accounts[:] = [*(account.id for account in accounts), organization.MANAGEMENT_ACCOUNT]
    members = [account for account in accounts if account.id != SECURITY_ACCOUNT]
    organization.build([account.id for account in members])
    of_organization = _organization_roles()
    for account in accounts:
        _people(account, keys)
        _roles(account)
    for account in members:
        account.roles |= of_organization
    security = iam_backends[SECURITY_ACCOUNT][PARTITION]
    security.create_user(HOME_REGION, "quell")
    security.put_user_policy("quell", "quell", _allow(["sts:AssumeRole", "sqs:*", "s3:GetObject", "s3:ListBucket"]))
    quell = _key(SECURITY_ACCOUNT, "quell")
    bucket = f"quell-trail-{SECURITY_ACCOUNT}"
    _plumbing(bucket)
    return World(accounts, quell, bucket)


def _people(account: Account, keys: KeyRing) -> None:
    backend = iam_backends[account.id][PARTITION]
    backend.create_user(HOME_REGION, "developer")
    backend.put_user_policy("developer", "developer", _allow(["*"]))
    account.developer = _key(account.id, "developer")
    digest = hashlib.sha256(f"quell-range-root-{account.id}".encode()).hexdigest()
    key_id, secret = "AKIA" + _base32(digest)[:16], digest[:40]
    keys.roots[key_id] = (account.id, secret)
    account.root = {"access_key_id": key_id, "secret_access_key": secret}


def _base32(digest: str) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return "".join(alphabet[int(digest[i : i + 2], 16) % 32] for i in range(0, len(digest), 2))


def _key(account: str, user: str) -> dict[str, str]:
    key = iam_backends[account][PARTITION].create_access_key(user)
    return {"access_key_id": key.access_key_id, "secret_access_key": key.secret_access_key}


def _organization_roles() -> dict[str, str]:
    backend, made = iam_backends[organization.MANAGEMENT_ACCOUNT][PARTITION], {}
    for kind, (name, actions) in _ORGANIZATION_ACTIONS.items():
        role = backend.create_role(name, _trust(), "/", None, f"Quell: {kind}", [], "3600")
        backend.put_role_policy(name, name, _allow(actions))
        made[kind] = str(role.arn)
    return made


def _trust() -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{SECURITY_ACCOUNT}:root"},
                    "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
                }
            ],
        }
    )


def _roles(account: Account) -> None:
    trust = _trust()
    backend = iam_backends[account.id][PARTITION]
    acting = [(family.lower(), ACT_ROLE_PREFIX + family, actions) for family, actions in _ACT_ACTIONS.items()]
    for kind, name, actions in [("read", READ_ROLE, _READ_ACTIONS), *acting]:
        role = backend.create_role(name, trust, "/", None, f"Quell: {kind}", [], "3600")
        backend.put_role_policy(name, name, _allow(actions))
        account.roles[kind] = role.arn
    backend.create_policy("Quell: attached to whom nothing is allowed any more", "/", _policy("Deny", ["*"]), QUARANTINE, [])


def _allow(actions: list[str]) -> str:
    return _policy("Allow", actions)


def _policy(effect: str, actions: list[str]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": actions, "Resource": "*"}]})


def _plumbing(bucket: str) -> None:
    """The queues and the bucket, with S3's own notification from one to the other."""
    queues = sqs_backends[SECURITY_ACCOUNT][HOME_REGION]
    for name in (EVENTS_QUEUE, TRAIL_QUEUE):
        queues.create_queue(name)
    store = s3_backends[SECURITY_ACCOUNT][PARTITION]
    store.create_bucket(bucket, HOME_REGION)
    arn = f"arn:aws:sqs:{HOME_REGION}:{SECURITY_ACCOUNT}:{TRAIL_QUEUE}"
    configuration = {"QueueConfiguration": [{"Id": "quell-trail", "Queue": arn, "Event": ["s3:ObjectCreated:*"]}]}
    store.put_bucket_notification_configuration(bucket, configuration)
