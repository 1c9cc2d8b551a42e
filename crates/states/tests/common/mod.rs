//! A driver for the tests: answers tasks and fires timers as told.

#![allow(dead_code, reason = "each test file uses a part of it")]

use quell_states::{
    ChildEvent, Definition, Effect, Event, Execution, HistoryEvent, MachineRef, Moment, Status,
    TaskId, TaskRequest, TimerId,
};
use serde_json::{Value, json};

/// An execution with everything it did so far, on virtual time.
pub(crate) struct Driver {
    pub(crate) definition: Definition,
    pub(crate) execution: Execution,
    pub(crate) history: Vec<HistoryEvent>,
    pub(crate) children: Vec<ChildEvent>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) log: Vec<(Event, Moment)>,
    pub(crate) tasks: Vec<TaskRequest>,
    pub(crate) timers: Vec<(TimerId, i64)>,
    pub(crate) now: i64,
}

pub(crate) const START: i64 = 1_700_000_000_000;

pub(crate) fn fresh(input: Value) -> Execution {
    let machine = MachineRef {
        id: "arn:aws:states:us-east-1:111111111111:stateMachine:m".to_owned(),
        name: "m".to_owned(),
        role_arn: "arn:aws:iam::111111111111:role/r".to_owned(),
        region: "us-east-1".to_owned(),
    };
    Execution::new(
        "arn:aws:states:us-east-1:111111111111:execution:m:e",
        "e",
        input,
        machine,
    )
}

pub(crate) fn definition(document: &Value) -> Definition {
    Definition::parse(&document.to_string())
        .unwrap_or_else(|faults| panic!("the document is faulty: {faults:#?}"))
}

/// A JSONata document of these states, beginning with the first named.
pub(crate) fn document(start_at: &str, states: Value) -> Value {
    json!({ "QueryLanguage": "JSONata", "StartAt": start_at, "States": states })
}

impl Driver {
    /// Starts an execution of a document.
    pub(crate) fn start(document: &Value, input: Value) -> Driver {
        let mut driver = Driver {
            definition: definition(document),
            execution: fresh(input),
            history: Vec::new(),
            children: Vec::new(),
            effects: Vec::new(),
            log: Vec::new(),
            tasks: Vec::new(),
            timers: Vec::new(),
            now: START,
        };
        driver.send(Event::Started);
        driver
    }

    /// Applies an event; returns what it asked for.
    pub(crate) fn send(&mut self, event: Event) -> Vec<Effect> {
        let moment = Moment::new(self.now, self.log.len() as u64 + 1);
        self.log.push((event.clone(), moment));
        let execution = std::mem::replace(&mut self.execution, fresh(Value::Null));
        let step = execution.step(&self.definition, event, moment);
        self.execution = step.execution;
        self.history.extend(step.history);
        self.children.extend(step.child_history);
        for effect in &step.effects {
            match effect {
                Effect::StartTask(task) => self.tasks.push(task.clone()),
                Effect::SetTimer { timer, due } => self.timers.push((*timer, *due)),
                Effect::CancelTimer { timer } => self.timers.retain(|(id, _)| id != timer),
                Effect::CancelTask { task } => self.tasks.retain(|open| open.task != *task),
                Effect::Finished => {}
            }
        }
        self.effects.extend(step.effects.clone());
        step.effects
    }

    /// Ends the oldest open task well.
    pub(crate) fn succeed(&mut self, output: Value) -> TaskRequest {
        let task = self.tasks.remove(0);
        self.send(Event::TaskSucceeded {
            task: task.task,
            output,
        });
        task
    }

    /// Ends the oldest open task badly.
    pub(crate) fn fail(&mut self, error: &str) -> TaskRequest {
        let task = self.tasks.remove(0);
        self.send(Event::TaskFailed {
            task: task.task,
            error: error.to_owned(),
            cause: "because".to_owned(),
        });
        task
    }

    /// Lets time pass until the next timer, and fires it; returns the time passed.
    pub(crate) fn wait(&mut self) -> i64 {
        self.timers.sort_by_key(|(_, due)| *due);
        let (timer, due) = self.timers.remove(0);
        let passed = due - self.now;
        self.now = self.now.max(due);
        self.send(Event::TimerFired { timer });
        passed
    }

    pub(crate) fn status(&self) -> &Status {
        self.execution.status()
    }

    pub(crate) fn output(&self) -> &Value {
        match self.status() {
            Status::Succeeded { output } => output,
            status => panic!("it did not succeed: {status:?}"),
        }
    }

    pub(crate) fn error(&self) -> (&str, &str) {
        match self.status() {
            Status::Failed { error, cause } => (
                error.as_deref().unwrap_or(""),
                cause.as_deref().unwrap_or(""),
            ),
            status => panic!("it did not fail: {status:?}"),
        }
    }

    /// The names of the history events.
    pub(crate) fn events(&self) -> Vec<&'static str> {
        self.history
            .iter()
            .map(|event| event.kind.as_str())
            .collect()
    }

    pub(crate) fn open_task(&self) -> TaskId {
        self.execution
            .outstanding_tasks()
            .next()
            .expect("a task is open")
            .task
    }
}
