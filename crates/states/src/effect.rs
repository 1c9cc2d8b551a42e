//! What an execution asks of its caller.

use crate::ids::{TaskId, TimerId};
use crate::resource::Resource;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One thing the caller must do. Carry them out in order; doing one twice must
/// be harmless, because a crash may lose the note that it was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(
    clippy::large_enum_variant,
    reason = "a step has a handful of effects; boxing the request would burden every caller"
)]
pub enum Effect {
    /// Start a task; answer with `TaskSucceeded` or `TaskFailed` when it ends as
    /// its pattern says: with the service's answer, with the end of the job it
    /// started, or when someone presents the token. In the last two cases the
    /// service's answer itself is `TaskSubmitted`, unless it is an error.
    StartTask(TaskRequest),
    /// Deliver `TimerFired` at or after `due`.
    SetTimer {
        /// The timer.
        timer: TimerId,
        /// Epoch milliseconds.
        due: i64,
    },
    /// Forget a timer.
    CancelTimer {
        /// The timer.
        timer: TimerId,
    },
    /// Nobody waits for this task any more; stop it if that is possible.
    CancelTask {
        /// The task.
        task: TaskId,
    },
    /// The execution ended; its status says how.
    Finished,
}

/// One attempt of a Task state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskRequest {
    /// The attempt; events about it carry this id.
    pub task: TaskId,
    /// The state's name.
    pub state: String,
    /// What to call.
    pub resource: Resource,
    /// The evaluated arguments.
    pub arguments: Value,
    /// The role to assume for the call.
    pub credentials_role: Option<String>,
    /// `TimeoutSeconds` in milliseconds; the execution keeps the timer itself.
    pub timeout: Option<u64>,
    /// `HeartbeatSeconds` in milliseconds; the execution keeps the timer itself.
    pub heartbeat: Option<u64>,
    /// The task token, for `.waitForTaskToken` only: whoever presents it ends
    /// the task. The same text is `$states.context.Task.Token`.
    pub token: Option<String>,
    /// 0 for the first attempt of a visit, then 1 for the first retry.
    pub attempt: u32,
}
