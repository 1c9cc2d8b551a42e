//! What is run over documents of the states language, over executions of them, and over expressions.

use quell_states::jsonata::{Expression, Limits, Scope};
use quell_states::{Definition, Effect, Event, Execution, MachineRef, Moment, Status, limits};
use serde_json::{Value, json};

/// Events an execution is given at most.
const EVENTS_MAX: u64 = 40;

/// A document: it is refused with reasons, or it can be looked through and run.
pub fn document(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match Definition::parse(text) {
        Ok(definition) => {
            assert_eq!(definition.text(), text);
            let _ = definition.tasks().count();
            drive(&definition, json!({"a": [1, "x", null]}), bytes);
        }
        Err(faults) => assert!(!faults.is_empty()),
    }
}

/// What comes of a document's tasks: the first line is a document, the rest is what is answered.
pub fn execution(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (text, answers) = bytes.split_at(end.unwrap_or(bytes.len()));
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    if let Ok(definition) = Definition::parse(text) {
        drive(&definition, json!({"a": 1}), answers);
    }
}

/// An expression: it is refused, or its value is one that can be stored. A quarter of a second is enough for 4,096 bytes.
pub fn jsonata(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(expression) = Expression::parse(text) else {
        return;
    };
    let states = json!({"input": {"a": [1, 2, {"b": "x"}], "t": "text"}});
    let mut scope = Scope::new(Moment::new(1_700_000_000_000, 7));
    scope.set_limits(Limits {
        millis: 250,
        ..Limits::default()
    });
    scope.bind("states", &states);
    if let Ok(Some(value)) = scope.evaluate(&expression) {
        let written = value.to_string();
        // Escapes and numbers make it longer than it was measured, though not by much.
        assert!(written.len() <= 32 * limits::JSONATA_VALUE_BYTES_MAX);
        assert!(serde_json::from_str::<Value>(&written).is_ok());
    }
}

/// Runs a document; what its tasks and timers come to is in `answers`. Each step is made twice, and from what was stored.
fn drive(definition: &Definition, input: Value, answers: &[u8]) {
    let mut execution = Execution::new("id", "name", input, MachineRef::default());
    let mut open = vec![Event::Started];
    let mut answers = answers.iter().cycle();
    for at in 0..EVENTS_MAX {
        let choice = usize::from(answers.next().copied().unwrap_or(0));
        if open.is_empty() || *execution.status() != Status::Running {
            return;
        }
        let event = open.swap_remove(choice % open.len());
        let moment = Moment::new(1_700_000_000_000 + i64::from(choice as u8) * 1_000, at);
        let stored = serde_json::to_string(&execution).unwrap();
        let again: Execution = serde_json::from_str(&stored).unwrap();
        assert_eq!(again, execution);
        let step = execution.step(definition, event.clone(), moment);
        assert_eq!(again.step(definition, event, moment), step);
        execution = step.execution;
        for effect in step.effects {
            match effect {
                Effect::StartTask(request) => {
                    let task = request.task;
                    open.push(match answers.next().copied().unwrap_or(0) % 4 {
                        0 => Event::TaskFailed {
                            task,
                            error: "Ec2.Ec2Exception".to_owned(),
                            cause: "no".to_owned(),
                        },
                        1 => Event::TaskSucceeded {
                            task,
                            output: json!({"Body": "[1,2,3]\n{\"a\":1}"}),
                        },
                        _ => Event::TaskSucceeded {
                            task,
                            output: json!([{"a": choice}, request.arguments]),
                        },
                    });
                }
                Effect::SetTimer { timer, .. } => open.push(Event::TimerFired { timer }),
                Effect::CancelTimer { .. } | Effect::CancelTask { .. } | Effect::Finished => {}
            }
        }
    }
}
