"""The organisation that the range's accounts are in, all but the security account, and what its policies refuse.

The account that manages it is no account of the range's people: nobody works in it but Quell's two roles.
"""

from __future__ import annotations

from moto.organizations.models import FakeAccount, FakePolicy, organizations_backends

from quell_range.identity import PARTITION

MANAGEMENT_ACCOUNT = "100020003000"
#: What docs/organization.md has people make beforehand.
POLICIES = {
    "QuellDenyRoot": """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "QuellDenyRoot",
      "Effect": "Deny",
      "Action": "*",
      "Resource": "*",
      "Condition": {
        "ArnLike": { "aws:PrincipalArn": "arn:*:iam::*:root" },
        "Null": { "aws:AssumedRoot": "true" }
      }
    }
  ]
}
""",
    "QuellEmergencyNoDestroy": """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "QuellNothingIsDestroyed",
      "Effect": "Deny",
      "Action": [
        "backup:Delete*",
        "backup:PutBackupVaultAccessPolicy",
        "dynamodb:DeleteBackup",
        "dynamodb:DeleteTable",
        "dynamodb:UpdateContinuousBackups",
        "ec2:DeleteSnapshot",
        "ec2:DeregisterImage",
        "kms:DeleteImportedKeyMaterial",
        "kms:DisableKey",
        "kms:PutKeyPolicy",
        "kms:ScheduleKeyDeletion",
        "rds:Delete*",
        "s3:DeleteBucket",
        "s3:DeleteObject*",
        "s3:PutBucketVersioning",
        "s3:PutLifecycleConfiguration"
      ],
      "Resource": "*",
      "Condition": {
        "ArnNotLike": {
          "aws:PrincipalArn": [
            "arn:*:iam::*:role/QuellAct-Data",
            "arn:*:iam::*:role/QuellAct-S3"
          ]
        }
      }
    },
    {
      "Sid": "QuellNoKeyIsGivenAway",
      "Effect": "Deny",
      "Action": "kms:CreateGrant",
      "Resource": "*",
      "Condition": {
        "BoolIfExists": { "kms:GrantIsForAWSResource": "false" }
      }
    }
  ]
}
""",
}


def build(members: list[str]) -> None:
    """Make it, directly in moto's backend."""
    backend = organizations_backends[MANAGEMENT_ACCOUNT][PARTITION]
    if backend.org is not None:
        return
    backend.create_organization("us-east-1", FeatureSet="ALL")
    assert backend.org is not None
    for name, content in POLICIES.items():
        backend.policies.append(FakePolicy(backend.org, Name=name, Description="Quell", Type="SERVICE_CONTROL_POLICY", Content=content))
    for member in members:
        account = FakeAccount(backend.org, AccountName=member, Email=f"{member}@example.com")
        account.id = member
        backend.accounts.append(account)
        backend.attach_policy(PolicyId="p-FullAWSAccess", TargetId=member)
        organizations_backends.master_accounts[member] = (MANAGEMENT_ACCOUNT, PARTITION)


def binding(account: str) -> list[str]:
    """The service control policies that are attached to an account itself. They bind everybody in it, its root user too; nobody in the
    account that manages the organisation."""
    management, partition = organizations_backends.master_accounts.get(account, ("", ""))
    if not management:
        return []
    found = next((one for one in organizations_backends[management][partition].accounts if one.id == account), None)
    return [str(p.content) for p in found.attached_policies if p.type == "SERVICE_CONTROL_POLICY"] if found else []

