//! What a playbook says of itself. The guard holds its plans to it.

use quell_model::{Call, Class};
use serde::Deserialize;
use serde_json::Value;

/// What a playbook declares: all that the guard knows of it. The documents are not the guard's business.
#[derive(Clone, Copy, Debug)]
pub struct Declaration<'a> {
    /// The playbook's id.
    pub playbook: &'a str,
    /// Its version.
    pub version: &'a str,
    /// Its category (`Policy Violations`, …).
    pub category: &'a str,
    /// Its tasks, with how far each reaches.
    pub steps: &'a [StepFact],
    /// What its documents are given as `facts`.
    pub facts: &'a Value,
    /// After so many hours a containment comes to its end.
    pub containment_hours: Option<u32>,
    /// The calls of its undo that are then made without a question (`wafv2:UpdateIPSet`).
    pub taken_back_at_end: &'a [String],
}

/// One Task state and how far it reaches.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepFact {
    /// Which document: `respond` or `undo`.
    pub document: String,
    /// The state's name.
    pub state: String,
    /// How far it reaches.
    pub class: Class,
    /// The service it calls.
    pub service: String,
    /// The operation it calls.
    pub operation: String,
    /// The `Condition` in IAM's language under which its right is enough; it needs the right as such when absent.
    #[serde(default)]
    pub condition: Option<Value>,
}

impl Declaration<'_> {
    /// Whether one of the steps changes something by this call. What is declared to read only covers no change.
    pub fn covers(&self, call: &Call) -> bool {
        self.steps.iter().any(|s| {
            s.service == call.service && s.operation == call.operation && s.class > Class::R0
        })
    }

    /// Whether what this call takes back is taken back by itself when the containment comes to its end.
    pub fn ends_by(&self, call: &Call) -> bool {
        let name = format!("{}:{}", call.service, call.operation);
        self.ends_after_hours().is_some() && self.taken_back_at_end.contains(&name)
    }

    /// After so many hours what ends by itself does; `None` when nothing does.
    pub fn ends_after_hours(&self) -> Option<u32> {
        self.containment_hours
            .filter(|_| !self.taken_back_at_end.is_empty())
    }
}
