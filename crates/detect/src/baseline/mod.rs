//! Baselines: what is new, rare or too much for a principal, against its own past, its peers and its account.
//!
//! Time is what the record says. Each principal has a [`Profile`], each group of peers and each account a [`Peers`]; a record and these
//! states give the next states and what fires ([`Baselines::step`]). Values are kept as hashes under a secret key.
//!
//! **What is new.** A record has a new value when the entity had not had it more than [`LATENESS_MILLIS`] before the record. So
//! two values that are both new within an hour are new together, and which values fire follows from the set of records alone:
//! neither the order of arrival nor repetition changes it, while no record is later than [`LATENESS_MILLIS`] behind the newest of its
//! entity and its groups, and the bounds below are not reached. What it fires on is the first of these records to arrive.
//!
//! **Learning.** Nothing fires before an entity has so many days and calls behind it. One that has not is judged by the narrowest group that has:
//! what is new to all of its peers. Whatever a bound made Quell forget is learned again; it never fires because it was forgotten.

mod agent;
mod explain;
mod load;
mod memory;
mod peers;
mod profile;
mod rate;
mod set;
mod sketch;
mod step;
mod subject;
mod values;

#[cfg(test)]
mod flood_tests;
#[cfg(test)]
mod schedule_tests;
#[cfg(test)]
mod tests;

use std::fmt;
use std::hash::Hasher;

use quell_model::{FindingId, RecordId, Timestamp};
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher24;

use crate::engine::Detection;
use crate::program::{Check, Memo, Program};
use crate::tree::Tree;

pub use memory::{Kept, Memory};
pub use peers::Peers;
pub use profile::Profile;
pub use set::Baselines;
pub use step::{States, Step};
pub use subject::{Subject, SubjectKind};

/// How much later than the newest of its entity a record may be and still count; as for correlations.
pub const LATENESS_MILLIS: i64 = crate::correlation::LATENESS_MILLIS;
/// A value that was not seen on any of so many days is forgotten.
pub const REMEMBERED_DAYS: i64 = 63;
/// So many values of a field an entity has exactly; the quietest of more go to a sketch.
pub const ENTITY_VALUES_MAX: usize = 128;
/// So many values of a field a group has exactly.
pub const PEERS_VALUES_MAX: usize = 512;
/// So many privileged actions are exact, at an entity and in a group: more than AWS has that change identities, keys and organisations.
pub const PRIVILEGED_MAX: usize = 512;
/// So many findings an entity has on a day. Who makes more has been noticed.
pub const ENTITY_FINDINGS_MAX: usize = 32;
/// So many entities and groups one process keeps in memory ([`Memory`]); the quietest of more are forgotten.
pub const STATES_MAX: usize = 20_000;
/// So many values of all entities and groups a store keeps; the quietest entities of more are forgotten. Some hundred megabytes.
pub const KEPT_VALUES_MAX: usize = 1_000_000;
/// A group of peers speaks for a newcomer when so many sightings of the field are behind it.
const PEERS_SIGHTINGS_MIN: u64 = 20;

const HOUR_MILLIS: i64 = 60 * 60 * 1000;
const DAY_MILLIS: i64 = 24 * HOUR_MILLIS;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// `iam.amazonaws.com:CreateUser`.
    Action,
    /// The /24 or /48 of the address, or «AWS service».
    Network,
    /// The Region.
    Region,
    /// The family of the user agent.
    Agent,
    /// Of a role: the account, or the identity provider, that assumes it.
    SourceAccount,
}

/// What is counted in an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Calls.
    Calls,
    /// Calls that were denied.
    Denied,
    /// Different services.
    Services,
}

/// To whom a value has to be new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Scope {
    /// To the principal or the role alone.
    #[default]
    Principal,
    /// To its peers as well.
    Peers,
    /// To the whole account as well.
    Account,
}

/// What a baseline looks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// All of these fields are new, together.
    FirstSeen { fields: Vec<Field>, scope: Scope },
    /// The value is so unlikely: −ln p is at least `surprise`.
    Rare { field: Field, surprise: f64 },
    /// The hour is so unlikely, and has at least so many.
    Rate {
        measure: Measure,
        surprise: f64,
        at_least: u32,
    },
}

/// What an entity must have behind it.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Learn {
    pub(crate) days: u32,
    pub(crate) calls: u64,
}

/// A baseline, ready to run.
#[derive(Debug)]
pub struct Baseline {
    /// Id, title, severity, techniques, and which records it is about.
    pub(crate) detection: Detection,
    pub(crate) kind: Kind,
    pub(crate) learn: Learn,
    /// Which records it is about, as a program of its own.
    pub(crate) program: Program,
    pub(crate) check: Check,
}

impl Baseline {
    /// Its path under `content/detections`, without the ending.
    pub fn id(&self) -> &str {
        &self.detection.id
    }

    /// Whether it is about a record.
    pub(crate) fn is_about(&self, tree: &Tree<'_>) -> bool {
        let mut memo = Memo::new(&self.program);
        memo.begin();
        self.program.holds(&self.check, tree, &mut memo)
    }

    /// Its title, severity and techniques.
    pub fn detection(&self) -> &Detection {
        &self.detection
    }
}

/// What a baseline says of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Fired {
    /// The baseline's id.
    pub baseline: String,
    /// The same for the same baseline, entity and values in one stretch of time, whichever record it fired on.
    pub finding: FindingId,
    /// The record.
    pub record: RecordId,
    /// When the first of it happened.
    pub first: Timestamp,
    /// Why, in words; at most [`quell_model::Finding::EXPLANATION_BYTES_MAX`] bytes.
    pub explanation: String,
}

/// The secret under which values are hashed: who does not know it cannot make two values meet in a sketch.
#[derive(Clone, Copy)]
pub struct HashKey(u64, u64);

impl HashKey {
    /// The key made of 16 secret random bytes.
    pub fn new(bytes: [u8; 16]) -> Self {
        let all = u128::from_le_bytes(bytes);
        Self(all as u64, (all >> 64) as u64)
    }

    /// SipHash-2-4 of some texts.
    pub(crate) fn hash(&self, parts: &[&str]) -> u64 {
        let mut hasher = SipHasher24::new_with_keys(self.0, self.1);
        for part in parts {
            hasher.write_usize(part.len());
            hasher.write(part.as_bytes());
        }
        hasher.finish()
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(…)")
    }
}

fn day_of(at: Timestamp) -> i64 {
    at.millis().div_euclid(DAY_MILLIS)
}

fn hour_of(at: Timestamp) -> i64 {
    at.millis().div_euclid(HOUR_MILLIS)
}
