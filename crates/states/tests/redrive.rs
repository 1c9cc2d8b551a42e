//! Redrive: what failed is taken up again, what ended well is kept.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in a test a panic is the failure"
)]

mod common;

use common::{Driver, document};
use quell_states::{Event, Status};
use serde_json::{Value, json};

fn task() -> Value {
    json!({ "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": true })
}

#[test]
fn a_failed_task_is_scheduled_again_with_fresh_retries() {
    let mut state = task();
    state["Retry"] = json!([{ "ErrorEquals": ["E"], "MaxAttempts": 1 }]);
    let mut driver = Driver::start(&document("Do", json!({ "Do": state })), json!({ "in": 1 }));
    for redrives in 0..2 {
        driver.fail("E");
        driver.wait();
        driver.fail("E");
        assert_eq!(driver.error().0, "E", "{redrives}");
        driver.send(Event::Redriven);
        assert_eq!(*driver.status(), Status::Running);
        assert_eq!(driver.tasks[0].arguments, json!({ "in": 1 }));
        assert_eq!(driver.tasks[0].attempt, 0);
    }
    driver.succeed(json!("done"));
    assert_eq!(*driver.output(), json!("done"));
    let redriven: Vec<_> = driver
        .history
        .iter()
        .filter_map(|event| event.details.get("executionRedrivenEventDetails"))
        .collect();
    assert_eq!(
        redriven,
        [&json!({ "redriveCount": 1 }), &json!({ "redriveCount": 2 })]
    );
}

#[test]
fn only_the_branches_that_did_not_end_run_again() {
    let branch = |name: &str| json!({ "StartAt": name, "States": { name: task() } });
    let state = json!({ "Type": "Parallel", "Branches": [branch("A"), branch("B"), branch("C")], "End": true });
    let mut driver = Driver::start(&document("All", json!({ "All": state })), json!({}));
    driver.succeed(json!("a"));
    driver.fail("E");
    driver.send(Event::Redriven);
    let open: Vec<&str> = driver
        .tasks
        .iter()
        .map(|task| task.state.as_str())
        .collect();
    assert_eq!(open, ["B", "C"]);
    driver.succeed(json!("b"));
    driver.succeed(json!("c"));
    assert_eq!(*driver.output(), json!(["a", "b", "c"]));
}

#[test]
fn iterations_and_their_executions_are_taken_up_too() {
    for mode in ["INLINE", "DISTRIBUTED"] {
        let state = json!({
            "Type": "Map", "MaxConcurrency": 2, "End": true,
            "ItemProcessor": {
                "ProcessorConfig": { "Mode": mode, "ExecutionType": "STANDARD" },
                "StartAt": "Do", "States": { "Do": task() },
            },
        });
        let mut driver = Driver::start(
            &document("Each", json!({ "Each": state })),
            json!([1, 2, 3]),
        );
        driver.succeed(json!("a"));
        driver.fail("E");
        assert!(matches!(driver.status(), Status::Failed { .. }), "{mode}");
        driver.send(Event::Redriven);
        while !driver.tasks.is_empty() {
            let task = driver.tasks.remove(0);
            driver.send(Event::TaskSucceeded {
                task: task.task,
                output: task.arguments,
            });
        }
        assert_eq!(*driver.output(), json!(["a", 2, 3]), "{mode}");
    }
}

#[test]
fn stopped_and_timed_out_executions_go_on() {
    let mut timed = document("Do", json!({ "Do": task() }));
    timed["TimeoutSeconds"] = json!(5);
    let mut driver = Driver::start(&timed, json!({}));
    driver.wait();
    assert_eq!(*driver.status(), Status::TimedOut);
    driver.send(Event::Redriven);
    assert_eq!((driver.tasks.len(), driver.timers.len()), (1, 1));
    driver.send(Event::Stopped {
        error: "E".into(),
        cause: "c".into(),
    });
    driver.send(Event::Redriven);
    driver.succeed(json!(1));
    assert_eq!(*driver.output(), json!(1));
}

#[test]
fn there_is_nothing_to_redrive_in_what_succeeded_or_still_runs() {
    let mut driver = Driver::start(&document("Do", json!({ "Do": task() })), json!({}));
    let before = driver.execution.clone();
    driver.send(Event::Redriven);
    assert_eq!(driver.execution, before);
    driver.succeed(json!(1));
    let before = driver.execution.clone();
    driver.send(Event::Redriven);
    assert_eq!(driver.execution, before);
}
