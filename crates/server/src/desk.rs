//! The port through which the API asks for changes.

use async_trait::async_trait;
use quell_model::{ErrorKind, IncidentId, Record, RunId};
use quell_respond::Run;
use quell_store::StoreError;
use serde::Deserialize;

/// A request to run a playbook, in the second requirements document's words.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remediation {
    /// The incident.
    pub incident_id: IncidentId,
    /// The playbook's id.
    pub playbook: String,
    /// The resource: it must be the incident's.
    pub resource_arn: String,
    /// Kept for the record; the incident's own severity counts.
    #[serde(default)]
    pub severity: Option<String>,
}

/// Why a change was not begun.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// There is no such thing.
    #[error("there is no {what} {id}")]
    NotFound {
        /// `incident`, `run`, `playbook`.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// It cannot be done as things stand.
    #[error("{0}")]
    Conflict(String),
    /// What was asked does not make sense.
    #[error("{0}")]
    Invalid(String),
    /// The state store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DeskError {
    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Conflict(_) => ErrorKind::Conflict,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Store(e) => e.kind(),
        }
    }
}

/// Where changes are asked for.
#[async_trait]
pub trait Desk: Send + Sync {
    /// Takes records in. They are durable when it answers.
    async fn accept(&self, records: Vec<Record>) -> Result<(), DeskError>;

    /// Begins a run that a person asked for.
    async fn remediate(&self, request: Remediation, by: &str) -> Result<Run, DeskError>;

    /// Begins to take a run back.
    async fn undo(&self, run: &RunId, by: &str) -> Result<Run, DeskError>;

    /// Says yes to a parked run's plan.
    async fn approve(&self, run: &RunId, plan_hash: &str, by: &str) -> Result<Run, DeskError>;

    /// Says no to a parked run's plan: nothing is done, and the incident stays with a person.
    async fn reject(
        &self,
        run: &RunId,
        plan_hash: &str,
        by: &str,
        reason: &str,
    ) -> Result<Run, DeskError>;
}
