"""`quell states`: documents are checked, their states tried, and drawn. Nothing of it needs AWS, settings or a data folder."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from harness.process import environment
from harness.product import ROOT, Said, binary, quell

#: The workflow of the first requirements, to the letter: it forgets severity 7, and more.
REQUIRED = """{
  "Comment": "Automated incident response workflow",
  "StartAt": "AssessIncident",
  "States": {
    "AssessIncident": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"},
    "DetermineResponse": {
      "Type": "Choice",
      "Choices": [
        {"Variable": "$.severity", "NumericGreaterThan": 7, "Next": "IsolateResource"},
        {"Variable": "$.severity", "NumericLessThan": 7, "Next": "LogIncident"}
      ]
    },
    "IsolateResource": {"Type": "Task", "Next": "NotifySOC"},
    "NotifySOC": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish"},
    "LogIncident": {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:putItem", "End": true}
  }
}"""

#: A document that is right: an instance is stopped when the severity is high.
RIGHT: dict[str, Any] = {
    "QueryLanguage": "JSONata",
    "StartAt": "Judge",
    "TimeoutSeconds": 60,
    "States": {
        "Judge": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input.severity >= 7 %}", "Next": "Stop"}], "Default": "Leave"},
        "Leave": {"Type": "Succeed"},
        "Stop": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:ec2:stopInstances",
            "Arguments": {"InstanceIds": ["{% $states.input.instance %}"]},
            "Retry": [{"ErrorEquals": ["Ec2.Busy"], "MaxAttempts": 2}],
            "Catch": [{"ErrorEquals": ["Ec2.Gone"], "Next": "Leave", "Output": {"gone": "{% $states.errorOutput.Cause %}"}}],
            "Output": {"stopped": "{% $count($states.result.StoppingInstances) + $before %}"},
            "Next": "Leave",
        },
    },
}


def states(folder: Path, *words: str, output: str = "json") -> Said:
    return quell("states", *words, cwd=folder, output=output)


def written(folder: Path, document: Any, name: str = "w.asl.json") -> str:
    text = document if isinstance(document, str) else json.dumps(document)
    (folder / name).write_text(text)
    return name


def changed(state: str, **fields: Any) -> dict[str, Any]:
    """The right document with other fields in one state."""
    document: dict[str, Any] = json.loads(json.dumps(RIGHT))
    document["States"][state].update(fields)
    return document


# --- validate ---


def test_the_workflow_of_the_requirements_is_refused_and_severity_seven_is_named(tmp_path: Path) -> None:
    said = states(tmp_path, "validate", written(tmp_path, REQUIRED))
    assert said.code == 1
    [checked] = said.json
    assert (checked["file"], checked["result"]) == ("w.asl.json", "FAIL")
    found = {(d["severity"], d["code"], d["location"]) for d in checked["diagnostics"]}
    assert ("WARNING", "MISSING_CHOICE_DEFAULT", "/States/DetermineResponse") in found
    assert ("ERROR", "MISSING_TRANSITION_TARGET", "/States/DetermineResponse") in found, "nothing leads there"
    assert any(d["location"].startswith("/States/IsolateResource") and d["severity"] == "ERROR" for d in checked["diagnostics"]), "it calls nothing"
    shown = states(tmp_path, "validate", "w.asl.json", output="table").out
    assert "w.asl.json: warning at /States/DetermineResponse: No rule of the Choice 'DetermineResponse' takes $.severity = 7," in shown
    assert "  Add a Default:" in shown


def test_what_is_right_is_so_and_several_files_are_looked_at(tmp_path: Path) -> None:
    right, wrong = written(tmp_path, RIGHT), written(tmp_path, "{", "broken.json")
    said = states(tmp_path, "validate", right)
    assert (said.code, said.json) == (0, [{"file": right, "result": "OK", "diagnostics": []}])
    said = states(tmp_path, "validate", wrong, right)
    assert (said.code, [c["result"] for c in said.json]) == (1, ["FAIL", "OK"])
    assert said.json[0]["diagnostics"][0]["code"] == "INVALID_JSON_DESCRIPTION"
    assert "line: 1" in states(tmp_path, "validate", wrong, output="table").out


def test_warnings_fail_only_when_it_is_strict(tmp_path: Path) -> None:
    document = changed("Stop")
    del document["TimeoutSeconds"]
    file = written(tmp_path, document)
    said = states(tmp_path, "validate", file)
    assert (said.code, [d["code"] for d in said.json[0]["diagnostics"]]) == (0, ["MISSING_TIMEOUT"])
    assert states(tmp_path, "validate", "--strict", file).code == 1


@pytest.mark.parametrize(
    ("fields", "place", "help_"),
    [
        ({"Resource": "arn:aws:states:::aws-sdk:ecc2:stopInstances"}, "/States/Stop/Resource", "ec2"),
        ({"Resource": "arn:aws:states:::aws-sdk:ec2:stopInstance"}, "/States/Stop/Resource", "stopInstances"),
        ({"Arguments": {"InstanceIDs": []}}, "/States/Stop/Arguments/InstanceIDs", "InstanceIds"),
        (
            {"Resource": "arn:aws:states:::aws-sdk:sfn:startExecution", "Arguments": {"stateMachineArn": "a"}},
            "/States/Stop/Arguments/stateMachineArn",
            "StateMachineArn",
        ),
    ],
)
def test_calls_that_aws_does_not_have_are_named_with_the_nearest(tmp_path: Path, fields: dict[str, Any], place: str, help_: str) -> None:
    said = states(tmp_path, "validate", written(tmp_path, changed("Stop", **fields)))
    [found] = said.json[0]["diagnostics"]
    assert (said.code, found["severity"], found["location"]) == (0, "WARNING", place)
    assert found["help"].startswith(f"Did you mean {help_}"), found


def test_a_document_comes_from_standard_input_too_but_only_one(tmp_path: Path) -> None:
    words = [binary(), "states", "validate", "-", "--output", "json"]
    done = subprocess.run(words, cwd=tmp_path, env=environment(), input=json.dumps(RIGHT).encode(), capture_output=True, timeout=60, check=True)
    assert json.loads(done.stdout)[0]["file"] == "standard input"
    said = states(tmp_path, "validate", "-", "-")
    assert (said.code, "standard input" in said.err) == (2, True)
    said = states(tmp_path, "validate", "no-such-file")
    assert (said.code, "no-such-file" in said.err) == (3, True)


def test_content_with_a_call_that_does_not_exist_is_refused_with_its_place(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "content", tmp_path / "content")
    file = tmp_path / "content/playbooks/PB-008/respond.asl.json"
    text = file.read_text()
    assert '"Filters":' in text
    file.write_text(text.replace('"Filters":', '"Filter":'))
    said = quell("content", "check", "content", cwd=tmp_path)
    others = len(list((ROOT / "content/playbooks").iterdir())) - 1
    assert (said.code, said.json["playbooks"]) == (1, others)
    fault = said.json["faults"][0]
    assert fault["file"] == "playbooks/PB-008/respond.asl.json"
    assert fault["place"] == "/States/ReadGroup/Arguments/Filter"
    assert "Filters" in fault["help"]
    assert quell("content", "check", ROOT / "content", cwd=tmp_path).json["faults"] == []


# --- test ---


@pytest.mark.parametrize(("severity", "next_state"), [(6, "Leave"), (7, "Stop")])
def test_a_choice_is_tried(tmp_path: Path, severity: int, next_state: str) -> None:
    given = {"severity": severity}
    said = states(tmp_path, "test", written(tmp_path, RIGHT), "--state", "Judge", "--input", json.dumps(given))
    assert (said.code, said.json) == (0, {"status": "SUCCEEDED", "output": given, "nextState": next_state})


def test_a_task_is_tried_with_what_its_work_gives(tmp_path: Path) -> None:
    words = ("test", written(tmp_path, RIGHT), "--state", "Stop", "--input", '{"instance": "i-1"}', "--variables", '{"before": 2}')
    (tmp_path / "mock.json").write_text(json.dumps({"result": {"StoppingInstances": [{}]}}))
    said = states(tmp_path, *words, "--mock", "@mock.json")
    assert (said.code, said.json) == (0, {"status": "SUCCEEDED", "output": {"stopped": 3}, "nextState": "Leave"})
    shown = states(tmp_path, *words, "--mock", "@mock.json", output="table").out
    assert shown.splitlines()[:2] == ["status  SUCCEEDED", "next    Leave"]


@pytest.mark.parametrize(
    ("error", "retries", "code", "expected"),
    [
        ("Ec2.Busy", 0, 0, {"status": "RETRIABLE"}),
        ("Ec2.Busy", 2, 1, {"status": "FAILED", "error": "Ec2.Busy", "cause": "why"}),
        ("Ec2.Gone", 0, 0, {"status": "CAUGHT_ERROR", "output": {"gone": "why"}, "nextState": "Leave"}),
        ("Ec2.Other", 0, 1, {"status": "FAILED", "error": "Ec2.Other", "cause": "why"}),
    ],
)
def test_errors_are_retried_caught_or_final(tmp_path: Path, error: str, retries: int, code: int, expected: dict[str, Any]) -> None:
    mock = json.dumps({"errorOutput": {"error": error, "cause": "why"}})
    said = states(
        tmp_path, "test", written(tmp_path, RIGHT), "--state", "Stop", "--input", '{"instance": "i-1"}', "--mock", mock, "--retries", str(retries)
    )
    assert (said.code, said.json) == (code, expected)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--state", "Stop", "--input", '{"instance": "i-1"}'], 2, "--mock"),
        (["--state", "Stopp"], 4, "did you mean Stop?"),
        (["--state", "Judge", "--input", "{"], 2, "--input: not valid JSON"),
        (["--state", "Stop", "--mock", '{"answer": 1}'], 2, "--mock: unknown variant"),
        (["--state", "Stop", "--variables", "[]"], 2, "--variables"),
        (["--state", "Judge", "--input", "-", "--mock", "-"], 2, "standard input"),
        ([], 2, "--state"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(tmp_path: Path, words: list[str], code: int, says: str) -> None:
    said = states(tmp_path, "test", written(tmp_path, RIGHT), *words)
    assert (said.code, says in said.err, said.out) == (code, True, ""), said


# --- run ---


def test_a_document_runs_with_mocks_and_an_attempt_that_fails(tmp_path: Path) -> None:
    document = changed("Stop", Output={"tries": "{% $states.context.State.RetryCount %}"})
    document["States"]["Leave"] = {"Type": "Wait", "Seconds": 3600, "Next": "End"}
    document["States"]["End"] = {"Type": "Succeed"}
    document["TimeoutSeconds"] = 7200
    busy = {"errorOutput": {"error": "Ec2.Busy", "cause": "why"}}
    mocks = json.dumps({"Stop": [busy, {"result": {}}]})
    words = ("run", written(tmp_path, document), "--input", '{"severity": 8, "instance": "i-1"}', "--mocks", mocks)
    said = states(tmp_path, *words)
    assert (said.code, said.json["status"], said.json["output"]) == (0, "SUCCEEDED", {"tries": 1})
    types = [event["type"] for event in said.json["history"]]
    assert (types[0], types.count("TaskFailed"), types.count("TaskSucceeded"), types[-1]) == ("ExecutionStarted", 1, 1, "ExecutionSucceeded")
    took = said.json["history"][-1]["timestamp"] - said.json["history"][0]["timestamp"]
    assert 3_600_000 <= took < 7_200_000, "made-up time passes"
    shown = states(tmp_path, *words, output="table").out
    assert "states  Judge → Stop → Leave → End" in shown


@pytest.mark.parametrize(
    ("mocks", "code", "says"),
    [
        ({}, 2, "the state Stop calls arn:aws:states:::aws-sdk:ec2:stopInstances"),
        ({"Stop": {"errorOutput": {"error": "Ec2.Other"}}}, 1, "the execution ended FAILED"),
        ({"Stop": {"answer": 1}}, 2, "--mocks: "),
        ({"Stop": []}, 2, "say in --mocks how it ends"),
    ],
)
def test_a_run_that_cannot_go_on_says_why(tmp_path: Path, mocks: dict[str, Any], code: int, says: str) -> None:
    said = states(tmp_path, "run", written(tmp_path, RIGHT), "--input", '{"severity": 8, "instance": "i-1"}', "--mocks", json.dumps(mocks))
    assert (said.code, says in said.err) == (code, True), said


def test_a_document_without_end_is_ended(tmp_path: Path) -> None:
    document = {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Wait", "Seconds": 1, "Next": "B"},
            "B": {"Type": "Choice", "Choices": [{"Variable": "$.stop", "IsPresent": True, "Next": "C"}], "Default": "A"},
            "C": {"Type": "Succeed"},
        },
    }
    said = states(tmp_path, "run", written(tmp_path, document))
    assert (said.code, said.json["status"]) == (1, "FAILED"), said.err
    assert len(said.json["history"]) <= 25_000


# --- graph ---


def test_a_document_is_drawn(tmp_path: Path) -> None:
    file = written(tmp_path, RIGHT)
    outline = states(tmp_path, "graph", file).json
    assert (outline["startAt"], [s["name"] for s in outline["states"]]) == ("Judge", ["Judge", "Leave", "Stop"])
    assert {"field": "Catch[0]/Next", "to": "Leave", "when": "Ec2.Gone"} in outline["states"][2]["transitions"]
    shown = [line.split() for line in states(tmp_path, "graph", file, output="table").out.splitlines()]
    assert ["Judge", "Choice", "Stop", "{%", "$states.input.severity", ">=", "7", "%}"] in shown
    assert ["Leave", "otherwise"] in shown
    diagram = states(tmp_path, "graph", file, "--format", "mermaid", output="table").out.splitlines()
    assert diagram[0] == "stateDiagram-v2"
    assert '  state "Stop" as s2' in diagram and "  s2 --> s1 : Ec2.Gone" in diagram


def test_a_document_that_cannot_run_is_not_drawn(tmp_path: Path) -> None:
    said = states(tmp_path, "graph", written(tmp_path, REQUIRED))
    assert (said.code, said.out) == (3, "")
    assert "/States/DetermineResponse" in said.err


@pytest.mark.parametrize("command", ["validate", "test", "run", "graph"])
def test_help_teaches_by_examples(tmp_path: Path, command: str) -> None:
    shown = states(tmp_path, command, "--help", output="table").out
    assert f"quell states {command} workflow.asl.json" in shown
