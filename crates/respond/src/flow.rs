//! The living form of a run: its state machine, and the set of what that waits for.
//!
//! Folding a run's log with [`Flow::apply`] gives the flow back after any crash. It answers what is to be done as a
//! set: every task that nobody has begun, the timers, the tasks that somebody else will end.

use std::collections::{BTreeMap, BTreeSet};

use quell_model::Timestamp;
use quell_states::{
    Definition, Effect, Event, Execution, HistoryEvent, MachineRef, Moment, Status, TaskId,
    TaskRequest, TimerId, TokenKey,
};
use serde_json::Value;

use crate::LogEntry;

/// How far a task has come, as the log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nothing of it is in the log.
    No,
    /// There is an intent and no outcome: whether it happened is not known to the log.
    Perhaps,
    /// Its service took it, and somebody else says how it ends: by its token, or as the end of the job it started.
    Elsewhere,
}

/// A task that the document waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct Awaited {
    /// What the document asks for.
    pub request: TaskRequest,
    /// How far it has come.
    pub begun: Begun,
}

/// A run's state machine with the tasks and timers that it waits for.
#[derive(Debug)]
pub struct Flow {
    definition: Definition,
    execution: Execution,
    tasks: BTreeMap<TaskId, Awaited>,
    timers: BTreeMap<TimerId, i64>,
    by_due: BTreeSet<(i64, TimerId)>,
    history: Vec<HistoryEvent>,
    token_key: TokenKey,
}

impl Flow {
    /// A run that has not begun. `id` is its execution's name, `machine` what it runs, `input` what its document gets.
    pub fn new(definition: Definition, id: &str, machine: MachineRef, input: Value) -> Self {
        Self {
            definition,
            execution: Execution::new(id, id, input, machine),
            tasks: BTreeMap::new(),
            timers: BTreeMap::new(),
            by_due: BTreeSet::new(),
            history: Vec::new(),
            token_key: TokenKey::default(),
        }
    }

    /// The same, whose task tokens are made with `key`.
    #[must_use]
    pub fn keyed(self, token_key: TokenKey) -> Self {
        Self { token_key, ..self }
    }

    /// Applies an entry of the log: the same entries give the same flow.
    pub fn apply(&mut self, entry: LogEntry) {
        match entry {
            LogEntry::Input { event, moment } => self.input(event, moment),
            LogEntry::Intent { task, .. } => self.mark(task, Begun::Perhaps),
            LogEntry::Receipt(_) | LogEntry::Decided { .. } => {}
        }
    }

    fn mark(&mut self, task: TaskId, begun: Begun) {
        if let Some(awaited) = self.tasks.get_mut(&task) {
            awaited.begun = begun;
        }
    }

    fn input(&mut self, event: Event, moment: Moment) {
        match &event {
            Event::TaskSucceeded { task, .. } | Event::TaskFailed { task, .. } => {
                drop(self.tasks.remove(task));
            }
            Event::TaskSubmitted { task, .. } => self.mark(*task, Begun::Elsewhere),
            Event::TimerFired { timer } => self.forget(*timer),
            _ => {}
        }
        // An execution is consumed by its step; what stands in for it meanwhile is never seen.
        let idle = Execution::new("", "", Value::Null, MachineRef::default());
        let step = std::mem::replace(&mut self.execution, idle).step(
            &self.definition,
            event,
            moment.keyed(self.token_key),
        );
        self.execution = step.execution;
        self.history.extend(step.history);
        for effect in step.effects {
            self.note(effect);
        }
    }

    fn note(&mut self, effect: Effect) {
        match effect {
            Effect::StartTask(request) => {
                let (task, begun) = (request.task, Begun::No);
                self.tasks.insert(task, Awaited { request, begun });
            }
            Effect::SetTimer { timer, due } => {
                self.timers.insert(timer, due);
                self.by_due.insert((due, timer));
            }
            Effect::CancelTimer { timer } => self.forget(timer),
            Effect::CancelTask { task } => drop(self.tasks.remove(&task)),
            Effect::Finished => {
                self.tasks.clear();
                self.timers.clear();
                self.by_due.clear();
            }
        }
    }

    fn forget(&mut self, timer: TimerId) {
        if let Some(due) = self.timers.remove(&timer) {
            self.by_due.remove(&(due, timer));
        }
    }

    /// How the execution stands.
    pub fn status(&self) -> &Status {
        self.execution.status()
    }

    /// The image that the document read last, `{"attributes": {…}}`: the shared states keep it in the variable `before` before they
    /// decide anything. `None` when it has read none yet, or is a document without attributes.
    pub fn image(&self) -> Option<Value> {
        let before = self.execution.variable("before")?;
        let read = before.as_object().is_some_and(|image| !image.is_empty());
        read.then(|| serde_json::json!({"attributes": before}))
    }

