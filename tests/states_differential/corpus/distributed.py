"""The distributed Map: items from S3, batches, tolerated failures, and a written result."""

from __future__ import annotations

import json
from collections.abc import Callable

from ..case import Case, Json, jsonata, sdk, states
from ..moto import Moto


def holding(**objects: str) -> Callable[[Moto], Json]:
    """A bucket with these objects; `_` in a name is a point."""

    def bucket(moto: Moto) -> Json:
        s3 = moto.client("s3")
        s3.create_bucket(Bucket="b-1")
        for name, body in objects.items():
            s3.put_object(Bucket="b-1", Key=name.replace("_", "."), Body=body)
        return {"bucket": "b-1", "items": [1, 2, 3, 4, 5], "more": "m"}

    return bucket


def distributed(of: Json, **more: Json) -> Json:
    """A document that is one distributed Map, one iteration at a time."""
    within = {**of, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    return states("M", {"M": {"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": within, "End": True, **more}})


def reader(key: str, **config: Json) -> Json:
    """An ItemReader of one object."""
    return {"ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": config, "Parameters": {"Bucket": "b-1", "Key": key}}}


def processor(state: Json) -> Json:
    """What is done with each item: one state."""
    return {"StartAt": "I", "States": {"I": {**state, "End": True}}}


SAME = processor({"Type": "Pass"})
ODD = {"StartAt": "C", "States": {
    "C": {"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 3, "Next": "F"}], "Default": "S"},
    "F": {"Type": "Fail", "Error": "Three"}, "S": {"Type": "Succeed"},
}}
CSV = "id,port,cidr\r\na,22,0.0.0.0/0\r\nb,443,\"10.0.0.0/8, and more\"\r\n"
WRITER = {"ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b-1", "Prefix": "out"}}}

CASES = [
    Case("distributed-items", distributed(SAME, ItemsPath="$.items"), set_up=holding()),
    Case("distributed-json", distributed(SAME, **reader("items.json", InputType="JSON")), set_up=holding(items_json=json.dumps([{"a": 1}, {"a": 2}]))),
    Case("distributed-jsonl", distributed(SAME, **reader("items.jsonl", InputType="JSONL")), set_up=holding(items_jsonl='{"a": 1}\n{"a": 2}\n')),
    Case("distributed-csv", distributed(SAME, **reader("items.csv", InputType="CSV", CSVHeaderLocation="FIRST_ROW")), set_up=holding(items_csv=CSV)),
    Case("distributed-csv-given", distributed(SAME, **reader("items.csv", InputType="CSV", CSVHeaderLocation="GIVEN", CSVHeaders=["x", "y", "z"])), set_up=holding(items_csv=CSV)),
    Case("distributed-max-items", distributed(SAME, **reader("items.json", InputType="JSON", MaxItems=2)), set_up=holding(items_json="[1, 2, 3]")),
    Case("distributed-list", distributed(processor({"Type": "Pass", "Parameters": {"key.$": "$.Key", "size.$": "$.Size"}}), ItemReader={"Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": {"Bucket": "b-1"}}), set_up=holding(a_txt="a", b_txt="bb")),
    Case("distributed-no-object", distributed(SAME, **reader("none.json", InputType="JSON")), set_up=holding()),
    Case("distributed-no-json", distributed(SAME, **reader("items.json", InputType="JSON")), set_up=holding(items_json="{not json")),
    Case("distributed-object-of-no-list", distributed(SAME, **reader("items.json", InputType="JSON")), set_up=holding(items_json='"abc"')),
    Case("distributed-batches", distributed(processor({"Type": "Pass", "Parameters": {"n.$": "States.ArrayLength($.Items)", "with.$": "$.BatchInput"}}), ItemsPath="$.items", ItemBatcher={"MaxItemsPerBatch": 2, "BatchInput": {"more.$": "$.more"}}), set_up=holding()),
    Case("distributed-selector", distributed(SAME, ItemsPath="$.items", ItemSelector={"v.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index", "m.$": "$.more"}), set_up=holding()),
    Case("distributed-fails", distributed(ODD, ItemsPath="$.items"), set_up=holding()),
    Case("distributed-tolerates", distributed(ODD, ItemsPath="$.items", ToleratedFailureCount=1), set_up=holding()),
    Case("distributed-tolerates-percent", distributed(ODD, ItemsPath="$.items", ToleratedFailurePercentage=30), set_up=holding()),
    Case("distributed-writes", distributed(SAME, ItemsPath="$.items", **WRITER), set_up=holding()),
    Case("distributed-changes", distributed(processor(sdk("s3", "putObject", Parameters={"Bucket": "b-1", "Key.$": "States.Format('made-{}', $)", "Body.$": "States.Format('{}', $)"}, ResultSelector={"made": True})), ItemsPath="$.items"), set_up=holding()),
    Case("distributed-jsonata", jsonata("M", {"M": {"Type": "Map", "MaxConcurrency": 1, "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"}, "Arguments": {"Bucket": "{% $states.input.bucket %}", "Key": "items.json"}}, "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "I", "States": {"I": {"Type": "Pass", "Output": "{% $states.input.a * 2 %}", "End": True}}}, "Output": "{% $sum($states.result) %}", "End": True}}), set_up=holding(items_json='[{"a": 1}, {"a": 2}]')),
]
