"""JSONPath: what a state sees, what it makes of it, and the intrinsic functions."""

from __future__ import annotations

from ..case import Case, Json, one, states

ORDER = {"order": {"id": "o-1", "lines": [{"sku": "a", "n": 2, "p": 1.5}, {"sku": "b", "n": 1, "p": 4}, {"sku": "c", "n": 9, "p": 0.25}]}, "tags": ["x", "y"]}


def made(name: str, parameters: Json, given: Json = ORDER) -> Case:
    """A Pass that makes its parameters."""
    return Case(name, one({"Type": "Pass", "Parameters": parameters}), given)


def functions(name: str, given: Json = ORDER, **texts: str) -> Case:
    """Intrinsic functions, each under a name."""
    return made(f"intrinsic-{name}", {f"{key}.$": text for key, text in texts.items()}, given)


CASES = [
    made("path-field", {"v.$": "$.order.id", "whole.$": "$"}),
    made("path-brackets", {"v.$": "$['order']['lines'][0]['sku']"}),
    made("path-wildcard", {"v.$": "$.order.lines[*].sku"}),
    made("path-slice", {"v.$": "$.order.lines[0:2].n"}),
    made("path-from-the-end", {"v.$": "$.order.lines[-1:].sku"}),
    made("path-filter", {"v.$": "$.order.lines[?(@.n > 1)].sku"}),
    made("path-filter-text", {"v.$": "$.order.lines[?(@.sku == 'b')].p"}),
    made("path-descent", {"v.$": "$..sku"}),
    made("path-several", {"v.$": "$.order.lines[0,2].sku"}),
    made("path-missing", {"v.$": "$.none"}),
    made("path-missing-in-list", {"v.$": "$.order.lines[7]"}),
    made("path-of-context", {"name.$": "$$.StateMachine.Name", "state.$": "$$.State.Name", "input.$": "$$.Execution.Input.tags[0]", "id.$": "$$.Execution.Id", "retries.$": "$$.State.RetryCount", "machine.$": "$$.StateMachine.Id", "role.$": "$$.Execution.RoleArn"}),
    Case("input-path", one({"Type": "Pass", "InputPath": "$.order.lines[1]"}), ORDER),
    Case("input-path-null", one({"Type": "Pass", "InputPath": None}), ORDER),
    Case("input-path-missing", one({"Type": "Pass", "InputPath": "$.none"}), ORDER),
    Case("input-path-context", one({"Type": "Pass", "InputPath": "$$.Execution.Input.tags"}), ORDER),
    Case("output-path", one({"Type": "Pass", "OutputPath": "$.tags"}), ORDER),
    Case("output-path-missing", one({"Type": "Pass", "OutputPath": "$.none"}), ORDER),
    Case("output-path-null", one({"Type": "Pass", "OutputPath": None}), ORDER),
    Case("result-path-null", one({"Type": "Pass", "Result": 1, "ResultPath": None}), ORDER),
    Case("result-path-deep", one({"Type": "Pass", "Result": 1, "ResultPath": "$.a.b.c"}), {}),
    Case("result-path-over", one({"Type": "Pass", "Result": [1], "ResultPath": "$.order"}), ORDER),
    Case("all-five", states("P", {"P": {
        "Type": "Parallel", "InputPath": "$.order", "Parameters": {"first.$": "$.lines[0]"},
        "Branches": [states("A", {"A": {"Type": "Pass", "Parameters": {"sku.$": "$.first.sku"}, "End": True}})],
        "ResultSelector": {"only.$": "$[0].sku"}, "ResultPath": "$.made", "OutputPath": "$.made", "End": True,
    }}), ORDER),
    functions("format", a="States.Format('{} has {} of {}', $.order.id, $.order.lines[0].n, 'x')", b="States.Format('no place')", c=r"States.Format('it\'s {}', true)", d="States.Format('{}', $.order.lines[1])"),
    functions("array", a="States.Array(1, 'b', $.tags, null, true)", b="States.Array()"),
    functions("array-partition", a="States.ArrayPartition($.tags, 1)", b="States.ArrayPartition(States.ArrayRange(1, 7, 1), 3)"),
    functions("array-contains", a="States.ArrayContains($.tags, 'x')", b="States.ArrayContains($.tags, 'z')"),
    functions("array-range", a="States.ArrayRange(1, 9, 2)", b="States.ArrayRange(5, 1, -1)", c="States.ArrayRange(3, 3, 1)"),
    functions("array-item", a="States.ArrayGetItem($.tags, 1)", b="States.ArrayLength($.order.lines)"),
    functions("array-unique", {"v": [1, 2, 2, "a", "a", {"b": 1}, {"b": 1}]}, a="States.ArrayUnique($.v)"),
    functions("base64", a="States.Base64Encode('Data to encode')", b="States.Base64Decode('RGF0YSB0byBlbmNvZGU=')"),
    functions("hash", a="States.Hash('input data', 'SHA-1')", b="States.Hash('input data', 'MD5')", c="States.Hash('input data', 'SHA-256')", d="States.Hash('input data', 'SHA-384')", e="States.Hash('input data', 'SHA-512')"),
    functions("hash-of-object", a="States.Hash($.order.lines[0], 'SHA-256')"),
    functions("json-merge", {"a": {"x": 1, "y": {"z": 1}}, "b": {"y": {"w": 2}, "v": 3}}, a="States.JsonMerge($.a, $.b, false)"),
    functions("json-text", {"t": "{\"a\": [1, \"b\"]}", "o": {"b": 1, "a": [True]}}, a="States.StringToJson($.t)", b="States.JsonToString($.o)"),
    functions("math", a="States.MathAdd(111, -1)", b="States.MathAdd($.order.lines[0].n, 5)"),
    functions("string-split", {"s": "1,2;3..4", "m": "a|b|c"}, a="States.StringSplit($.s, ',;.')", b="States.StringSplit($.m, '|')", c="States.StringSplit($.m, 'z')"),
    functions("nested", a="States.ArrayGetItem(States.StringSplit(States.Format('{}-{}', $.order.id, 'z'), '-'), States.MathAdd(1, 1))"),
    functions("uuid", a="States.UUID()"),
    functions("fails-item", a="States.ArrayGetItem($.tags, 9)"),
    functions("fails-json", {"t": "{no json"}, a="States.StringToJson($.t)"),
    functions("fails-partition", a="States.ArrayPartition($.tags, 0)"),
    functions("fails-format", a="States.Format('{} {}', 'one')"),
    functions("fails-range", a="States.ArrayRange(1, 5000, 1)"),
    functions("fails-type", a="States.MathAdd('x', 1)"),
]
