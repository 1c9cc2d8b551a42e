"""GuardDuty findings as EventBridge carries them. moto has no detector that finds anything: these are made, in AWS's published form."""

from __future__ import annotations

import datetime
import hashlib
import uuid
from typing import Any

from quell_range.identity import PARTITION, utcnow

#: Where the made-up attacker is (RFC 5737, for documentation).
ATTACKER_IP = "198.51.100.66"
_REMOTE = {
    "ipAddressV4": ATTACKER_IP,
    "organization": {"asn": "64500", "asnOrg": "Example Transit", "isp": "Example Transit", "org": "Example Transit"},
    "country": {"countryName": "Nowhere"},
    "city": {"cityName": ""},
    "geoLocation": {"lat": 0.0, "lon": 0.0},
}


def finding(
    account: str, region: str, kind: str, severity: float, resource: dict[str, Any], role: str, action: dict[str, Any]
) -> dict[str, Any]:
    """A new finding: the `detail` of its event."""
    name, detector = uuid.uuid4().hex, hashlib.md5(f"{account} {region}".encode(), usedforsecurity=False).hexdigest()
    now = utcnow()
    first = now - datetime.timedelta(minutes=3)
    return {
        "schemaVersion": "2.0",
        "accountId": account,
        "region": region,
        "partition": PARTITION,
        "id": name,
        "arn": f"arn:{PARTITION}:guardduty:{region}:{account}:detector/{detector}/finding/{name}",
        "type": kind,
        "resource": resource,
        "service": {
            "serviceName": "guardduty",
            "detectorId": detector,
            "action": action,
            "resourceRole": role,
            "additionalInfo": {"value": "{}", "type": "default"},
            "eventFirstSeen": _time(first),
            "eventLastSeen": _time(now),
            "archived": False,
            "count": 1,
        },
        "severity": severity,
        "createdAt": _time(now),
        "updatedAt": _time(now),
        "title": kind,
        "description": "",
    }


def access_key(key: str, principal: str, user: str, kind: str = "IAMUser") -> dict[str, Any]:
    """The resource of a finding about whoever uses a key."""
    return {
        "resourceType": "AccessKey",
        "accessKeyDetails": {"accessKeyId": key, "principalId": principal, "userType": kind, "userName": user},
    }


def instance(shown: dict[str, Any]) -> dict[str, Any]:
    """The resource of a finding about an instance, from what DescribeInstances shows of it."""
    interfaces = [
        {
            "networkInterfaceId": nic["NetworkInterfaceId"],
            "privateIpAddress": nic["PrivateIpAddress"],
            "vpcId": nic["VpcId"],
            "subnetId": nic["SubnetId"],
            "securityGroups": [{"groupId": g["GroupId"], "groupName": g["GroupName"]} for g in nic["Groups"]],
        }
        for nic in shown["NetworkInterfaces"]
    ]
    details = {
        "instanceId": shown["InstanceId"],
        "instanceType": shown["InstanceType"],
        "imageId": shown["ImageId"],
        "launchTime": _time(shown["LaunchTime"]),
        "availabilityZone": shown["Placement"]["AvailabilityZone"],
        "networkInterfaces": interfaces,
        "tags": [{"key": tag["Key"], "value": tag["Value"]} for tag in shown.get("Tags", [])],
    }
    return {"resourceType": "Instance", "instanceDetails": details}


def function(shown: dict[str, Any]) -> dict[str, Any]:
    """The resource of a finding about a function, from what GetFunctionConfiguration shows of it."""
    details = {
        "functionArn": shown["FunctionArn"],
        "functionName": shown["FunctionName"],
        "functionVersion": shown["Version"],
        "role": shown["Role"],
        "revisionId": shown.get("RevisionId", ""),
        "lastModifiedAt": shown["LastModified"],
        "tags": [],
    }
    return {"resourceType": "Lambda", "lambdaDetails": details}


def api_call(api: str, service: str) -> dict[str, Any]:
    """What was done: a call from the attacker's address."""
    call = {"api": api, "serviceName": service, "callerType": "Remote IP", "remoteIpDetails": _REMOTE, "affectedResources": {}}
    return {"actionType": "AWS_API_CALL", "awsApiCallAction": call}


def connection(port: int, direction: str = "OUTBOUND") -> dict[str, Any]:
    """What was done: a connection to or from the attacker's address."""
    made = {
        "connectionDirection": direction,
        "protocol": "TCP",
        "blocked": False,
        "remoteIpDetails": _REMOTE,
        "remotePortDetails": {"port": port, "portName": "Unknown"},
        "localPortDetails": {"port": 40_000, "portName": "Unknown"},
        "localIpDetails": {"ipAddressV4": "10.0.0.4"},
    }
    return {"actionType": "NETWORK_CONNECTION", "networkConnectionAction": made}


def event(detail: dict[str, Any]) -> dict[str, Any]:
    """The event that carries a finding."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "GuardDuty Finding",
        "source": "aws.guardduty",
        "account": detail["accountId"],
        "time": utcnow().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": detail["region"],
        "resources": [],
        "detail": detail,
    }


def _time(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
