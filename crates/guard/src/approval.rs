//! What people said about a plan, and how many of them have to.

use quell_model::{Class, Timestamp};
use serde::{Deserialize, Serialize};

use crate::guard::Situation;

/// A person's yes to one plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// Who said it.
    pub by: String,
    /// To which plan, and so to which state before it: another plan needs another yes.
    pub plan_hash: String,
    /// When.
    pub at: Timestamp,
}

/// A person's no to one plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rejection {
    /// Who said it.
    pub by: String,
    /// To which plan.
    pub plan_hash: String,
    /// When.
    pub at: Timestamp,
    /// Why, in their words.
    pub reason: String,
}

/// A yes counts for so long: what somebody looked at in the morning is not what stands there at night.
pub const APPROVAL_MILLIS: i64 = 4 * 60 * 60 * 1000;

/// How many people have to say yes to what the plan does, whatever the level.
pub(crate) fn persons_needed(worst: Class, production: bool) -> usize {
    match worst {
        Class::R3 => 2,
        Class::R2 if production => 1,
        Class::R0 | Class::R1 | Class::R2 => 0,
    }
}

/// Who said yes to this very plan, each once, not too long ago. Whoever asked for the run does not count: they have said what they want
/// already.
pub(crate) fn approvers<'a>(hash: &str, s: &Situation<'a>) -> Vec<&'a str> {
    let mut by: Vec<&str> = s
        .approvals
        .iter()
        .filter(|a| a.plan_hash == hash)
        .filter(|a| s.now.millis_since(a.at) < APPROVAL_MILLIS)
        .map(|a| a.by.as_str())
        .filter(|by| Some(*by) != s.requested_by)
        .collect();
    by.sort_unstable();
    by.dedup();
    by
}

/// Who said no to this very plan.
pub(crate) fn rejection<'a>(hash: &str, s: &Situation<'a>) -> Option<&'a Rejection> {
    s.rejection.filter(|no| no.plan_hash == hash)
}
