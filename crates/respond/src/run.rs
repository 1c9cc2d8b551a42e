//! One execution of a playbook: what is kept of it, and the pure step that drives it.
//!
//! The log of a run is a list of [`LogEntry`]. What happened to the state machine is in its `Input` entries, so
//! folding the log gives the [`Flow`] back after any crash. An `Intent` stands before each changing call; one
//! without an outcome means that the call may or may not have happened.

use std::collections::{BTreeMap, BTreeSet};

use quell_guard::Approval;
use quell_model::{Caller, IncidentId, Plan, Receipt, Resource, RunId, Timestamp};
use quell_states::{
    Definition, Effect, Event, Execution, HistoryEvent, MachineRef, Moment, Status, TaskId,
    TaskRequest, TimerId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which of a playbook's documents runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// The response.
    Respond,
    /// Taking a response back.
    Undo,
}

/// Where a run stands. Every run ends done, undone, or parked with a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RunStatus {
    /// At work.
    Running,
    /// A person has to decide or look.
    Parked,
    /// Ended and verified.
    Done,
    /// Ended, verified, and taken back later.
    Undone,
}

impl RunStatus {
    /// The word used in storage, in the API and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Parked => "parked",
            Self::Done => "done",
            Self::Undone => "undone",
        }
    }
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The claim.
    pub id: RunId,
    /// The playbook's id.
    pub playbook: String,
    /// Its version, and the digest of its files: a run never changes documents half way.
    pub playbook_version: String,
    /// SHA-256 of the playbook's files.
    pub playbook_digest: String,
    /// Respond or undo.
    pub mode: Mode,
    /// The incident it belongs to.
    pub incident: IncidentId,
    /// What it is about.
    pub resource: Resource,
    /// Where it stands.
    pub status: RunStatus,
    /// How it ended, in the document's word (`fixed`, `already-fixed`, `undone`, …), or why it is parked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The reason in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Findings of the incident when the run began: later ones may be about a later state.
    pub covers_findings: u64,
    /// The person who asked for it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
    /// A person's yes, if it was needed and given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// The plan, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// When each stage was reached, in order.
    pub timeline: Vec<(Stage, Timestamp)>,
    /// What is needed to take it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Value>,
    /// For an undo: the run it takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_of: Option<RunId>,
}

/// A stage of a run, for timelines and measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// The run was opened.
    Opened,
    /// Live state was read and a plan made.
    Planned,
    /// The guard, or a person, said yes.
    Permitted,
    /// The first changing call was answered.
    Acted,
    /// The result was read back and is as planned.
    Verified,
    /// It ended.
    Ended,
}

impl Run {
    /// When a stage was reached.
    pub fn reached(&self, stage: Stage) -> Option<Timestamp> {
        self.timeline
            .iter()
            .find(|(s, _)| *s == stage)
            .map(|(_, at)| *at)
    }

    /// Notes a stage, the first time only.
    pub fn note(&mut self, stage: Stage, at: Timestamp) {
        if self.reached(stage).is_none() {
            self.timeline.push((stage, at));
        }
    }
}

/// One entry of a run's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "entry")]
pub enum LogEntry {
    /// Something happened to the state machine.
    Input {
        /// What.
        event: Event,
        /// When, and the randomness it may use.
        moment: Moment,
    },
    /// A changing call is about to be made.
    Intent {
        /// The task that makes it.
        task: TaskId,
        /// The hash of the plan it is permitted by.
        plan_hash: String,
    },
    /// A changing call was made.
    Receipt(Box<Receipt>),
    /// The guard decided.
    Decided {
        /// `permit`, `ask` or `refuse`.
        decision: String,
        /// Who approved, when permitted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approver: Option<String>,
        /// Why not, otherwise.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reasons: Vec<String>,
    },
}

/// What to do next for a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Perform this task and log its outcome.
    Perform(Box<TaskRequest>),
    /// This changing call was begun before a crash: whether it happened is not known, and the document decides
    /// by reading.
    Interrupted(TaskId),
    /// Nothing until this moment; then log that the timer fired.
    Sleep(TimerId, Timestamp),
    /// It has ended.
    Ended(Status),
    /// It waits for nothing: a fault of ours.
    Stuck,
}

/// The living form of a run: its state machine and what that waits for.
#[derive(Clone, Debug)]
pub struct Flow {
    definition: Definition,
    execution: Execution,
    tasks: BTreeMap<TaskId, TaskRequest>,
    timers: BTreeMap<TimerId, i64>,
    intents: BTreeSet<TaskId>,
    history: Vec<HistoryEvent>,
}

impl Flow {
    /// A run that has not begun. `input` is what its document gets.
    pub fn new(
        definition: Definition,
        run: &RunId,
        playbook: &str,
        region: &str,
        input: Value,
    ) -> Self {
        let machine = MachineRef {
            id: Caller::new(run, playbook).machine,
            name: playbook.to_owned(),
            role_arn: String::new(),
            region: region.to_owned(),
        };
        let execution = Execution::new(run.as_str(), run.as_str(), input, machine);
        Self {
            definition,
            execution,
            tasks: BTreeMap::new(),
            timers: BTreeMap::new(),
            intents: BTreeSet::new(),
            history: Vec::new(),
        }
    }

