//! What one call did.

use serde::{Deserialize, Serialize};

use crate::{Call, RunId, Timestamp};

/// How a call ended, as far as the answer tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "result")]
pub enum Outcome {
    /// AWS said yes. Whether it is so is for the verification to say.
    Accepted,
    /// AWS said no.
    Refused {
        /// AWS's error code.
        code: String,
    },
    /// No answer: it may or may not have happened.
    Unknown {
        /// What was seen.
        reason: String,
    },
}

/// What one changing call did, kept with its run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The run.
    pub run: RunId,
    /// The call.
    pub call: Call,
    /// The hash of the plan whose permit it was made under.
    pub plan_hash: String,
    /// AWS's request id, when there was an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// When the answer came, or the wait ended.
    pub ended_at: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
}
