"""The policies that `quell iam` prints: nothing is wrong with them, and the standing one keeps the quarantine on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from parliament import analyze_policy_string

from harness.product import ROOT, Product
from harness.rights import policies

ACCOUNT = "444455556666"
MANAGEMENT = "100020003000"
PLAYBOOKS = sorted(folder.name for folder in (ROOT / "content/playbooks").iterdir())


def printed(home: Product, *words: str) -> Any:
    said = home.quell("iam", *words)
    assert said.code == 0, said
    return said.json


#: Whoever may change a bucket's policy may let themselves in. PB-003 closes buckets by it: that it only ever closes is the guard's proof, and the session
#: that does it is narrowed to the one bucket.
MEANT = {"RESOURCE_POLICY_PRIVILEGE_ESCALATION"}
#: Actions that are newer than parliament's tables; AWS has had this one since April 2026.
NEWER = {"kms:GetKeyLastUsage"}


def faults(policy: Any) -> list[str]:
    findings = [found for found in analyze_policy_string(json.dumps(policy)).findings if found.issue not in MEANT]
    return [str(found) for found in findings if not (found.issue == "UNKNOWN_ACTION" and any(f" {name} " in str(found) for name in NEWER))]


@pytest.mark.parametrize("playbooks", [[], *([name] for name in PLAYBOOKS)], ids=lambda names: names[0] if names else "all")
def test_nothing_is_wrong_with_a_policy(tmp_path: Path, playbooks: list[str]) -> None:
    made = printed(Product(tmp_path, {"QUELL__ORGANIZATION__MANAGEMENT_ACCOUNT": MANAGEMENT}), "policy", *playbooks, "--account", ACCOUNT)
    assert made
    for role in made:
        assert role["account"] == (MANAGEMENT if "Organization" in role["role"] else role["account"])
        for policy in role["policies"]:
            assert faults(policy) == [], role["role"]
            assert len(json.dumps(policy, separators=(",", ":"))) <= 6144


def test_a_fault_would_be_found() -> None:
    wrong = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:RevokeIngress", "Resource": "*"}]}
    assert faults(wrong)
    elsewhere = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:PutRolePolicy", "Resource": "arn:aws:iam::444455556666:user/*"}]}
    assert faults(elsewhere)


def test_the_quarantine_stays_on_and_says_what_it_says(tmp_path: Path) -> None:
    home = Product(tmp_path)
    scp = json.dumps(printed(home, "scp", "--except", "break-glass"))
    assert len(scp) < 5120
    assert policies.decide([json.dumps(printed(home, "quarantine"))], policies.Asked("iam:CreateUser", "*"))[0] == policies.EXPLICIT_DENY
    quarantine = f"arn:aws:iam::{ACCOUNT}:policy/QuellQuarantine"

    def denied(who: str, action: str, resource: str, policy: str | None = None) -> bool:
        context = {"aws:principalarn": [f"arn:aws:iam::{ACCOUNT}:{who}"], **({"iam:policyarn": [policy]} if policy else {})}
        return policies.decide([scp], policies.Asked(action, resource, context))[0] == policies.EXPLICIT_DENY

    eve = f"arn:aws:iam::{ACCOUNT}:user/eve"
    for who, is_denied in (("user/eve", True), ("role/admin", True), ("role/QuellAct-S3", True), ("role/QuellAct-IAM", False), ("role/break-glass", False)):
        assert denied(who, "iam:DetachUserPolicy", eve, quarantine) is is_denied, who
    assert not denied("user/eve", "iam:DetachUserPolicy", eve, f"arn:aws:iam::{ACCOUNT}:policy/other")
    for action in ("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:DeletePolicy"):
        assert denied("role/QuellAct-IAM", action, quarantine) and denied("role/admin", action, quarantine)
        assert not denied("role/break-glass", action, quarantine)
    for role in ("QuellReader", "QuellAct-IAM", "QuellAct-Network"):
        assert denied("role/admin", "iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/{role}")
    assert not denied("role/admin", "iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/app")


def test_a_trust_policy_names_who_and_for_which_run(tmp_path: Path) -> None:
    home = Product(tmp_path, {"QUELL__AWS__EXTERNAL_ID": "an-id"})
    who = "arn:aws:iam::111122223333:role/quell"
    for role, more in (("read", {}), ("network", {"StringLike": {"sts:SourceIdentity": "run-*"}})):
        [statement] = printed(home, "trust", "--role", role, "--principal", who)["Statement"]
        assert statement["Principal"] == {"AWS": who}
        assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "an-id"}, **more}


def test_what_is_not_known_is_said(tmp_path: Path) -> None:
    home = Product(tmp_path)
    assert home.quell("iam", "policy", "PB-999", "--account", ACCOUNT).code == 4
    assert home.quell("iam", "policy").code == 2
