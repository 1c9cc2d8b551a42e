//! What happens to an execution.

use crate::ids::{TaskId, TimerId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One thing that happened. An event about a task or timer the execution is not
/// waiting for changes nothing, so delivering one twice is harmless.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The execution begins; the first event of each.
    Started,
    /// A `.sync` or `.waitForTaskToken` task was accepted by its service and
    /// goes on. Optional: it only adds to the history.
    TaskSubmitted {
        /// The task.
        task: TaskId,
        /// What the service answered.
        output: Value,
    },
    /// A task ended well.
    TaskSucceeded {
        /// The task.
        task: TaskId,
        /// Its result.
        output: Value,
    },
    /// A task ended badly.
    TaskFailed {
        /// The task.
        task: TaskId,
        /// The error name, such as `Ec2.Ec2Exception`.
        error: String,
        /// What it says to a person.
        cause: String,
    },
    /// A task is still alive. Means nothing to a read or write of an object.
    TaskHeartbeat {
        /// The task.
        task: TaskId,
    },
    /// A timer came due.
    TimerFired {
        /// The timer.
        timer: TimerId,
    },
    /// An execution that failed, timed out or was stopped is taken up again: what
    /// ended well is kept, what failed or was aborted is entered again with its
    /// old input and fresh retries. Nothing happens to one that succeeded.
    Redriven,
    /// Someone stopped the execution.
    Stopped {
        /// The error name they gave.
        error: String,
        /// The reason they gave.
        cause: String,
    },
}
