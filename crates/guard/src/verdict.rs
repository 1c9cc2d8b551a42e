//! The port for policies: what people and the content say about who may change what. The guard asks; it does not know in which
//! language they are written.

use std::fmt;

use quell_model::{Class, Resource, Severity, Timestamp};

use crate::guard::{Level, MESSAGES};
use crate::{Family, Place};

/// Whether policies allow a call.
pub trait Policies: fmt::Debug + Send + Sync {
    /// What they say of one call of a plan. What cannot be found out is [`Verdict::Forbid`], and so is what no policy allows.
    fn judge(&self, question: &Question<'_>) -> Verdict;
}

/// One call that a playbook wants to make.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The playbook's id.
    pub playbook: &'a str,
    /// Its version.
    pub version: &'a str,
    /// Its category (`Policy Violations`, …).
    pub category: &'a str,
    /// The service of the call, as a task names it (`ec2`).
    pub service: &'a str,
    /// The operation (`RevokeSecurityGroupIngress`).
    pub operation: &'a str,
    /// How far it reaches.
    pub class: Class,
    /// Whether the playbook declares that it makes such calls.
    pub declared: bool,
    /// What the run is about.
    pub resource: &'a Resource,
    /// Where that is.
    pub place: Place<'a>,
    /// Whether that is production, or not known to be anything else.
    pub production: bool,
    /// How far the playbook may go by itself there.
    pub level: Level,
    /// Whether it takes back what a run did.
    pub undo: bool,
    /// How many people said yes to this very plan.
    pub approved_by: usize,
    /// Whether a person asked for the run.
    pub requested_by_person: bool,
    /// How bad the incident is, when there is one.
    pub severity: Option<Severity>,
    /// Now.
    pub now: Timestamp,
}

/// What policies say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Permit,
    /// A person has to say.
    Ask {
        /// Why, in the policies' words.
        reasons: Vec<String>,
        /// How many people have to say yes; at least one.
        persons: usize,
    },
    /// No.
    Forbid {
        /// Why, in the policies' words.
        reasons: Vec<String>,
    },
}

/// The group that a call is in for policies: `messages` for what tells others and changes nothing in AWS, else the key of the family
/// whose role makes it.
pub fn action_group(service: &str, operation: &str) -> &'static str {
    match MESSAGES.contains(&(service, operation)) {
        true => "messages",
        false => Family::of(service, operation).key(),
    }
}
