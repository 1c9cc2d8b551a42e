//! Doubts about documents, as warnings.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in a test a panic is the failure"
)]

use quell_states::{Catalog, DiagnosticCode, Severity, lint};
use serde_json::{Value, json};

struct Models;

impl Catalog for Models {
    fn services(&self) -> Vec<String> {
        vec!["ec2".to_owned(), "s3".to_owned()]
    }

    fn actions(&self, service: &str) -> Option<Vec<String>> {
        (service == "ec2").then(|| vec!["describeInstances".to_owned(), "stopInstances".to_owned()])
    }

    fn parameters(&self, _: &str, _: &str) -> Option<Vec<String>> {
        Some(vec!["InstanceIds".to_owned(), "DryRun".to_owned()])
    }
}

fn doubts(document: &Value) -> Vec<(DiagnosticCode, String, String)> {
    let doubts = lint(&document.to_string(), Some(&Models));
    assert!(
        doubts
            .iter()
            .all(|doubt| doubt.severity == Severity::Warning)
    );
    doubts
        .into_iter()
        .map(|doubt| {
            (
                doubt.code,
                doubt.location,
                doubt.message + " " + &doubt.help.unwrap_or_default(),
            )
        })
        .collect()
}

/// The workflow of the first requirements, faulty in other ways too.
#[test]
fn the_required_workflow_lets_seven_fall_through() {
    let document = json!({ "StartAt": "Assess", "States": {
        "Assess": { "Type": "Choice", "Choices": [
            { "Variable": "$.severity", "NumericGreaterThan": 7, "Next": "Isolate" },
            { "Variable": "$.severity", "NumericLessThan": 7, "Next": "Log" },
        ] },
        "Isolate": { "Type": "Task", "Next": "Notify" },
    } });
    let doubts = doubts(&document);
    assert_eq!(doubts[0].0, DiagnosticCode::MissingChoiceDefault);
    assert_eq!(doubts[0].1, "/States/Assess");
    assert!(
        doubts[0].2.contains("takes $.severity = 7,"),
        "{}",
        doubts[0].2
    );
    assert_eq!(doubts[1].0, DiagnosticCode::MissingTimeout);
}

#[test]
fn calls_are_held_against_the_catalogue() {
    let task = |resource: &str, arguments: Value| {
        json!({ "StartAt": "T", "States": { "T": {
            "Type": "Task", "TimeoutSeconds": 1, "End": true,
            "Resource": format!("arn:aws:states:::aws-sdk:{resource}"), "Arguments": arguments,
        } } })
    };
    for (document, code, place, said) in [
        (
            task("ecs2:x", json!({})),
            DiagnosticCode::UnknownAction,
            "/States/T/Resource",
            "Did you mean ec2?",
        ),
        (
            task("ec2:stopInstance", json!({})),
            DiagnosticCode::UnknownAction,
            "/States/T/Resource",
            "Did you mean stopInstances?",
        ),
        (
            task("ec2:stopInstances", json!({ "InstanceIDs": [] })),
            DiagnosticCode::UnknownParameter,
            "/States/T/Arguments/InstanceIDs",
            "Did you mean InstanceIds?",
        ),
    ] {
        let doubts = doubts(&document);
        assert_eq!((doubts[0].0, doubts[0].1.as_str()), (code, place));
        assert!(doubts[0].2.contains(said), "{}", doubts[0].2);
    }
    assert!(doubts(&task("ec2:stopInstances", json!({ "InstanceIds": [] }))).is_empty());
}

#[test]
fn waits_without_end_and_secrets_are_found_inside_branches() {
    let document = json!({ "TimeoutSeconds": 60, "StartAt": "P", "States": { "P": {
        "Type": "Parallel", "End": true,
        "Branches": [{ "StartAt": "T", "States": {
            "T": { "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "Next": "U" },
            "U": { "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": true,
                "Arguments": { "Password": "hunter2" } },
        } }],
    } } });
    let places: Vec<(DiagnosticCode, String)> = doubts(&document)
        .into_iter()
        .map(|(code, at, _)| (code, at))
        .collect();
    assert_eq!(
        places,
        [
            (
                DiagnosticCode::MissingTimeout,
                "/States/P/Branches[0]/States/T".to_owned()
            ),
            (
                DiagnosticCode::PlainSecret,
                "/States/P/Branches[0]/States/U/Arguments/Password".to_owned()
            ),
        ]
    );
}

#[test]
fn hostile_texts_have_no_doubts() {
    for text in ["", "{", "[]", "{\"States\": 1}", &"[".repeat(100_000)] {
        assert!(lint(text, None).is_empty());
    }
}
