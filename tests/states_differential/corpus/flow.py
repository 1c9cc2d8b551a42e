"""Pass, Wait, Succeed, Fail, and how a run goes from one to the next."""

from __future__ import annotations

from ..case import Case, jsonata, one, one_jsonata, states

CASES = [
    Case("pass-through", one({"Type": "Pass"}), {"a": 1, "b": [True, None, "x"]}),
    Case("pass-result", one({"Type": "Pass", "Result": {"a": {"b": [1, 2.5, "ü"]}}}), {"gone": 1}),
    Case("pass-result-into-path", one({"Type": "Pass", "Result": 7, "ResultPath": "$.a.b"}), {"a": {"c": 1}}),
    Case("pass-parameters", one({"Type": "Pass", "Parameters": {"x.$": "$.a[1]", "y": {"z.$": "$$.State.Name", "plain": "$.a"}}}), {"a": [1, 2]}),
    Case("chain", states("A", {
        "A": {"Type": "Pass", "Parameters": {"n.$": "$.n"}, "Next": "B"},
        "B": {"Type": "Pass", "Result": "b", "ResultPath": "$.b", "Next": "C"},
        "C": {"Type": "Succeed", "OutputPath": "$.b"},
    }), {"n": 3, "m": 4}),
    Case("succeed", one({"Type": "Succeed"}), {"a": 1}),
    Case("succeed-paths", one({"Type": "Succeed", "InputPath": "$.a", "OutputPath": "$.b"}), {"a": {"b": 5}}),
    Case("succeed-null-output", one({"Type": "Succeed", "OutputPath": None}), {"a": 1}),
    Case("fail", one({"Type": "Fail", "Error": "Own.Error", "Cause": "because"})),
    Case("fail-bare", one({"Type": "Fail"})),
    Case("fail-error-only", one({"Type": "Fail", "Error": "Own"})),
    Case("fail-paths", one({"Type": "Fail", "ErrorPath": "$.error", "CausePath": "States.Format('{}!', $.cause)"}), {"error": "E", "cause": "c"}),
    Case("fail-jsonata", one_jsonata({"Type": "Fail", "Error": "{% 'E' & $states.input.n %}", "Cause": "{% $states.context.State.Name %}"}), {"n": 4}),
    Case("wait-seconds", one({"Type": "Wait", "Seconds": 2}), {"a": 1}),
    Case("wait-seconds-path", one({"Type": "Wait", "SecondsPath": "$.s", "OutputPath": "$.s"}), {"s": 3}),
    Case("wait-timestamp", one({"Type": "Wait", "Timestamp": "2016-03-14T01:59:00Z"}), {"a": 1}),
    Case("wait-timestamp-path", one({"Type": "Wait", "TimestampPath": "$.t"}), {"t": "2016-03-14T01:59:00Z"}),
    Case("wait-no-seconds", one({"Type": "Wait", "SecondsPath": "$.s"}), {"s": "three"}),
    Case("wait-missing", one({"Type": "Wait", "SecondsPath": "$.none"}), {}),
    Case("wait-jsonata", one_jsonata({"Type": "Wait", "Seconds": "{% $states.input.s * 2 %}", "Output": {"waited": "{% $states.input.s %}"}}), {"s": 1}),
    Case("wait-jsonata-timestamp", one_jsonata({"Type": "Wait", "Timestamp": "{% $states.input.t %}"}), {"t": "2016-03-14T01:59:00Z"}),
    Case("pass-jsonata", one_jsonata({"Type": "Pass", "Output": {"sum": "{% $sum($states.input.a) %}", "literal": "$x", "list": ["{% 1 + 1 %}", 2]}}), {"a": [1, 2, 3]}),
    Case("succeed-jsonata", one_jsonata({"Type": "Succeed", "Output": "{% $states.input.a %}"}), {"a": {"b": None}}),
    Case("languages-mixed", states("A", {
        "A": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% {'n': $states.input.n + 1} %}", "Next": "B"},
        "B": {"Type": "Pass", "Parameters": {"m.$": "States.MathAdd($.n, 1)"}, "End": True},
    }), {"n": 1}),
    Case("timeout-of-the-machine", one({"Type": "Wait", "Seconds": 3000}, TimeoutSeconds=1)),
    Case("comment-and-version", one({"Type": "Pass", "Comment": "c"}, Comment="d", Version="1.0"), {"a": 1}),
    Case("refused-no-start", {"StartAt": "Nowhere", "States": {"A": {"Type": "Succeed"}}}),
    Case("refused-no-type", {"StartAt": "A", "States": {"A": {"End": True}}}),
    Case("loop-by-choice", states("Count", {
        "Count": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "Again"},
        "Again": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericLessThan": 5, "Next": "Count"}], "Default": "End"},
        "End": {"Type": "Succeed"},
    }), {"n": 0}),
    Case("loop-jsonata", jsonata("Count", {
        "Count": {"Type": "Pass", "Assign": {"n": "{% $states.input.n + 1 %}"}, "Output": {"n": "{% $states.input.n + 1 %}"}, "Next": "Again"},
        "Again": {"Type": "Choice", "Choices": [{"Condition": "{% $n < 4 %}", "Next": "Count"}], "Default": "End"},
        "End": {"Type": "Succeed", "Output": "{% $n %}"},
    }), {"n": 0}),
]
