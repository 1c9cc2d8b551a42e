//! The promise a durable runner needs: the log of events rebuilds the execution
//! exactly, from any point, through storage, whatever arrives twice or late.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in a test a panic is the failure"
)]

mod common;

use common::{Driver, fresh};
use proptest::prelude::*;
use quell_states::{Definition, Effect, Event, Execution, Moment, TaskId, TimerId};
use serde_json::{Value, json};

fn busy() -> Value {
    common::document(
        "Ask",
        json!({
            "Ask": {
                "Type": "Task",
                "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                "Arguments": { "t": "{% $states.context.Task.Token %}", "u": "{% $uuid() %}", "at": "{% $now() %}" },
                "TimeoutSeconds": 60, "HeartbeatSeconds": 20,
                "Assign": { "count": "{% ($exists($count) ? $count : 0) + 1 %}", "r": "{% $random() %}" },
                "Retry": [{ "ErrorEquals": ["States.TaskFailed"], "MaxAttempts": 2, "JitterStrategy": "FULL" }],
                "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "Rest" }],
                "Next": "Again",
            },
            "Again": {
                "Type": "Choice",
                "Choices": [{ "Condition": "{% $count < 3 %}", "Next": "Rest" }],
                "Default": "Done",
            },
            "Rest": { "Type": "Wait", "Seconds": "{% $floor($random() * 9) %}", "Next": "Ask" },
            "Done": { "Type": "Succeed", "Output": "{% $r %}" },
        }),
    )
}

/// Branches, iterations and distributed iterations side by side.
fn wide() -> Value {
    let task = |next: Value| {
        let mut task = json!({
            "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage",
            "TimeoutSeconds": 60,
            "Assign": { "own": "{% $states.result %}" },
            "Retry": [{ "ErrorEquals": ["States.ALL"], "MaxAttempts": 1, "JitterStrategy": "FULL" }],
        });
        task.as_object_mut()
            .unwrap()
            .extend(next.as_object().unwrap().clone());
        task
    };
    let end = json!({ "End": true });
    let branch = json!({ "StartAt": "B1", "States": {
        "B1": task(json!({ "Next": "B2" })),
        "B2": { "Type": "Wait", "Seconds": "{% $ceil($random() * 5) %}", "End": true },
    } });
    let map = |name: &str, mode: &str| {
        let processor = json!({
            "ProcessorConfig": { "Mode": mode, "ExecutionType": "STANDARD" },
            "StartAt": format!("{name}Do"), "States": { format!("{name}Do"): task(end.clone()) },
        });
        json!({ "StartAt": name, "States": { name: {
            "Type": "Map", "Items": [1, 2, 3], "MaxConcurrency": 2, "ToleratedFailureCount": 1,
            "ItemSelector": { "u": "{% $uuid() %}", "v": "{% $states.context.Map.Item.Value %}" },
            "ItemProcessor": processor, "End": true,
        } } })
    };
    common::document(
        "All",
        json!({
            "All": {
                "Type": "Parallel", "Branches": [branch, map("I", "INLINE"), map("D", "DISTRIBUTED")],
                "Retry": [{ "ErrorEquals": ["States.ALL"], "MaxAttempts": 1 }],
                "Catch": [{ "ErrorEquals": ["States.Timeout"], "Next": "After" }],
                "Next": "After",
            },
            "After": { "Type": "Succeed" },
        }),
    )
}

#[derive(Clone, Debug)]
enum Act {
    Succeed(usize),
    Fail(usize),
    Beat,
    Fire,
    Stray(u64),
    Repeat,
    Stop,
    Redrive,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..9_usize).prop_map(Act::Succeed),
        4 => (0..9_usize).prop_map(Act::Fail),
        3 => Just(Act::Beat),
        6 => Just(Act::Fire),
        2 => (0..60_u64).prop_map(Act::Stray),
        2 => Just(Act::Repeat),
        1 => Just(Act::Stop),
        3 => Just(Act::Redrive),
    ]
}

fn perform(driver: &mut Driver, act: &Act) {
    driver.now += 1234;
    let open = driver.tasks.first().map(|task| task.task);
    if let (Act::Succeed(n) | Act::Fail(n), Some(_)) = (act, open) {
        let first = n % driver.tasks.len();
        driver.tasks.swap(0, first);
    }
    match act {
        Act::Succeed(_) if open.is_some() => drop(driver.succeed(json!({ "ok": true }))),
        Act::Fail(_) if open.is_some() => drop(driver.fail("Service.Exception")),
        Act::Redrive => drop(driver.send(Event::Redriven)),
        Act::Beat => {
            let task = open.unwrap_or(TaskId(0));
            driver.send(Event::TaskHeartbeat { task });
        }
        Act::Fire if !driver.timers.is_empty() => drop(driver.wait()),
        Act::Stray(n) => {
            let before = driver.execution.clone();
            driver.send(Event::TimerFired {
                timer: TimerId(1000 + n),
            });
            driver.send(Event::TaskSucceeded {
                task: TaskId(1000 + n),
                output: json!(n),
            });
            assert_eq!(driver.execution, before);
        }
        Act::Repeat => {
            if let Some((event, _)) = driver.log.last().cloned() {
                let before = driver.execution.clone();
                let timers = driver.timers.clone();
                driver.send(event.clone());
                // A heartbeat and a redrive mean something each time.
                if !matches!(event, Event::TaskHeartbeat { .. } | Event::Redriven) {
                    assert_eq!(driver.execution, before);
                    assert_eq!(driver.timers, timers);
                }
            }
        }
        Act::Stop => {
            driver.send(Event::Stopped {
                error: "E".to_owned(),
                cause: "C".to_owned(),
            });
        }
        Act::Succeed(_) | Act::Fail(_) | Act::Fire => {}
    }
}

