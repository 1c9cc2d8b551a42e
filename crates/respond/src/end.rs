//! How the end of a run's document reads.

use quell_model::canonical_json;
use quell_states::Status;
use serde_json::Value;

use crate::run::{Mode, Run, RunStatus};

/// How a run stands when its document has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    /// Done, or parked with a person.
    pub status: RunStatus,
    /// The document's word, or the error that it ended with.
    pub outcome: String,
    /// The reason in words.
    pub reason: Option<String>,
    /// What the document says is needed to take it back, where it says so itself.
    pub undo: Option<Value>,
}

impl Run {
    /// How the run stands after this end of its document.
    pub fn end(&self, status: &Status) -> End {
        match status {
            Status::Succeeded { output } => self.succeeded(output),
            Status::Failed { error, cause } => parked(
                error.as_deref().unwrap_or("States.Runtime"),
                cause.clone().unwrap_or_default(),
            ),
            Status::TimedOut => parked(
                "States.Timeout",
                "the document took longer than it allows".to_owned(),
            ),
            Status::Aborted { error, cause } => parked(error, cause.clone()),
            Status::Running => parked("Quell.Bug", "it ended while it was running".to_owned()),
        }
    }

    fn succeeded(&self, output: &Value) -> End {
        let text = |name: &str| output.get(name).and_then(Value::as_str).map(str::to_owned);
        let outcome = text("outcome").unwrap_or_else(|| "done".to_owned());
        if let Err(reason) = self.verified(&outcome, output) {
            return parked("Quell.VerifyFailed", reason);
        }
        End {
            status: RunStatus::Done,
            outcome,
            reason: text("reason"),
            undo: output.get("undo").cloned(),
        }
    }

    /// The frame's own look at what the document says it fixed: the after-image is there, and is the planned one to the
    /// letter. A document that shows no after-image has verified nothing.
    fn verified(&self, outcome: &str, output: &Value) -> Result<(), String> {
        if self.mode != Mode::Respond || !matches!(outcome, "fixed" | "contained") {
            return Ok(());
        }
        let after = output.get("after");
        let after = after.or_else(|| output.pointer("/undo/after"));
        match (&self.plan, after) {
            (Some(plan), Some(after)) if canonical_json(after) == canonical_json(&plan.after) => {
                Ok(())
            }
            (Some(_), Some(_)) => Err(format!(
                "the document says that it is {outcome}, but the state that it read is not the planned one"
            )),
            _ => Err(format!(
                "the document says that it is {outcome}, and shows no plan or no state read afterwards"
            )),
        }
    }
}

fn parked(outcome: &str, reason: String) -> End {
    End {
        status: RunStatus::Parked,
        outcome: outcome.to_owned(),
        reason: Some(reason),
        undo: None,
    }
}
