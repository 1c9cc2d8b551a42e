"""Calls of AWS as playbooks make them: `aws-sdk` tasks that read and change."""

from __future__ import annotations

import json
from typing import Any

from ..case import Case, Json, inner, jsonata, one, one_jsonata, sdk, states
from ..moto import Moto
from .errors import table


def group(moto: Moto) -> Json:
    """A security group that is open to the world."""
    ec2 = moto.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    made = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    open_: Any = [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]} for port, cidr in ((22, "0.0.0.0/0"), (443, "10.0.0.0/8"))]
    ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=open_)
    return {"group": made}


def instance(moto: Moto) -> Json:
    """A running instance."""
    ec2 = moto.client("ec2")
    return {"instance": ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]}


def bucket(moto: Moto) -> Json:
    """A bucket with two objects."""
    s3 = moto.client("s3")
    s3.create_bucket(Bucket="b-1")
    s3.put_object(Bucket="b-1", Key="a/one.json", Body=json.dumps({"n": 1}), ContentType="application/json")
    s3.put_object(Bucket="b-1", Key="a/two.txt", Body="two")
    return {"bucket": "b-1"}


def queue(moto: Moto) -> Json:
    """A queue."""
    return {"queue": moto.client("sqs").create_queue(QueueName="q")["QueueUrl"]}


def user(moto: Moto) -> Json:
    """A user with a key."""
    iam = moto.client("iam")
    iam.create_user(UserName="mallory")
    return {"user": "mallory", "key": iam.create_access_key(UserName="mallory")["AccessKey"]["AccessKeyId"]}


def parameters(moto: Moto) -> Json:
    """Two parameters."""
    ssm = moto.client("ssm")
    ssm.put_parameter(Name="/app/a", Value="1", Type="String")
    ssm.put_parameter(Name="/app/b", Value="x,y", Type="StringList")
    return {"path": "/app"}


def secret(moto: Moto) -> Json:
    """A secret."""
    moto.client("secretsmanager").create_secret(Name="db", SecretString="before")
    return {"secret": "db"}


