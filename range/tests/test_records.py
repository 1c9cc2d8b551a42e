"""Records are spelt as CloudTrail spells them: the expectations below are real records' shapes, written out."""

from __future__ import annotations

import json
import re

import pytest
from botocore.exceptions import ClientError
from conftest import Client


def test_an_open_port_by_the_single_cidr_form(quell_range: Client) -> None:
    group = quell_range.seed()["group_id"]
    ec2 = quell_range.developer("ec2")
    made = ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0")
    record = quell_range.record("AuthorizeSecurityGroupIngress")
    account = quell_range.production
    assert record["requestParameters"] == {
        "groupId": group, "ipPermissions": {}, "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIp": "0.0.0.0/0",
    }  # fmt: skip
    answer = record["responseElements"]
    assert answer["_return"] is True
    assert answer["requestId"] == record["requestID"] == made["ResponseMetadata"]["RequestId"]
    (rule,) = answer["securityGroupRuleSet"]["items"]
    assert rule.pop("securityGroupRuleArn").endswith(rule["securityGroupRuleId"])
    assert rule == {
        "groupOwnerId": account["id"], "groupId": group, "securityGroupRuleId": made["SecurityGroupRules"][0]["SecurityGroupRuleId"],
        "isEgress": False, "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "0.0.0.0/0",
    }  # fmt: skip
    identity = record["userIdentity"]
    assert re.fullmatch(r"AIDA[A-Z2-7]{17}", identity.pop("principalId"))
    assert identity == {
        "type": "IAMUser", "arn": f"arn:aws:iam::{account['id']}:user/developer", "accountId": account["id"],
        "accessKeyId": account["developer"]["access_key_id"], "userName": "developer",
    }  # fmt: skip
    expected = {
        "eventSource": "ec2.amazonaws.com", "awsRegion": "us-east-1", "readOnly": False, "eventType": "AwsApiCall",
        "managementEvent": True, "eventCategory": "Management", "recipientAccountId": account["id"], "sourceIPAddress": "203.0.113.10",
    }  # fmt: skip
    assert {name: record[name] for name in expected} == expected
    assert "Boto3" in record["userAgent"]
    assert record["tlsDetails"]["clientProvidedHostHeader"] == "ec2.us-east-1.amazonaws.com"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", record["eventTime"])


def test_ip_permissions_show_every_kind_of_source(quell_range: Client) -> None:
    seeded = quell_range.seed()
    ec2 = quell_range.developer("ec2")
    permission = {
        "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
        "IpRanges": [{"CidrIp": "192.0.2.0/24", "Description": "TLS from Internet"}],
        "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}],
        "UserIdGroupPairs": [{"GroupId": seeded["client_group_id"]}],
    }  # fmt: skip
    ec2.authorize_security_group_ingress(GroupId=seeded["group_id"], IpPermissions=[permission])
    record = quell_range.record("AuthorizeSecurityGroupIngress")
    assert record["requestParameters"] == {
        "groupId": seeded["group_id"],
        "ipPermissions": {"items": [{
            "ipProtocol": "tcp", "fromPort": 443, "toPort": 443,
            "groups": {"items": [{"groupId": seeded["client_group_id"]}]},
            "ipRanges": {"items": [{"cidrIp": "192.0.2.0/24", "description": "TLS from Internet"}]},
            "ipv6Ranges": {"items": [{"cidrIpv6": "2001:db8::/32"}]},
            "prefixListIds": {},
        }]},
    }  # fmt: skip
    rules = record["responseElements"]["securityGroupRuleSet"]["items"]
    assert [r.get("cidrIpv4") or r.get("cidrIpv6") or r["referencedGroupInfo"]["groupId"] for r in rules] == [
        "192.0.2.0/24", "2001:db8::/32", seeded["client_group_id"],
    ]  # fmt: skip


def test_a_revocation_by_rule_id(quell_range: Client) -> None:
    seeded = quell_range.seed()
    rule = seeded["rules"][1]["SecurityGroupRuleId"]
    quell_range.developer("ec2").revoke_security_group_ingress(GroupId=seeded["group_id"], SecurityGroupRuleIds=[rule])
    record = quell_range.record("RevokeSecurityGroupIngress")
    assert record["requestParameters"] == {
        "groupId": seeded["group_id"], "ipPermissions": {}, "securityGroupRuleIds": {"items": [{"securityGroupRuleId": rule}]},
    }  # fmt: skip
    assert record["responseElements"]["_return"] is True


