//! How long an incident may take, and how long it has taken so far.

use quell_model::{Incident, Severity, Timestamp};
use serde::{Deserialize, Serialize};

/// How long each stage of an incident may take after it was detected, in minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// Until somebody or something is at it.
    pub acknowledge_minutes: u32,
    /// Until what is behind it is held back.
    pub contain_minutes: u32,
    /// Until it is over.
    pub resolve_minutes: u32,
}

/// Targets by severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sla {
    /// Of critical incidents.
    pub critical: Targets,
    /// Of high ones.
    pub high: Targets,
    /// Of medium ones.
    pub medium: Targets,
    /// Of low and informational ones.
    pub low: Targets,
}

const HOUR: u32 = 60;
const DAY: u32 = 24 * HOUR;

impl Default for Sla {
    /// The ladder of escalation turned into clocks: what pages at once has five minutes, what makes a ticket a day.
    fn default() -> Self {
        let targets = |acknowledge_minutes, contain_minutes, resolve_minutes| Targets {
            acknowledge_minutes,
            contain_minutes,
            resolve_minutes,
        };
        Self {
            critical: targets(5, 15, DAY),
            high: targets(15, HOUR, 3 * DAY),
            medium: targets(4 * HOUR, DAY, 7 * DAY),
            low: targets(DAY, 7 * DAY, 30 * DAY),
        }
    }
}

impl Sla {
    /// The targets of a severity.
    pub fn of(&self, severity: Severity) -> Targets {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low | Severity::Informational => self.low,
        }
    }
}

/// How a clock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// In time.
    Met,
    /// Too late.
    Missed,
    /// Still running, in time.
    Running,
    /// Still running, and over.
    Overdue,
}

/// One clock of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Clock {
    /// `acknowledge`, `contain` or `resolve`.
    pub stage: &'static str,
    /// Until when.
    pub due: Timestamp,
    /// When it was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reached: Option<Timestamp>,
    /// How it stands.
    pub standing: Standing,
}

/// The clocks of an incident as they stand now. What is over needs no containment any more.
pub fn clocks(incident: &Incident, sla: &Sla, now: Timestamp) -> [Clock; 3] {
    let targets = sla.of(incident.severity);
    let over = incident.resolved_at;
    let clock = |stage, minutes: u32, reached: Option<Timestamp>| {
        let due = incident
            .detected_at
            .plus_millis(i64::from(minutes).saturating_mul(60_000));
        let reached = reached.or(over);
        let standing = match reached {
            Some(at) if at <= due => Standing::Met,
            Some(_) => Standing::Missed,
            None if now <= due => Standing::Running,
            None => Standing::Overdue,
        };
        Clock {
            stage,
            due,
            reached,
            standing,
        }
    };
    [
        clock(
            "acknowledge",
            targets.acknowledge_minutes,
            incident.acknowledged_at,
        ),
        clock("contain", targets.contain_minutes, incident.contained_at),
        clock("resolve", targets.resolve_minutes, over),
    ]
}
