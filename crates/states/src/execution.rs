//! One run of a definition, as data.

use crate::clock::Moment;
use crate::definition::Definition;
use crate::effect::Effect;
use crate::event::Event;
use crate::history::HistoryEvent;
use crate::ids::{TaskId, TimerId};
use crate::run::Run;
use crate::thread::{Awaiting, Journal, Paused, Thread, ThreadId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// How an execution stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Status {
    /// It waits for `Started`, a task or a timer.
    Running,
    /// It ended well.
    Succeeded {
        /// The output of its last state.
        output: Value,
    },
    /// A state failed and nothing caught it.
    Failed {
        /// The error name; a Fail state may leave it out.
        error: Option<String>,
        /// What it says to a person.
        cause: Option<String>,
    },
    /// The document's own `TimeoutSeconds` passed.
    TimedOut,
    /// Someone stopped it.
    Aborted {
        /// The error name they gave.
        error: String,
        /// The reason they gave.
        cause: String,
    },
}

/// The state machine an execution belongs to, as its context object shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MachineRef {
    /// `$states.context.StateMachine.Id`: the ARN.
    pub id: String,
    /// `$states.context.StateMachine.Name`.
    pub name: String,
    /// `$states.context.Execution.RoleArn`.
    pub role_arn: String,
    /// The Region, for the history.
    pub region: String,
}

/// One run of a definition. Plain data: store it, or rebuild it by applying the
/// same events at the same moments again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    pub(crate) machine: MachineRef,
    pub(crate) status: Status,
    pub(crate) journal: Journal,
    /// Every thread under way, the root always among them.
    pub(crate) threads: BTreeMap<ThreadId, Thread>,
    /// The executions that the iterations of distributed Maps are, by their thread.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) children: BTreeMap<ThreadId, Journal>,
    pub(crate) deadline: Option<TimerId>,
    /// Tasks and timers named so far.
    pub(crate) names_used: u64,
    /// Threads begun so far, besides the root.
    pub(crate) threads_begun: u64,
}

/// What one event led to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The execution after the event.
    pub execution: Execution,
    /// What it wrote, in order.
    pub history: Vec<HistoryEvent>,
    /// What the iterations of distributed Maps wrote, in order: each is an
    /// execution of its own.
    pub child_history: Vec<ChildEvent>,
    /// What must be done, in order.
    pub effects: Vec<Effect>,
}

/// One history event of a distributed iteration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChildEvent {
    /// The id of the iteration, which is an execution of its own.
    pub execution: String,
    /// The event.
    pub event: HistoryEvent,
}

/// A task that an execution waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenTask<'e> {
    /// The attempt.
    pub task: TaskId,
    /// The state that asked for it.
    pub state: &'e str,
    /// Its token, for `.waitForTaskToken` only.
    pub token: Option<&'e str>,
}

impl Execution {
    /// An execution that has not begun. `id` is `$states.context.Execution.Id`
    /// (its ARN, or any unique text), `name` its name.
    pub fn new(
        id: impl Into<String>,
        name: impl Into<String>,
        input: Value,
        machine: MachineRef,
    ) -> Execution {
        Execution {
            machine,
            status: Status::Running,
            journal: Journal {
                id: id.into(),
                name: name.into(),
                input,
                ..Journal::default()
            },
            threads: BTreeMap::from([(ThreadId::ROOT, Thread::default())]),
            children: BTreeMap::new(),
            deadline: None,
            names_used: 0,
            threads_begun: 0,
        }
    }

    /// The execution's id.
    pub fn id(&self) -> &str {
        &self.journal.id
    }

    /// The execution's name.
    pub fn name(&self) -> &str {
        &self.journal.name
    }

    /// What it was started with.
    pub fn input(&self) -> &Value {
        &self.journal.input
    }

    /// How it stands.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// The states it is in: one, or those of every branch and iteration too, in
    /// the order they were begun. A failed execution names what a redrive enters.
    pub fn current_states(&self) -> impl Iterator<Item = &str> {
        self.threads
            .values()
            .filter_map(|thread| Some(thread.paused.as_ref()?.visit.state.as_str()))
    }

    /// The value of a variable, as states outside of branches and iterations see it.
    pub fn variable(&self, name: &str) -> Option<&Value> {
        self.threads.get(&ThreadId::ROOT)?.variables.get(name)
    }

    /// The tasks it waits for, in the order of the threads that asked for them.
    pub fn outstanding_tasks(&self) -> impl Iterator<Item = OpenTask<'_>> {
        self.threads.values().filter_map(|thread| {
            let Paused { visit, awaiting } = thread.paused.as_ref()?;
            let token = match awaiting {
                Awaiting::Task(outstanding) => outstanding.token.as_deref(),
                _ => None,
            };
            Some(OpenTask {
                task: awaiting.task()?,
                state: &visit.state,
                token,
            })
        })
    }

    /// Applies one event. `definition` must be the one the execution began with.
    ///
    /// This is the only way to move. Deterministic: equal arguments give equal results. An event for a task or
    /// timer that is not awaited, or for an execution that has ended, returns
    /// the execution unchanged with nothing to do.
    pub fn step(self, definition: &Definition, event: Event, now: Moment) -> Step {
        Run::new(self, definition.machine(), now).apply(event)
    }
}
