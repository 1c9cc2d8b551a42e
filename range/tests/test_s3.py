"""S3: who is let in, what Block Public Access takes away, and what is refused before anything is done."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import Client

from quell_range.standins.s3_access import is_public

ALL = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}


class Bucket:
    """A new bucket with one object."""

    def __init__(self, quell_range: Client) -> None:
        self.range, self.s3, self.name = quell_range, quell_range.developer("s3"), f"b-{uuid.uuid4().hex[:12]}"
        self.s3.create_bucket(Bucket=self.name)
        self.s3.put_object(Bucket=self.name, Key="k", Body=b"x")

    def policy(self, principal: Any = "*", effect: str = "Allow", **more: Any) -> str:
        statement = {"Effect": effect, "Principal": principal, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{self.name}/*", **more}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    def open(self, **more: Any) -> None:
        """As an attacker does it: first the block goes, then the policy comes."""
        self.s3.delete_public_access_block(Bucket=self.name)
        self.s3.put_bucket_policy(Bucket=self.name, Policy=self.policy(**more))

    def anonymous(self) -> int:
        try:
            with urllib.request.urlopen(f"{self.range.endpoint}/{self.name}/k", timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def stranger(self) -> str:
        return says(self.range.developer("s3", self.range.sandbox).get_object, Bucket=self.name, Key="k")


@pytest.fixture
def bucket(quell_range: Client) -> Bucket:
    return Bucket(quell_range)


def says(call: Any, **params: Any) -> str:
    try:
        call(**params)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "ok"


def test_a_new_bucket_is_closed(bucket: Bucket) -> None:
    assert bucket.s3.get_public_access_block(Bucket=bucket.name)["PublicAccessBlockConfiguration"] == ALL
    rules = bucket.s3.get_bucket_ownership_controls(Bucket=bucket.name)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert (bucket.anonymous(), bucket.stranger()) == (403, "AccessDenied")
    assert says(bucket.s3.put_bucket_policy, Bucket=bucket.name, Policy=bucket.policy()) == "AccessDenied"
    assert says(bucket.s3.put_bucket_acl, Bucket=bucket.name, ACL="public-read") == "AccessControlListNotSupported"
    assert says(bucket.s3.create_bucket, Bucket="b-" + uuid.uuid4().hex, ACL="public-read") == "InvalidBucketAclWithObjectOwnership"


def test_a_public_policy_lets_everybody_in_until_public_buckets_are_restricted(bucket: Bucket) -> None:
    bucket.open()
    assert (bucket.anonymous(), bucket.stranger()) == (200, "ok")
    assert bucket.s3.get_bucket_policy_status(Bucket=bucket.name)["PolicyStatus"]["IsPublic"] is True
    bucket.s3.put_public_access_block(Bucket=bucket.name, PublicAccessBlockConfiguration=ALL)
    assert (bucket.anonymous(), bucket.stranger()) == (403, "AccessDenied")
    assert json.loads(bucket.s3.get_bucket_policy(Bucket=bucket.name)["Policy"]) == json.loads(bucket.policy()), (
        "the text stays, as evidence"
    )
    assert says(bucket.s3.get_object, Bucket=bucket.name, Key="k") == "ok"


def test_a_named_account_is_let_in_and_stays_so(bucket: Bucket) -> None:
    bucket.open(principal={"AWS": f"arn:aws:iam::{bucket.range.sandbox['id']}:root"})
    assert (bucket.anonymous(), bucket.stranger()) == (403, "ok")
    bucket.s3.put_public_access_block(Bucket=bucket.name, PublicAccessBlockConfiguration=ALL)
    assert bucket.stranger() == "ok", "a policy that is not public is not restricted"


def test_the_accounts_own_block_holds_for_all_its_buckets(quell_range: Client, bucket: Bucket) -> None:
    control, account = quell_range.developer("s3control"), quell_range.production["id"]
    bucket.open()
    control.put_public_access_block(AccountId=account, PublicAccessBlockConfiguration=ALL)
    try:
        assert bucket.anonymous() == 403
        assert says(bucket.s3.put_bucket_policy, Bucket=bucket.name, Policy=bucket.policy()) == "AccessDenied"
    finally:
        control.delete_public_access_block(AccountId=account)
    assert bucket.anonymous() == 200


def test_public_lists_and_what_ignores_them(bucket: Bucket) -> None:
    s3 = bucket.s3
    s3.delete_public_access_block(Bucket=bucket.name)
    s3.put_bucket_ownership_controls(Bucket=bucket.name, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    s3.put_object_acl(Bucket=bucket.name, Key="k", ACL="public-read")
    assert bucket.anonymous() == 200
    s3.put_public_access_block(Bucket=bucket.name, PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
    assert bucket.anonymous() == 403
    s3.put_public_access_block(Bucket=bucket.name, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    assert bucket.anonymous() == 200, "lists that are there stay"
    assert says(s3.put_bucket_acl, Bucket=bucket.name, ACL="public-read") == "AccessDenied"
    assert says(s3.put_object, Bucket=bucket.name, Key="j", Body=b"x", ACL="public-read") == "AccessDenied"


def test_the_expected_owner_is_looked_at_by_every_call(quell_range: Client, bucket: Bucket) -> None:
    other, owner = quell_range.sandbox["id"], quell_range.production["id"]
    for call, more in ((bucket.s3.get_public_access_block, {}),
                       (bucket.s3.put_public_access_block, {"PublicAccessBlockConfiguration": ALL}),
                       (bucket.s3.delete_bucket_policy, {}), (bucket.s3.get_bucket_encryption, {})):  # fmt: skip
        assert says(call, Bucket=bucket.name, ExpectedBucketOwner=other, **more) == "AccessDenied"
        assert says(call, Bucket=bucket.name, ExpectedBucketOwner=owner, **more) == "ok"


def test_another_account_changes_nothing(quell_range: Client, bucket: Bucket) -> None:
    theirs = quell_range.developer("s3", quell_range.sandbox)
    assert (
        says(theirs.put_public_access_block, Bucket=bucket.name, PublicAccessBlockConfiguration={"BlockPublicAcls": False})
        == "AccessDenied"
    )
    assert says(theirs.put_object, Bucket=bucket.name, Key="k", Body=b"y") == "AccessDenied"


def test_a_deny_binds_the_owner_too_but_not_for_ever(quell_range: Client, bucket: Bucket) -> None:
    deny = bucket.policy(effect="Deny", Action="s3:*", Resource=[f"arn:aws:s3:::{bucket.name}", f"arn:aws:s3:::{bucket.name}/*"])
    bucket.s3.put_bucket_policy(Bucket=bucket.name, Policy=deny)
    assert says(bucket.s3.get_object, Bucket=bucket.name, Key="k") == "AccessDenied"
    assert says(bucket.s3.delete_bucket_policy, Bucket=bucket.name) == "AccessDenied"
    quell_range.client("s3", quell_range.production["root"]).delete_bucket_policy(Bucket=bucket.name)
    assert says(bucket.s3.get_object, Bucket=bucket.name, Key="k") == "ok"


def test_a_wrong_region_is_told(quell_range: Client) -> None:
    name = f"b-{uuid.uuid4().hex[:12]}"
    quell_range.developer("s3", region="eu-west-1").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    assert quell_range.developer("s3").get_bucket_location(Bucket=name)["LocationConstraint"] == "eu-west-1"
    assert says(quell_range.developer("s3", region="eu-west-2").get_bucket_acl, Bucket=name) == "AuthorizationHeaderMalformed"
    assert says(quell_range.developer("s3", region="eu-west-1").get_bucket_acl, Bucket=name) == "ok"


@pytest.mark.parametrize("text", ["{", "[]", '"x"', '{"Statement": []}', "elsewhere", "no principal"])
def test_policies_that_are_none(bucket: Bucket, text: str) -> None:
    made = {
        "elsewhere": bucket.policy(effect="Deny", Resource="arn:aws:s3:::other/*"),
        "no principal": bucket.policy().replace('"Principal"', '"Prince"'),
    }
    assert says(bucket.s3.put_bucket_policy, Bucket=bucket.name, Policy=made.get(text, text)) == "MalformedPolicy"


def test_encryption_is_kept_whole(bucket: Bucket) -> None:
    s3, sse = bucket.s3, {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:aws:kms:us-east-1:444455556666:key/1"}

    def rules() -> Any:
        return s3.get_bucket_encryption(Bucket=bucket.name)["ServerSideEncryptionConfiguration"]["Rules"]

    default = rules()
    assert default == [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
    rule = {"ApplyServerSideEncryptionByDefault": sse, "BucketKeyEnabled": True, "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}}
    s3.put_bucket_encryption(Bucket=bucket.name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert rules() == [rule]
    assert (
        says(s3.put_object, Bucket=bucket.name, Key="c", Body=b"x", SSECustomerAlgorithm="AES256", SSECustomerKey="0" * 32)
        == "AccessDenied"
    )
    s3.delete_bucket_encryption(Bucket=bucket.name)
    assert rules() == default
    wrong = {"Rules": [{"ApplyServerSideEncryptionByDefault": {**sse, "SSEAlgorithm": "AES256"}}]}
    assert says(s3.put_bucket_encryption, Bucket=bucket.name, ServerSideEncryptionConfiguration=wrong) == "InvalidArgument"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({}, True),
        ({"Effect": "Deny"}, False),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"AWS": ["arn:aws:iam::111122223333:root", "*"]}}, True),
        ({"Principal": {"AWS": "arn:aws:iam::111122223333:root"}}, False),
        ({"Principal": {"Service": "logging.s3.amazonaws.com"}}, False),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, False),
        ({"Condition": {"StringLike": {"aws:PrincipalOrgID": "o-*"}}}, True),
        ({"Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}, True),
        ({"Condition": {"StringEquals": {"aws:UserAgent": "us"}}}, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/1"]}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}}, False),
        ({"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}}}, True),
    ],
    ids=str,
)
def test_what_s3_calls_public(statement: dict[str, Any], expected: bool) -> None:
    whole = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", **statement}
    assert is_public(json.dumps({"Statement": [whole]})) is expected
