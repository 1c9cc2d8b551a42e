"""The test range as tests see it: AWS clients per account, the journal, faults, delivery."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import boto3
from botocore.config import Config

#: No retries: a test wants to see what the call itself did.
SETTINGS = Config(retries={"max_attempts": 0}, read_timeout=20, connect_timeout=5)

Rule = dict[str, Any]
Call = dict[str, Any]


class AwsRange:
    """A range that is up, by what it says of itself."""

    def __init__(self, info: dict[str, Any]) -> None:
        self.info = info
        self.endpoint: str = info["endpoint"]
        self.production: dict[str, Any] = info["accounts"][1]
        self.sandbox: dict[str, Any] = info["accounts"][2]
        self._clients: dict[tuple[str, str, str], Any] = {}

    def client(self, service: str, keys: dict[str, str], region: str = "us-east-1") -> Any:
        """A boto3 client; kept, because making one costs a tenth of a second."""
        name = (service, keys["access_key_id"], region)
        if name not in self._clients:
            self._clients[name] = boto3.client(
                service,
                endpoint_url=self.endpoint,
                region_name=region,
                aws_access_key_id=keys["access_key_id"],
                aws_secret_access_key=keys["secret_access_key"],
                config=SETTINGS,
            )
        return self._clients[name]

    def ec2(self, account: dict[str, Any] | None = None, region: str = "us-east-1") -> Any:
        """EC2 as the developer of an account sees it (production's, if not said otherwise)."""
        return self.client("ec2", (account or self.production)["developer"], region)

    def sqs(self) -> Any:
        return self.client("sqs", self.info["quell"])

    def api(self, method: str, page: str, body: Any = None) -> Any:
        """A control page of the range: no call of AWS, and in no journal."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.endpoint}/range-api{page}", method=method, data=data)
        try:
            with urllib.request.urlopen(request, timeout=70) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"the range's {page}: {error.read().decode()}") from None

    def seed(self, account: dict[str, Any] | None = None, region: str = "us-east-1") -> dict[str, Any]:
        """A web server's group with three legitimate rules."""
        body = {"account": (account or self.production)["id"], "region": region, "kind": "security-group"}
        return dict(self.api("POST", "/seed", body))

    def mark(self) -> int:
        """The journal's end: calls after it belong to what the test does next."""
        return int(self.api("GET", "/journal?since=end")["next"])

    def journal(self, since: int = 0, changing: bool | None = None) -> list[Call]:
        """Every call after `since`. It fails rather than answer from a journal that has lost some."""
        more = "" if changing is None else f"&changing={str(changing).lower()}"
        answer = self.api("GET", f"/journal?since={since}&limit=500000{more}")
        assert answer["dropped"] == 0, "the journal is too long to prove anything"
        return list(answer["calls"])

    def changes(self, since: int = 0) -> list[Call]:
        """The calls after `since` that change something, whoever made them, but for AssumeRole: it changes nothing."""
        return [c for c in self.journal(since, changing=True) if c["operation"] != "AssumeRole"]

    def revocations(self, since: int = 0) -> dict[str, int]:
        """How often each rule id was revoked with effect."""
        counts: dict[str, int] = {}
        for call in self.journal(since, changing=True):
            if call["operation"] == "RevokeSecurityGroupIngress" and call["took_effect"]:
                for rule in call["params"]["SecurityGroupRuleIds"]:
                    counts[rule] = counts.get(rule, 0) + 1
        return counts

    def faults(self, *faults: dict[str, Any]) -> None:
        self.api("POST", "/faults", list(faults))

    def fault_hits(self) -> list[int]:
        """How often each installed fault struck: a fault that never did proves nothing."""
        return [fault["hits"] for fault in self.api("GET", "/faults")]

    def clear_faults(self) -> None:
        self.api("DELETE", "/faults")

    def deliver(self, events: bool = True, trail: bool = True) -> None:
        """Opens or closes each of the two ways on which records go out."""
        self.api("POST", "/delivery", {"events": events, "trail": trail})

    def flush(self) -> list[str]:
        """Delivers every record made so far; returns the keys of the trail files it wrote."""
        return list(self.api("POST", "/flush")["files"])

    def undelivered(self) -> int:
        """How many messages are in the two queues, those in somebody's hands included."""
        count = 0
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        for url in self.info["quell"]["queues"].values():
            answer = self.sqs().get_queue_attributes(QueueUrl=url, AttributeNames=names)
            count += sum(int(value) for value in answer["Attributes"].values())
        return count

    def rules(self, group: str, account: dict[str, Any] | None = None, region: str = "us-east-1") -> list[Rule]:
        """All rules of a group, ingress and egress, in the order of their ids."""
        pages = self.ec2(account, region).get_paginator("describe_security_group_rules")
        found = [r for page in pages.paginate(Filters=[{"Name": "group-id", "Values": [group]}]) for r in page["SecurityGroupRules"]]
        return sorted(found, key=lambda rule: rule["SecurityGroupRuleId"])

    def open(self, group: str, port: int = 22, cidr: str = "0.0.0.0/0", account: dict[str, Any] | None = None, region: str = "us-east-1") -> str:
        """Opens a port of a group; returns the new rule's id."""
        permission: dict[str, Any] = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
        if ":" in cidr:
            permission["Ipv6Ranges"] = [{"CidrIpv6": cidr}]
        else:
            permission["IpRanges"] = [{"CidrIp": cidr}]
        answer = self.ec2(account, region).authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
        return str(answer["SecurityGroupRules"][0]["SecurityGroupRuleId"])


def alike(rules: list[Rule]) -> list[str]:
    """Rules without what EC2 gives anew to a rule that is put back: its id and ARN. Comparable, in a fixed order."""
    given_anew = ("SecurityGroupRuleId", "SecurityGroupRuleArn")
    return sorted(json.dumps({k: v for k, v in rule.items() if k not in given_anew}, sort_keys=True) for rule in rules)


def exactly(rules: list[Rule]) -> str:
    """Rules as text, ids and all: equal only when every byte is."""
    return json.dumps(rules, sort_keys=True)


def group_arn(group: str, account: str = "444455556666", region: str = "us-east-1") -> str:
    return f"arn:aws:ec2:{region}:{account}:security-group/{group}"
