"""Buckets: one is opened, and Quell closes and encrypts it, proves it, and can put everything back.

Every test has a bucket of its own, so that they share one server and disturb each other no more than strangers would.
"""

from __future__ import annotations

import itertools
import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.product import Product, Server
from harness.signing import send, signed_headers
from harness.waiting import until

TARGET = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "AWSEvents.PutEvents"}
CLOSED = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}
_names = itertools.count(1)


@pytest.fixture(scope="module")
def server(home: Product) -> Iterator[Server]:
    """A server that goes as far as a playbook does: by itself in the sandbox, and in production where all can be undone."""
    with home.server_up(env={"QUELL__RESPOND__LEVEL_MAX": "auto"}) as up:
        yield up


class Bucket:
    """A bucket of an account (production's, if not said otherwise), as its developer sees it."""

    def __init__(self, home: Product, account: dict[str, Any] | None = None, region: str = "us-east-1") -> None:
        self.name = f"shop-{next(_names)}.test"
        self.home, self.account = home, account or home.range.production
        self.s3 = home.range.client("s3", self.account["developer"], region)
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        self.s3.create_bucket(Bucket=self.name, **where)
        self.s3.put_object(Bucket=self.name, Key="k", Body=b"x")

    def lay_open(self) -> None:
        """Takes off what AWS puts on a new bucket, and nobody hears of it: what follows is what Quell hears of."""
        self.home.range.flush()
        self.home.range.deliver(events=False, trail=False)
        self.s3.delete_public_access_block(Bucket=self.name)
        self.s3.put_bucket_ownership_controls(Bucket=self.name, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
        self.home.range.flush()
        self.home.range.deliver()

    def anonymous(self) -> int:
        """How somebody without login is answered who reads an object."""
        try:
            with urllib.request.urlopen(f"{self.home.range.endpoint}/{self.name}/k", timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def get(self, call: Callable[..., Any], part: str) -> Any:
        """A setting, or None when S3 says that there is none."""
        try:
            return call(Bucket=self.name)[part]
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 404, error
            return None

    def settings(self) -> dict[str, Any]:
        policy = self.get(self.s3.get_bucket_policy, "Policy")
        return {
            "block": self.get(self.s3.get_public_access_block, "PublicAccessBlockConfiguration"),
            "encryption": self.get(self.s3.get_bucket_encryption, "ServerSideEncryptionConfiguration"),
            "policy": policy,
            "acl": self.s3.get_bucket_acl(Bucket=self.name)["Grants"],
        }

    def open_by_policy(self) -> str:
        statement = {"Sid": "Read", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{self.name}/*"}
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=1)
        self.s3.put_bucket_policy(Bucket=self.name, Policy=text)
        return text


def undone(server: Server, run: str) -> None:
    answer = server.call("POST", f"/api/v1/runs/{run}/undo")
    assert answer.status in (200, 201, 202), answer
    until("it is undone", lambda: server.get(f"/api/v1/runs/{run}")["status"] == "undone", 20)


def asks_a_person(server: Server, bucket: str, about: str) -> None:
    """Waits until a run on the bucket is parked with a question."""

    def asks() -> bool:
        return any(r["status"] == "parked" and not r.get("outcome") and about in str(r.get("reason")) for r in server.runs(bucket))

    until(f"a run asks about {about}", asks, 20)


def test_the_requirements_own_command_is_answered_verified_and_can_be_undone(home: Product, server: Server) -> None:
    bucket = Bucket(home)
    bucket.lay_open()
    bucket.s3.put_object_acl(Bucket=bucket.name, Key="k", ACL="public-read")
    before = bucket.settings()
    home.aws("s3api", "put-bucket-acl", "--bucket", bucket.name, "--acl", "public-read")
    incident, runs = server.fixed(bucket.name)
    after = bucket.settings()
    assert (after["block"], bucket.anonymous()) == (CLOSED, 403)
    assert after["encryption"]["Rules"][0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert any("AllUsers" in str(grant) for grant in after["acl"]), "the list is evidence, and does not count any more"
    assert incident["resource"]["arn"] == f"arn:aws:s3:::{bucket.name}"
    assert [stage for stage, _ in runs[0]["timeline"]] == ["opened", "planned", "permitted", "acted", "verified", "ended"]
    undone(server, runs[0]["id"])
    assert (bucket.settings()["block"], bucket.anonymous()) == (before["block"], 200)


def test_a_dry_run_needs_to_be_told_whose_bucket_it_is_and_changes_nothing(home: Product, server: Server) -> None:
    bucket = Bucket(home)
    bucket.lay_open()
    mark, arn = home.range.mark(), f"arn:aws:s3:::{bucket.name}"
    vague = home.quell("playbook", "plan", "PB-003", "--resource", arn)
    assert vague.code == 4 and "--account and --region" in vague.err, vague
    said = home.quell("playbook", "plan", "PB-003", "--resource", arn, "--account", bucket.account["id"], "--region", "us-east-1")
    assert (said.code, said.json["decision"], said.json["changed"]) == (0, "permit", False), said
    (call,) = said.json["plan"]["calls"]
    assert call["arguments"] == {"Bucket": bucket.name, "ExpectedBucketOwner": bucket.account["id"], "PublicAccessBlockConfiguration": CLOSED}
    assert home.range.changes(mark) == []


def test_a_block_that_is_taken_off_is_put_on_again(home: Product, server: Server) -> None:
    bucket = Bucket(home)
    bucket.s3.delete_public_access_block(Bucket=bucket.name)
    server.fixed(bucket.name)
    assert bucket.settings()["block"] == CLOSED


def test_an_open_policy_in_the_sandbox_is_closed_in_two_steps_and_its_text_stays(home: Product, server: Server) -> None:
    bucket = Bucket(home, home.range.sandbox)
    bucket.lay_open()
    text = bucket.open_by_policy()
    _, runs = server.fixed(bucket.name)
    after = bucket.settings()
    assert (after["block"], after["policy"], bucket.anonymous()) == (CLOSED, text, 403)
    own = [c["params"] for c in home.range.changes() if c["operation"] == "PutPublicAccessBlock" and c["params"].get("Bucket") == bucket.name]
    puts = [params["PublicAccessBlockConfiguration"] for params in own]
    assert [put["RestrictPublicBuckets"] for put in puts] == [False, True]
    undone(server, runs[0]["id"])
    assert (bucket.settings()["block"], bucket.anonymous()) == (None, 200)


def test_an_open_policy_in_production_waits_for_a_person_with_the_gentle_part_done(home: Product, server: Server) -> None:
    bucket = Bucket(home)
    bucket.lay_open()
    text = bucket.open_by_policy()

    asks_a_person(server, bucket.name, "class R2")
    after = bucket.settings()
    assert (after["block"], after["policy"], bucket.anonymous()) == ({**CLOSED, "RestrictPublicBuckets": False}, text, 200)
    run = server.runs(bucket.name)[-1]["id"]
    plan = home.quell("run", "show", run).json["planHash"]
    assert home.quell("approve", run, "--plan", plan).code == 0
    server.fixed(bucket.name)
    assert (bucket.settings(), bucket.anonymous()) == ({**after, "block": CLOSED}, 403)
    undone(server, run)
    assert bucket.settings() == {**after, "block": None}


def test_a_bucket_of_another_region_with_a_key_keeps_its_key(home: Product, server: Server) -> None:
    region = "eu-west-1"
    bucket = Bucket(home, region=region)
    bucket.lay_open()
    key = f"arn:aws:kms:{region}:{bucket.account['id']}:key/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules = [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
    bucket.s3.put_bucket_encryption(Bucket=bucket.name, ServerSideEncryptionConfiguration={"Rules": rules})
    before = bucket.settings()["encryption"]
    bucket.s3.put_bucket_acl(Bucket=bucket.name, ACL="public-read-write")
    server.fixed(bucket.name)
    after = bucket.settings()
    assert (after["block"], after["encryption"]) == (CLOSED, before)


def test_a_web_site_is_left_to_a_person_untouched(home: Product, server: Server) -> None:
    bucket = Bucket(home, home.range.sandbox)
    bucket.lay_open()
    bucket.s3.put_bucket_website(Bucket=bucket.name, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    bucket.open_by_policy()

    asks_a_person(server, bucket.name, "web site")
    assert bucket.settings()["block"] is None


def test_an_account_outside_is_named_and_the_bucket_is_closed(home: Product, server: Server) -> None:
    bucket = Bucket(home)
    bucket.lay_open()
    other = {"AWS": "arn:aws:iam::999999999999:root"}
    statement = {"Effect": "Allow", "Principal": other, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket.name}/*"}
    bucket.s3.put_bucket_policy(Bucket=bucket.name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    incident, runs = server.at_rest(bucket.name)
    assert (incident["status"], runs[-1]["outcome"]) == ("parked", "Quell.PersonNeeded")
    assert "999999999999" in runs[-1]["reason"]
    assert bucket.settings()["block"] == CLOSED


def test_what_guardduty_says_of_a_bucket_begins_it_and_live_state_decides(home: Product, server: Server) -> None:
    """It tells of two buckets, one of which is not open at all."""
    opened, closed = Bucket(home), Bucket(home)
    opened.lay_open()
    opened.s3.put_object_acl(Bucket=opened.name, Key="k", ACL="public-read")
    key, now = home.key("forwarder"), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for bucket in (opened, closed):
        details = [{"arn": f"arn:aws:s3:::{bucket.name}", "name": bucket.name, "type": "Destination"}]
        finding = {
            "schemaVersion": "2.0",
            "accountId": bucket.account["id"],
            "region": "us-east-1",
            "partition": "aws",
            "id": uuid.uuid4().hex,
            "type": "Policy:S3/BucketAnonymousAccessGranted",
            "severity": 8,
            "title": "everybody was let into a bucket",
            "description": "By its list.",
            "createdAt": now,
            "updatedAt": now,
            "resource": {"resourceType": "S3Bucket", "s3BucketDetails": details},
            "service": {"archived": False, "count": 1, "eventFirstSeen": now, "eventLastSeen": now, "resourceRole": "TARGET"},
        }
        entry = {"Source": "aws.guardduty", "DetailType": "GuardDuty Finding", "Detail": json.dumps(finding)}
        body = json.dumps({"Entries": [entry]}).encode()
        headers = signed_headers("POST", f"{server.url}/", body, key, TARGET)
        assert send("POST", f"{server.url}/", body, headers).status == 200
    server.fixed(opened.name)
    assert (opened.settings()["block"], opened.anonymous()) == (CLOSED, 403)
    _, runs = server.at_rest(closed.name)
    assert [r["outcome"] for r in runs] == ["already-fixed"]


def test_quell_made_no_other_call_in_all_of_this(home: Product, server: Server) -> None:
    home.settled()
    own = {c["operation"] for c in home.range.changes() if "Quell" in c["principal"] and c["service"] in ("s3", "s3control")}
    assert own == {"PutPublicAccessBlock", "DeletePublicAccessBlock"}
    assert not [c for c in home.range.changes() if c["service"] == "s3control"], "the account's own block is nobody's to change"
