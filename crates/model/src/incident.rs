//! Findings about one cause.

use serde::{Deserialize, Serialize};

use crate::{Actor, FindingId, IncidentId, Initiator, Part, Resource, RunId, Severity, Timestamp};

/// Where an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum IncidentStatus {
    /// Seen; nothing is being done yet.
    Open,
    /// A playbook is at work.
    Responding,
    /// A person has to decide.
    Parked,
    /// What is behind it is held back, and that was verified; a person has to say what becomes of it.
    Contained,
    /// The cause is gone, and that was verified.
    Resolved,
}

impl IncidentStatus {
    /// The word used in storage, in the API and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Responding => "responding",
            Self::Parked => "parked",
            Self::Contained => "contained",
            Self::Resolved => "resolved",
        }
    }
}

/// What an incident turned out to be, in a person's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It happened, and it was an attack or a violation.
    True,
    /// It happened as it was found, and was meant: a test, an administrator at work.
    BenignTrue,
    /// What was found did not happen, or is nothing to find.
    False,
}

impl Verdict {
    /// The word on screen and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::BenignTrue => "benign-true",
            Self::False => "false",
        }
    }
}

/// A person's last word on an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Disposition {
    /// What it was.
    pub verdict: Verdict,
    /// Who said so.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why, in their words.
    pub note: String,
}

/// How an incident was contained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Handled {
    /// By a playbook, without a person.
    Automatically,
    /// A person asked for it or said yes to it.
    WithAPerson,
}

/// What one of an incident's findings says, for whoever looks into it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// The detection.
    pub detection: String,
    /// How bad.
    pub severity: Severity,
    /// Somebody outside the organisation can cause it at will.
    #[serde(default)]
    pub outsider: bool,
    /// What part the resource has in it, where the product says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

/// Findings about one cause, with what was done about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Incident {
    /// The id.
    pub id: IncidentId,
    /// What groups findings into it: playbook category and resource.
    pub cause: String,
    /// One line for people.
    pub title: String,
    /// The worst of its findings.
    pub severity: Severity,
    /// The second requirements document's categories (`Policy Violations`, …).
    pub category: String,
    /// Where it stands.
    pub status: IncidentStatus,
    /// Why it stands there, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// The resource.
    pub resource: Resource,
    /// Who began what was done, in whatever account, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initiator: Option<Initiator>,
    /// Who did what it is about: the latest [`Incident::ACTORS_MAX`] different ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actors: Vec<Actor>,
    /// What its findings say: the latest [`Incident::TOLD_MAX`] different ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Told>,
    /// Its findings, first to last.
    pub findings: Vec<FindingId>,
    /// How many findings in all; `findings` keeps at most [`Incident::FINDINGS_MAX`].
    pub finding_count: u64,
    /// Its runs, first to last.
    #[serde(default)]
    pub runs: Vec<RunId>,
    /// When the first of its causes happened, by AWS's clock.
    pub first_event_at: Timestamp,
    /// When Quell received the first record.
    pub received_at: Timestamp,
    /// When the first finding was made: MTTD is this less `first_event_at`.
    pub detected_at: Timestamp,
    /// When somebody or something began to do something about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Timestamp>,
    /// When what is behind it was verified to be held back, or gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contained_at: Option<Timestamp>,
    /// How it came to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handled: Option<Handled>,
    /// What it turned out to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<Disposition>,
    /// When the cause was verified gone, or a person closed it: MTTR is this less `detected_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// The latest event among its findings: an older event never reopens it.
    pub last_event_at: Timestamp,
    /// Incidents about others who acted on one of its resources at that time: at most [`Incident::RELATED_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<IncidentId>,
}

impl Incident {
    /// An alert storm must not grow one document without end.
    pub const FINDINGS_MAX: usize = 200;
    /// A person looks at no more.
    pub const RELATED_MAX: usize = 20;
    /// A playbook is told of no more: they are hints where to look.
    pub const ACTORS_MAX: usize = 10;
    /// As many detections as actors.
    pub const TOLD_MAX: usize = 10;
}
