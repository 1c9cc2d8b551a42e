//! The log of a run: everything that happened to it, in order.

use quell_model::Receipt;
use quell_states::{Event, Moment, TaskId};
use serde::{Deserialize, Serialize};

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
        /// The hash of the plan it is permitted by; empty where no plan is needed.
        #[serde(default, skip_serializing_if = "String::is_empty")]
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