def topic(moto: Moto) -> Json:
    """A topic that hands on to a queue."""
    sns, sqs = moto.client("sns"), moto.client("sqs")
    made = sns.create_topic(Name="alarms")["TopicArn"]
    sqs.create_queue(QueueName="heard")
    sns.subscribe(TopicArn=made, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:heard")
    return {"topic": made}


PUT = {"TableName": "t", "Item": {"id": {"S": "a"}, "n": {"N": "1"}, "list": {"L": [{"S": "x"}, {"N": "2"}]}, "map": {"M": {"k": {"S": "v"}}}}}

CASES = [
    Case("ec2-describe-groups", one(sdk("ec2", "describeSecurityGroups", Parameters={"GroupIds.$": "States.Array($.group)"}, ResultSelector={"name.$": "$.SecurityGroups[0].GroupName", "ports.$": "$.SecurityGroups[0].IpPermissions[*].FromPort", "cidr.$": "$.SecurityGroups[0].IpPermissions[*].IpRanges[*].CidrIp"})), set_up=group),
    Case("ec2-revoke", jsonata("Look", {
        "Look": sdk("ec2", "describeSecurityGroupRules", Arguments={"Filters": [{"Name": "group-id", "Values": ["{% $states.input.group %}"]}]}, Output={"group": "{% $states.input.group %}", "open": "{% [$states.result.SecurityGroupRules[IsEgress = false and CidrIpv4 = '0.0.0.0/0'].SecurityGroupRuleId] %}"}, Next="Any"),
        "Any": {"Type": "Choice", "Choices": [{"Condition": "{% $count($states.input.open) > 0 %}", "Next": "Revoke"}], "Default": "None"},
        "Revoke": sdk("ec2", "revokeSecurityGroupIngress", Arguments={"GroupId": "{% $states.input.group %}", "SecurityGroupRuleIds": "{% $states.input.open %}"}, Output={"n": "{% $count($states.input.open) %}"}, End=True),
        "None": {"Type": "Succeed"},
    }), set_up=group),
    Case("ec2-reserved-word", one(sdk("ec2", "authorizeSecurityGroupIngress", Parameters={"GroupId.$": "$.group", "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}]}, ResultSelector={"done.$": "$.ReturnValue"})), set_up=group),
    Case("ec2-authorize", one(sdk("ec2", "authorizeSecurityGroupIngress", Parameters={"GroupId.$": "$.group", "IpPermissions": [{"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "IpRanges": [{"CidrIp": "192.0.2.0/24", "Description": "dns"}]}]}, ResultPath=None)), set_up=group),
    Case("ec2-authorize-twice", states("A", {
        "A": sdk("ec2", "authorizeSecurityGroupIngress", Parameters={"GroupId.$": "$.group", "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}, Catch=[{"ErrorEquals": ["Ec2.Ec2Exception"], "ResultPath": "$.e", "Next": "S"}], End=True),
        "S": {"Type": "Succeed", "OutputPath": "$.e.Error"},
    }), set_up=group),
    Case("ec2-missing-group", one(sdk("ec2", "describeSecurityGroups", Parameters={"GroupIds": ["sg-00000000"]})), set_up=group),
    Case("ec2-stop", states("Stop", {
        "Stop": sdk("ec2", "stopInstances", Parameters={"InstanceIds.$": "States.Array($.instance)"}, ResultPath="$.stopped", Next="Tag"),
        "Tag": sdk("ec2", "createTags", Parameters={"Resources.$": "States.Array($.instance)", "Tags": [{"Key": "quarantine", "Value.$": "$.stopped.StoppingInstances[0].PreviousState.Name"}]}, ResultPath=None, Next="Look"),
        "Look": sdk("ec2", "describeInstances", Parameters={"InstanceIds.$": "States.Array($.instance)"}, ResultSelector={"state.$": "$.Reservations[0].Instances[0].State.Name", "tags.$": "$.Reservations[0].Instances[0].Tags"}, End=True),
    }), set_up=instance),
    Case("ec2-isolate-in-parallel", jsonata("P", {"P": {"Type": "Parallel", "Branches": [
        inner("Tag", {"Tag": sdk("ec2", "createTags", Arguments={"Resources": ["{% $states.input.instance %}"], "Tags": [{"Key": "a", "Value": "1"}]}, Output="{% 'tagged' %}", End=True)}),
        inner("Term", {"Term": sdk("ec2", "modifyInstanceAttribute", Arguments={"InstanceId": "{% $states.input.instance %}", "DisableApiTermination": {"Value": True}}, Output="{% 'kept' %}", End=True)}),
    ], "End": True}}), set_up=instance),
    Case("dynamodb-put-get", states("Put", {
        "Put": sdk("dynamodb", "putItem", Parameters=PUT, ResultPath=None, Next="Get"),
        "Get": sdk("dynamodb", "getItem", Parameters={"TableName": "t", "Key": {"id": {"S": "a"}}}, OutputPath="$.Item", End=True),
    }), set_up=table),
    Case("dynamodb-put-spelled", one(sdk("dynamodb", "putItem", Parameters={"TableName": "t", "Item": {"id": {"S": "a"}, "flag": {"Bool": True}, "none": {"Nul": True}, "set": {"Ss": ["p", "q"]}}}, ResultPath=None)), set_up=table),
    Case("dynamodb-query", states("Put", {
        "Put": sdk("dynamodb", "putItem", Parameters=PUT, ResultPath=None, Next="Query"),
        "Query": sdk("dynamodb", "query", Parameters={"TableName": "t", "KeyConditionExpression": "id = :i", "ExpressionAttributeValues": {":i": {"S": "a"}}}, ResultSelector={"count.$": "$.Count", "n.$": "$.Items[0].n.N"}, End=True),
    }), set_up=table),
    Case("dynamodb-map", states("M", {"M": {"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": states("Put", {"Put": sdk("dynamodb", "putItem", Parameters={"TableName": "t", "Item": {"id": {"S.$": "$.id"}, "n": {"N.$": "States.Format('{}', $.n)"}}}, ResultSelector={}, End=True)}), "End": True}}), [{"id": "a", "n": 1}, {"id": "b", "n": 2}, {"id": "c", "n": 3}], set_up=lambda moto: table(moto) and [{"id": "a", "n": 1}, {"id": "b", "n": 2}]),
    Case("dynamodb-update-delete", states("U", {
        "U": sdk("dynamodb", "updateItem", Parameters={"TableName": "t", "Key": {"id": {"S": "z"}}, "UpdateExpression": "SET #n = :v", "ExpressionAttributeNames": {"#n": "name"}, "ExpressionAttributeValues": {":v": {"S": "new"}}, "ReturnValues": "ALL_NEW"}, ResultPath="$.u", Next="D"),
        "D": sdk("dynamodb", "deleteItem", Parameters={"TableName": "t", "Key": {"id": {"S": "z"}}, "ReturnValues": "ALL_OLD"}, ResultPath="$.d", End=True),
    }), set_up=table),
    Case("dynamodb-batch", one_jsonata(sdk("dynamodb", "batchWriteItem", Arguments={"RequestItems": {"t": "{% $map(['p','q'], function($i) { {'PutRequest': {'Item': {'id': {'S': $i}}}} }) %}"}}, Output="{% $states.result.UnprocessedItems %}")), set_up=table),
    Case("s3-get", one(sdk("s3", "getObject", Parameters={"Bucket.$": "$.bucket", "Key": "a/one.json"}, ResultSelector={"body.$": "States.StringToJson($.Body)", "type.$": "$.ContentType"})), set_up=bucket),
    Case("s3-put", states("Put", {
        "Put": sdk("s3", "putObject", Parameters={"Bucket.$": "$.bucket", "Key": "new.json", "Body.$": "States.JsonToString($)", "ContentType": "application/json"}, ResultPath=None, Next="List"),
        "List": sdk("s3", "listObjectsV2", Parameters={"Bucket.$": "$.bucket"}, ResultSelector={"keys.$": "$.Contents[*].Key", "sizes.$": "$.Contents[*].Size", "n.$": "$.KeyCount"}, End=True),
    }), set_up=bucket),
    Case("s3-put-object", one(sdk("s3", "putObject", Parameters={"Bucket.$": "$.bucket", "Key": "o.json", "Body": {"list": [1, {"made.$": "$.bucket"}]}, "ContentType": "application/json"}, ResultPath=None)), set_up=bucket),
    Case("s3-put-text", one_jsonata(sdk("s3", "putObject", Arguments={"Bucket": "{% $states.input.bucket %}", "Key": "t.txt", "Body": "{% 'a' & $string(1) %}"}, Output="{% $exists($states.result.ETag) %}")), set_up=bucket),
    Case("s3-tag-delete", states("Tag", {
        "Tag": sdk("s3", "putObjectTagging", Parameters={"Bucket.$": "$.bucket", "Key": "a/two.txt", "Tagging": {"TagSet": [{"Key": "k", "Value": "v"}]}}, ResultPath=None, Next="Del"),
        "Del": sdk("s3", "deleteObject", Parameters={"Bucket.$": "$.bucket", "Key": "a/one.json"}, ResultPath=None, End=True),
    }), set_up=bucket),
    Case("s3-public-access", states("Put", {
        "Put": sdk("s3", "putPublicAccessBlock", Parameters={"Bucket.$": "$.bucket", "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": False}}, ResultPath=None, Next="Get"),
        "Get": sdk("s3", "getPublicAccessBlock", Parameters={"Bucket.$": "$.bucket"}, End=True),
    }), set_up=bucket),
    Case("s3-no-key", one(sdk("s3", "getObject", Parameters={"Bucket.$": "$.bucket", "Key": "none"})), set_up=bucket),
    Case("s3-no-bucket", states("A", {"A": sdk("s3", "listObjectsV2", Parameters={"Bucket": "no-such-bucket"}, Catch=[{"ErrorEquals": ["S3.NoSuchBucketException"], "Next": "S"}], End=True), "S": {"Type": "Pass", "Result": "caught", "End": True}}), set_up=bucket),
    Case("sqs-send", one(sdk("sqs", "sendMessage", Parameters={"QueueUrl.$": "$.queue", "MessageBody": "fire", "MessageAttributes": {"kind": {"DataType": "String", "StringValue": "alarm"}}}, ResultSelector={"md5.$": "$.Md5OfMessageBody"})), set_up=queue),
    Case("sqs-attributes", one(sdk("sqs", "getQueueAttributes", Parameters={"QueueUrl.$": "$.queue", "AttributeNames": ["VisibilityTimeout"]})), set_up=queue),
    Case("sqs-missing", one(sdk("sqs", "getQueueUrl", Parameters={"QueueName": "none"})), set_up=queue),
    Case("sns-publish-sdk", one(sdk("sns", "publish", Parameters={"TopicArn.$": "$.topic", "Message": "fire", "Subject": "s"}, ResultSelector={})), set_up=topic),
    Case("iam-disable-key", states("Off", {
        "Off": sdk("iam", "updateAccessKey", Parameters={"UserName.$": "$.user", "AccessKeyId.$": "$.key", "Status": "Inactive"}, ResultPath=None, Next="Deny"),
        "Deny": sdk("iam", "putUserPolicy", Parameters={"UserName.$": "$.user", "PolicyName": "deny", "PolicyDocument": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}]}"}, ResultPath=None, Next="List"),
        "List": sdk("iam", "listAccessKeys", Parameters={"UserName.$": "$.user"}, ResultSelector={"status.$": "$.AccessKeyMetadata[*].Status"}, End=True),
    }), set_up=user),
    Case("iam-missing-user", one(sdk("iam", "getUser", Parameters={"UserName": "nobody"})), set_up=user),
    Case("iam-tag", one_jsonata(sdk("iam", "tagUser", Arguments={"UserName": "{% $states.input.user %}", "Tags": [{"Key": "seen", "Value": "{% $string(1 + 1) %}"}]}, Output="{% $states.input.user %}")), set_up=user),
    Case("ssm-get", one(sdk("ssm", "getParameters", Parameters={"Names": ["/app/a", "/app/none"]}, ResultSelector={"values.$": "$.Parameters[*].Value", "bad.$": "$.InvalidParameters"})), set_up=parameters),
    Case("ssm-put", one(sdk("ssm", "putParameter", Parameters={"Name": "/app/a", "Value": "2", "Type": "String", "Overwrite": True}, ResultSelector={"v.$": "$.Version"})), set_up=parameters),
    Case("ssm-missing", one(sdk("ssm", "getParameter", Parameters={"Name": "/none"})), set_up=parameters),
    Case("secrets-rotate", states("Put", {
        "Put": sdk("secretsmanager", "putSecretValue", Parameters={"SecretId.$": "$.secret", "SecretString": "after"}, ResultPath=None, Next="Get"),
        "Get": sdk("secretsmanager", "getSecretValue", Parameters={"SecretId.$": "$.secret"}, ResultSelector={"value.$": "$.SecretString", "stages.$": "$.VersionStages"}, End=True),
    }), set_up=secret),
    Case("kms-create-disable", states("Make", {
        "Make": sdk("kms", "createKey", Parameters={"Description": "k"}, OutputPath="$.KeyMetadata.KeyId", Next="Off"),
        "Off": sdk("kms", "disableKey", Parameters={"KeyId.$": "$"}, ResultPath=None, Next="Look"),
        "Look": sdk("kms", "describeKey", Parameters={"KeyId.$": "$"}, ResultSelector={"state.$": "$.KeyMetadata.KeyState", "enabled.$": "$.KeyMetadata.Enabled"}, End=True),
    })),
    Case("sts-who", one(sdk("sts", "getCallerIdentity", ResultSelector={"account.$": "$.Account"}))),
    Case("bad-parameter", one(sdk("sqs", "sendMessage", Parameters={"QueueUrl.$": "$.queue"})), set_up=queue),
]
