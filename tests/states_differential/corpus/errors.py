"""Failures: tried again, caught, or the end of the run. Failures of calls come from `faults`, or are moto's own."""

from __future__ import annotations

from typing import Any

from ..case import Case, Json, inner, jsonata, one, sdk, states
from ..moto import Moto

#: Recorded in a table, so that how often it was tried is seen in the state.
COUNT = sdk("dynamodb", "updateItem", Parameters={"TableName": "t", "Key": {"id": {"S": "n"}}, "UpdateExpression": "ADD tries :one", "ExpressionAttributeValues": {":one": {"N": "1"}}})


def table(moto: Moto) -> Json:
    """An empty table `t`."""
    keys: Any = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}
    moto.client("dynamodb").create_table(TableName="t", BillingMode="PAY_PER_REQUEST", **keys)
    return {"key": "n"}


def struck(operation: str, times: int, code: str = "ThrottlingException") -> list[dict[str, Any]]:
    """The next calls of an operation fail."""
    return [{"operation": operation, "times": times, "code": code, "message": "Rate exceeded"}]


def until(times: int) -> Json:
    """A branch that fails until it was tried so often."""
    return states("Count", {
        "Count": {**COUNT, "ResultPath": None, "Next": "Look"},
        "Look": sdk("dynamodb", "getItem", Parameters={"TableName": "t", "Key": {"id": {"S": "n"}}}, Next="Judge"),
        "Judge": {"Type": "Choice", "Choices": [{"Variable": "$.Item.tries.N", "StringEquals": str(times), "Next": "Well"}], "Default": "Badly"},
        "Well": {"Type": "Pass", "OutputPath": "$.Item.tries.N", "End": True},
        "Badly": {"Type": "Fail", "Error": "Not.Yet", "Cause": "try again"},
    })


GET = sdk("dynamodb", "getItem", Parameters={"TableName": "t", "Key": {"id": {"S.$": "$.key"}}})
MISSING = sdk("dynamodb", "getItem", Parameters={"TableName": "none", "Key": {"id": {"S": "x"}}})
DONE = {"Type": "Succeed"}


def retried(name: str, times: int, retry: Json, **more: Any) -> Case:
    """A Parallel whose branch fails until its time has come."""
    return Case(f"retry-{name}", states("P", {"P": {"Type": "Parallel", "Branches": [until(times)], "Retry": retry, "End": True}}), set_up=table, **more)


