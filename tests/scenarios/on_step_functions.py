"""A playbook's documents, unmodified, on Step Functions (moto's interpreter in the range), over a world equal to the one that Quell had.

The permit is asked for by a message with a task token in an SQS queue, as in a customer's account, and answered by `SendTaskSuccess`.
"""

from __future__ import annotations

import json
import re
import tomllib
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from harness import state
from harness.waiting import until
from quell_range.attacks.stage import Made, Stage

from .driver import Play

Json = Any

#: Seconds that one document may take. The evaluator of JSONata is in Python.
DOCUMENT_SECONDS = 240
#: What AWS makes up, and a run with it: ids of resources, of keys, of runs, of policies that are called after a run.
_IDS = re.compile(
    r"\b(?:(?:acl|sg|sgr|i|eni|vol|snap|vpc|subnet|igw|eipalloc|eipassoc|iip-assoc|eni-attach|run|inc|r|ami)-[0-9a-f-]{6,}[0-9a-f]"
    r"|(?:AKIA|ASIA|AIDA|AROA|ACCA|APKA|ANPA|AIPA)[A-Z0-9]{12,}"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b"
)
_MOMENTS = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
_ADDRESSES = re.compile(r"\b10\.40\.0\.\d+\b")


@dataclass
class Ended:
    """How an execution ended, the plans it asked about, and what it changed."""

    status: str
    output: Json
    error: str
    plans: list[Json] = field(default_factory=list)
    calls: list[Json] = field(default_factory=list)


class OnStepFunctions:
    """The same attack on a second world of the same range, answered by Step Functions instead of Quell, which hears nothing of it."""

    def __init__(self, play: Play, content: Path) -> None:
        self.play, self.range = play, play.home.range
        self.stage = Stage(self.range.info)
        self.folder = content / "playbooks" / play.scenario.playbook
        self._post("/moto-api/config", {"stepfunctions": {"execute_state_machine": True}})
        self.range.deliver(events=False, trail=False)
        self.made: Made = play.scene.prepare(self.stage)
        self.stage.until_the_next_second()
        play.scene.attack(self.stage, self.made)
        self.attacked = self.read()
        self.queue = self.stage.client("sqs").create_queue(QueueName=f"permits-{self.stage.mark}")["QueueUrl"]
        self.role = self._role()

    def _post(self, path: str, body: Json) -> None:
        request = urllib.request.Request(self.range.endpoint + path, data=json.dumps(body).encode(), method="POST")
        urllib.request.urlopen(request, timeout=20).close()

    def _role(self) -> str:
        trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        return str(self.stage.client("iam").create_role(RoleName=f"states-{self.stage.mark}", AssumeRolePolicyDocument=document)["Role"]["Arn"])

    def read(self) -> Json:
        return json.loads(json.dumps(self.play.scene.read(self.stage, self.made), sort_keys=True, default=str))

    def input(self, mode: str, undo: Json = None) -> Json:
        """What Quell's own run was given, about this world's resources."""
        run = next(d["body"] for d in state.documents(self.play.home.data, "run") if d["id"] == self.play.told.run["id"])
        facts = tomllib.loads((self.folder / "playbook.toml").read_text()).get("facts", {})
        given = {
            "run": run["id"], "playbook": run["playbook"], "mode": mode, "account": run["resource"]["account"], "region": run["resource"]["region"],
            "partition": "aws", "resource": run["resource"], "facts": facts, "roles": self.stage.account["roles"],
            "accounts": [a["id"] for a in self.range.info["accounts"] if a["id"] != self.range.info["quell"]["account"]], **run["told"],
        }  # fmt: skip
        text = json.dumps(given)
        for ours, theirs in self._pairs():
            text = text.replace(ours, theirs)
        return {**json.loads(text), "queues": {"permit": self.queue}, **({"undo": undo} if mode == "undo" else {})}

    def _pairs(self) -> list[tuple[str, str]]:
        """Names of the first world, and what they are called in this one."""
        pairs = [(self.play.stage.mark, self.stage.mark)]

        def walk(ours: Json, theirs: Json) -> None:
            if isinstance(ours, dict):
                for name in ours:
                    walk(ours[name], theirs[name])
            elif isinstance(ours, str) and ours != theirs:
                pairs.append((ours, theirs))

        walk(self.play.told.made, self.made)
        # The longest first: none may be a part of another.
        return sorted(pairs, key=lambda pair: -len(pair[0]))

    def execute(self, document: str, given: Json) -> Ended:
        """Runs one document to its end, and says yes to whatever it asks."""
        sfn, sqs = self.stage.client("stepfunctions"), self.stage.client("sqs")
        text = (self.folder / f"{document}.asl.json").read_text()
        machine = sfn.create_state_machine(name=f"{document}-{self.stage.mark}", definition=text, roleArn=self.role)["stateMachineArn"]
        mark = self.range.mark()
        execution = sfn.start_execution(stateMachineArn=machine, input=json.dumps(given))["executionArn"]
        plans: list[Json] = []

        def look() -> Json:
            told = sfn.describe_execution(executionArn=execution)
            if told["status"] != "RUNNING":
                return told
            for message in sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=1).get("Messages", []):
                body = json.loads(message["Body"])
                plans.append(body["plan"])
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
                try:
                    sfn.send_task_success(taskToken=body["taskToken"], output=json.dumps({"decision": "permitted"}))
                except ClientError as error:
                    raise AssertionError(f"the token of the message opens nothing: {error}") from None
            return None

        told = until(f"{document} has ended", look, DOCUMENT_SECONDS)
        calls = [c for c in self.range.changes(mark) if c["principal"].endswith("/states") and c["took_effect"] and c["service"] not in ("sqs",)]
        output = json.loads(told["output"]) if told.get("output") else None
        return Ended(told["status"], output, f"{told.get('error')}: {told.get('cause')}" if "error" in told else "", plans, calls)


def taken_back(ended: Ended) -> Json:
    """What an undo is given: the document's own word, or its plans' way back, the last call first (as `taken_back.rs` keeps it)."""
    if "undo" in (ended.output or {}):
        return ended.output["undo"]
    before: Json = {}
    after: Json = {}
    calls: list[Json] = []
    for plan in ended.plans:
        seen, made = plan["before"]["attributes"], dict(after)
        before = {**{key: value for key, value in seen.items() if key not in made}, **before}
        after = plan["after"]["attributes"]
        for call in plan["calls"]:
            calls = [*call["undo"], *calls]
    return {"before": {"attributes": before}, "after": {"attributes": after}, "calls": calls}


def essence(calls: list[Json]) -> Json:
    """Calls without what is made up. Which operations, in order; and each call by itself, in an order of their own: where a document
    goes through resources by their ids, the order is that of ids that were made up."""
    said = [nameless([c["service"], c["operation"], c["account"], c["region"], c["params"]]) for c in calls]
    return {"order": [f"{c['service']}:{c['operation']}" for c in calls], "calls": sorted(said)}


def nameless(value: Json, *marks: str) -> str:
    """A value as JSON in which each made-up id is its kind and number, and each moment is a moment."""
    text = _ADDRESSES.sub("<address>", _MOMENTS.sub("<moment>", json.dumps(value, sort_keys=True)))
    for mark in marks:
        text = text.replace(mark, "<mark>")
    seen: dict[str, str] = {}
    return _IDS.sub(lambda found: seen.setdefault(found.group(0), f"<{len(seen)}>"), text)