    /// The tasks that it waits for, in the order in which they were asked for.
    pub fn tasks(&self) -> impl Iterator<Item = &Awaited> {
        self.tasks.values()
    }

    /// One of them.
    pub fn task(&self, task: TaskId) -> Option<&Awaited> {
        self.tasks.get(&task)
    }

    /// The timer that is due first, and when.
    pub fn next_timer(&self) -> Option<(TimerId, Timestamp)> {
        let (due, timer) = self.by_due.first()?;
        Some((*timer, Timestamp::from_millis(*due)))
    }

    /// A timer that is due at `now`, the earliest.
    pub fn due(&self, now: Timestamp) -> Option<TimerId> {
        let (timer, due) = self.next_timer()?;
        (due <= now).then_some(timer)
    }

    /// What Step Functions' `GetExecutionHistory` would show.
    pub fn history(&self) -> &[HistoryEvent] {
        &self.history
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(event: Event) -> LogEntry {
        let moment = Moment::new(1_700_000_000_000, 1);
        LogEntry::Input { event, moment }
    }

    fn begun(flow: &Flow) -> Vec<(String, Begun)> {
        let tasks = flow.tasks();
        tasks
            .map(|awaited| (awaited.request.state.clone(), awaited.begun))
            .collect()
    }

    #[test]
    fn branches_are_there_side_by_side_with_how_far_each_has_come() {
        let branch = |name: &str, resource: &str| {
            serde_json::json!({ "StartAt": name, "States": { name: {
                "Type": "Task", "Resource": format!("arn:aws:states:::{resource}"), "End": true,
                "TimeoutSeconds": 60,
            } } })
        };
        let document = serde_json::json!({ "QueryLanguage": "JSONata", "StartAt": "P", "States": { "P": {
            "Type": "Parallel", "End": true, "Branches": [
                branch("Gate", "sqs:sendMessage.waitForTaskToken"),
                branch("Read", "aws-sdk:ec2:describeInstances"),
                branch("Tell", "sns:publish"),
            ],
        } } });
        let definition = Definition::parse(&document.to_string()).unwrap();
        let machine = MachineRef::default();
        let mut flow = Flow::new(definition, "run-1", machine, Value::Null);
        flow.apply(input(Event::Started));
        let ids: Vec<TaskId> = flow.tasks().map(|awaited| awaited.request.task).collect();
        let [gate, read, tell] = ids[..] else {
            panic!("three tasks, not {ids:?}")
        };
        flow.apply(LogEntry::Intent {
            task: tell,
            plan_hash: String::new(),
        });
        let output = Value::Null;
        flow.apply(input(Event::TaskSubmitted { task: gate, output }));
        let state = |name: &str, begun| (name.to_owned(), begun);
        let stand = [
            state("Gate", Begun::Elsewhere),
            state("Read", Begun::No),
            state("Tell", Begun::Perhaps),
        ];
        assert_eq!(begun(&flow), stand);
        assert!(
            flow.due(Timestamp::from_millis(1_700_000_059_999))
                .is_none()
        );
        assert!(
            flow.due(Timestamp::from_millis(1_700_000_060_000))
                .is_some()
        );
        for (task, name) in [(read, "Read"), (tell, "Tell"), (gate, "Gate")] {
            let output = Value::from(name);
            flow.apply(input(Event::TaskSucceeded { task, output }));
        }
        let output = serde_json::json!(["Gate", "Read", "Tell"]);
        assert_eq!(*flow.status(), Status::Succeeded { output });
        assert!(flow.next_timer().is_none());
    }

    #[test]
    fn a_key_changes_the_tokens_and_nothing_else() {
        let document = serde_json::json!({ "QueryLanguage": "JSONata", "StartAt": "T", "States": { "T": {
            "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "End": true,
            "Arguments": { "QueueUrl": "q", "MessageBody": "{% $states.context.Task.Token %}" },
        } } });
        let definition = Definition::parse(&document.to_string()).unwrap();
        let asked = |key: [u8; 32]| {
            let machine = MachineRef::default();
            let flow = Flow::new(definition.clone(), "run-1", machine, Value::Null);
            let mut flow = flow.keyed(TokenKey::new(key));
            flow.apply(input(Event::Started));
            flow.tasks().next().unwrap().request.clone()
        };
        let (one, same, other) = (asked([1; 32]), asked([1; 32]), asked([2; 32]));
        assert_eq!(one, same);
        assert_ne!(one.token, other.token);
        assert_eq!(one.arguments["MessageBody"].as_str(), one.token.as_deref());
        assert_eq!(one.task, other.task);
        let log = serde_json::to_string(&input(Event::Started)).unwrap();
        assert!(!log.contains("key"), "{log}");
    }
}
