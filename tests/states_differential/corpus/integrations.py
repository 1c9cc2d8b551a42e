"""The integrations that Step Functions wrote by hand."""

from __future__ import annotations

from typing import Any

from ..case import Case, Json, jsonata, one, one_jsonata, states, task
from ..moto import Moto
from .changes import queue, topic
from .errors import struck, table

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:child"
CHILD = one({"Type": "Pass", "Parameters": {"got.$": "$.n", "who": "child"}})
CHILD_FAILS = one({"Type": "Fail", "Error": "Child.Bad", "Cause": "it went wrong"})


def fifo(moto: Moto) -> Json:
    """A queue that keeps the order."""
    return {"queue": moto.client("sqs").create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})["QueueUrl"]}


def bus(moto: Moto) -> Json:
    """A rule that hands events on to a queue."""
    events, sqs = moto.client("events"), moto.client("sqs")
    sqs.create_queue(QueueName="heard")
    events.put_rule(Name="all", EventPattern='{"source": ["own.app"]}')
    events.put_targets(Rule="all", Targets=[{"Id": "1", "Arn": "arn:aws:sqs:us-east-1:123456789012:heard"}])
    return {"n": 1}


def function(moto: Moto) -> Json:
    """A function that answers with what it is given."""
    import io
    import zipfile

    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("f.py", "def h(e, c): return e")
    iam = moto.client("iam")
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    made: Any = moto.client("lambda").create_function(FunctionName="f", Runtime="python3.12", Role=role, Handler="f.h", Code={"ZipFile": code.getvalue()})
    return {"arn": made["FunctionArn"], "n": 3}


SELECT = {"ResultSelector": {"there.$": "$.MessageId"}}

