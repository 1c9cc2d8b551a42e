//! What a task of a document wants done, and what its answer means to the document.
//!
//! [`Work::of`] reads a task; who performs it gives the answer back to the work, which says how the task ends as
//! Step Functions would: see <https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html>.

mod activity;
mod aws;
mod connection;
mod encoding;
mod events;
mod execution;
mod http;
mod lambda;

pub use activity::ActivityTask;
pub use aws::{Answer, AwsTask};
pub use connection::{Authorization, Connection, Parameters};
pub use execution::{Awaits, ChildEnd, ExecutionTask};
pub use http::{HttpAnswer, HttpRequest, HttpTask};

use quell_model::{Call, Caller};
use quell_states::{Pattern, Resource, TaskRequest};
use serde_json::Value;

use crate::run::PERMIT_QUEUE;

/// What a task wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// The gate: a permit for this plan.
    Gate(Value),
    /// A call to AWS.
    Aws(AwsTask),
    /// An execution of another document.
    Execution(ExecutionTask),
    /// A request to a server on the network.
    Http(HttpTask),
    /// Something for whoever works on an activity.
    Activity(ActivityTask),
}

/// How a task fails: its `Error` and `Cause`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}: {cause}")]
pub struct TaskFault {
    /// The name that `Retry` and `Catch` compare.
    pub error: String,
    /// What it says to a person.
    pub cause: String,
}

impl TaskFault {
    pub(crate) fn new(error: impl Into<String>, cause: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            cause: cause.into(),
        }
    }

    /// The arguments cannot be carried out as they are. No `Catch` helps, as on Step Functions.
    pub(crate) fn arguments(cause: impl Into<String>) -> Self {
        Self::new("States.Runtime", cause)
    }
}

impl Work {
    /// Understands a task that `caller` asks for.
    ///
    /// # Errors
    /// How the task fails when its resource is none that a playbook may use (`Quell.NotPermitted`), or its arguments
    /// cannot be carried out.
    pub fn of(request: &TaskRequest, caller: &Caller) -> Result<Work, TaskFault> {
        if let Some(plan) = plan_at_the_gate(request) {
            return Ok(Self::Gate(plan));
        }
        let resource = &request.resource;
        let call = Call::of_task(&resource.to_string(), &request.arguments).ok_or_else(|| {
            let cause = format!("{resource} is not a resource a playbook may use");
            TaskFault::new("Quell.NotPermitted", cause)
        })?;
        match call.service.as_str() {
            "activity" => Ok(Self::Activity(ActivityTask::of(call))),
            "http" => HttpTask::of(call).map(Self::Http),
            "states" if !is_sdk(resource) => {
                let awaits = Awaits::of(resource.pattern());
                let token = request.token.as_deref().unwrap_or_default();
                ExecutionTask::of(call, token, awaits).map(Self::Execution)
            }
            _ => Ok(Self::Aws(AwsTask::of(call.made_by(caller), request))),
        }
    }

    /// The call by which the work is declared and permitted, `quell:task-token` in the place of the task's own token.
    /// `None` for the gate, which asks for permits itself.
    pub fn call(&self) -> Option<&Call> {
        match self {
            Self::Gate(_) => None,
            Self::Aws(task) => Some(task.call()),
            Self::Execution(task) => Some(task.call()),
            Self::Http(task) => Some(task.call()),
            Self::Activity(task) => Some(task.call()),
        }
    }
}

fn is_sdk(resource: &Resource) -> bool {
    matches!(resource, Resource::AwsSdk { .. })
}

/// Whether a task may be the gate: its queue is known only when its arguments are.
pub(crate) fn may_be_gate(resource: &Resource) -> bool {
    let Resource::Optimized {
        service, pattern, ..
    } = resource
    else {
        return false;
    };
    service == "sqs" && *pattern == Pattern::WaitForTaskToken
}

/// The plan that a task hands to the gate, if it does.
fn plan_at_the_gate(request: &TaskRequest) -> Option<Value> {
    let queue = request.arguments.get("QueueUrl").and_then(Value::as_str);
    let is_gate = may_be_gate(&request.resource) && queue == Some(PERMIT_QUEUE);
    let plan = request.arguments.pointer("/MessageBody/plan");
    // A message without a plan is one with a plan that cannot be read.
    is_gate.then(|| plan.cloned().unwrap_or_default())
}

#[cfg(test)]
mod tests;