    /// Applies an entry of the log: the same entries give the same flow.
    #[must_use]
    pub fn apply(mut self, entry: &LogEntry) -> Self {
        match entry {
            LogEntry::Input { event, moment } => self.input(event.clone(), *moment),
            LogEntry::Intent { task, .. } => {
                self.intents.insert(*task);
                self
            }
            LogEntry::Receipt(_) | LogEntry::Decided { .. } => self,
        }
    }

    fn input(mut self, event: Event, moment: Moment) -> Self {
        match &event {
            Event::TaskSucceeded { task, .. } | Event::TaskFailed { task, .. } => {
                drop(self.tasks.remove(task))
            }
            Event::TimerFired { timer } => drop(self.timers.remove(timer)),
            _ => {}
        }
        let step = self.execution.step(&self.definition, event, moment);
        self.execution = step.execution;
        self.history.extend(step.history);
        for effect in step.effects {
            match effect {
                Effect::StartTask(request) => drop(self.tasks.insert(request.task, request)),
                Effect::SetTimer { timer, due } => drop(self.timers.insert(timer, due)),
                Effect::CancelTimer { timer } => drop(self.timers.remove(&timer)),
                Effect::CancelTask { task } => drop(self.tasks.remove(&task)),
                Effect::Finished => {
                    self.tasks.clear();
                    self.timers.clear();
                }
            }
        }
        self
    }

    /// What to do next.
    pub fn next(&self) -> Next {
        if *self.execution.status() != Status::Running {
            return Next::Ended(self.execution.status().clone());
        }
        // Of tasks side by side, those that wait for someone's token come last: they may park the run.
        let tasks = self.tasks.values();
        if let Some(request) = tasks.min_by_key(|request| (request.token.is_some(), request.task)) {
            return match self.intents.contains(&request.task) {
                true => Next::Interrupted(request.task),
                false => Next::Perform(Box::new(request.clone())),
            };
        }
        match self.timers.iter().min_by_key(|(_, due)| **due) {
            Some((timer, due)) => Next::Sleep(*timer, Timestamp::from_millis(*due)),
            None => Next::Stuck,
        }
    }

    /// A timer that is due at `now`: a task that waits longer than its document allows.
    pub fn due(&self, now: Timestamp) -> Option<TimerId> {
        self.timers
            .iter()
            .filter(|(_, due)| **due <= now.millis())
            .min_by_key(|(_, due)| **due)
            .map(|(t, _)| *t)
    }

    /// When the next timer is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.timers
            .values()
            .min()
            .copied()
            .map(Timestamp::from_millis)
    }

    /// What Step Functions' GetExecutionHistory would show.
    pub fn history(&self) -> &[HistoryEvent] {
        &self.history
    }
}

/// What a playbook's document is given. The same members for every playbook.
pub fn input(run: &Run, facts: &Value, roles: &Roles) -> Value {
    let arn = &run.resource.arn;
    let mut input = serde_json::json!({
        "run": run.id, "playbook": run.playbook, "mode": run.mode,
        "account": arn.account, "region": arn.region, "partition": arn.partition,
        "resource": run.resource, "facts": facts,
        "roles": {"read": roles.read, "act": roles.act},
        "queues": {"permit": PERMIT_QUEUE},
    });
    if run.mode == Mode::Undo
        && let Some(map) = input.as_object_mut()
    {
        map.insert("undo".to_owned(), run.undo.clone().unwrap_or_default());
    }
    input
}

/// The roles that a run assumes in the resource's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles {
    /// Reads.
    pub read: String,
    /// Changes.
    pub act: String,
}

/// Where a document sends its plan to ask for a permit. Quell's own runner answers it in process; on Step
/// Functions it is a queue that Quell reads.
pub const PERMIT_QUEUE: &str = "quell:permits";

#[cfg(test)]
mod tests {
    use super::*;

    fn input(event: Event) -> LogEntry {
        let moment = Moment::new(1_700_000_000_000, 1);
        LogEntry::Input { event, moment }
    }

    fn performed(flow: &Flow) -> TaskRequest {
        match flow.next() {
            Next::Perform(request) => *request,
            other => panic!("nothing to perform: {other:?}"),
        }
    }

    #[test]
    fn branches_are_driven_side_by_side_and_persons_asked_last() {
        let branch = |name: &str, resource: &str| {
            serde_json::json!({ "StartAt": name, "States": { name: {
                "Type": "Task", "Resource": format!("arn:aws:states:::{resource}"), "End": true,
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
        let id = RunId::of(Timestamp::from_millis(0), "PB-000", 1, "arn", "test");
        let flow = Flow::new(definition, &id, "PB-000", "us-east-1", Value::Null);
        let mut flow = flow.apply(&input(Event::Started));
        for state in ["Read", "Tell", "Gate"] {
            let request = performed(&flow);
            assert_eq!(request.state, state);
            let output = Value::from(state);
            let task = request.task;
            flow = flow.apply(&input(Event::TaskSucceeded { task, output }));
        }
        let output = serde_json::json!(["Gate", "Read", "Tell"]);
        assert_eq!(flow.next(), Next::Ended(Status::Succeeded { output }));
    }
}
