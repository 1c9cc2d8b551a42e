//! What taking a run up costs: folding its log.

use std::time::Instant;

use quell_respond::{Flow, LogEntry};
use quell_states::{Definition, Event, MachineRef, Moment, Status};
use serde_json::{Value, json};

pub fn measure() {
    println!("taking up a run from its log (parsing and folding)");
    println!(
        "{:<10} {:>10} {:>14} {:>14}",
        "entries", "log KiB", "ms", "entries/s"
    );
    for tasks in [10, 100, 1_000, 5_000] {
        let document = json!({"QueryLanguage": "JSONata", "StartAt": "Begin", "States": {
            "Begin": {"Type": "Pass", "Assign": {"n": 0}, "Next": "T"},
            "T": {
                "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:ec2:runInstances", "Arguments": {"n": "{% $n %}"},
                "Assign": {"n": "{% $n + 1 %}"}, "Next": "More",
            },
            "More": {"Type": "Choice", "Default": "Done", "Choices": [{"Condition": format!("{{% $n < {tasks} %}}"), "Next": "T"}]},
            "Done": {"Type": "Succeed"},
        }});
        let definition = Definition::parse(&document.to_string()).unwrap();
        let flow = || {
            Flow::new(
                definition.clone(),
                "run-1",
                MachineRef::default(),
                Value::Null,
            )
        };
        let log = log(flow());
        let began = Instant::now();
        let mut again = flow();
        for body in &log {
            again.apply(serde_json::from_str(body).unwrap());
        }
        let seconds = began.elapsed().as_secs_f64();
        assert_ne!(*again.status(), Status::Running);
        let bytes: usize = log.iter().map(String::len).sum();
        let rate = log.len() as f64 / seconds;
        println!(
            "{:<10} {:>10} {:>14.2} {:>14.0}",
            log.len(),
            bytes / 1024,
            seconds * 1e3,
            rate
        );
    }
}

/// The log of a run to its end, as it is stored.
fn log(mut flow: Flow) -> Vec<String> {
    let mut log = Vec::new();
    let mut event = Event::Started;
    loop {
        let moment = Moment::new(1_700_000_000_000, log.len() as u64);
        let entry = LogEntry::Input { event, moment };
        log.push(serde_json::to_string(&entry).unwrap());
        flow.apply(entry);
        let Some(awaited) = flow.tasks().next() else {
            return log;
        };
        let (task, output) = (
            awaited.request.task,
            json!({"ok": true, "instances": ["i-1", "i-2"]}),
        );
        event = Event::TaskSucceeded { task, output };
    }
}
