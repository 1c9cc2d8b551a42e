"""Variables: who assigns them, and who sees them."""

from __future__ import annotations

from ..case import Case, inner, jsonata, states

CASES = [
    Case("assign-jsonata", jsonata("A", {
        "A": {"Type": "Pass", "Assign": {"x": 1, "y": "{% $states.input.a %}", "z": {"deep": ["{% $states.input.a * 2 %}"]}}, "Next": "B"},
        "B": {"Type": "Succeed", "Output": "{% {'x': $x, 'y': $y, 'z': $z.deep[0]} %}"},
    }), {"a": 5}),
    Case("assign-jsonpath", states("A", {
        "A": {"Type": "Pass", "Assign": {"x": 1, "y.$": "$.a", "s.$": "States.Format('<{}>', $.a)", "c.$": "$$.State.Name"}, "Next": "B"},
        "B": {"Type": "Pass", "Parameters": {"x.$": "$x", "y.$": "$y", "s.$": "$s", "c.$": "$c"}, "End": True},
    }), {"a": 5}),
    Case("assign-sees-the-old", jsonata("A", {
        "A": {"Type": "Pass", "Assign": {"x": 1, "y": 2}, "Next": "B"},
        "B": {"Type": "Pass", "Assign": {"x": "{% $y %}", "y": "{% $x %}"}, "Output": "{% [$x, $y] %}", "Next": "C"},
        "C": {"Type": "Succeed", "Output": "{% {'before': $states.input, 'after': [$x, $y]} %}"},
    })),
    Case("assign-per-choice", jsonata("C", {
        "C": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input.n = 1 %}", "Assign": {"who": "rule"}, "Next": "S"}], "Default": "S", "Assign": {"who": "default"}},
        "S": {"Type": "Succeed", "Output": "{% $who %}"},
    }), {"n": 1}),
    Case("assign-default-choice", jsonata("C", {
        "C": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input.n = 1 %}", "Assign": {"who": "rule"}, "Next": "S"}], "Default": "S", "Assign": {"who": "default"}},
        "S": {"Type": "Succeed", "Output": "{% $who %}"},
    }), {"n": 2}),
    Case("assign-outer-in-branch", jsonata("A", {
        "A": {"Type": "Pass", "Assign": {"x": 7}, "Next": "P"},
        "P": {"Type": "Parallel", "Branches": [inner("B", {"B": {"Type": "Pass", "Assign": {"inner": 1}, "Output": "{% $x + 1 %}", "End": True}}), inner("C", {"C": {"Type": "Pass", "Output": "{% $x + 2 %}", "End": True}})], "Next": "S"},
        "S": {"Type": "Succeed", "Output": "{% {'of': $states.input, 'x': $x} %}"},
    })),
    Case("assign-in-map", jsonata("A", {
        "A": {"Type": "Pass", "Assign": {"factor": 10}, "Next": "M"},
        "M": {"Type": "Map", "Items": "{% [1, 2, 3] %}", "ItemProcessor": {"StartAt": "I", "States": {
            "I": {"Type": "Pass", "Assign": {"mine": "{% $states.input * $factor %}"}, "Next": "J"},
            "J": {"Type": "Pass", "Output": "{% $mine %}", "End": True}}}, "Assign": {"all": "{% $states.result %}"}, "Next": "S"},
        "S": {"Type": "Succeed", "Output": "{% $sum($all) %}"},
    })),
    Case("assign-of-a-result", jsonata("P", {
        "P": {"Type": "Parallel", "Branches": [inner("B", {"B": {"Type": "Pass", "Output": 3, "End": True}})], "Assign": {"r": "{% $states.result[0] %}"}, "Output": "{% $states.input %}", "Next": "S"},
        "S": {"Type": "Succeed", "Output": "{% [$states.input.a, $r] %}"},
    }), {"a": 1}),
    Case("assign-in-catch", jsonata("P", {
        "P": {"Type": "Parallel", "Branches": [inner("B", {"B": {"Type": "Fail", "Error": "Oops", "Cause": "c"}})], "Assign": {"went": "well"}, "Catch": [{"ErrorEquals": ["Oops"], "Assign": {"went": "{% $states.errorOutput.Error %}"}, "Next": "S"}], "Next": "S"},
        "S": {"Type": "Succeed", "Output": "{% $went %}"},
    })),
    Case("assign-an-outer-name", jsonata("A", {
        "A": {"Type": "Pass", "Assign": {"x": 1}, "Next": "P"},
        "P": {"Type": "Parallel", "Branches": [inner("B", {"B": {"Type": "Pass", "Assign": {"x": 2}, "Next": "C"}, "C": {"Type": "Succeed", "Output": "{% $x %}"}})], "Next": "S"},
        "S": {"Type": "Succeed", "Output": "{% [$states.input, $x] %}"},
    })),
    Case("variable-missing", jsonata("A", {"A": {"Type": "Succeed", "Output": "{% $never %}"}})),
    Case("variable-missing-jsonpath", states("A", {"A": {"Type": "Pass", "Parameters": {"a.$": "$never"}, "End": True}})),
    Case("variable-in-choice", states("A", {
        "A": {"Type": "Pass", "Assign": {"n": 3}, "Next": "C"},
        "C": {"Type": "Choice", "Choices": [{"Variable": "$n", "NumericEquals": 3, "Next": "S"}], "Default": "F"},
        "S": {"Type": "Succeed"},
        "F": {"Type": "Fail", "Error": "Not.Seen"},
    }), {"a": 1}),
]
