//! Faulty documents: every fault at once, each with its place.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in a test a panic is the failure"
)]

use quell_states::{Definition, DiagnosticCode, Severity};
use serde_json::{Value, json};

/// `CODE place` of every fault, sorted.
fn faults(text: &str) -> Vec<String> {
    let mut faults: Vec<String> = match Definition::parse(text) {
        Ok(definition) => panic!("accepted, with {:?}", definition.warnings()),
        Err(faults) => faults
            .iter()
            .map(|fault| format!("{} {}", fault.code, fault.location))
            .collect(),
    };
    faults.sort();
    faults
}

fn machine(states: Value) -> String {
    json!({ "QueryLanguage": "JSONata", "StartAt": "A", "States": states }).to_string()
}

/// The places of the faults of a single state.
fn places(state: Value) -> Vec<String> {
    faults(&machine(json!({ "A": state })))
        .into_iter()
        .map(|fault| {
            fault
                .split_once(" /States/A")
                .map_or(fault.clone(), |(_, place)| place.to_owned())
        })
        .collect()
}

#[test]
fn what_is_not_a_document() {
    assert_eq!(faults(" "), ["SCHEMA_VALIDATION_FAILED /"]);
    assert_eq!(faults("[]"), ["SCHEMA_VALIDATION_FAILED /"]);
    assert_eq!(faults("{}"), ["SCHEMA_VALIDATION_FAILED /"]);
    assert_eq!(
        faults("{\n  nope"),
        ["INVALID_JSON_DESCRIPTION line: 2, column: 3"]
    );
}

#[test]
fn everything_wrong_is_said_at_once() {
    let text = json!({
        "QueryLanguage": "JSONata",
        "StartAt": "Nowhere",
        "Extra": 1,
        "States": {
            "A": { "Type": "Pass", "Next": "Gone", "Output": "{% 1 + %}" },
            "B": { "Type": "Task", "Resource": "arn:aws:states:::dynamodb:query", "End": true },
            "C": { "Type": "Wait", "Next": "A" },
        },
    })
    .to_string();
    assert_eq!(
        faults(&text),
        [
            "MISSING_TRANSITION_TARGET /StartAt",
            "MISSING_TRANSITION_TARGET /States/A/Next",
            "SCHEMA_VALIDATION_FAILED /Extra",
            "SCHEMA_VALIDATION_FAILED /States/A/Output",
            "SCHEMA_VALIDATION_FAILED /States/B/Resource",
            "SCHEMA_VALIDATION_FAILED /States/C",
        ]
    );
}

#[test]
fn states_must_lead_somewhere() {
    let text = machine(json!({
        "A": { "Type": "Pass", "Next": "B" },
        "B": { "Type": "Pass", "Next": "A" },
        "Alone": { "Type": "Pass", "Next": "A" },
    }));
    assert_eq!(
        faults(&text),
        [
            "MISSING_END_STATE /States",
            "MISSING_TRANSITION_TARGET /States/Alone"
        ]
    );
    let text = machine(json!({
        "A": {
            "Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": true,
            "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "X" }],
        },
    }));
    assert_eq!(
        faults(&text),
        ["MISSING_TRANSITION_TARGET /States/A/Catch[0]/Next"]
    );
}

#[test]
fn repeated_names_are_found() {
    let text = r#"{ "QueryLanguage": "JSONata", "StartAt": "A", "States": {
        "A": { "Type": "Succeed", "Comment": "x", "Comment": "y" },
        "A": { "Type": "Succeed" } } }"#;
    assert_eq!(
        faults(text),
        [
            "DUPLICATE_STATE_NAME /States/A",
            "SCHEMA_VALIDATION_FAILED /States/A/Comment"
        ]
    );
}

