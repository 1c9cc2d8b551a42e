//! JSONPath mode from the outside: what the fields do to the data, and how they fail.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in a test a panic is the failure"
)]

mod common;

use common::Driver;
use quell_states::Definition;
use serde_json::{Value, json};

fn run(start_at: &str, states: Value, input: Value) -> Driver {
    Driver::start(&json!({ "StartAt": start_at, "States": states }), input)
}

/// What one Pass state with these Parameters makes of an input.
fn parameters(parameters: Value, input: Value) -> Driver {
    run(
        "P",
        json!({ "P": { "Type": "Pass", "Parameters": parameters, "End": true } }),
        input,
    )
}

#[test]
fn a_task_shapes_its_data_in_five_steps() {
    let mut driver = run(
        "T",
        json!({ "T": {
            "Type": "Task", "Resource": "arn:aws:states:::sns:publish",
            "InputPath": "$.in",
            "Parameters": { "Message.$": "$.text", "Fixed": [{ "n.$": "$.n" }] },
            "ResultSelector": { "id.$": "$.MessageId" },
            "ResultPath": "$.out.sent",
            "OutputPath": "$.out",
            "Assign": { "message.$": "$.MessageId" },
            "Next": "S",
        }, "S": { "Type": "Pass", "Parameters": { "v.$": "$message", "i.$": "$.sent.id" }, "End": true } }),
        json!({ "in": { "text": "hello", "n": 1 } }),
    );
    let request = driver.succeed(json!({ "MessageId": "m-1", "other": true }));
    assert_eq!(
        request.arguments,
        json!({ "Message": "hello", "Fixed": [{ "n": 1 }] })
    );
    assert_eq!(driver.output(), &json!({ "v": "m-1", "i": "m-1" }));
}

#[test]
fn null_paths() {
    let state = |fields: Value| {
        let mut state = json!({ "Type": "Pass", "Result": 7, "End": true });
        state
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        run("P", json!({ "P": state }), json!({ "a": 1 }))
            .output()
            .clone()
    };
    assert_eq!(state(json!({})), json!(7));
    assert_eq!(state(json!({ "ResultPath": null })), json!({ "a": 1 }));
    assert_eq!(state(json!({ "OutputPath": null })), json!({}));
    assert_eq!(
        state(json!({ "ResultPath": "$.b" })),
        json!({ "a": 1, "b": 7 })
    );
}

#[test]
fn intrinsic_functions() {
    let input = json!({ "list": [1, 2, 2, 3], "text": "a,b", "o": { "x": 1 }, "n": 2 });
    for (call, expected) in [
        (
            "States.Format('{} is \\{{}\\}, it\\'s {}', $.n, $.text, $.o)",
            json!("2 is {a,b}, it's {x=1}"),
        ),
        ("States.StringToJson('{\"a\": 1}')", json!({ "a": 1 })),
        ("States.JsonToString($.o)", json!("{\"x\":1}")),
        (
            "States.Array(1, 'x', null, true, $.n)",
            json!([1, "x", null, true, 2]),
        ),
        ("States.ArrayPartition($.list, 3)", json!([[1, 2, 2], [3]])),
        ("States.ArrayContains($.list, 3)", json!(true)),
        ("States.ArrayRange(5, 1, -2)", json!([5, 3, 1])),
        ("States.ArrayGetItem($.list, 3)", json!(3)),
        ("States.ArrayLength($.list)", json!(4)),
        ("States.ArrayUnique($.list)", json!([1, 2, 3])),
        ("States.Base64Encode('Hello, w')", json!("SGVsbG8sIHc=")),
        ("States.Base64Decode('SGVsbG8sIHc=')", json!("Hello, w")),
        (
            "States.Hash('abc', 'SHA-1')",
            json!("a9993e364706816aba3e25717850c26c9cd0d89d"),
        ),
        (
            "States.JsonMerge($.o, States.StringToJson('{\"y\":2}'), false)",
            json!({ "x": 1, "y": 2 }),
        ),
        ("States.MathAdd($.n, -5)", json!(-3)),
        ("States.StringSplit($.text, ',')", json!(["a", "b"])),
        ("States.MathRandom(4, 5)", json!(4)),
    ] {
        let driver = parameters(json!({ "r.$": call }), input.clone());
        assert_eq!(driver.output()["r"], expected, "{call}");
    }
    let uuid = parameters(json!({ "r.$": "States.UUID()" }), json!({}));
    assert_eq!(uuid.output()["r"].as_str().unwrap().len(), 36);
}

