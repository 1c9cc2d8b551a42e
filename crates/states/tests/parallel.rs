//! Parallel: branches side by side, each with its own state and variables.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in a test a panic is the failure"
)]

mod common;

use common::{Driver, document, fresh};
use proptest::prelude::*;
use quell_states::{Definition, Effect, Event};
use serde_json::{Value, json};

fn task(next: Option<&str>) -> Value {
    let mut task = json!({ "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage" });
    match next {
        Some(next) => task["Next"] = json!(next),
        None => task["End"] = json!(true),
    }
    task
}

fn branch(name: &str) -> Value {
    json!({ "StartAt": name, "States": { name: task(None) } })
}

fn parallel(fields: Value) -> Value {
    let mut state = json!({
        "Type": "Parallel", "End": true,
        "Branches": [branch("A"), branch("B"), branch("C")],
    });
    state
        .as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    let after = json!({ "Type": "Pass", "End": true });
    document("All", json!({ "All": state, "After": after }))
}

/// Documents must not have states out of reach.
fn alone(fields: Value) -> Value {
    let mut document = parallel(fields);
    document["States"].as_object_mut().unwrap().remove("After");
    document
}

#[test]
fn every_branch_gets_the_input_and_gives_its_result_in_order() {
    let mut driver = Driver::start(&alone(json!({ "Arguments": { "n": 1 } })), json!({}));
    assert_eq!(driver.tasks.len(), 3);
    assert!(
        driver
            .tasks
            .iter()
            .all(|task| task.arguments == json!({ "n": 1 }))
    );
    for n in [2, 0, 0] {
        let task = driver.tasks.remove(n);
        driver.send(Event::TaskSucceeded {
            task: task.task,
            output: json!(task.state),
        });
    }
    assert_eq!(*driver.output(), json!(["A", "B", "C"]));
}

#[test]
fn a_failing_branch_stops_the_others() {
    let mut driver = Driver::start(&alone(json!({})), json!({}));
    let open = driver.tasks.clone();
    let failed = driver.tasks.remove(1);
    driver.send(Event::TaskFailed {
        task: failed.task,
        error: "E".into(),
        cause: "c".into(),
    });
    assert_eq!(driver.error(), ("E", "c"));
    for other in [0, 2] {
        assert!(driver.effects.contains(&Effect::CancelTask {
            task: open[other].task
        }));
    }
    assert!(driver.tasks.is_empty());
    assert_eq!(
        driver.events()[12..],
        [
            "TaskFailed",
            "TaskStateAborted",
            "TaskStateAborted",
            "TaskStateAborted",
            "ParallelStateFailed",
            "ExecutionFailed",
        ]
    );
}

#[test]
fn a_retry_begins_every_branch_anew() {
    let retry = json!({ "Retry": [{ "ErrorEquals": ["E"], "IntervalSeconds": 5 }] });
    let mut driver = Driver::start(&alone(retry), json!({}));
    driver.succeed(json!("old"));
    driver.fail("E");
    assert!(driver.tasks.is_empty());
    assert_eq!(driver.wait(), 5000);
    assert_eq!(driver.tasks.len(), 3);
    for n in 0..3 {
        driver.succeed(json!(n));
    }
    assert_eq!(*driver.output(), json!([0, 1, 2]));
}

#[test]
fn a_catch_goes_on_with_the_error() {
    let fields = json!({
        "Catch": [{ "ErrorEquals": ["E"], "Next": "After", "Output": "{% $states.errorOutput.Error %}" }],
    });
    let mut driver = Driver::start(&parallel(fields), json!({}));
    driver.fail("E");
    assert_eq!(*driver.output(), json!("E"));
    assert!(driver.timers.is_empty() && driver.tasks.is_empty());
}

#[test]
fn what_a_branch_assigns_stays_in_it() {
    let inner = json!({
        "StartAt": "In",
        "States": { "In": {
            "Type": "Pass", "End": true,
            "Assign": { "own": "{% $outer & '!' %}" },
            "Output": "{% $outer %}",
        } },
    });
    let document = document(
        "Set",
        json!({
            "Set": { "Type": "Pass", "Assign": { "outer": "seen" }, "Next": "All" },
            "All": { "Type": "Parallel", "Branches": [inner], "Assign": { "after": "{% $states.result[0] %}" }, "Next": "Look" },
            "Look": { "Type": "Pass", "Output": "{% $exists($own) %}", "End": true },
        }),
    );
    let driver = Driver::start(&document, json!({}));
    assert_eq!(*driver.output(), json!(false));
    assert_eq!(driver.execution.variable("after"), Some(&json!("seen")));
    assert_eq!(driver.execution.variable("own"), None);
}

#[test]
fn branches_nest_and_wait_each_for_itself() {
    let wait = |name: &str, seconds: u64| json!({ "StartAt": name, "States": { name: { "Type": "Wait", "Seconds": seconds, "End": true } } });
    let inner = json!({
        "StartAt": "Inner",
        "States": { "Inner": { "Type": "Parallel", "Branches": [wait("W1", 1), wait("W3", 3)], "End": true } },
    });
    let state = json!({ "Type": "Parallel", "Branches": [inner, wait("W2", 2)], "End": true });
    let mut driver = Driver::start(&document("Outer", json!({ "Outer": state })), json!(7));
    assert_eq!(
        driver.execution.current_states().collect::<Vec<_>>(),
        ["Outer", "Inner", "W2", "W1", "W3"]
    );
    for _ in 0..3 {
        assert_eq!(driver.wait(), 1000);
    }
    assert_eq!(*driver.output(), json!([[7, 7], 7]));
}

#[test]
fn stopping_lets_go_of_every_branch() {
    let mut driver = Driver::start(&alone(json!({})), json!({}));
    driver.send(Event::Stopped {
        error: "E".into(),
        cause: "c".into(),
    });
    assert!(driver.tasks.is_empty());
    assert_eq!(driver.effects.last(), Some(&Effect::Finished));
}

#[test]
fn branches_are_checked_like_documents() {
    let faulty = alone(json!({ "Branches": [
        { "StartAt": "A", "States": { "A": { "Type": "Pass", "Next": "Nowhere" } } },
        { "StartAt": "A", "States": { "A": { "Type": "Pass", "End": true }, "B": { "Type": "Pass", "End": true } } },
    ] }));
    let faults = Definition::parse(&faulty.to_string()).unwrap_err();
    let found: Vec<String> = faults
        .iter()
        .map(|fault| format!("{} {}", fault.code, fault.location))
        .collect();
    assert_eq!(
        found,
        [
            "DUPLICATE_STATE_NAME /States/All/Branches[1]/States/A",
            "MISSING_TRANSITION_TARGET /States/All/Branches[0]/States/A/Next",
            "MISSING_END_STATE /States/All/Branches[0]/States",
            "MISSING_TRANSITION_TARGET /States/All/Branches[1]/States/B",
        ]
    );
    assert_eq!(fresh(json!(1)).input(), &json!(1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_arrival_does_not_matter(order in prop::collection::vec(0..10_usize, 3)) {
        let mut driver = Driver::start(&alone(json!({})), json!({}));
        for n in order {
            let task = driver.tasks.remove(n % driver.tasks.len());
            driver.send(Event::TaskSucceeded { task: task.task, output: json!(task.state) });
        }
        prop_assert_eq!(driver.output(), &json!(["A", "B", "C"]));
    }
}
