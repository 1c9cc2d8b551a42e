"""The key alone says whose call it is; roles must exist, trust the caller, and hear the right external id."""

from __future__ import annotations

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from conftest import Client


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_each_key_is_its_accounts(quell_range: Client) -> None:
    for account in quell_range.accounts:
        caller = quell_range.developer("sts", account).get_caller_identity()
        assert (caller["Account"], caller["Arn"]) == (account["id"], f"arn:aws:iam::{account['id']}:user/developer")
    assert quell_range.client("sts", quell_range.quell).get_caller_identity()["Account"] == "111122223333"
    root = quell_range.client("sts", quell_range.sandbox["root"]).get_caller_identity()
    assert root["Arn"] == f"arn:aws:iam::{quell_range.sandbox['id']}:root"


def test_accounts_do_not_see_each_other(quell_range: Client) -> None:
    vpc = quell_range.developer("ec2", quell_range.production).create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    others = quell_range.developer("ec2", quell_range.sandbox).describe_vpcs()["Vpcs"]
    assert vpc not in {v["VpcId"] for v in others}


def test_a_role_of_another_account(quell_range: Client) -> None:
    role = quell_range.production["roles"]["read"]
    session = quell_range.assume(role, session="run-17")
    caller = quell_range.client("sts", session).get_caller_identity()
    assert caller["Arn"] == f"arn:aws:sts::{quell_range.production['id']}:assumed-role/QuellReader/run-17"
    assert session["access_key_id"].startswith("ASIA")
    group = quell_range.seed()["group_id"]
    seen = quell_range.client("ec2", session).describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert [g["OwnerId"] for g in seen] == [quell_range.production["id"]]


def test_both_accounts_record_the_assumption(quell_range: Client) -> None:
    quell_range.assume(quell_range.production["roles"]["network"])
    events = quell_range.messages("events", lambda found: len(found) >= 2)
    mine, theirs = (e["detail"] for e in events)
    assert mine["recipientAccountId"] == "111122223333" and theirs["recipientAccountId"] == quell_range.production["id"]
    assert mine["sharedEventID"] == theirs["sharedEventID"] and mine["eventID"] != theirs["eventID"]
    assert theirs["userIdentity"]["type"] == "AWSAccount" and theirs["userIdentity"]["accountId"] == "111122223333"


@pytest.mark.parametrize("role", ["arn:aws:iam::444455556666:role/Absent", "arn:aws:iam::999999999999:role/QuellReader"])
def test_a_role_that_is_not_there(quell_range: Client, role: str) -> None:
    with pytest.raises(ClientError) as refused:
        quell_range.assume(role)
    assert code_of(refused) == "AccessDenied"
    assert quell_range.record("AssumeRole")["errorCode"] == "AccessDenied"


def test_a_wrong_external_id_and_a_wrong_caller(quell_range: Client) -> None:
    role = quell_range.production["roles"]["read"]
    with pytest.raises(ClientError) as refused:
        quell_range.assume(role, external_id="guessed")
    assert code_of(refused) == "AccessDenied"
    stranger = quell_range.developer("sts", quell_range.sandbox)
    with pytest.raises(ClientError) as refused:
        stranger.assume_role(RoleArn=role, RoleSessionName="stranger", ExternalId=quell_range.quell["external_id"])
    assert code_of(refused) == "AccessDenied"


@pytest.mark.parametrize(
    ("service", "call", "code", "status"),
    [("ec2", "describe_vpcs", "AuthFailure", 401), ("sts", "get_caller_identity", "InvalidClientTokenId", 403),
     ("sqs", "list_queues", "UnrecognizedClientException", 400), ("s3", "list_buckets", "InvalidAccessKeyId", 403)],
)  # fmt: skip
def test_unknown_keys_are_refused_in_the_services_words(quell_range: Client, service: str, call: str, code: str, status: int) -> None:
    nobody = quell_range.client(service, {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "x"})
    with pytest.raises(ClientError) as refused:
        getattr(nobody, call)()
    assert code_of(refused) == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_deactivated_keys_and_stolen_session_keys_stop_working(quell_range: Client) -> None:
    iam = quell_range.developer("iam")
    iam.create_user(UserName="leaver")
    made = iam.create_access_key(UserName="leaver")["AccessKey"]
    keys = {"access_key_id": made["AccessKeyId"], "secret_access_key": made["SecretAccessKey"]}
    assert quell_range.client("sts", keys).get_caller_identity()["Arn"].endswith("user/leaver")
    iam.update_access_key(UserName="leaver", AccessKeyId=made["AccessKeyId"], Status="Inactive")
    with pytest.raises(ClientError):
        quell_range.client("sts", keys).get_caller_identity()
    session = quell_range.assume(quell_range.production["roles"]["read"])
    with pytest.raises(ClientError):
        quell_range.client("sts", {**session, "session_token": "another"}).get_caller_identity()


def test_session_tokens_and_federated_users(quell_range: Client) -> None:
    sts = quell_range.developer("sts")
    given = sts.get_federation_token(Name="visitor", Policy="{}")["Credentials"]
    keys = {"access_key_id": given["AccessKeyId"], "secret_access_key": given["SecretAccessKey"], "session_token": given["SessionToken"]}
    assert quell_range.client("sts", keys).get_caller_identity()["Arn"].endswith(":federated-user/visitor")
    assert quell_range.record("GetFederationToken")["responseElements"]["federatedUser"]["federatedUserId"].endswith(":visitor")


def test_a_web_identity_gets_a_session_without_a_key(quell_range: Client) -> None:
    unsigned = quell_range.client("sts", quell_range.quell, config=Config(signature_version=UNSIGNED))
    role = quell_range.production["roles"]["read"]
    given = unsigned.assume_role_with_web_identity(RoleArn=role, RoleSessionName="pod-1", WebIdentityToken="eyJh")["Credentials"]
    keys = {
        "access_key_id": given["AccessKeyId"], "secret_access_key": given["SecretAccessKey"], "session_token": given["SessionToken"],
    }  # fmt: skip
    caller = quell_range.client("sts", keys).get_caller_identity()
    assert caller["Arn"] == f"arn:aws:sts::{quell_range.production['id']}:assumed-role/QuellReader/pod-1"
