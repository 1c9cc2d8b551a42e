//! One run of a definition, as data.

use crate::clock::Moment;
use crate::definition::Definition;
use crate::effect::Effect;
use crate::event::Event;
use crate::history::HistoryEvent;
use crate::ids::{TaskId, TimerId};
use crate::run::Run;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) input: Value,
    pub(crate) machine: MachineRef,
    pub(crate) status: Status,
    pub(crate) started_at: Option<i64>,
    pub(crate) variables: Map<String, Value>,
    pub(crate) paused: Option<Paused>,
    pub(crate) deadline: Option<TimerId>,
    /// Tasks and timers named so far.
    pub(crate) names_used: u64,
    /// History events written so far.
    pub(crate) events_written: u64,
}

/// A state that waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Paused {
    pub(crate) visit: Visit,
    pub(crate) awaiting: Awaiting,
}

/// One stay in one state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Visit {
    pub(crate) state: String,
    pub(crate) input: Value,
    /// The history event that entered the state.
    pub(crate) entered_event: u64,
    pub(crate) entered_at: i64,
    /// Attempts made again so far, in all and by retrier.
    pub(crate) attempt: u32,
    pub(crate) retries: Vec<u64>,
}

/// What a state waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Awaiting {
    Task(Outstanding),
    Retry { timer: TimerId },
    Wait { timer: TimerId },
}

/// A task under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outstanding {
    pub(crate) task: TaskId,
    pub(crate) token: Option<String>,
    pub(crate) timeout: Option<TimerId>,
    pub(crate) heartbeat: Option<Heartbeat>,
}

/// The timer a heartbeat puts off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Heartbeat {
    pub(crate) timer: TimerId,
    pub(crate) millis: u64,
}

/// What one event led to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The execution after the event.
    pub execution: Execution,
    /// What it wrote, in order.
    pub history: Vec<HistoryEvent>,
    /// What must be done, in order.
    pub effects: Vec<Effect>,
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
            id: id.into(),
            name: name.into(),
            input,
            machine,
            status: Status::Running,
            started_at: None,
            variables: Map::new(),
            paused: None,
            deadline: None,
            names_used: 0,
            events_written: 0,
        }
    }

    /// The execution's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The execution's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it was started with.
    pub fn input(&self) -> &Value {
        &self.input
    }

    /// How it stands.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// The state it waits in.
    pub fn current_state(&self) -> Option<&str> {
        self.paused
            .as_ref()
            .map(|paused| paused.visit.state.as_str())
    }

    /// The variables assigned so far.
    pub fn variables(&self) -> &Map<String, Value> {
        &self.variables
    }

    /// The task it waits for.
    pub fn outstanding_task(&self) -> Option<TaskId> {
        match &self.paused.as_ref()?.awaiting {
            Awaiting::Task(outstanding) => Some(outstanding.task),
            Awaiting::Retry { .. } | Awaiting::Wait { .. } => None,
        }
    }

    /// The token of the task it waits for, if that task has one.
    pub fn outstanding_token(&self) -> Option<&str> {
        match &self.paused.as_ref()?.awaiting {
            Awaiting::Task(outstanding) => outstanding.token.as_deref(),
            Awaiting::Retry { .. } | Awaiting::Wait { .. } => None,
        }
    }

    /// Applies one event. `definition` must be the one the execution began with.
    ///
    /// Deterministic: equal arguments give equal results. An event for a task or
    /// timer that is not awaited, or for an execution that has ended, returns
    /// the execution unchanged with nothing to do.
    pub fn step(self, definition: &Definition, event: Event, now: Moment) -> Step {
        Run::new(self, definition.machine(), now).apply(event)
    }
}
