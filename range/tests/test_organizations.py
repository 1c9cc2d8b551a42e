"""A policy of the organisation binds everybody in the account that it is attached to, and only the account that manages may attach it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import Client

from quell_range.attacks.stage import Stage
from quell_range.organization import MANAGEMENT_ACCOUNT, POLICIES


def says(call: Any, **params: Any) -> str:
    try:
        call(**params)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "ok"


@pytest.fixture
def stage(quell_range: Client) -> Stage:
    return Stage(quell_range.info)


@pytest.fixture
def organizations(stage: Stage) -> Any:
    return stage.client("organizations", stage.role(MANAGEMENT_ACCOUNT, "QuellAct-Organization"))


@pytest.fixture
def deny_root(organizations: Any, stage: Stage) -> Iterator[dict[str, str]]:
    found = organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]
    ids = {policy["Name"]: policy["Id"] for policy in found}
    assert ids.keys() == {"FullAWSAccess", *POLICIES}
    given = {"PolicyId": ids["QuellDenyRoot"], "TargetId": stage.account["id"]}
    yield given
    says(organizations.detach_policy, **given)


def test_the_root_user_is_refused_while_it_is_attached_and_nobody_else(stage: Stage, organizations: Any, deny_root: dict[str, str]) -> None:
    root, people = stage.client("iam", stage.account["root"]), stage.client("iam")
    assert (says(root.list_users), says(people.list_users)) == ("ok", "ok")
    organizations.attach_policy(**deny_root)
    assert (says(root.list_users), says(people.list_users)) == ("AccessDenied", "ok")
    assert says(stage.client("ec2", stage.account["root"]).describe_vpcs) == "UnauthorizedOperation"
    other = next(a for a in stage.info["accounts"] if a["id"] not in (stage.account["id"], stage.info["quell"]["account"]))
    assert says(stage.client("iam", other["root"]).list_users) == "ok", "another account's root user goes on"
    assert says(organizations.attach_policy, **deny_root) == "DuplicatePolicyAttachmentException"
    organizations.detach_policy(**deny_root)
    assert says(root.list_users) == "ok"
    assert says(organizations.detach_policy, **deny_root) == "PolicyNotAttachedException"


def test_a_member_account_is_told_of_its_organisation_and_may_do_nothing_to_it(stage: Stage, deny_root: dict[str, str]) -> None:
    member = stage.client("organizations")
    assert member.describe_organization()["Organization"]["MasterAccountId"] == MANAGEMENT_ACCOUNT
    assert says(member.attach_policy, **deny_root) == "AccessDeniedException"
    assert says(member.list_policies, Filter="SERVICE_CONTROL_POLICY") == "AccessDeniedException"


def test_five_policies_fit_on_an_account(organizations: Any, deny_root: dict[str, str]) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "x:y", "Resource": "*"}]})
    manager = organizations
    made = [
        manager.create_policy(Name=f"more-{n}", Description="", Type="SERVICE_CONTROL_POLICY", Content=text)["Policy"]["PolicySummary"]["Id"]
        for n in range(4)
    ]
    for policy in made:
        manager.attach_policy(PolicyId=policy, TargetId=deny_root["TargetId"])
    assert says(manager.attach_policy, **deny_root) == "ConstraintViolationException"
    for policy in made:
        manager.detach_policy(PolicyId=policy, TargetId=deny_root["TargetId"])
        manager.delete_policy(PolicyId=policy)
