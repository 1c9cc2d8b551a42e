"""Where an attack takes place: an account of a range that is up, boto3 and the aws command line in it, and GuardDuty."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from quell_range import guardduty
from quell_range.seed import IMAGE

Keys = dict[str, str]
Made = dict[str, Any]

_SETTINGS = Config(retries={"max_attempts": 0}, read_timeout=20, connect_timeout=5)


class Stage:
    """One account as its developer and as others see it."""

    def __init__(self, info: dict[str, Any], account: str | None = None, region: str = "us-east-1") -> None:
        self.info, self.region = info, region
        accounts = [a for a in info["accounts"] if account in (None, a["id"])]
        #: The production account, if no other was named.
        self.account: dict[str, Any] = next((a for a in accounts if a["environment"] == "production" or account), accounts[0])
        #: Distinguishes what this attack makes from what others made.
        self.mark = uuid.uuid4().hex[:8]
        self._clients: dict[tuple[str, str], Any] = {}

    @staticmethod
    def until_the_next_second() -> None:
        """CloudTrail tells seconds: what was made in the very second of an attack could have come with it."""
        began = int(time.time())
        while int(time.time()) == began:
            time.sleep(0.02)

    @property
    def developer(self) -> Keys:
        return dict(self.account["developer"])

    def client(self, service: str, keys: Keys | None = None) -> Any:
        """A boto3 client, of the developer if no other keys are given."""
        keys = keys or self.developer
        name = (service, keys["access_key_id"])
        if name not in self._clients:
            self._clients[name] = boto3.client(
                service,
                endpoint_url=self.info["endpoint"],
                region_name=self.region,
                aws_access_key_id=keys["access_key_id"],
                aws_secret_access_key=keys["secret_access_key"],
                aws_session_token=keys.get("session_token"),
                config=_SETTINGS,
            )
        return self._clients[name]

    def control(self, keys: Keys | None = None) -> Any:
        """A client of S3 Control, whose address has the account before it: nobody could look that up."""
        made = self.client("s3control", keys)
        made.meta.events.register("before-sign", _without_account, unique_id="without-account")
        return made

    def aws(self, *words: str, keys: Keys | None = None) -> Any:
        """The real aws command line; its answer. What it refuses is an error."""
        keys = keys or self.developer
        env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
        env |= {
            "AWS_ACCESS_KEY_ID": keys["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": keys["secret_access_key"],
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self.info["endpoint"],
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
        }
        if "session_token" in keys:
            env["AWS_SESSION_TOKEN"] = keys["session_token"]
        command = [sys.executable, str(Path(sys.executable).parent / "aws"), *words, "--output", "json"]
        done = subprocess.run(command, env=env, capture_output=True, timeout=120, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"aws {' '.join(words)}: {done.stderr.decode().strip()}")
        return json.loads(done.stdout or b"null")

    def user(self, name: str, policy: dict[str, Any] | None = None) -> Keys:
        """A new user with one access key and, if one is given, an inline policy."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        if policy:
            iam.put_user_policy(UserName=name, PolicyName="work", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}

    def role(self, account: str, name: str) -> Keys:
        """A session of one of Quell's roles, as Quell takes it on."""
        quell = self.info["quell"]
        arn = f"arn:aws:iam::{account}:role/{name}"
        made = self.client("sts", quell).assume_role(RoleArn=arn, RoleSessionName=f"look-{self.mark}", ExternalId=quell["external_id"])
        keys = made["Credentials"]
        return {
            "access_key_id": keys["AccessKeyId"],
            "secret_access_key": keys["SecretAccessKey"],
            "session_token": keys["SessionToken"],
        }

    def bucket(self, name: str) -> None:
        """A new bucket in the Region. S3 wants the first Region not to be named, and every other."""
        place = {} if self.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": self.region}}
        self.client("s3").create_bucket(Bucket=name, **place)

    def network(self) -> dict[str, str]:
        """A VPC of its own with a subnet, a group for web servers, and a way to the Internet."""
        ec2 = self.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.40.0.0/24", AvailabilityZone=f"{self.region}a")["Subnet"]["SubnetId"]
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        group = ec2.create_security_group(GroupName=f"web-{self.mark}", Description="web servers", VpcId=vpc)["GroupId"]
        web = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[web])
        return {"vpc": vpc, "subnet": subnet, "group": group}

    def host(self, network: dict[str, str], keys: Keys | None = None, kind: str = "t3.micro", profile: str | None = None) -> str:
        """A new instance with two disks."""
        disks = [{"DeviceName": name, "Ebs": {"VolumeSize": 8, "DeleteOnTermination": True}} for name in ("/dev/sda1", "/dev/sdb")]
        more: dict[str, Any] = {"IamInstanceProfile": {"Name": profile}} if profile else {}
        made = self.client("ec2", keys).run_instances(
            ImageId=IMAGE, MinCount=1, MaxCount=1, InstanceType=kind, SubnetId=network["subnet"], SecurityGroupIds=[network["group"]],
            BlockDeviceMappings=disks, **more,
        )  # fmt: skip
        return str(made["Instances"][0]["InstanceId"])

    def profile(self, name: str) -> str:
        """An instance profile with a role of the same name that may read S3; the role's id."""
        iam, service = self.client("iam"), {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [service]}))
        iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=json.dumps(allow("s3:Get*")))
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        return str(role["Role"]["RoleId"])

    def finding(self, kind: str, severity: float, resource: dict[str, Any], action: dict[str, Any], role: str = "TARGET") -> None:
        """GuardDuty finds something: the event comes as EventBridge brings it."""
        detail = guardduty.finding(self.account["id"], self.region, kind, severity, resource, role, action)
        self.page("POST", "/event", guardduty.event(detail))

    def page(self, method: str, page: str, body: Any = None) -> Any:
        """A control page of the range."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.info['endpoint']}/range-api{page}", method=method, data=data)
        with urllib.request.urlopen(request, timeout=70) as answer:
            return json.load(answer)


def _without_account(request: Any, **_: Any) -> None:
    parts = urlsplit(request.url)
    request.url = parts._replace(netloc=parts.netloc.partition(".")[2]).geturl()


def allow(*actions: str) -> dict[str, Any]:
    """A policy that allows the actions on everything."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}


