"""One range for the whole session, started as people start it: by the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

ROOT = Path(__file__).parent.parent
SETTINGS = Config(retries={"max_attempts": 0}, read_timeout=20, connect_timeout=5)


def start(ready: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "quell_range", "up", "--ready-file", str(ready), *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    deadline = time.monotonic() + 120
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise RuntimeError("the range did not start")
        time.sleep(0.02)
    return process


def _without_account(request: Any, **_: Any) -> None:
    """S3 Control puts the account before the host name, also before an address, which nobody can look up."""
    parts = urlsplit(request.url)
    request.url = parts._replace(netloc=parts.netloc.partition(".")[2]).geturl()


class Client:
    """The range as tests see it."""

    def __init__(self, info: dict[str, Any]) -> None:
        self.info = info
        self.endpoint = info["endpoint"]
        self.quell = info["quell"]
        self.accounts = info["accounts"]
        self.production = info["accounts"][1]
        self.sandbox = info["accounts"][2]
        self._clients: dict[tuple[str, ...], Any] = {}

    def client(self, service: str, keys: dict[str, str], region: str = "us-east-1", config: Config = SETTINGS) -> Any:
        key = (service, keys["access_key_id"], region, str(id(config)))
        if key not in self._clients:
            self._clients[key] = boto3.client(
                service,
                endpoint_url=self.endpoint,
                region_name=region,
                aws_access_key_id=keys["access_key_id"],
                aws_secret_access_key=keys["secret_access_key"],
                aws_session_token=keys.get("session_token"),
                config=config,
            )
            if service == "s3control":
                self._clients[key].meta.events.register("before-sign", _without_account)
        return self._clients[key]

    def developer(self, service: str, account: dict[str, Any] | None = None, region: str = "us-east-1") -> Any:
        return self.client(service, (account or self.production)["developer"], region)

    def assume(self, role: str, external_id: str | None = None, session: str = "quell-test") -> dict[str, str]:
        sts = self.client("sts", self.quell)
        given = sts.assume_role(RoleArn=role, RoleSessionName=session, ExternalId=external_id or self.quell["external_id"])["Credentials"]
        return {
            "access_key_id": given["AccessKeyId"],
            "secret_access_key": given["SecretAccessKey"],
            "session_token": given["SessionToken"],
        }

    def api(self, method: str, page: str, body: Any = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.endpoint}/range-api{page}", method=method, data=data)
        with urllib.request.urlopen(request, timeout=70) as answer:
            return json.load(answer)

    def seed(self, account: dict[str, Any] | None = None, region: str = "us-east-1") -> dict[str, Any]:
        return self.api("POST", "/seed", {"account": (account or self.production)["id"], "region": region, "kind": "security-group"})

    def mark(self) -> int:
        """The journal's end: calls after it are the test's own."""
        return int(self.api("GET", "/journal?since=end")["next"])

    def journal(self, since: int, **query: Any) -> list[dict[str, Any]]:
        extra = "".join(f"&{k}={v}" for k, v in query.items())
        return list(self.api("GET", f"/journal?since={since}{extra}")["calls"])

    def messages(self, queue: str, enough: Callable[[list[dict[str, Any]]], bool], seconds: float = 10) -> list[dict[str, Any]]:
        """Take messages from a queue until `enough` says so; fails when it never does."""
        sqs = self.client("sqs", self.quell)
        url = self.quell["queues"][queue]
        found: list[dict[str, Any]] = []
        deadline = time.monotonic() + seconds
        while not enough(found):
            assert time.monotonic() < deadline, f"not in the queue {queue}: {[m.get('detail', m).get('eventName') for m in found]}"
            for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", []):
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def event(self, name: str, account: str | None = None) -> dict[str, Any]:
        """The next event of this name (and account) from the EventBridge path."""

        def fits(event: dict[str, Any]) -> bool:
            return event["detail"]["eventName"] == name and account in (None, event["account"])

        return next(e for e in self.messages("events", lambda found: any(map(fits, found))) if fits(e))

    def record(self, name: str, account: str | None = None) -> dict[str, Any]:
        return dict(self.event(name, account)["detail"])

    def drain(self) -> None:
        self.api("POST", "/drain")


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    ready = tmp_path_factory.mktemp("range") / "ready.json"
    process = start(ready, "--trail-interval", "3600")
    yield Client(json.loads(ready.read_text()))
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture
def quell_range(running: Client) -> Iterator[Client]:
    """The range with empty queues, both paths open and no faults."""
    running.api("DELETE", "/faults")
    running.api("POST", "/delivery", {"events": True, "trail": True})
    running.drain()
    yield running
    running.api("DELETE", "/faults")
