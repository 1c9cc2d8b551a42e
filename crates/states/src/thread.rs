//! Threads of control: an execution has one, and one more for every branch and
//! iteration under way. Plain data.

use crate::family::Family;
use crate::ids::{TaskId, TimerId};
use crate::states::map::transfer::Transfer;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One thread of an execution; the first is [`ThreadId::ROOT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ThreadId(pub(crate) u64);

impl ThreadId {
    /// The thread that an execution begins with.
    pub(crate) const ROOT: ThreadId = ThreadId(0);
}

/// One line of states, each after the other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Thread {
    /// The Parallel or Map state it works for; none for the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parent: Option<Place>,
    /// The distributed iteration it belongs to, which is an execution of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) home: Option<ThreadId>,
    /// The variables assigned in it; those of outer threads can be read too.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) variables: Map<String, Value>,
    /// The event that the next one follows.
    pub(crate) last_event: u64,
    /// What it waits for; none while it moves, and once it has ended well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) paused: Option<Paused>,
    /// `$states.context.Map.Item` of the innermost iteration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) item: Option<Value>,
}

/// Which child of which thread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) thread: ThreadId,
    pub(crate) index: usize,
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
    /// The history event that entered the state, and the one before it. 0: it
    /// has not been entered yet.
    pub(crate) entered_event: u64,
    pub(crate) entered_after: u64,
    pub(crate) entered_at: i64,
    /// Attempts made again so far, in all and by retrier.
    pub(crate) attempt: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) retries: Vec<u64>,
}

impl Visit {
    /// A visit that is still to come.
    pub(crate) fn to_come(state: &str, input: Value) -> Visit {
        Visit {
            state: state.to_owned(),
            input,
            entered_event: 0,
            entered_after: 0,
            entered_at: 0,
            attempt: 0,
            retries: Vec::new(),
        }
    }
}

/// What a state waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Awaiting {
    /// Its turn within this step.
    Turn,
    Task(Outstanding),
    Retry {
        timer: TimerId,
    },
    Wait {
        timer: TimerId,
    },
    /// Branches or iterations.
    Children(Box<Family>),
    /// An object that a distributed Map reads or writes.
    Object(Box<Transfer>),
    /// Nothing but a redrive: it failed, or was aborted.
    Redrive,
}

impl Awaiting {
    /// The task it waits for.
    pub(crate) fn task(&self) -> Option<TaskId> {
        match self {
            Awaiting::Task(outstanding) => Some(outstanding.task),
            Awaiting::Object(transfer) => Some(transfer.task),
            _ => None,
        }
    }

    /// The timers it waits for.
    pub(crate) fn timers(&self) -> impl Iterator<Item = TimerId> {
        let timers = match self {
            Awaiting::Retry { timer } | Awaiting::Wait { timer } => [Some(*timer), None],
            Awaiting::Task(task) => [
                task.timeout,
                task.heartbeat.as_ref().map(|heartbeat| heartbeat.timer),
            ],
            _ => [None, None],
        };
        timers.into_iter().flatten()
    }
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

/// What tells one execution from another, and counts its history: the execution
/// itself has one, and so has each distributed iteration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Journal {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) input: Value,
    pub(crate) started_at: Option<i64>,
    /// History events written so far.
    pub(crate) events_written: u64,
    /// Times it was taken up again after it had failed.
    #[serde(default)]
    pub(crate) redrives: u32,
}
