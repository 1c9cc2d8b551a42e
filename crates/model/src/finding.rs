//! What a detection says.

use serde::{Deserialize, Serialize};

use crate::{Actor, FindingId, RecordId, Resource, Timestamp};

/// How bad, in Security Hub's words and order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// Worth knowing.
    Informational,
    /// GuardDuty 1.0–3.9.
    Low,
    /// GuardDuty 4.0–6.9.
    Medium,
    /// GuardDuty 7.0–8.9.
    High,
    /// GuardDuty 9.0–10.
    Critical,
}

impl Severity {
    /// All, from the least to the worst.
    pub const ALL: [Severity; 5] = [
        Self::Informational,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// The word on screen, in rules and in summaries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What one detection says of one resource because of one record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Made from detection, record and resource.
    pub id: FindingId,
    /// The detection's id (its path under `content/detections`, without the ending).
    pub detection: String,
    /// The detection's title.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// The record it rests on.
    pub record: RecordId,
    /// CloudTrail's `eventName` of that record.
    pub event_name: String,
    /// When that happened.
    pub event_time: Timestamp,
    /// When the finding was made.
    pub detected_at: Timestamp,
    /// What it is about: the resource that the call changed, else the principal.
    pub resource: Resource,
    /// Who did it, as a resource: the user, the role behind a session, or the account when no more is known.
    pub principal: Resource,
    /// Who did it.
    pub actor: Actor,
    /// ATT&CK technique ids.
    #[serde(default)]
    pub attack: Vec<String>,
}