/// Applies a log, storing and reloading the execution after every event.
fn rebuild(
    definition: &Definition,
    log: &[(Event, Moment)],
) -> (Execution, Vec<Value>, Vec<Effect>) {
    let mut execution = fresh(json!({ "start": 1 }));
    let (mut history, mut effects) = (Vec::new(), Vec::new());
    for (event, moment) in log {
        let text = serde_json::to_string(&execution).unwrap();
        execution = serde_json::from_str(&text).unwrap();
        let event: Event = serde_json::from_value(serde_json::to_value(event).unwrap()).unwrap();
        let step = execution.step(definition, event, *moment);
        execution = step.execution;
        history.extend(
            step.history
                .iter()
                .map(|h| serde_json::to_value(h).unwrap()),
        );
        effects.extend(step.effects);
    }
    (execution, history, effects)
}

fn rebuilds(document: &Value, acts: &[Act]) -> Result<(), TestCaseError> {
    let mut driver = Driver::start(document, json!({ "start": 1 }));
    for act in acts {
        perform(&mut driver, act);
    }
    let (execution, history, effects) = rebuild(&driver.definition, &driver.log);
    prop_assert_eq!(&execution, &driver.execution);
    prop_assert_eq!(effects, driver.effects);
    let written: Vec<Value> = driver
        .history
        .iter()
        .map(|h| serde_json::to_value(h).unwrap())
        .collect();
    prop_assert_eq!(&history, &written);
    for (n, event) in history.iter().enumerate() {
        prop_assert_eq!(event["id"].as_u64(), Some(n as u64 + 1));
        prop_assert!(event["previousEventId"].as_u64() < Some(n as u64 + 1));
    }
    let mut awaited: Vec<TaskId> = execution
        .outstanding_tasks()
        .map(|open| open.task)
        .collect();
    let mut open: Vec<TaskId> = driver.tasks.iter().map(|task| task.task).collect();
    awaited.sort();
    open.sort();
    prop_assert_eq!(awaited, open, "what is asked for is awaited, and no more");
    if *execution.status() != quell_states::Status::Running {
        prop_assert!(
            driver.timers.is_empty() && driver.tasks.is_empty(),
            "nothing is left behind"
        );
    } else {
        prop_assert!(
            !driver.timers.is_empty() || !driver.tasks.is_empty(),
            "something will come"
        );
    }
    Ok(())
}

/// Fails each task of a run in turn: the run ends, as its document says.
#[test]
fn every_task_fails_in_turn() {
    let mut failing = 0;
    loop {
        let mut driver = Driver::start(&wide(), json!({}));
        let mut done = 0;
        while *driver.status() == quell_states::Status::Running {
            if driver.tasks.is_empty() {
                driver.wait();
            } else if done == failing {
                driver.fail("Service.Exception");
                done += 1;
            } else {
                driver.succeed(json!({ "ok": true }));
                done += 1;
            }
        }
        // One failure is retried, wherever it is.
        assert_eq!(driver.output()[1].as_array().unwrap().len(), 3, "{failing}");
        if done <= failing {
            break;
        }
        failing += 1;
    }
    assert_eq!(failing, 7, "a branch's task, and three of each Map");
}

/// The goal is 4 KiB beside the input.
#[test]
fn a_waiting_execution_is_small() {
    let size = |driver: &Driver| serde_json::to_string(&driver.execution).unwrap().len();
    let wait = common::document(
        "Rest",
        json!({ "Rest": { "Type": "Wait", "Seconds": 60, "End": true } }),
    );
    let input = json!({ "text": "x".repeat(1000) });
    let waiting = Driver::start(&wait, input.clone());
    let beside = size(&waiting) - 2 * input.to_string().len();
    println!("a waiting execution: {beside} bytes beside its input, which it holds twice");
    assert!(beside <= 1024, "{beside}");
    let token = Driver::start(&busy(), json!({}));
    println!("one that waits for a token: {} bytes", size(&token));
    assert!(size(&token) <= 2048);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_log_rebuilds_its_execution(acts in prop::collection::vec(act(), 1..40)) {
        rebuilds(&busy(), &acts)?;
    }

    #[test]
    fn a_log_rebuilds_every_thread(acts in prop::collection::vec(act(), 1..60)) {
        rebuilds(&wide(), &acts)?;
    }

    #[test]
    fn no_text_breaks_the_reader(text in "\\PC{0,200}") {
        let _ = Definition::parse(&text);
    }

    #[test]
    fn no_change_of_a_document_breaks_the_reader(cut in 0..2000_usize, with in "[\\[\\]{}\",:%0-9a-z]{0,4}") {
        let text = busy().to_string();
        let at = cut % text.len();
        let changed = format!("{}{with}{}", &text[..at], &text[(at + with.len()).min(text.len())..]);
        let _ = Definition::parse(&changed);
    }
}
