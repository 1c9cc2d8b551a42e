"""Choice: every operator, both truth values, and what falls through."""

from __future__ import annotations

from ..case import Case, Json, jsonata, states

GIVEN = {
    "n": 5, "f": 5.5, "t": "abc", "yes": True, "no": False, "null": None, "time": "2026-11-21T10:00:00Z",
    "other": {"n": 7, "t": "abd", "yes": True, "time": "2026-11-21T12:00:00Z"}, "list": [1, 2], "file": "log-2026.txt",
}


def chosen(name: str, *rules: Json, given: Json = None) -> Case:
    """A chain of choices: the output tells which held."""
    made: dict[str, Json] = {}
    for i, rule in enumerate(rules):
        later = f"C{i + 1}" if i + 1 < len(rules) else "Done"
        path = f"$.said.r{i}"
        made[f"C{i}"] = {"Type": "Choice", "Choices": [{**rule, "Next": f"Y{i}"}], "Default": f"N{i}"}
        made[f"Y{i}"] = {"Type": "Pass", "Result": True, "ResultPath": path, "Next": later}
        made[f"N{i}"] = {"Type": "Pass", "Result": False, "ResultPath": path, "Next": later}
    made["Done"] = {"Type": "Succeed", "OutputPath": "$.said"}
    return Case(f"choice-{name}", states("C0", made), {**(given or GIVEN), "said": {}})


def compared(name: str, variable: str, family: str, values: list[Json], paths: list[str], words: list[str]) -> Case:
    """All operators of one family with some values."""
    rules = [{"Variable": variable, family + word: value} for word in words for value in values]
    rules += [{"Variable": variable, f"{family}{word}Path": path} for word in words for path in paths]
    return chosen(name, *rules)


ORDERED = ["Equals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"]

CASES = [
    compared("numeric", "$.n", "Numeric", [4, 5, 5.5], ["$.other.n"], ORDERED),
    compared("numeric-fraction", "$.f", "Numeric", [5, 5.5], ["$.n"], ORDERED),
    compared("string", "$.t", "String", ["abb", "abc", "abcd"], ["$.other.t"], ORDERED),
    compared("timestamp", "$.time", "Timestamp", ["2026-11-21T09:00:00Z", "2026-11-21T10:00:00Z", "2026-11-21T12:00:00+01:00"], ["$.other.time"], ORDERED),
    compared("boolean", "$.yes", "Boolean", [True, False], ["$.other.yes"], ["Equals"]),
    chosen("is-type", *({"Variable": variable, word: value} for variable in ("$.n", "$.t", "$.yes", "$.null", "$.time", "$.other") for word in ("IsNull", "IsNumeric", "IsString", "IsBoolean", "IsTimestamp") for value in (True,))),
    chosen("is-present", *({"Variable": variable, "IsPresent": value} for variable in ("$.n", "$.none", "$.null", "$.other.none") for value in (True, False))),
    chosen("string-matches", *({"Variable": "$.file", "StringMatches": text} for text in ("log-*.txt", "*", "log", "*2026*", "log-????.txt", r"log-\*.txt", "LOG-*", "log-2026.txt"))),
    chosen("and-or-not", {"And": [{"Variable": "$.n", "NumericEquals": 5}, {"Variable": "$.t", "StringEquals": "abc"}]}, {"And": [{"Variable": "$.n", "NumericEquals": 5}, {"Variable": "$.t", "StringEquals": "x"}]}, {"Or": [{"Variable": "$.n", "NumericEquals": 6}, {"Variable": "$.t", "StringEquals": "abc"}]}, {"Not": {"Variable": "$.n", "NumericEquals": 5}}, {"Not": {"Or": [{"Variable": "$.n", "NumericEquals": 6}, {"Not": {"Variable": "$.yes", "BooleanEquals": True}}]}}),
    chosen("types-differ", {"Variable": "$.t", "NumericEquals": 5}, {"Variable": "$.n", "StringEquals": "5"}, {"Variable": "$.n", "BooleanEquals": True}, {"Variable": "$.null", "StringEquals": "x"}),
    chosen("present-guards", {"And": [{"Variable": "$.none", "IsPresent": True}, {"Variable": "$.none", "NumericEquals": 1}]}),
    Case("choice-no-default", states("C", {"C": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Next": "S"}]}, "S": {"Type": "Succeed"}}), {"n": 2}),
    Case("choice-missing-variable", states("C", {"C": {"Type": "Choice", "Choices": [{"Variable": "$.none", "NumericEquals": 1, "Next": "S"}], "Default": "S"}, "S": {"Type": "Succeed"}}), {"n": 2}),
    Case("choice-first-wins", states("C", {"C": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericGreaterThan": 1, "Next": "A"}, {"Variable": "$.n", "NumericGreaterThan": 0, "Next": "B"}]}, "A": {"Type": "Pass", "Result": "A", "End": True}, "B": {"Type": "Pass", "Result": "B", "End": True}}), {"n": 2}),
    Case("choice-input-path", states("C", {"C": {"Type": "Choice", "InputPath": "$.in", "OutputPath": "$.n", "Choices": [{"Variable": "$.n", "NumericEquals": 2, "Next": "S"}]}, "S": {"Type": "Succeed"}}), {"in": {"n": 2}}),
    Case("choice-context", states("C", {"C": {"Type": "Choice", "Choices": [{"Variable": "$$.Execution.Input.n", "NumericEquals": 2, "Next": "S"}]}, "S": {"Type": "Succeed"}}), {"n": 2}),
    Case("choice-jsonata", jsonata("C", {
        "C": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input.n > 10 %}", "Next": "A"}, {"Condition": "{% $states.input.t in ['abc', 'x'] and $exists($states.input.list) %}", "Next": "B", "Output": {"rule": 2}}], "Default": "A"},
        "A": {"Type": "Pass", "Output": "A", "End": True},
        "B": {"Type": "Succeed"},
    }), GIVEN),
    Case("choice-jsonata-literal", jsonata("C", {"C": {"Type": "Choice", "Choices": [{"Condition": True, "Next": "S"}]}, "S": {"Type": "Succeed", "Output": "literal"}}), GIVEN),
    Case("choice-jsonata-no-default", jsonata("C", {"C": {"Type": "Choice", "Choices": [{"Condition": "{% false %}", "Next": "S"}]}, "S": {"Type": "Succeed"}}), GIVEN),
    Case("choice-jsonata-no-boolean", jsonata("C", {"C": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input.n %}", "Next": "S"}]}, "S": {"Type": "Succeed"}}), GIVEN),
    Case("choice-jsonata-default-output", jsonata("C", {"C": {"Type": "Choice", "Choices": [{"Condition": "{% false %}", "Next": "S"}], "Default": "S", "Output": "{% $states.input.t %}"}, "S": {"Type": "Succeed"}}), GIVEN),
]
