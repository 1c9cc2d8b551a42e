"""`quell aws`: any call that reads, by name. The range's journal is the witness of what was sent."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.process import environment
from harness.product import Product, Said, binary, quell

PRODUCTION = "444455556666"


@pytest.fixture(scope="module")
def objects(home: Product) -> Iterator[list[str]]:
    """A bucket of Quell's own account, `paged`, with seven objects."""
    s3 = home.range.client("s3", home.range.info["quell"])
    s3.create_bucket(Bucket="paged")
    keys = [f"key-{number}" for number in range(7)]
    for key in keys:
        s3.put_object(Bucket="paged", Key=key, Body=b"x")
    yield keys


@pytest.fixture(scope="module")
def instance(home: Product) -> str:
    ec2 = home.range.ec2()
    image = ec2.register_image(Name="base", RootDeviceName="/dev/sda1")["ImageId"]
    return str(ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"])


def aws(home: Product, *words: str, params: Any = None, output: str = "json") -> Said:
    more = ("--params", json.dumps(params)) if params is not None else ()
    return home.quell("aws", *words, *more, output=output)


def refused(home: Product, *words: str, params: Any = None) -> Said:
    """A command that is refused before anything is sent."""
    mark = home.range.mark()
    said = aws(home, *words, params=params)
    assert home.range.journal(mark) == [], "nothing was even asked of AWS"
    assert said.out == ""
    return said


# --- Lists and descriptions ---


def test_services_and_operations_are_listed_and_those_that_read_are_marked(home: Product) -> None:
    services = {row["service"]: row for row in aws(home).json}
    assert len(services) == 60
    assert 0 < services["ec2"]["reading"] < services["ec2"]["operations"]
    operations = {row["operation"]: row for row in aws(home, "ec2").json}
    assert operations["DescribeInstances"] == {"operation": "DescribeInstances", "spelling": "describe-instances", "reads": True, "pages": True}
    assert operations["TerminateInstances"]["reads"] is False
    shown = aws(home, "eventbridge", output="table").out
    assert any(line.split() == ["ListRules", "list-rules", "reads", "pages"] or line.split() == ["ListRules", "list-rules", "reads"] for line in shown.splitlines())


def test_an_operation_is_described_with_what_it_takes_and_answers(home: Product) -> None:
    mark = home.range.mark()
    said = aws(home, "sqs", "SendMessage", "--describe")
    assert (said.code, said.json["reads"]) == (0, False), "what it takes may be known of any operation"
    members = {member["path"]: member for member in said.json["parameters"]}
    assert members["QueueUrl"]["required"] and members["QueueUrl"]["type"] == "text"
    shown = aws(home, "ec2", "describe-instances", "--describe", output="table").out
    assert "InstanceRunning" in shown and "Filters[].Values" in shown
    assert home.range.journal(mark) == []


# --- Calls ---


def test_quells_own_account_is_read_and_with_an_account_its_read_role(home: Product) -> None:
    own = aws(home, "sts", "get-caller-identity")
    assert own.json["Account"] == home.range.info["quell"]["account"]
    theirs = aws(home, "sts", "get-caller-identity", "--account", PRODUCTION)
    assert theirs.json["Account"] == PRODUCTION
    assert "assumed-role/QuellReader/quell-aws" in theirs.json["Arn"]
    other = aws(home, "sts", "get-caller-identity", "--account", PRODUCTION, "--role", "QuellAct-Network")
    assert "assumed-role/QuellAct-Network/quell-aws" in other.json["Arn"]


@pytest.mark.parametrize("spelling", ["DescribeSecurityGroups", "describe-security-groups", "describeSecurityGroups"])
def test_any_spelling_makes_the_same_call(home: Product, spelling: str) -> None:
    group = home.range.seed()["group_id"]
    mark = home.range.mark()
    said = aws(home, "ec2", spelling, "--account", PRODUCTION, params={"GroupIds": [group]})
    assert said.code == 0, said.err
    assert [g["GroupId"] for g in said.json["SecurityGroups"]] == [group]
    assert [c["operation"] for c in home.range.journal(mark)][-1] == "DescribeSecurityGroups"
    assert home.range.changes(mark) == []


def test_parameters_come_from_a_file_or_standard_input_too(home: Product) -> None:
    group = home.range.seed()["group_id"]
    file = home.folder / "params.json"
    file.write_text(json.dumps({"GroupIds": [group]}))
    said = aws(home, "ec2", "describe-security-groups", "--account", PRODUCTION, "--params", f"@{file}")
    assert [g["GroupId"] for g in said.json["SecurityGroups"]] == [group], said.err
    words = [binary(), "aws", "ec2", "describe-security-groups", "--account", PRODUCTION, "--params", "-", "--data", home.data, "--output", "json"]
    done = subprocess.run(words, cwd=home.folder, env=environment(), input=file.read_bytes(), capture_output=True, timeout=60, check=True)
    assert json.loads(done.stdout) == said.json


def test_an_answer_for_people_is_a_table(home: Product) -> None:
    home.range.seed()
    said = aws(home, "ec2", "describe-security-groups", "--account", PRODUCTION, output="table")
    assert said.code == 0
    assert said.out.startswith("SecurityGroups (")
    assert "GROUPID" in said.out and "sg-" in said.out


def test_another_region_is_asked(home: Product) -> None:
    seeded = home.range.seed(region="eu-west-1")["group_id"]
    here = aws(home, "ec2", "describe-security-groups", "--account", PRODUCTION, params={"GroupIds": [seeded]})
    assert (here.code, "InvalidGroup.NotFound" in here.err) == (4, True)
    there = aws(home, "ec2", "describe-security-groups", "--account", PRODUCTION, "--region", "eu-west-1", params={"GroupIds": [seeded]})
    assert there.code == 0, there.err


# --- Pages ---


def test_one_page_says_that_there_are_more_and_all_reads_them(home: Product, objects: list[str]) -> None:
    params = {"Bucket": "paged", "MaxKeys": 3}
    one = aws(home, "s3", "list-objects-v2", params=params)
    assert (len(one.json["Contents"]), "--all" in one.err) == (3, True)
    mark = home.range.mark()
    everything = aws(home, "s3", "list-objects-v2", "--all", params=params)
    assert [o["Key"] for o in everything.json["Contents"]] == objects
    assert "NextContinuationToken" not in everything.json
    assert [c["operation"] for c in home.range.journal(mark)].count("ListObjectsV2") == 3


def test_no_more_items_than_wanted_are_read(home: Product, objects: list[str]) -> None:
    mark = home.range.mark()
    said = aws(home, "s3", "list-objects-v2", "--all", "--max-items", "4", params={"Bucket": "paged", "MaxKeys": 3})
    assert [o["Key"] for o in said.json["Contents"]] == objects[:4]
    assert "there is more" in said.err
    assert [c["operation"] for c in home.range.journal(mark)].count("ListObjectsV2") == 2


# --- Waiting ---


def test_a_state_is_waited_for(home: Product, instance: str) -> None:
    words = ("ec2", "describe-instances", "--account", PRODUCTION)
    said = aws(home, *words, "--wait", "instance-running", params={"InstanceIds": [instance]})
    assert said.code == 0, said.err
    assert "InstanceRunning after" in said.err
    assert said.json["Reservations"][0]["Instances"][0]["State"]["Name"] == "running"
    home.range.ec2().terminate_instances(InstanceIds=[instance])
    said = aws(home, *words, "--wait", "InstanceRunning", params={"InstanceIds": [instance]})
    assert said.code == 1
    assert "will not be reached" in said.err and "terminated" in said.err


# --- What must not be printed ---


def test_what_is_sensitive_is_hidden_unless_it_is_asked_for(home: Product) -> None:
    organizations = home.range.client("organizations", home.range.info["quell"])
    organizations.create_organization(FeatureSet="ALL")
    hidden = aws(home, "organizations", "list-accounts")
    assert {account["Email"] for account in hidden.json["Accounts"]} == {"(sensitive)"}
    assert all(account["Id"].isdigit() for account in hidden.json["Accounts"])
    assert "@" not in aws(home, "organizations", "list-accounts", output="table").out
    shown = aws(home, "organizations", "list-accounts", "--show-sensitive")
    assert all("@" in account["Email"] for account in shown.json["Accounts"])


def test_a_dry_run_shows_the_request_and_neither_sends_nor_tells_secrets(home: Product) -> None:
    params = {"OldPassword": "hunter2hunter2", "NewPassword": "hunter3hunter3"}
    mark = home.range.mark()
    said = aws(home, "iam", "change-password", "--dry-run", params=params)
    assert (said.code, said.json["method"], said.json["sent"]) == (0, "POST", False)
    assert "Action=ChangePassword" in said.json["body"] and "OldPassword=%2A" in said.json["body"]
    assert "hunter" not in said.out + said.err
    assert not [h for h in said.json["headers"] if h["name"].lower() == "authorization"]
    assert home.range.journal(mark) == []


# --- Refusals ---


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("ec2", "revoke-security-group-ingress", {"GroupId": "sg-1"}),
        ("ec2", "TerminateInstances", {"InstanceIds": ["i-1"]}),
        ("secretsmanager", "get-secret-value", {"SecretId": "s"}),
        ("sts", "assume-role", {"RoleArn": "arn:aws:iam::444455556666:role/QuellReader", "RoleSessionName": "me"}),
    ],
)
def test_what_does_not_only_read_is_refused_and_the_way_is_named(home: Product, service: str, operation: str, params: dict[str, Any]) -> None:
    for more in ((), ("--account", PRODUCTION), ("--account", PRODUCTION, "--role", "QuellAct-Network")):
        said = refused(home, service, operation, *more, params=params)
        assert said.code == 4
        assert "does not only read" in said.err and "quell playbook list" in said.err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["ecc2"], 4, "did you mean ec2?"),
        (["ec2", "describe-instnces"], 4, "did you mean DescribeInstances?"),
        (["ec2", "describe-instances", "--wait", "InstanceRuning"], 4, "did you mean InstanceRunning?"),
        (["ec2", "describe-vpcs", "--wait", "InstanceRunning"], 2, "is waited for with ec2 DescribeInstances"),
        (["ec2", "describe-instances", "--account", "999999999999"], 4, "not in scope"),
        (["ec2", "describe-instances", "--region", "mars-1"], 3, "mars-1"),
        (["ec2", "describe-instances", "--role", "QuellReader"], 2, "--account"),
        (["ec2", "describe-instances", "--max-items", "3"], 2, "--all"),
        (["ec2", "describe-instances", "--all", "--wait", "InstanceRunning"], 2, "cannot be used with"),
        (["ec2", "describe-instances", "--params", "{"], 2, "--params: not valid JSON"),
        (["ec2", "describe-instances", "--params", "@/no/such/file"], 3, "/no/such/file"),
        (["s3", "get-bucket-acl", "--all"], 2, "does not answer in pages"),
        (["--dry-run"], 2, "OPERATION"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(home: Product, words: list[str], code: int, says: str) -> None:
    said = aws(home, *words)
    assert (said.code, says in said.err, said.out) == (code, True, ""), said


def test_all_faults_of_the_parameters_are_told_at_once(home: Product) -> None:
    said = aws(home, "sqs", "get-queue-attributes", params={"QueueUri": "x", "AttributeNames": "All"})
    assert said.code == 2
    for part in ("QueueUri is not a parameter (did you mean QueueUrl?)", "AttributeNames must be a list", "QueueUrl is missing"):
        assert part in said.err


def test_without_credentials_it_says_so_and_still_tells_what_needs_none(tmp_path: Path) -> None:
    words = ("--data", tmp_path / "data")
    said = quell("aws", "sts", "get-caller-identity", *words, cwd=tmp_path)
    assert (said.code, "no AWS credentials" in said.err) == (3, True)
    assert quell("aws", "sts", *words, cwd=tmp_path).code == 0
    said = quell("aws", "ec2", "describe-vpcs", "--dry-run", "--region", "eu-west-1", *words, cwd=tmp_path)
    assert (said.code, said.json["url"]) == (0, "https://ec2.eu-west-1.amazonaws.com/")
    assert not (tmp_path / "data").exists(), "nothing of this needs a data folder"


# --- Completion ---

COMPLETE = r"""
source <("$QUELL" completion bash)
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_clap_complete_quell quell "${COMP_WORDS[$COMP_CWORD]}" "${COMP_WORDS[$((COMP_CWORD - 1))]}"
printf '%s\n' "${COMPREPLY[@]}"
"""


def completed(*words: str) -> list[str]:
    """What bash would offer for the last of the words, by the function that `quell completion bash` makes."""
    command = ["bash", "--norc", "-c", COMPLETE, "bash", "quell", *words]
    done = subprocess.run(command, env=environment(QUELL=str(binary())), capture_output=True, timeout=60, check=True)
    assert done.stderr == b"", done.stderr.decode()
    return done.stdout.decode().split()


def test_bash_completes_services_operations_and_waiters_from_the_models() -> None:
    assert completed("aws", "elasti") == ["elasticache"]
    services = completed("aws", "")
    assert {"ec2", "s3", "iam", "wafv2"} <= set(services)
    assert "describe-instances" in completed("aws", "ec2", "describe-inst")
    assert completed("aws", "ec2", "DescribeInstances") == ["DescribeInstances"]
    assert "SendMessage" in completed("aws", "sqs", "")
    assert completed("aws", "--region", "us-east-1", "ec2", "DescribeInstances", "--wait", "InstanceR") == ["InstanceRunning"]
    assert completed("aws", "ec2", "DescribeInstances", "--params", "") == []
    assert "--describe" in completed("aws", "ec2", "DescribeInstances", "--de")
    assert completed("incid") == ["incident"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_what_names_this_program(shell: str, tmp_path: Path) -> None:
    said = quell("completion", shell, cwd=tmp_path, output="table")
    assert (said.code, str(binary().resolve()) in said.out) == (0, True)
