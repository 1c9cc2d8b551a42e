//! Sigma correlations over event time: several hits of one group within a timespan are one finding.
//!
//! A hit is a record that a base rule matched. Time is what the record says; when it arrived plays no part. A window
//! is the timespan that ends at a hit, both ends included, so a burst is seen wherever it lies.
//!
//! **Once per window and group.** Event time is cut into stretches as long as the timespan, counted from 1970. A stretch fires
//! when a window that ends in it holds what the rule asks for, and it fires once; the finding's id is made of rule, group
//! and stretch. Which stretches fire follows from the set of hits alone, so neither order nor repetition changes it,
//! and for a rule that can only become true (`gte`, `temporal` …) one more hit never takes a finding back: it fires at once.
//! A rule that more hits can make untrue (`lt`, `eq`, averages, `not`) fires when its windows are closed: when the group's
//! newest hit is [`LATENESS_MILLIS`] beyond them.

mod correlator;
mod fields;
mod finding;
mod kinds;
mod load;
mod memory;
mod set;
mod state;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod schedule_tests;
#[cfg(test)]
mod tests;

use quell_model::{Finding, FindingId, RecordId, Severity, Timestamp};
use serde::{Deserialize, Serialize};

pub use correlator::Correlator;
pub(crate) use fields::Base;
pub use finding::About;
pub(crate) use kinds::Kind;
pub(crate) use load::Draft;
pub(crate) use set::Correlations;
pub use state::{Fate, GroupState, Step};

/// How much later than the newest hit of its group a hit may be and still count. CloudTrail usually delivers within five minutes, and
/// within fifteen in the worst of its ordinary days; a queue's repetitions and a restart take the rest.
pub const LATENESS_MILLIS: i64 = 60 * 60 * 1000;
/// So many hits of a group are kept; then the oldest are forgotten. A rule that asks for more is refused.
pub const GROUP_HITS_MAX: usize = 1024;
/// So many hits of a rule are kept in all its groups; then the groups that were quiet longest are forgotten.
pub const RULE_HITS_MAX: usize = 16 * 1024;
/// So many records a finding names: the last ones of its window.
pub const NAMED_MAX: usize = Finding::RECORDS_MAX;

/// The values that a correlation's hits have in common, in the order of its `group-by`.
pub type Group = Vec<String>;

/// A correlation, ready to run.
#[derive(Debug)]
pub struct Correlation {
    /// Its path under `content/detections`, without the ending.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// ATT&CK technique ids.
    pub attack: Vec<String>,
    /// The playbook that answers it, by its id.
    pub playbook: Option<String>,
    /// The fields, or aliases, whose values a group shares.
    pub group_by: Vec<String>,
    /// What its memory is kept under: its id and a hash of its text, since a hit of another text may mean something else.
    pub(crate) memory: String,
    pub(crate) span_millis: i64,
    pub(crate) kind: Kind,
    /// The base rules; a hit's bits count them in this order.
    pub(crate) bases: Vec<Base>,
}

/// A record that base rules matched, as little of it as is needed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// When it happened.
    pub time: Timestamp,
    /// The record.
    pub record: RecordId,
    /// Which base rules matched: bit n for the n-th.
    pub rules: u64,
    /// The values to be counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// The numbers to be added up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<f64>,
}

/// A window that held what the rule asks for. It stays true whatever arrives later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fired {
    /// The beginning of the stretch of event time that this is the one firing of.
    pub stretch: Timestamp,
    /// When the first hit of the window happened.
    pub first: Timestamp,
    /// When the last hit happened.
    pub last: Timestamp,
    /// How many hits the window had when it fired.
    pub count: usize,
    /// Their records in order of time, the last [`NAMED_MAX`] of them.
    pub records: Vec<RecordId>,
}

impl Correlation {
    /// The id of a finding: the same for the same rule, group and stretch.
    pub fn finding_id(&self, group: &[String], stretch: Timestamp) -> FindingId {
        FindingId::of_group(&self.id, group, stretch)
    }

    /// How long its windows are, in milliseconds.
    pub fn span_millis(&self) -> i64 {
        self.span_millis
    }

    /// Whether it fires only when its windows are closed.
    pub fn waits(&self) -> bool {
        self.kind.waits()
    }

    /// The stretch that a moment lies in, by its beginning.
    pub(crate) fn stretch(&self, at: Timestamp) -> Timestamp {
        let span = self.span_millis.max(1);
        Timestamp::from_millis(at.millis().div_euclid(span) * span)
    }
}
