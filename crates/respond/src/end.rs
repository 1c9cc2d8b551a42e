//! How a document's end reads, and what the frame believes of it.

use quell_model::{Timestamp, canonical_json};
use quell_states::Status;
use serde_json::Value;

use crate::run::{Mode, Run, RunStatus, Stage};

/// The outcomes by which a document says that it changed something and saw it.
const CHANGED: &[&str] = &["fixed", CONTAINED];
/// The outcomes by which it says that something is held back, and will have to be let go.
const CONTAINED: &str = "contained";
const ALREADY_CONTAINED: &str = "already-contained";

impl Run {
    /// Ends the run as its document ended: done when that is believed, otherwise parked with a person.
    pub fn end(&mut self, status: &Status, now: Timestamp) {
        self.note_unanswered();
        if matches!(status, Status::Aborted { .. }) {
            // Who stops a run wants to look at what it has done: nothing of that is taken back without them.
            self.note_stage();
        }
        let (status, outcome, reason, undo) = self.read_end(status);
        if status == RunStatus::Done {
            self.note(Stage::Verified, now);
        }
        self.note(Stage::Ended, now);
        self.status = status;
        self.outcome = Some(outcome);
        self.reason = reason;
        self.undo = undo.or_else(|| self.undo.take());
    }

    /// Whether something was changed by it, as far as that is known.
    pub fn did_something(&self) -> bool {
        self.reached(Stage::Acted).is_some()
    }

    /// Whether it ended with something held back, not mended.
    pub fn is_containment(&self) -> bool {
        let outcome = self.outcome.as_deref().unwrap_or_default();
        outcome == CONTAINED || outcome == ALREADY_CONTAINED
    }

    fn read_end(&self, status: &Status) -> (RunStatus, String, Option<String>, Option<Value>) {
        let parked = |outcome: &str, reason: String| {
            let reason = Some(reason);
            (RunStatus::Parked, outcome.to_owned(), reason, None)
        };
        match status {
            Status::Succeeded { output } => {
                let text = |name: &str| output.get(name).and_then(Value::as_str).map(str::to_owned);
                let outcome = text("outcome").unwrap_or_else(|| "done".to_owned());
                match self.believes(&outcome, output) {
                    Err(reason) => parked("Quell.VerifyFailed", reason),
                    Ok(()) => {
                        let undo = output.get("undo").cloned();
                        (RunStatus::Done, outcome, text("reason"), undo)
                    }
                }
            }
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

    /// The frame's own look at what the document says it did: the after-image is there, and is the planned one to the
    /// letter. A document that shows no after-image has verified nothing.
    fn believes(&self, outcome: &str, output: &Value) -> Result<(), String> {
        if self.mode != Mode::Respond || !CHANGED.contains(&outcome) {
            return Ok(());
        }
        let shown = output.get("after");
        let shown = shown.or_else(|| output.pointer("/undo/after"));
        match (&self.plan, shown) {
            (Some(plan), Some(shown)) if canonical_json(shown) == canonical_json(&plan.after) => {
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
