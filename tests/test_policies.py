"""Policies from the command line: what they say, what is wrong with them, and that a fault permits nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.awsrange import group_arn
from harness.product import Product, Said, quell
from harness.waiting import until

ROOT = Path(__file__).resolve().parent.parent
GROUP = "arn:aws:ec2:us-east-1:444455556666:security-group/sg-1"
REVOKE = "ec2:RevokeSecurityGroupIngress"


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """The content that is built in, as a folder."""
    shutil.copytree(ROOT / "content", tmp_path / "content")
    accounts = '[[accounts]]\nid = "444455556666"\nou = "Root/Prod/Payments"\n[[accounts]]\nid = "111122223333"\nenvironment = "test"\n'
    (tmp_path / "quell.toml").write_text(f'content = "{tmp_path / "content"}"\ndata = "{tmp_path / "data"}"\n{accounts}')
    return tmp_path / "content"


def asked(content: Path, *more: str, action: str = REVOKE, resource: str = GROUP) -> Said:
    return quell("policy", "test", "--playbook", "PB-008", "--action", action, "--resource", resource, *more, cwd=content.parent)


def own(content: Path, text: str) -> None:
    (content / "policies/own.cedar").write_text(text)


def faults_of_policies(content: Path) -> list[str]:
    said = quell("content", "check", content, cwd=content.parent)
    return [f"{f['file']}:{f.get('line')} {f['message']} {f.get('help', '')}" for f in said.json["faults"] if f["file"].startswith("policies")]


def test_the_default_policies_permit_what_is_declared(content: Path) -> None:
    assert faults_of_policies(content) == []
    said = asked(content)
    assert (said.code, said.json["answer"], said.json["policies"]) == (0, "permit", ["declared"])
    undeclared = asked(content, action="ec2:AuthorizeSecurityGroupIngress", resource=GROUP)
    assert undeclared.json["answer"] == "permit", "the way back is declared too"
    other = asked(content, action="ec2:TerminateInstances")
    assert other.json["answer"] == "forbid"
    listed = quell("policy", "list", cwd=content.parent)
    assert {p["id"]: p["effect"] for p in listed.json} == {
        "declared": "permit",
        "deployment": "ask",
        "landing-zone": "forbid",
        "log-archive": "forbid",
    }
    schema = quell("policy", "schema", cwd=content.parent, output="table").out
    assert f'action "{REVOKE}" in ["network"]' in schema and "entity Level enum" in schema


def test_a_policy_of_ones_own_says_no_where_it_is_about(content: Path) -> None:
    own(content, '@id("payments") @reason("ask the payments team") forbid (principal, action, resource in OU::"Root/Prod");')
    assert faults_of_policies(content) == []
    said = asked(content, "--expect", "permit")
    assert said.code == 1 and said.json["reasons"] == ["ask the payments team (policy payments)"]
    # Nobody said in which unit the other account is: it may be in this one.
    unknown = asked(content, resource=GROUP.replace("444455556666", "111122223333"))
    assert unknown.json["answer"] == "forbid" and "give it an `ou`" in unknown.json["reasons"][0]
    elsewhere = asked(content, "--ou", "Root/Test", resource=GROUP.replace("444455556666", "111122223333"))
    assert elsewhere.json["answer"] == "permit"


def test_a_question_says_how_many_have_to_say_yes(content: Path) -> None:
    own(content, '@id("two") @ask("sure?") forbid (principal, action, resource) unless { context.approvedBy >= 2 };')
    said = asked(content, "--expect", "ask")
    assert (said.code, said.json["persons"], said.json["reasons"]) == (0, 2, ["sure? (policy two)"])
    assert asked(content, "--approvals", "2").json["answer"] == "permit"
    own(content, '@id("night") @ask("at night?") forbid (principal, action, resource) when { context.hour < 6 };')
    assert asked(content, "--at", "2026-11-21T03:00:00Z").json["answer"] == "ask"
    assert asked(content, "--at", "2026-11-21T09:00:00Z").json["answer"] == "permit"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('@id("own")\n@reason("no")\nforbid (principal, action, resource)\nwhen { context.clas > 1 };', 4, "clas"),
        ('@id("own")\n@reason("no")\nforbid (principal, action == Action::"ec2:StopInstance", resource);', 3, "ec2:StopInstance"),
        ('\n\n@id("own") @raeson("no") forbid (principal, action, resource);', 3, "@reason"),
        ('@id("own") @reason("no")\nforbid (principal, action, resource', 2, ""),
        ('@id("own") permit (principal, action, resource)\nwhen { resource.hasTag("exempt") };', 1, "impossible"),
    ],
    ids=["attribute", "action", "annotation", "no-policy", "tags-as-exemption"],
)
def test_a_fault_is_named_with_file_and_line_and_permits_nothing(content: Path, text: str, line: int, says: str) -> None:
    own(content, text)
    found = faults_of_policies(content)
    assert any(f.startswith(f"policies/own.cedar:{line} ") and says in f for f in found), found
    said = asked(content)
    assert said.json["answer"] == "forbid" and "there is a fault in the policies" in said.json["reasons"][0]
    assert quell("policy", "list", cwd=content.parent).code == 1


def test_a_folder_without_policies_permits_nothing_and_says_so(content: Path) -> None:
    shutil.rmtree(content / "policies")
    (found,) = faults_of_policies(content)
    assert "no change is permitted" in found and "content/policies" in found
    assert asked(content).json["answer"] == "forbid"


def test_a_policy_that_is_a_link_is_not_passed_over(content: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.cedar").write_text('@id("own") @reason("no") forbid (principal, action, resource);')
    (content / "policies/own.cedar").symlink_to(tmp_path / "elsewhere.cedar")
    assert "no plain file" in faults_of_policies(content)[0]
    assert asked(content).json["answer"] == "forbid"


def test_a_faulty_policy_file_stops_changes_and_not_detection(tmp_path: Path, content: Path) -> None:
    home = Product(tmp_path / "home")
    own(content, "forbid (principal, action, resource)")
    settings = tmp_path / "settings.toml"
    settings.write_text(f'content = "{content}"\n')
    with home.range_up(), home.server_up(config=settings) as server:
        assert "policies/own.cedar" in server.process.err()
        group, mark = home.range.seed()["group_id"], home.range.mark()
        home.range.open(group)
        ended = until("the run was refused", lambda: next((r for r in server.runs(group) if r.get("outcome")), None))
        assert ended and ended["outcome"] == "Quell.Refused" and "there is a fault in the policies" in ended["reason"], ended
        assert home.range.revocations(mark) == {}
        dry = home.quell("playbook", "plan", "PB-008", "--resource", group_arn(group), "--config", settings)
        assert (dry.json["decision"], dry.json["plan"]["playbook"]) == ("refuse", "PB-008"), dry