def tried(call: Callable[..., Any], **params: Any) -> str:
    """`ok`, or the code with which a call was refused."""
    try:
        call(**params)
    except Exception as error:  # noqa: BLE001 - how a client says no is its own affair
        response: dict[str, Any] = getattr(error, "response", {})
        return str(response.get("Error", {}).get("Code") or error)
    return "ok"


def group_as_it_is(ec2: Any, group: str) -> dict[str, Any]:
    """A security group with its rules, without the ids that a rule put back has anew."""
    pages = ec2.get_paginator("describe_security_group_rules").paginate(Filters=[{"Name": "group-id", "Values": [group]}])
    anew = ("SecurityGroupRuleId", "SecurityGroupRuleArn")
    rules = [{k: v for k, v in rule.items() if k not in anew} for page in pages for rule in page["SecurityGroupRules"]]
    return {"group": group, "rules": sorted(rules, key=lambda rule: json.dumps(rule, sort_keys=True))}


def user_as_it_is(iam: Any, name: str) -> dict[str, Any]:
    """A user with all that lets it in or gives it rights."""
    return {
        "attached": sorted(p["PolicyArn"] for p in iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]),
        "inline": {
            policy: iam.get_user_policy(UserName=name, PolicyName=policy)["PolicyDocument"]
            for policy in iam.list_user_policies(UserName=name)["PolicyNames"]
        },
        "groups": sorted(g["GroupName"] for g in iam.list_groups_for_user(UserName=name)["Groups"]),
        "keys": {k["AccessKeyId"]: k["Status"] for k in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]},
        "services": {
            c["ServiceSpecificCredentialId"]: c["Status"]
            for c in iam.list_service_specific_credentials(UserName=name)["ServiceSpecificCredentials"]
        },
        "ssh": {k["SSHPublicKeyId"]: k["Status"] for k in iam.list_ssh_public_keys(UserName=name)["SSHPublicKeys"]},
        "certificates": {c["CertificateId"]: c["Status"] for c in iam.list_signing_certificates(UserName=name)["Certificates"]},
        "boundary": iam.get_user(UserName=name)["User"].get("PermissionsBoundary"),
        "password": tried(iam.get_login_profile, UserName=name),
    }


def instance_as_it_is(stage: Stage, name: str) -> dict[str, Any]:
    """An instance with its attributes, its interfaces and their groups, its addresses and its profile."""
    ec2 = stage.client("ec2")
    shown = ec2.describe_instances(InstanceIds=[name])["Reservations"][0]["Instances"][0]
    wanted = ("disableApiTermination", "disableApiStop", "instanceInitiatedShutdownBehavior", "userData")
    attributes = {a: ec2.describe_instance_attribute(InstanceId=name, Attribute=a) for a in wanted}
    addresses = ec2.describe_addresses(Filters=[{"Name": "instance-id", "Values": [name]}])["Addresses"]
    profiles = ec2.describe_iam_instance_profile_associations(Filters=[{"Name": "instance-id", "Values": [name]}])[
        "IamInstanceProfileAssociations"
    ]
    return {
        "state": shown["State"]["Name"],
        "attributes": {
            a: {k: v for k, v in answer.items() if k not in ("ResponseMetadata", "InstanceId")} for a, answer in attributes.items()
        },
        "disks": [(d["DeviceName"], d["Ebs"]["VolumeId"], d["Ebs"]["DeleteOnTermination"]) for d in shown["BlockDeviceMappings"]],
        "metadata": shown["MetadataOptions"],
        "interfaces": {
            nic["NetworkInterfaceId"]: {
                "groups": [g["GroupId"] for g in nic["Groups"]],
                "attached": (nic["Attachment"]["DeviceIndex"], nic["Attachment"]["Status"]),
                "sourceDestCheck": nic["SourceDestCheck"],
            }
            for nic in shown["NetworkInterfaces"]
        },
        "addresses": sorted((a["AllocationId"], a["NetworkInterfaceId"], a["PrivateIpAddress"]) for a in addresses),
        "profiles": [p["IamInstanceProfile"]["Arn"] for p in profiles],
    }