CASES = [
    retried("recovers", 3, [{"ErrorEquals": ["Not.Yet"], "IntervalSeconds": 1, "MaxAttempts": 5, "BackoffRate": 2}]),
    retried("gives-up", 9, [{"ErrorEquals": ["Not.Yet"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1}]),
    retried("default-attempts", 9, [{"ErrorEquals": ["States.ALL"]}]),
    retried("no-attempts", 2, [{"ErrorEquals": ["Not.Yet"], "MaxAttempts": 0}]),
    retried("other-error", 2, [{"ErrorEquals": ["Some.Other"], "MaxAttempts": 3}]),
    retried("two-rules", 4, [{"ErrorEquals": ["Not.Yet"], "MaxAttempts": 1}, {"ErrorEquals": ["States.ALL"], "MaxAttempts": 5}]),
    retried("max-delay", 4, [{"ErrorEquals": ["Not.Yet"], "IntervalSeconds": 2, "BackoffRate": 10, "MaxDelaySeconds": 3, "MaxAttempts": 5}]),
    retried("jitter", 3, [{"ErrorEquals": ["Not.Yet"], "JitterStrategy": "FULL", "MaxAttempts": 5}]),
    Case("retry-a-call", one({**GET, "Retry": [{"ErrorEquals": ["States.TaskFailed"], "MaxAttempts": 3}]}), set_up=table, faults=struck("GetItem", 2)),
    Case("retry-a-call-by-name", one({**GET, "Retry": [{"ErrorEquals": ["DynamoDb.DynamoDbException"], "MaxAttempts": 2}]}), set_up=table, faults=struck("GetItem", 2, "SomethingElse")),
    Case("call-fails", one(GET), set_up=table, faults=struck("GetItem", 1)),
    Case("call-fails-conditional", one(sdk("dynamodb", "putItem", Parameters={"TableName": "t", "Item": {"id": {"S": "a"}}, "ConditionExpression": "attribute_exists(id)"})), set_up=table),
    Case("call-of-missing", one(MISSING), set_up=table),
    Case("catch-by-name", states("A", {"A": {**MISSING, "Catch": [{"ErrorEquals": ["DynamoDb.ResourceNotFoundException"], "ResultPath": "$.e", "Next": "S"}], "End": True}, "S": {"Type": "Succeed", "OutputPath": "$.e.Error"}}), {"a": 1}, table),
    Case("catch-task-failed", states("A", {"A": {**MISSING, "Catch": [{"ErrorEquals": ["States.TaskFailed"], "Next": "S"}], "End": True}, "S": DONE}), {"a": 1}, table),
    Case("catch-null-path", states("A", {"A": {**MISSING, "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "S"}], "End": True}, "S": DONE}), {"a": 1}),
    Case("catch-after-retry", states("A", {"A": {**GET, "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}], "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "S"}], "End": True}, "S": {"Type": "Succeed", "OutputPath": "$.Error"}}), set_up=table, faults=struck("GetItem", 2)),
    Case("catch-not-mine", states("A", {"A": {**MISSING, "Catch": [{"ErrorEquals": ["Own"], "Next": "S"}], "End": True}, "S": DONE}), set_up=table),
    Case("catch-jsonata", jsonata("A", {"A": {**sdk("dynamodb", "getItem", Arguments={"TableName": "none", "Key": {"id": {"S": "x"}}}), "Catch": [{"ErrorEquals": ["States.ALL"], "Output": {"was": "{% $states.errorOutput.Error %}", "in": "{% $states.input %}"}, "Next": "S"}], "End": True}, "S": DONE}), {"a": 1}, table),
    Case("catch-runtime-is-not-all", states("A", {"A": {"Type": "Parallel", "Branches": [one({"Type": "Pass", "InputPath": "$.none"})], "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "S"}], "End": True}, "S": DONE}), {"a": 1}),
    Case("catch-fail-state", states("P", {"P": {"Type": "Parallel", "Branches": [one({"Type": "Fail", "Error": "E", "Cause": "{\"json\": 1}"})], "Catch": [{"ErrorEquals": ["E"], "Next": "S"}], "End": True}, "S": DONE}), {"a": 1}),
    Case("jsonata-query-error-caught", jsonata("A", {"A": {"Type": "Parallel", "Branches": [inner("B", {"B": {"Type": "Pass", "Output": "{% 1 + 'a' %}", "End": True}})], "Catch": [{"ErrorEquals": ["States.QueryEvaluationError"], "Output": "{% $states.errorOutput.Error %}", "Next": "S"}], "End": True}, "S": DONE})),
    Case("too-large", states("A", {
        "A": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $join($map([1..30000], function($i) { 'abcdefghij' })) %}", "End": True},
    })),
    Case("token-answered", one(sdk("sqs", "sendMessage.waitForTaskToken", Parameters={"QueueUrl.$": "$.queue", "MessageBody.$": "$$.Task.Token"})), set_up=lambda moto: {"queue": f"{moto.url}/123456789012/tokens"}, answers=[{"output": {"yes": True}}]),
    Case("token-refused", one(sdk("sqs", "sendMessage.waitForTaskToken", Parameters={"QueueUrl.$": "$.queue", "MessageBody.$": "$$.Task.Token"})), set_up=lambda moto: {"queue": f"{moto.url}/123456789012/tokens"}, answers=[{"error": "Person.No", "cause": "not today"}]),
    Case("token-never", states("A", {"A": sdk("sqs", "sendMessage.waitForTaskToken", Parameters={"QueueUrl.$": "$.queue", "MessageBody": "x"}, TimeoutSeconds=1, End=True)}), set_up=lambda moto: {"queue": moto.client("sqs").create_queue(QueueName="silent")["QueueUrl"]}),
    Case("token-never-caught", states("A", {"A": sdk("sqs", "sendMessage.waitForTaskToken", Parameters={"QueueUrl.$": "$.queue", "MessageBody": "x"}, TimeoutSeconds=1, Catch=[{"ErrorEquals": ["States.Timeout"], "ResultPath": "$.e", "Next": "S"}], End=True), "S": {"Type": "Succeed", "OutputPath": "$.e.Error"}}), set_up=lambda moto: {"queue": moto.client("sqs").create_queue(QueueName="silent")["QueueUrl"]}),
    Case("token-no-heartbeat", states("A", {"A": sdk("sqs", "sendMessage.waitForTaskToken", Parameters={"QueueUrl.$": "$.queue", "MessageBody": "x"}, HeartbeatSeconds=1, TimeoutSeconds=20, End=True)}), set_up=lambda moto: {"queue": moto.client("sqs").create_queue(QueueName="silent")["QueueUrl"]}),
]