#[test]
fn failures_have_the_names_of_step_functions() {
    for (state, error) in [
        (json!({ "InputPath": "$.gone" }), "States.Runtime"),
        (
            json!({ "Parameters": { "a.$": "$.gone" } }),
            "States.Runtime",
        ),
        (
            json!({ "Parameters": { "a.$": "$nobody" } }),
            "States.Runtime",
        ),
        (
            json!({ "Result": 1, "ResultPath": "$.text.b" }),
            "States.ResultPathMatchFailure",
        ),
        (
            json!({ "Parameters": { "a.$": "States.ArrayLength($.text)" } }),
            "States.IntrinsicFailure",
        ),
        (
            json!({ "Parameters": { "a.$": "States.ArrayRange(1, 5000, 1)" } }),
            "States.IntrinsicFailure",
        ),
        (
            json!({ "Parameters": { "a.$": "States.Base64Decode('?')" } }),
            "States.IntrinsicFailure",
        ),
    ] {
        let mut whole = json!({ "Type": "Pass", "End": true });
        whole
            .as_object_mut()
            .unwrap()
            .extend(state.as_object().unwrap().clone());
        let driver = run("P", json!({ "P": whole }), json!({ "text": "x" }));
        assert_eq!(driver.error().0, error, "{state}");
    }
}

#[test]
fn a_template_that_explodes_fails_alone() {
    let fields: serde_json::Map<String, Value> =
        (0..1000).map(|n| (format!("f{n}.$"), json!("$"))).collect();
    let driver = parameters(Value::Object(fields), json!({ "big": "x".repeat(100_000) }));
    assert_eq!(driver.error().0, "States.DataLimitExceeded");
    let many = vec!["$.big"; 1000].join(", ");
    let call = json!({ "a.$": format!("States.Array({many})") });
    let driver = parameters(call, json!({ "big": "x".repeat(100_000) }));
    assert_eq!(driver.error().0, "States.DataLimitExceeded");
}

#[test]
fn nothing_catches_a_runtime_error() {
    let task = json!({
        "Type": "Task", "Resource": "arn:aws:states:::sns:publish", "InputPath": "$.gone", "End": true,
        "Catch": [{ "ErrorEquals": ["States.Runtime"], "Next": "C" }, { "ErrorEquals": ["States.ALL"], "Next": "C" }],
    });
    let driver = run(
        "T",
        json!({ "T": task, "C": { "Type": "Succeed" } }),
        json!({}),
    );
    assert_eq!(driver.error().0, "States.Runtime");
}

#[test]
fn a_catch_puts_the_error_beside_the_input() {
    let mut driver = run(
        "T",
        json!({ "T": {
            "Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": true,
            "Catch": [{ "ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "C",
                        "Assign": { "why.$": "$.Cause" } }],
        }, "C": { "Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "States.Format('{}!', $why)" } }),
        json!({ "a": 1 }),
    );
    driver.fail("Boom");
    assert_eq!(driver.error(), ("Boom", "because!"));
}

#[test]
fn rules_combine() {
    let choose = |rule: Value, input: Value| {
        let mut rule = rule;
        rule["Next"] = json!("Yes");
        let driver = run(
            "C",
            json!({
                "C": { "Type": "Choice", "Choices": [rule], "Default": "No" },
                "Yes": { "Type": "Pass", "Result": true, "End": true },
                "No": { "Type": "Pass", "Result": false, "End": true },
            }),
            input,
        );
        driver.output() == &json!(true)
    };
    let present = json!({ "Variable": "$.a.b", "IsPresent": true });
    assert!(choose(present.clone(), json!({ "a": { "b": null } })));
    assert!(!choose(present.clone(), json!({})));
    assert!(choose(json!({ "Not": present }), json!({})));
    let both = json!({ "And": [
        { "Variable": "$.s", "StringMatches": "*.log" },
        { "Or": [{ "Variable": "$.n", "NumericLessThan": 3 }, { "Variable": "$.n", "IsNull": true }] },
    ] });
    assert!(choose(both.clone(), json!({ "s": "x.log", "n": null })));
    assert!(choose(both.clone(), json!({ "s": "x.log", "n": 2.5 })));
    assert!(!choose(both, json!({ "s": "x.log", "n": 3 })));
    let bool_equals = json!({ "Variable": "$.b", "BooleanEqualsPath": "$.c" });
    assert!(choose(bool_equals, json!({ "b": false, "c": false })));
}

#[test]
fn faults_of_jsonpath_states_are_all_found() {
    let text = json!({ "StartAt": "P", "States": {
        "P": { "Type": "Pass", "InputPath": "x", "Output": 1, "Parameters": { "a.$": "States.Nothing()" }, "Next": "W" },
        "W": { "Type": "Wait", "Seconds": 1, "SecondsPath": "$.s", "Next": "C" },
        "C": { "Type": "Choice", "Choices": [{ "Variable": "$.a", "IsNull": 1, "Next": "F" }, { "Next": "F" }] },
        "F": { "Type": "Fail", "Cause": "x", "CausePath": "$.c" },
    } })
    .to_string();
    let mut places: Vec<String> = Definition::parse(&text)
        .unwrap_err()
        .into_iter()
        .map(|fault| fault.location)
        .collect();
    places.dedup();
    assert_eq!(
        places,
        [
            "/States/P/InputPath",
            "/States/P/Parameters",
            "/States/P/Output",
            "/States/W",
            "/States/C/Choices[0]/IsNull",
            "/States/C/Choices[1]",
            "/States/F",
        ]
    );
}