def test_newer_calls_show_the_wire_request(quell_range: Client) -> None:
    seeded = quell_range.seed()
    rule = seeded["rules"][1]["SecurityGroupRuleId"]
    wanted = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "0.0.0.0/0", "Description": "open"}
    quell_range.developer("ec2").modify_security_group_rules(
        GroupId=seeded["group_id"], SecurityGroupRules=[{"SecurityGroupRuleId": rule, "SecurityGroupRule": wanted}]
    )
    record = quell_range.record("ModifySecurityGroupRules")
    assert record["requestParameters"] == {
        "ModifySecurityGroupRulesRequest": {
            "GroupId": seeded["group_id"],
            "SecurityGroupRule": {"SecurityGroupRuleId": rule, "SecurityGroupRule": wanted, "tag": 1},
        }
    }
    assert record["responseElements"]["ModifySecurityGroupRulesResponse"]["return"] is True


def test_failed_calls_are_recorded_with_their_error(quell_range: Client) -> None:
    group = quell_range.seed()["group_id"]
    ec2, iam = quell_range.developer("ec2"), quell_range.developer("iam")
    with pytest.raises(ClientError):
        ec2.revoke_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=1, ToPort=1, CidrIp="0.0.0.0/0")
    record = quell_range.record("RevokeSecurityGroupIngress")
    assert record["errorCode"] == "Client.InvalidPermission.NotFound"
    assert record["errorMessage"] == "The specified rule does not exist in this security group."
    assert record["responseElements"] is None
    with pytest.raises(ClientError):
        ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=["sgr-0123456789abcdef0"], DryRun=True)
    assert quell_range.record("RevokeSecurityGroupIngress")["errorCode"] == "Client.DryRunOperation"
    with pytest.raises(ClientError):
        iam.delete_login_profile(UserName="nobody")
    assert quell_range.record("DeleteLoginProfile")["errorCode"] == "NoSuchEntityException"


def test_secrets_are_left_out(quell_range: Client) -> None:
    iam = quell_range.developer("iam")
    iam.create_user(UserName="with-secrets")
    key = iam.create_access_key(UserName="with-secrets")["AccessKey"]
    iam.create_login_profile(UserName="with-secrets", Password="Sehr-geheim-17")
    quell_range.developer("secretsmanager").create_secret(Name="with-secrets", SecretString="sehr-geheim-17")
    quell_range.developer("ssm").put_parameter(Name="/with-secrets", Value="sehr-geheim-17", Type="SecureString")
    names = {"CreateUser", "CreateAccessKey", "CreateLoginProfile", "CreateSecret", "PutParameter"}
    events = quell_range.messages("events", lambda found: names <= {e["detail"]["eventName"] for e in found})
    text = json.dumps(events)
    assert key["SecretAccessKey"] not in text and "geheim-17" not in text
    records = {e["detail"]["eventName"]: e["detail"] for e in events}
    assert records["CreateAccessKey"]["responseElements"]["accessKey"]["accessKeyId"] == key["AccessKeyId"]
    assert re.fullmatch(
        r"[A-Z][a-z]{2} \d{1,2}, \d{4} \d{1,2}:\d\d:\d\d [AP]M", records["CreateUser"]["responseElements"]["user"]["createDate"]
    )
    assert records["PutParameter"]["requestParameters"]["value"] == "HIDDEN_DUE_TO_SECURITY_REASONS"
    assert set(records["CreateSecret"]["responseElements"]) == {"arn"}


