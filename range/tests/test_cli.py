"""The real `aws` command line against the range, and the range's own command line."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from conftest import Client, start


def aws(quell_range: Client, keys: dict[str, str], *arguments: str) -> str:
    environment = {
        "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "AWS_ACCESS_KEY_ID": keys["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": keys["secret_access_key"], "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": "",
    }  # fmt: skip
    command = [str(Path(sys.executable).parent / "aws"), "--endpoint-url", quell_range.endpoint, "--output", "json", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_aws_command_line(quell_range: Client) -> None:
    keys = quell_range.production["developer"]
    group = quell_range.seed()["group_id"]
    open_port = ["--group-id", group, "--protocol", "tcp", "--port", "3389", "--cidr", "0.0.0.0/0"]
    made = json.loads(aws(quell_range, keys, "ec2", "authorize-security-group-ingress", *open_port))
    rule = made["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    record = quell_range.record("AuthorizeSecurityGroupIngress")
    assert record["userAgent"].startswith("aws-cli/")
    permission = record["requestParameters"]["ipPermissions"]["items"][0]
    assert permission["ipRanges"] == {"items": [{"cidrIp": "0.0.0.0/0"}]} and permission["fromPort"] == 3389
    shown = json.loads(aws(quell_range, keys, "ec2", "describe-security-group-rules", "--filters", f"Name=group-id,Values={group}"))
    assert rule in {r["SecurityGroupRuleId"] for r in shown["SecurityGroupRules"]}
    assert json.loads(aws(quell_range, keys, "sts", "get-caller-identity"))["Account"] == quell_range.production["id"]
    assert aws(quell_range, keys, "s3", "mb", "s3://made-by-hand") == "make_bucket: made-by-hand\n"
    assert quell_range.record("CreateBucket")["requestParameters"]["bucketName"] == "made-by-hand"


def test_connections_are_kept(quell_range: Client) -> None:
    connection = http.client.HTTPConnection(quell_range.endpoint.removeprefix("http://"))
    ports = set()
    for page in ("info", "delivery", "nothing"):
        connection.request("GET", f"/range-api/{page}")
        answer = connection.getresponse()
        answer.read()
        assert answer.version == 11 and answer.getheader("Connection") == "keep-alive"
        ports.add(connection.sock.getsockname()[1])
    assert len(ports) == 1


def test_chunked_bodies_are_read(quell_range: Client) -> None:
    connection = http.client.HTTPConnection(quell_range.endpoint.removeprefix("http://"))
    body = json.dumps({"account": quell_range.production["id"], "kind": "security-group"}).encode()
    connection.request(
        "POST", "/range-api/seed", body=iter([body[:10], body[10:]]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"}
    )
    assert json.loads(connection.getresponse().read())["group_id"].startswith("sg-")


def test_more_accounts_reads_and_a_clean_end(tmp_path: Path) -> None:
    """A second range: five accounts, reads recorded, files written by themselves, gone at SIGTERM."""
    process = start(tmp_path / "ready.json", "--accounts", "5", "--record-reads", "--trail-interval", "0.1")
    try:
        info = json.loads((tmp_path / "ready.json").read_text())
        assert (tmp_path / "ready.json").stat().st_mode & 0o777 == 0o600
        other = Client(info)
        assert other.api("GET", "/info") == info and info["pid"] == process.pid
        ids = [account["id"] for account in info["accounts"]]
        assert ids[:3] == ["111122223333", "444455556666", "777788889999"] and len(set(ids)) == 5
        assert all(len(i) == 12 and i.isdigit() for i in ids)
        assert other.developer("sts", info["accounts"][4]).get_caller_identity()["Account"] == ids[4]
        other.messages("trail", lambda found: any(m.get("Records") for m in found))
        events = other.client("sqs", other.quell).get_queue_attributes(
            QueueUrl=other.quell["queues"]["events"], AttributeNames=["ApproximateNumberOfMessages"]
        )
        assert events["Attributes"]["ApproximateNumberOfMessages"] == "0", "reads take the trail only"
    finally:
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0
        assert time.monotonic() - begun < 2
