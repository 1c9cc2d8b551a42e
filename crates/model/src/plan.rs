//! The exact calls a playbook would make, with what should be true afterwards and the way back.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{canonical_json, sha256_hex};

/// How far a step reaches, and whether there is a way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Class {
    /// Reads only.
    R0,
    /// Changes, and can be undone exactly.
    R1,
    /// Disrupts what runs; can be undone.
    R2,
    /// Cannot be undone.
    R3,
}

/// A call of a plan, and the calls that take it back. In a playbook's document it is written with the Step
/// Functions resource of the task that makes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlannedCall {
    /// `arn:aws:states:::aws-sdk:ec2:revokeSecurityGroupIngress`.
    pub resource: String,
    /// The task's `Arguments`, exactly.
    pub arguments: Value,
    /// How far it reaches.
    pub class: Class,
    /// What it sets in the image: attribute to value, null for one that is gone. Plans about security groups, whose image
    /// is a list of rules, have none.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub sets: Map<String, Value>,
    /// What takes it back, first to last; arguments as above.
    #[serde(default)]
    pub undo: Vec<UndoCall>,
}

/// A call that takes another back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UndoCall {
    /// As in [`PlannedCall::resource`].
    pub resource: String,
    /// The task's `Arguments`, exactly.
    pub arguments: Value,
    /// As in [`PlannedCall::sets`].
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub sets: Map<String, Value>,
}

/// What a playbook would do, from live state read a moment ago. The guard decides on it; a person approves its hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// The playbook's id.
    pub playbook: String,
    /// The ARN of the one resource it touches.
    pub resource: String,
    /// One line for people.
    pub summary: String,
    /// The changing calls, in order.
    pub calls: Vec<PlannedCall>,
    /// The state of the resource that was read.
    pub before: Value,
    /// The state predicted once the calls have settled: `before`, less the plan, and nothing else.
    pub after: Value,
    /// What else was read and the guard should know.
    #[serde(default)]
    pub facts: Value,
}

impl Plan {
    /// What an approval is bound to: SHA-256 over the canonical plan.
    pub fn hash(&self) -> String {
        sha256_hex(canonical_json(
            &serde_json::to_value(self).unwrap_or_default(),
        ))
    }
}
