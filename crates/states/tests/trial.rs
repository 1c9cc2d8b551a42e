//! One state alone, with the result of its work given.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in a test a panic is the failure"
)]

mod common;

use common::{START, definition, document, fresh};
use quell_states::{Moment, Trial, Verdict, Work};
use serde_json::{Value, json};

fn tried(state: Value, trial: Trial) -> Verdict {
    let document = document("S", json!({ "S": state, "Next": { "Type": "Succeed" } }));
    let moment = Moment::new(START, 1);
    let verdict = definition(&document).try_state("S", fresh(json!([1, 2])), trial, moment);
    verdict.expect("the state is there")
}

fn task(fields: Value) -> Value {
    let mut state =
        json!({ "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Next": "Next" });
    state
        .as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    state
}

fn error() -> Option<Work> {
    Some(Work::Error {
        error: "E".to_owned(),
        cause: "c".to_owned(),
    })
}

#[test]
fn work_ends_as_the_trial_says() {
    let result = Trial {
        work: Some(Work::Result(json!(3))),
        ..Trial::default()
    };
    let next = Some("Next".to_owned());
    let output = json!({ "got": 3 });
    assert_eq!(
        tried(
            task(json!({ "Output": { "got": "{% $states.result %}" } })),
            result.clone()
        ),
        Verdict::Succeeded {
            output,
            next: next.clone()
        }
    );
    let branch =
        json!({ "StartAt": "B", "States": { "B": task(json!({ "Next": null, "End": true })) } });
    let mut parallel = json!({ "Type": "Parallel", "Branches": [branch], "Next": "Next" });
    parallel["Branches"][0]["States"]["B"]
        .as_object_mut()
        .unwrap()
        .remove("Next");
    assert_eq!(
        tried(parallel, result),
        Verdict::Succeeded {
            output: json!(3),
            next
        }
    );
    assert_eq!(tried(task(json!({})), Trial::default()), Verdict::Waiting);
}

#[test]
fn errors_are_retried_caught_or_final() {
    let fails = |retries| Trial {
        work: error(),
        retries,
        ..Trial::default()
    };
    let retry = json!({ "Retry": [{ "ErrorEquals": ["E"], "MaxAttempts": 2 }] });
    assert_eq!(tried(task(retry.clone()), fails(1)), Verdict::Retriable);
    assert!(matches!(
        tried(task(retry), fails(2)),
        Verdict::Failed { .. }
    ));
    let catch = json!({ "Catch": [{ "ErrorEquals": ["E"], "Next": "Next", "Output": "caught" }] });
    assert_eq!(
        tried(task(catch), fails(0)),
        Verdict::Caught {
            output: json!("caught"),
            next: Some("Next".to_owned())
        }
    );
}

#[test]
fn the_variables_may_be_given() {
    let state = json!({ "Type": "Pass", "Output": "{% $count + 1 %}", "Next": "Next" });
    let trial = Trial {
        variables: serde_json::Map::from_iter([("count".to_owned(), json!(2))]),
        ..Trial::default()
    };
    let verdict = tried(state, trial);
    assert!(matches!(verdict, Verdict::Succeeded { output, .. } if output == json!(3)));
}

#[test]
fn the_context_may_be_given() {
    let state = json!({ "Type": "Pass", "Output": "{% $states.context %}", "Next": "Next" });
    let trial = Trial {
        context: Some(json!({ "Own": 1 })),
        ..Trial::default()
    };
    let verdict = tried(state, trial);
    assert!(matches!(verdict, Verdict::Succeeded { output, .. } if output == json!({ "Own": 1 })));
}