CASES = [
    Case("sqs-text", one(task("sqs:sendMessage", Parameters={"QueueUrl.$": "$.queue", "MessageBody": "hello"}, ResultSelector={"md5.$": "$.MD5OfMessageBody"})), set_up=queue),
    Case("sqs-object", one(task("sqs:sendMessage", Parameters={"QueueUrl.$": "$.queue", "MessageBody": {"b": [1, {"c.$": "$$.State.Name"}], "a": None}}, ResultPath=None)), set_up=queue),
    Case("sqs-attributes-of-message", one_jsonata(task("sqs:sendMessage", Arguments={"QueueUrl": "{% $states.input.queue %}", "MessageBody": "x", "MessageAttributes": {"k": {"DataType": "String", "StringValue": "{% 'v' & '1' %}"}}}, Output="{% $states.result.MD5OfMessageAttributes %}")), set_up=queue),
    Case("sqs-fifo", one(task("sqs:sendMessage", Parameters={"QueueUrl.$": "$.queue", "MessageBody": {"n": 1}, "MessageGroupId": "g", "MessageDeduplicationId": "d"}, ResultSelector={"md5.$": "$.MD5OfMessageBody"})), set_up=fifo),
    Case("sqs-no-queue", one(task("sqs:sendMessage", Parameters={"QueueUrl": "http://localhost/123456789012/none", "MessageBody": "x"})), set_up=queue),
    Case("sqs-whole-answer", one(task("sqs:sendMessage", Parameters={"QueueUrl.$": "$.queue", "MessageBody": "hello"})), set_up=queue),
    Case("sqs-token", states("Ask", {
        "Ask": task("sqs:sendMessage.waitForTaskToken", Parameters={"QueueUrl.$": "$.queue", "MessageBody": {"token.$": "$$.Task.Token", "what": "may I"}}, ResultPath="$.said", Next="Done"),
        "Done": {"Type": "Succeed", "OutputPath": "$.said"},
    }), set_up=lambda moto: {"queue": f"{moto.url}/123456789012/tokens"}, answers=[{"output": {"yes": [1]}}]),
    Case("sqs-token-refused", states("Ask", {
        "Ask": task("sqs:sendMessage.waitForTaskToken", Parameters={"QueueUrl.$": "$.queue", "MessageBody": {"token.$": "$$.Task.Token"}}, Catch=[{"ErrorEquals": ["Person.No"], "Next": "Done"}], End=True),
        "Done": {"Type": "Succeed"},
    }), set_up=lambda moto: {"queue": f"{moto.url}/123456789012/tokens"}, answers=[{"error": "Person.No", "cause": "not today"}]),
    Case("sns-text", one(task("sns:publish", Parameters={"TopicArn.$": "$.topic", "Message": "fire", "Subject": "s"}, ResultPath=None)), set_up=topic),
    Case("sns-object", one_jsonata(task("sns:publish", Arguments={"TopicArn": "{% $states.input.topic %}", "Message": {"what": "fire", "n": "{% 1 + 1 %}"}, "MessageAttributes": {"k": {"DataType": "String", "StringValue": "v"}}}, Output="{% $exists($states.result.MessageId) %}")), set_up=topic),
    Case("sns-no-topic", one(task("sns:publish", Parameters={"TopicArn": "arn:aws:sns:us-east-1:123456789012:none", "Message": "x"})), set_up=topic),
    Case("dynamodb-put", one(task("dynamodb:putItem", Parameters={"TableName": "t", "Item": {"id": {"S.$": "$.key"}, "n": {"N": "12"}, "ok": {"BOOL": True}, "none": {"NULL": True}, "m": {"M": {"x": {"S": "y"}}}}}, ResultPath="$.put", OutputPath="$.key")), set_up=table),
    Case("dynamodb-get", states("Put", {
        "Put": task("dynamodb:putItem", Parameters={"TableName": "t", "Item": {"id": {"S": "a"}, "n": {"N": "12"}, "l": {"L": [{"S": "x"}]}, "ss": {"SS": ["p", "q"]}}}, ResultPath=None, Next="Get"),
        "Get": task("dynamodb:getItem", Parameters={"TableName": "t", "Key": {"id": {"S": "a"}}}, ResultSelector={"item.$": "$.Item"}, End=True),
    }), set_up=table),
    Case("dynamodb-get-nothing", one(task("dynamodb:getItem", Parameters={"TableName": "t", "Key": {"id": {"S": "none"}}}, ResultSelector={"keys.$": "$"}, OutputPath="$.keys.Item")), set_up=table),
    Case("dynamodb-update", one(task("dynamodb:updateItem", Parameters={"TableName": "t", "Key": {"id": {"S": "u"}}, "UpdateExpression": "SET n = :n", "ExpressionAttributeValues": {":n": {"N": "5"}}, "ReturnValues": "ALL_NEW"}, ResultSelector={"n.$": "$.Attributes.n.N"})), set_up=table),
    Case("dynamodb-delete", states("Put", {
        "Put": task("dynamodb:putItem", Parameters={"TableName": "t", "Item": {"id": {"S": "a"}}}, ResultPath=None, Next="Del"),
        "Del": task("dynamodb:deleteItem", Parameters={"TableName": "t", "Key": {"id": {"S": "a"}}, "ReturnValues": "ALL_OLD"}, ResultSelector={"was.$": "$.Attributes.id.S"}, End=True),
    }), set_up=table),
    Case("dynamodb-no-table", one(task("dynamodb:putItem", Parameters={"TableName": "none", "Item": {"id": {"S": "a"}}})), set_up=table),
    Case("dynamodb-condition", states("Put", {
        "Put": task("dynamodb:putItem", Parameters={"TableName": "t", "Item": {"id": {"S": "a"}}, "ConditionExpression": "attribute_exists(id)"}, Catch=[{"ErrorEquals": ["DynamoDB.ConditionalCheckFailedException"], "Next": "S"}], End=True),
        "S": {"Type": "Pass", "Result": "caught", "End": True},
    }), set_up=table),
    Case("dynamodb-retried", one(task("dynamodb:putItem", Parameters={"TableName": "t", "Item": {"id": {"S": "a"}}}, ResultPath=None, Retry=[{"ErrorEquals": ["DynamoDB.ProvisionedThroughputExceededException"], "MaxAttempts": 3}])), set_up=table, faults=struck("PutItem", 2, "ProvisionedThroughputExceededException")),
    Case("events", one(task("events:putEvents", Parameters={"Entries": [{"Source": "own.app", "DetailType": "t", "Detail": {"n.$": "$.n", "x": [1]}}]}, ResultSelector={"failed.$": "$.FailedEntryCount"})), set_up=bus),
    Case("events-text-detail", one_jsonata(task("events:putEvents", Arguments={"Entries": [{"Source": "own.app", "DetailType": "t", "Detail": "{% $string({'a': 1}) %}"}]}, Output="{% $states.result.FailedEntryCount %}")), set_up=bus),
    Case("lambda-invoke", one(task("lambda:invoke", Parameters={"FunctionName.$": "$.arn", "Payload": {"n.$": "$.n"}}, ResultSelector={"payload.$": "$.Payload", "status.$": "$.StatusCode"})), set_up=function),
    Case("lambda-invoke-jsonata", one_jsonata(task("lambda:invoke", Arguments={"FunctionName": "f", "Payload": "{% $states.input %}"}, Output="{% $states.result.Payload.n %}")), set_up=function),
    Case("lambda-by-arn", states("F", {"F": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "Parameters": {"n.$": "$.n"}, "End": True}}), set_up=function),
    Case("lambda-missing", one(task("lambda:invoke", Parameters={"FunctionName": "none", "Payload": {}}, ResultSelector={"got.$": "$.Payload"})), set_up=function),
    Case("child-started", one(task("states:startExecution", Parameters={"StateMachineArn": ARN, "Name": "c1", "Input": {"n": 1}}, ResultSelector={"arn.$": "$.ExecutionArn"})), machines={"child": CHILD}),
    Case("child-sync", one(task("states:startExecution.sync", Parameters={"StateMachineArn": ARN, "Name": "c1", "Input": {"n": 1}}, ResultSelector={"out.$": "$.Output", "in.$": "$.Input", "status.$": "$.Status"})), machines={"child": CHILD}),
    Case("child-sync2", one(task("states:startExecution.sync:2", Parameters={"StateMachineArn": ARN, "Name": "c1", "Input": {"n.$": "$.n"}}, ResultSelector={"out.$": "$.Output", "in.$": "$.Input", "status.$": "$.Status"})), {"n": 7}, machines={"child": CHILD}),
    Case("child-sync2-jsonata", one_jsonata(task("states:startExecution.sync:2", Arguments={"StateMachineArn": ARN, "Input": "{% $states.input %}"}, Output="{% $states.result.Output.got %}")), {"n": 7}, machines={"child": CHILD}),
    Case("child-fails", states("A", {
        "A": task("states:startExecution.sync:2", Parameters={"StateMachineArn": ARN, "Name": "c1"}, Catch=[{"ErrorEquals": ["States.TaskFailed"], "ResultPath": "$.e", "Next": "S"}], End=True),
        "S": {"Type": "Pass", "Parameters": {"error.$": "$.e.Error", "cause.$": "States.StringToJson($.e.Cause)"}, "Next": "T"},
        "T": {"Type": "Pass", "Parameters": {"error.$": "$.error", "status.$": "$.cause.Status", "own.$": "$.cause.Error", "why.$": "$.cause.Cause"}, "End": True},
    }), {"n": 7}, machines={"child": CHILD_FAILS}),
    Case("child-missing", one(task("states:startExecution", Parameters={"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:none", "Input": {}}))),
    Case("children-in-a-map", jsonata("M", {"M": {"Type": "Map", "Items": "{% [1, 2, 3] %}", "MaxConcurrency": 1, "ItemProcessor": {"StartAt": "C", "States": {
        "C": task("states:startExecution.sync:2", Arguments={"StateMachineArn": ARN, "Name": "{% 'c' & $states.input %}", "Input": {"n": "{% $states.input %}"}}, Output="{% $states.result.Output.got %}", End=True)}}, "End": True}}), machines={"child": CHILD}),
    Case("child-changes", one(task("states:startExecution.sync:2", Parameters={"StateMachineArn": ARN, "Input": {"id.$": "$.key"}}, OutputPath="$.Output")), set_up=table, machines={"child": states("Put", {"Put": task("dynamodb:putItem", Parameters={"TableName": "t", "Item": {"id": {"S.$": "$.id"}}}, ResultSelector={"done": True}, End=True)})}),
]
