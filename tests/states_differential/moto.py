"""A moto process: its state, and documents run by its interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from harness.process import environment

from .case import Case, Json

REGION = "us-east-1"
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/states"
#: Seconds a run may take. The longest takes about three.
RUN_SECONDS = 60


class Moto:
    """A server of its own. Both sides get one, so that neither sees what the other did."""

    def __init__(self) -> None:
        folder = Path(__file__).parent.parent
        # A thousand images, which no document wants, take ten seconds to make.
        path = {"PYTHONPATH": ":".join(filter(None, [str(folder), *sys.path]))}
        self._process = subprocess.Popen(
            [sys.executable, "-B", "-m", "states_differential.server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=folder,
            # The interpreter does not know the body of an object whose checksum is looked at while it is read.
            env=environment(MOTO_EC2_LOAD_DEFAULT_AMIS="false", AWS_RESPONSE_CHECKSUM_VALIDATION="when_required", **path),
        )
        assert self._process.stdout
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def close(self) -> None:
        """Ends it."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=20)

    @cache
    def client(self, service: str) -> Any:
        """A client of boto3."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="secret",
            config=Config(retries={"max_attempts": 0}, read_timeout=30),
        )

    def prepare(self, case: Case) -> Json:
        """Begins anew, makes what the document works on, and gives its input. The same calls make the same ids."""
        self._post("/moto-api/reset")
        self._post("/moto-api/seed?a=1")
        self._post("/faults", [])
        if case.answers:
            self.client("sqs").create_queue(QueueName="tokens")
        made = case.set_up(self) if case.set_up else None
        self._post("/faults", case.faults)
        return case.input if made is None else made

    def run(self, case: Case, given: Json) -> dict[str, Any]:
        """How a run of the document ends, by moto's interpreter."""
        sfn = self.client("stepfunctions")
        try:
            for name, document in {**case.machines, case.name: case.document}.items():
                made = sfn.create_state_machine(name=name, definition=json.dumps(document), roleArn=ROLE)
        except ClientError as why:
            return {"status": "REFUSED", "faults": [str(why)]}
        started = sfn.start_execution(stateMachineArn=made["stateMachineArn"], name=case.name, input=json.dumps(given))
        waiting = threading.Event()
        answers, answered = list(case.answers), set[str]()
        for _ in range(RUN_SECONDS * 50):
            told = sfn.describe_execution(executionArn=started["executionArn"])
            if told["status"] != "RUNNING":
                break
            if answers:
                self._answer(answers, answered)
            waiting.wait(0.02)
        return _told(told)

    def _answer(self, answers: list[dict[str, Any]], answered: set[str]) -> None:
        """Answers the tokens that came to the queue. The messages stay, as a part of the state."""
        sfn, sqs = self.client("stepfunctions"), self.client("sqs")
        got = sqs.receive_message(QueueUrl=f"{self.url}/{ACCOUNT}/tokens", VisibilityTimeout=0, MaxNumberOfMessages=10)
        for body in (message["Body"] for message in got.get("Messages", [])):
            token = json.loads(body)["token"] if body.startswith("{") else body
            if token in answered:
                continue
            answered.add(token)
            answer = answers.pop(0)
            if "output" in answer:
                sfn.send_task_success(taskToken=token, output=json.dumps(answer["output"]))
            else:
                sfn.send_task_failure(taskToken=token, **answer)

    def _post(self, path: str, body: Any = None) -> None:
        data = json.dumps(body).encode() if body is not None else b""
        urllib.request.urlopen(urllib.request.Request(self.url + path, data=data, method="POST"), timeout=20).close()


def _told(told: dict[str, Any]) -> dict[str, Any]:
    kept = {name: told[name] for name in ("status", "error", "cause") if name in told}
    try:
        return {**kept, "output": json.loads(told["output"])} if "output" in told else kept
    except ValueError:
        # moto gives an output that is text as it is.
        return {**kept, "output": told["output"]}