#[test]
fn each_state_type_checks_its_fields() {
    for (state, expected) in [
        (
            json!({ "Type": "Pass" }),
            vec!["MISSING_END_STATE /States", ""],
        ),
        (
            json!({ "Type": "Pass", "End": true, "Next": "A" }),
            vec![""],
        ),
        (
            json!({ "Type": "Pass", "End": true, "Result": 1, "Foo": 1 }),
            vec!["/Foo", "/Result"],
        ),
        (
            json!({ "Type": "Pass", "End": true, "Assign": { "states": 1, "a-b": 1 } }),
            vec!["/Assign/a-b", "/Assign/states"],
        ),
        (
            json!({ "Type": "Pass", "End": true, "Output": { "x": ["{% ( %}"] } }),
            vec!["/Output/x[0]"],
        ),
        (
            json!({ "Type": "Pass", "End": true, "Output": "{% $eval('1') %}" }),
            vec!["/Output"],
        ),
        (
            json!({ "Type": "Pass", "End": true, "Output": "{% 1" }),
            vec!["/Output"],
        ),
        (json!({ "Type": "Succeed", "End": true }), vec!["/End"]),
        (
            json!({ "Type": "Fail", "Error": 5, "CausePath": "$.x" }),
            vec!["/CausePath", "/Error"],
        ),
        (
            json!({ "Type": "Wait", "Seconds": 1, "Timestamp": "2020-01-01T00:00:00Z", "End": true }),
            vec![""],
        ),
        (
            json!({ "Type": "Wait", "Seconds": -1, "End": true }),
            vec!["/Seconds"],
        ),
        (
            json!({ "Type": "Wait", "Timestamp": "2016-13-05T21:29:29Z", "End": true }),
            vec!["/Timestamp"],
        ),
        (
            json!({ "Type": "Choice", "Choices": [] }),
            vec!["MISSING_END_STATE /States", "/Choices"],
        ),
        (
            json!({ "Type": "Choice", "Choices": [{ "Condition": "yes" }], "Default": "A" }),
            vec![
                "MISSING_END_STATE /States",
                "/Choices[0]",
                "/Choices[0]/Condition",
            ],
        ),
        (json!({ "Type": "Task", "End": true }), vec![""]),
        (
            json!({ "Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": true, "TimeoutSeconds": 5, "HeartbeatSeconds": 5 }),
            vec!["/HeartbeatSeconds"],
        ),
        (
            json!({ "Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": true, "Credentials": {} }),
            vec!["/Credentials"],
        ),
        (
            json!({ "Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": true, "Retry": [
            { "ErrorEquals": ["States.ALL", "X"] },
            { "ErrorEquals": [], "MaxAttempts": -1, "BackoffRate": 0.5, "JitterStrategy": "HALF" },
            { "ErrorEquals": ["X"], "IntervalSeconds": 9, "MaxDelaySeconds": 31622401 },
        ] }),
            vec![
                "/Retry[0]/ErrorEquals",
                "/Retry[1]/BackoffRate",
                "/Retry[1]/ErrorEquals",
                "/Retry[1]/JitterStrategy",
                "/Retry[1]/MaxAttempts",
                "/Retry[2]/MaxDelaySeconds",
            ],
        ),
        (
            json!({ "Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": true, "Catch": [{}] }),
            vec!["/Catch[0]", "/Catch[0]"],
        ),
        (
            json!({ "Type": "Dance" }),
            vec!["MISSING_END_STATE /States", "/Type"],
        ),
        (json!("x"), vec!["MISSING_END_STATE /States", ""]),
    ] {
        assert_eq!(places(state.clone()), expected, "{state}");
    }
}

#[test]
fn what_this_version_does_not_run_is_named() {
    let processor = json!({
        "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" },
        "StartAt": "In", "States": { "In": { "Type": "Succeed" } },
    });
    let text = machine(json!({
        "A": {
            "Type": "Map", "End": true, "ItemProcessor": processor,
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": { "InputType": "PARQUET" },
                "Arguments": { "Bucket": "b", "Key": "k" },
            },
        },
    }));
    let faults = Definition::parse(&text).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].code, DiagnosticCode::UnsupportedFeature);
    assert_eq!(
        faults[0].location,
        "/States/A/ItemReader/ReaderConfig/InputType"
    );
}

#[test]
fn one_state_may_choose_jsonata_for_itself() {
    let text = r#"{ "StartAt": "A", "States": { "A": { "QueryLanguage": "JSONata", "Type": "Succeed" } } }"#;
    assert!(Definition::parse(text).is_ok());
    let text = machine(json!({ "A": { "QueryLanguage": "JSONPath", "Type": "Succeed" } }));
    assert_eq!(faults(&text), ["SCHEMA_VALIDATION_FAILED /States/A"]);
}

#[test]
fn doubtful_documents_run_with_a_warning() {
    for output in [" {% 1 %} ", "{% total %}"] {
        let text = machine(json!({ "A": { "Type": "Pass", "Output": output, "End": true } }));
        let definition = Definition::parse(&text).unwrap();
        let [warning] = definition.warnings() else {
            panic!("{:?}", definition.warnings());
        };
        assert_eq!(warning.severity, Severity::Warning);
        assert_eq!(warning.location, "/States/A/Output");
    }
}
