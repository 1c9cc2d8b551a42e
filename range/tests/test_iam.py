"""IAM where moto has nothing or lets through what AWS refuses, and the simulator over what really is there."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import Client

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def document(effect: str, action: Any = "*", resource: Any = "*", **more: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": resource, **more}]})


def name(kind: str) -> str:
    return f"{kind}-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def iam(quell_range: Client) -> Any:
    return quell_range.developer("iam")


@pytest.fixture
def user(iam: Any) -> str:
    made = name("eve")
    iam.create_user(UserName=made)
    return made


@pytest.fixture
def role(iam: Any) -> str:
    made = name("app")
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    iam.create_role(RoleName=made, AssumeRolePolicyDocument=json.dumps(trust))
    return made


def refused(call: Any, **params: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as error:
        call(**params)
    return error.value.response["Error"]["Code"], error.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_service_specific_credentials(iam: Any, user: str) -> None:
    made = iam.create_service_specific_credential(UserName=user, ServiceName="codecommit.amazonaws.com")["ServiceSpecificCredential"]
    key = iam.create_service_specific_credential(UserName=user, ServiceName="bedrock.amazonaws.com", CredentialAgeDays=7)[
        "ServiceSpecificCredential"
    ]
    assert made["ServiceSpecificCredentialId"].startswith("ACCA") and made["ServicePassword"] and made["Status"] == "Active"
    assert key["ServiceCredentialSecret"] and key["ExpirationDate"] > key["CreateDate"]
    named = {"UserName": user, "ServiceSpecificCredentialId": made["ServiceSpecificCredentialId"]}
    iam.update_service_specific_credential(**named, Status="Inactive")
    listed = iam.list_service_specific_credentials(UserName=user)["ServiceSpecificCredentials"]
    assert {c["ServiceName"]: c["Status"] for c in listed} == {"codecommit.amazonaws.com": "Inactive", "bedrock.amazonaws.com": "Active"}
    assert not any("ServicePassword" in c or "ServiceCredentialSecret" in c for c in listed)
    assert iam.reset_service_specific_credential(**named)["ServiceSpecificCredential"]["ServicePassword"]
    iam.delete_service_specific_credential(**named)
    assert len(iam.list_service_specific_credentials(UserName=user)["ServiceSpecificCredentials"]) == 1
    assert refused(iam.delete_service_specific_credential, **named) == ("NoSuchEntity", 404)
    assert refused(iam.list_service_specific_credentials, UserName="nobody") == ("NoSuchEntity", 404)
    assert refused(iam.create_service_specific_credential, UserName=user, ServiceName="s3.amazonaws.com") == (
        "ServiceNotSupportedException",
        404,
    )
    iam.create_service_specific_credential(UserName=user, ServiceName="bedrock.amazonaws.com")
    assert refused(iam.create_service_specific_credential, UserName=user, ServiceName="bedrock.amazonaws.com") == ("LimitExceeded", 409)


def decisions(iam: Any, arn: str, *actions: str, **more: Any) -> dict[str, str]:
    results = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=list(actions), **more)["EvaluationResults"]
    return {r["EvalActionName"]: r["EvalDecision"] for r in results}


def test_the_simulator_sees_inline_attached_and_the_groups(quell_range: Client, iam: Any, user: str) -> None:
    arn, group = f"arn:aws:iam::{quell_range.production['id']}:user/{user}", name("g")
    asked = ("s3:ListAllMyBuckets", "ec2:RunInstances", "iam:CreateAccessKey")
    assert set(decisions(iam, arn, *asked).values()) == {"implicitDeny"}
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document("Allow", ["s3:List*"]))
    iam.create_group(GroupName=group)
    iam.put_group_policy(GroupName=group, PolicyName="p", PolicyDocument=document("Allow", "ec2:Run*"))
    iam.add_user_to_group(GroupName=group, UserName=user)
    assert decisions(iam, arn, *asked) == dict(zip(asked, ["allowed", "allowed", "implicitDeny"], strict=True))
    quarantine = iam.create_policy(PolicyName=name("Quarantine"), PolicyDocument=document("Deny"))["Policy"]["Arn"]
    iam.attach_user_policy(UserName=user, PolicyArn=quarantine)
    assert set(decisions(iam, arn, *asked).values()) == {"explicitDeny"}
    (result,) = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["s3:GetObject"])["EvaluationResults"]
    assert [(m["SourcePolicyId"], m["SourcePolicyType"]) for m in result["MatchedStatements"]] == [
        (quarantine.partition("/")[2], "user-managed")
    ]
    iam.detach_user_policy(UserName=user, PolicyArn=quarantine)
    assert "explicitDeny" not in decisions(iam, arn, *asked).values()


def test_the_simulator_takes_context_and_says_what_it_lacked(quell_range: Client, iam: Any, role: str) -> None:
    arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    condition = {"StringEquals": {"aws:userid": "AROAEXAMPLE:one"}}
    iam.put_role_policy(RoleName=role, PolicyName="work", PolicyDocument=document("Allow"))
    iam.put_role_policy(RoleName=role, PolicyName="Quell-1", PolicyDocument=document("Deny", Condition=condition))

    def told(who: str) -> str:
        entry = {"ContextKeyName": "aws:userid", "ContextKeyValues": [who], "ContextKeyType": "string"}
        return decisions(iam, arn, "s3:GetObject", ContextEntries=[entry])["s3:GetObject"]

    assert (told("AROAEXAMPLE:one"), told("AROAEXAMPLE:two")) == ("explicitDeny", "allowed")
    (result,) = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["s3:GetObject"])["EvaluationResults"]
    assert (result["EvalDecision"], result["MissingContextValues"]) == ("allowed", ["aws:userid"])


def test_the_simulator_refuses_whom_there_is_not(quell_range: Client, iam: Any) -> None:
    arn = f"arn:aws:iam::{quell_range.production['id']}:user/nobody"
    assert refused(iam.simulate_principal_policy, PolicySourceArn=arn, ActionNames=["s3:GetObject"]) == ("NoSuchEntity", 404)
    assert (
        refused(iam.simulate_principal_policy, PolicySourceArn=arn.replace("user", "pet"), ActionNames=["s3:GetObject"])[0]
        == "InvalidInput"
    )


def test_a_boundary_of_a_user_is_shown_and_simulated(iam: Any, user: str) -> None:
    iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=document("Allow"))
    boundary = iam.create_policy(PolicyName=name("bound"), PolicyDocument=document("Allow", "s3:*"))["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName=user, PermissionsBoundary=boundary)
    found = iam.get_user(UserName=user)["User"]
    assert found["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    assert decisions(iam, found["Arn"], "s3:GetObject", "ec2:RunInstances") == {
        "s3:GetObject": "allowed",
        "ec2:RunInstances": "implicitDeny",
    }
    iam.delete_user_permissions_boundary(UserName=user)
    assert "PermissionsBoundary" not in iam.get_user(UserName=user)["User"]
    assert refused(iam.delete_user_permissions_boundary, UserName=user) == ("NoSuchEntity", 404)


def test_attaching_twice_is_once_and_ten_is_the_most(iam: Any, user: str) -> None:
    for _ in range(2):
        iam.attach_user_policy(UserName=user, PolicyArn=READ_ONLY)
    own = [iam.create_policy(PolicyName=name("p"), PolicyDocument=document("Allow"))["Policy"]["Arn"] for _ in range(10)]
    for arn in own[:9]:
        iam.attach_user_policy(UserName=user, PolicyArn=arn)
    assert iam.get_policy(PolicyArn=own[0])["Policy"]["AttachmentCount"] == 1
    assert refused(iam.attach_user_policy, UserName=user, PolicyArn=own[9]) == ("LimitExceeded", 409)
    iam.attach_user_policy(UserName=user, PolicyArn=own[0])


def test_inline_policies_together_have_a_size(iam: Any, role: str) -> None:
    long = document("Deny", [f"s3:Get{n}" for n in range(500)])
    assert 5120 < len(long) < 10_240
    iam.put_role_policy(RoleName=role, PolicyName="one", PolicyDocument=long)
    assert refused(iam.put_role_policy, RoleName=role, PolicyName="two", PolicyDocument=long) == ("LimitExceeded", 409)
    iam.put_role_policy(RoleName=role, PolicyName="one", PolicyDocument=long)
    iam.put_role_policy(RoleName=role, PolicyName="two", PolicyDocument=document("Deny") + " " * 5000)


def test_roles_of_awss_own_cannot_be_changed(iam: Any) -> None:
    try:
        role = iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")["Role"]["RoleName"]
    except ClientError:
        role = "AWSServiceRoleForAutoScaling"
    assert refused(iam.put_role_policy, RoleName=role, PolicyName="x", PolicyDocument=document("Deny"))[0] == "UnmodifiableEntity"
    assert refused(iam.attach_role_policy, RoleName=role, PolicyArn=READ_ONLY)[0] == "UnmodifiableEntity"


def test_a_status_that_there_is_not_is_refused(iam: Any, user: str) -> None:
    key = iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
    assert refused(iam.update_access_key, UserName=user, AccessKeyId=key, Status="Expired")[0] == "ValidationError"
    assert [k["Status"] for k in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]] == ["Active"]


def test_the_default_version_may_be_set_to_what_it_is(iam: Any) -> None:
    arn = iam.create_policy(PolicyName=name("p"), PolicyDocument=document("Allow", "s3:*"))["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document("Allow"))
    for version in ("v2", "v2", "v1"):
        iam.set_default_policy_version(PolicyArn=arn, VersionId=version)
        assert [v["VersionId"] for v in iam.list_policy_versions(PolicyArn=arn)["Versions"] if v["IsDefaultVersion"]] == [version]
    assert iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]["Statement"][0]["Action"] == "s3:*"
