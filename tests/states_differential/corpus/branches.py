"""Parallel and the inline Map."""

from __future__ import annotations

from ..case import Case, Json, inner, jsonata, states


def branch(state: Json) -> Json:
    """A branch of one state."""
    ends = {} if state["Type"] in ("Fail", "Succeed") else {"End": True}
    return {"StartAt": state.get("Comment", "B"), "States": {state.get("Comment", "B"): {**state, **ends}}}


def parallel(*branches: Json, **more: Json) -> Json:
    """A document that is one Parallel."""
    return states("P", {"P": {"Type": "Parallel", "Branches": list(branches), "End": True, **more}})


def mapped(processor: Json, **more: Json) -> Json:
    """A document that is one Map."""
    return states("M", {"M": {"Type": "Map", "ItemProcessor": processor, "End": True, **more}})


DOUBLE = branch({"Type": "Pass", "Parameters": {"twice.$": "States.Format('{}{}', $, $)"}})
EVEN = {"StartAt": "C", "States": {
    "C": {"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 2, "Next": "F"}], "Default": "S"},
    "F": {"Type": "Fail", "Error": "Two", "Cause": "it is two"},
    "S": {"Type": "Succeed"},
}}

CASES = [
    Case("parallel", parallel(branch({"Type": "Pass", "Result": 1, "Comment": "A"}), branch({"Type": "Pass", "Comment": "B"}), branch({"Type": "Wait", "Seconds": 1, "Comment": "C"})), {"a": 1}),
    Case("parallel-one-fails", parallel(branch({"Type": "Wait", "Seconds": 300, "Comment": "A"}), branch({"Type": "Fail", "Error": "Own", "Cause": "c", "Comment": "B"})), {"a": 1}),
    Case("parallel-caught", states("P", {
        "P": {"Type": "Parallel", "Branches": [branch({"Type": "Fail", "Error": "Own", "Cause": "c"})], "Catch": [{"ErrorEquals": ["Other"], "Next": "F"}, {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "S"}], "End": True},
        "S": {"Type": "Succeed"}, "F": {"Type": "Fail"},
    }), {"a": 1}),
    Case("parallel-nested", parallel(inner("Q", {"Q": {"Type": "Parallel", "Branches": [branch({"Type": "Pass", "Result": [1], "Comment": "A"}), branch({"Type": "Pass", "Result": [2], "Comment": "B"})], "End": True}}), branch({"Type": "Succeed", "Comment": "C"})), {"x": 1}),
    Case("parallel-selector", parallel(branch({"Type": "Pass", "Result": {"v": 1}, "Comment": "A"}), branch({"Type": "Pass", "Result": {"v": 2}, "Comment": "B"}), ResultSelector={"vs.$": "$[*].v"}, ResultPath="$.out"), {"x": 1}),
    Case("parallel-jsonata", jsonata("P", {"P": {"Type": "Parallel", "Arguments": {"n": "{% $states.input.n + 1 %}"}, "Branches": [
        inner("A", {"A": {"Type": "Pass", "Output": "{% $states.input.n * 2 %}", "End": True}}), inner("B", {"B": {"Type": "Succeed", "Output": "{% $states.context.State.Name %}"}}),
    ], "Output": {"both": "{% $states.result %}", "in": "{% $states.input %}"}, "End": True}}), {"n": 1}),
    Case("map", mapped(DOUBLE, ItemsPath="$.items"), {"items": ["a", "b", "c"]}),
    Case("map-of-input", mapped(DOUBLE), ["a", "b"]),
    Case("map-empty", mapped(DOUBLE, ItemsPath="$.items"), {"items": []}),
    Case("map-no-list", mapped(DOUBLE, ItemsPath="$.items"), {"items": "abc"}),
    Case("map-missing", mapped(DOUBLE, ItemsPath="$.none"), {"items": "abc"}),
    Case("map-selector", mapped(branch({"Type": "Pass"}), ItemsPath="$.items", ItemSelector={"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value.x", "all.$": "$.other"}), {"items": [{"x": 1}, {"x": 2}], "other": "o"}),
    Case("map-parameters", states("M", {"M": {"Type": "Map", "Iterator": branch({"Type": "Pass"}), "ItemsPath": "$.items", "Parameters": {"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value"}, "End": True}}), {"items": [5, 6]}),
    Case("map-one-at-a-time", mapped(branch({"Type": "Wait", "Seconds": 1}), MaxConcurrency=1), [3, 1, 2]),
    Case("map-result-path", mapped(DOUBLE, ItemsPath="$.items", ResultSelector={"first.$": "$[0].twice"}, ResultPath="$.done"), {"items": ["a"]}),
    Case("map-fails", mapped(EVEN), [1, 2, 3]),
    Case("map-caught", states("M", {
        "M": {"Type": "Map", "ItemProcessor": EVEN, "Catch": [{"ErrorEquals": ["Two"], "ResultPath": "$.e", "Next": "Z"}], "ItemsPath": "$.items", "End": True}, "Z": {"Type": "Succeed"},
    }), {"items": [1, 2, 3]}),
    Case("map-nested", mapped({"StartAt": "N", "States": {"N": {"Type": "Map", "ItemProcessor": DOUBLE, "End": True}}}), [["a"], ["b", "c"], []]),
    Case("map-of-parallel", mapped({"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": [branch({"Type": "Pass", "Comment": "A"}), branch({"Type": "Pass", "Result": 0, "Comment": "B"})], "End": True}}}), [1, 2]),
    Case("map-jsonata", jsonata("M", {"M": {"Type": "Map", "Items": "{% $states.input.ports[$ > 100] %}", "ItemSelector": {"port": "{% $states.context.Map.Item.Value %}", "at": "{% $states.context.Map.Item.Index %}"}, "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Pass", "Output": "{% $states.input.port + $states.input.at %}", "End": True}}}, "Output": {"sum": "{% $sum($states.result) %}"}, "End": True}}), {"ports": [22, 443, 8080]}),
    Case("map-jsonata-literal", jsonata("M", {"M": {"Type": "Map", "Items": [1, "{% 1 + 1 %}"], "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Succeed"}}}, "End": True}})),
    Case("map-jsonata-no-list", jsonata("M", {"M": {"Type": "Map", "Items": "{% 'abc' %}", "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Succeed"}}}, "End": True}})),
    Case("map-long", mapped(branch({"Type": "Pass"}), ItemsPath="$.items"), {"items": list(range(60))}),
    Case("map-choice-inside", mapped({"StartAt": "C", "States": {
        "C": {"Type": "Choice", "Choices": [{"Variable": "$.kind", "StringEquals": "a", "Next": "A"}], "Default": "B"},
        "A": {"Type": "Pass", "Result": "is a", "End": True}, "B": {"Type": "Pass", "Parameters": {"not.$": "$.kind"}, "End": True},
    }}), [{"kind": "a"}, {"kind": "b"}]),
]
