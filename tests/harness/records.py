"""Records of real exposures, as CloudTrail writes them, for the ways in that the range itself does not use."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone
from typing import Any

from harness.awsrange import AwsRange

Record = dict[str, Any]


def record(account: str, group: str, rule: str, region: str = "us-east-1", age: timedelta = timedelta()) -> Record:
    """CloudTrail's record of a call that opened SSH of `group` to everybody."""
    return {
        "eventVersion": "1.10",
        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{account}:user/developer", "accountId": account, "userName": "developer"},
        "eventTime": (datetime.now(timezone.utc) - age).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "ec2.amazonaws.com",
        "eventName": "AuthorizeSecurityGroupIngress",
        "awsRegion": region,
        "sourceIPAddress": "203.0.113.10",
        "userAgent": "aws-cli/2.17.0",
        "requestParameters": {
            "groupId": group,
            "ipPermissions": {
                "items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "groups": {}, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]
            },
        },
        "responseElements": {
            "_return": True,
            "securityGroupRuleSet": {"items": [{"groupId": group, "securityGroupRuleId": rule, "cidrIpv4": "0.0.0.0/0", "fromPort": 22}]},
        },
        "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }


def exposure(aws: AwsRange, group: str, age: timedelta = timedelta()) -> Record:
    """Opens SSH of a group in production to everybody, and gives the record of it."""
    return record(aws.production["id"], group, aws.open(group), age=age)


def opened(made: Record) -> str:
    """The id of the rule that a record speaks of."""
    return str(made["responseElements"]["securityGroupRuleSet"]["items"][0]["securityGroupRuleId"])