def test_buckets(quell_range: Client) -> None:
    s3 = quell_range.developer("s3")
    s3.create_bucket(Bucket="records-of-buckets")
    s3.put_public_access_block(Bucket="records-of-buckets", PublicAccessBlockConfiguration={"BlockPublicAcls": False})
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::records-of-buckets/*"}],
    }
    s3.put_bucket_policy(Bucket="records-of-buckets", Policy=json.dumps(policy))
    s3.put_object(Bucket="records-of-buckets", Key="a", Body=b"data events are not in a default trail")
    s3.put_bucket_tagging(Bucket="records-of-buckets", Tagging={"TagSet": [{"Key": "open", "Value": "true"}]})
    events = quell_range.messages("events", lambda found: any(e["detail"]["eventName"] == "PutBucketTagging" for e in found))
    records = {e["detail"]["eventName"]: e["detail"] for e in events}
    assert set(records) == {"CreateBucket", "PutBucketPublicAccessBlock", "PutBucketPolicy", "PutBucketTagging"}
    host = "records-of-buckets.s3.us-east-1.amazonaws.com"
    assert records["PutBucketPolicy"]["requestParameters"] == {
        "bucketPolicy": policy,
        "bucketName": "records-of-buckets",
        "Host": host,
        "policy": "",
    }
    assert records["PutBucketTagging"]["requestParameters"]["Tagging"]["TagSet"] == {"Tag": {"Key": "open", "Value": True}}
    assert records["PutBucketPublicAccessBlock"]["requestParameters"]["publicAccessBlock"] == ""
    assert records["PutBucketPolicy"]["resources"][0]["ARN"] == "arn:aws:s3:::records-of-buckets"


def test_renamed_events(quell_range: Client) -> None:
    iam, functions = quell_range.developer("iam"), quell_range.developer("lambda")
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    role = iam.create_role(RoleName="function", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    with pytest.raises(ClientError):
        functions.update_function_code(FunctionName="absent", ZipFile=b"x" * 2000)
    assert role.startswith("arn:aws:iam::")
    record = quell_range.record("UpdateFunctionCode20150331v2")
    assert record["eventSource"] == "lambda.amazonaws.com" and "zipFile" not in record["requestParameters"]


def test_reads_and_data_events_are_not_recorded(quell_range: Client) -> None:
    quell_range.developer("ec2").describe_vpcs()
    quell_range.developer("iam").list_users()
    dynamodb = quell_range.developer("dynamodb")
    dynamodb.create_table(
        TableName="t", KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST",
    )  # fmt: skip
    dynamodb.put_item(TableName="t", Item={"k": {"S": "v"}})
    dynamodb.delete_table(TableName="t")
    events = quell_range.messages("events", lambda found: any(e["detail"]["eventName"] == "DeleteTable" for e in found))
    assert [e["detail"]["eventName"] for e in events] == ["CreateTable", "DeleteTable"]


def test_the_source_address_is_the_clients_word(quell_range: Client) -> None:
    ec2 = quell_range.developer("ec2", region="eu-west-1")
    ec2.meta.events.register(
        "before-send", lambda request, **_: request.headers.__setitem__("x-quell-range-source-ip", "198.51.100.77") or None
    )
    ec2.create_vpc(CidrBlock="10.9.0.0/16")
    record = quell_range.record("CreateVpc")
    assert record["sourceIPAddress"] == "198.51.100.77" and record["awsRegion"] == "eu-west-1"
    vpc = record["responseElements"]["vpc"]
    assert vpc["cidrBlock"] == "10.9.0.0/16" and record["requestParameters"]["cidrBlock"] == "10.9.0.0/16"


def test_sharing_a_snapshot_in_either_form(quell_range: Client) -> None:
    ec2 = quell_range.developer("ec2")
    volume = ec2.create_volume(Size=1, AvailabilityZone="us-east-1a")["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ec2.modify_snapshot_attribute(SnapshotId=snapshot, CreateVolumePermission={"Add": [{"UserId": "012345678912"}]})
    first = quell_range.record("ModifySnapshotAttribute")["requestParameters"]
    ec2.modify_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="remove", UserIds=["012345678912"])
    second = quell_range.record("ModifySnapshotAttribute")["requestParameters"]
    kind = "CREATE_VOLUME_PERMISSION"
    assert first == {
        "snapshotId": snapshot,
        "createVolumePermission": {"add": {"items": [{"userId": "012345678912"}]}},
        "attributeType": kind,
    }
    assert second == {
        "snapshotId": snapshot,
        "createVolumePermission": {"remove": {"items": [{"userId": "012345678912"}]}},
        "attributeType": kind,
    }
