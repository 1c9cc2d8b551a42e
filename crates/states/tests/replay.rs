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

#[derive(Clone, Debug)]
enum Act {
    Succeed,
    Fail,
    Beat,
    Fire,
    Stray(u64),
    Repeat,
    Stop,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => Just(Act::Succeed),
        4 => Just(Act::Fail),
        3 => Just(Act::Beat),
        6 => Just(Act::Fire),
        2 => (0..60_u64).prop_map(Act::Stray),
        2 => Just(Act::Repeat),
        1 => Just(Act::Stop),
    ]
}

fn perform(driver: &mut Driver, act: &Act) {
    driver.now += 1234;
    let open = driver.tasks.first().map(|task| task.task);
    match act {
        Act::Succeed if open.is_some() => drop(driver.succeed(json!({ "ok": true }))),
        Act::Fail if open.is_some() => drop(driver.fail("Service.Exception")),
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
                // A heartbeat is the one event that means something twice.
                if !matches!(event, Event::TaskHeartbeat { .. }) {
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
        Act::Succeed | Act::Fail | Act::Fire => {}
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_log_rebuilds_its_execution(acts in prop::collection::vec(act(), 1..40)) {
        let mut driver = Driver::start(&busy(), json!({ "start": 1 }));
        for act in &acts {
            perform(&mut driver, act);
        }
        let (execution, history, effects) = rebuild(&driver.definition, &driver.log);
        prop_assert_eq!(&execution, &driver.execution);
        prop_assert_eq!(effects, driver.effects);
        let written: Vec<Value> = driver.history.iter().map(|h| serde_json::to_value(h).unwrap()).collect();
        prop_assert_eq!(&history, &written);
        for (n, event) in history.iter().enumerate() {
            prop_assert_eq!(event["id"].as_u64(), Some(n as u64 + 1));
            prop_assert!(event["previousEventId"].as_u64() < Some(n as u64 + 1));
        }
        if *execution.status() != quell_states::Status::Running {
            prop_assert!(driver.timers.is_empty() && driver.tasks.is_empty(), "nothing is left behind");
        }
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
