//! The words every room shares, as types and nothing else: no clock, no file, no socket.
//!
//! The flow reads as the modules do:
//! [`record`] → [`event`] → [`finding`] → [`incident`] → [`plan`] → [`receipt`].
//! Serialised forms are camelCase JSON; times are RFC 3339 in UTC.

mod call;
mod canonical;
mod diagnostic;
pub mod event;
pub mod finding;
pub mod id;
pub mod incident;
mod initiator;
mod network;
mod ou;
pub mod plan;
pub mod receipt;
pub mod record;
mod resource;
mod timestamp;

pub use call::{Call, Caller};
pub use canonical::{canonical_json, sha256_hex};
pub use diagnostic::{Diagnostic, nearest};
pub use event::{Actor, Event, plain_name};
pub use finding::{Finding, Part, Product, Report, ReportState, Severity};
pub use id::{FindingId, IdError, IncidentId, MemoryId, RecordId, RunId};
pub use incident::{Disposition, Handled, Incident, IncidentStatus, Told, Verdict};
pub use initiator::{Hop, Initiator, InitiatorKind};
pub use network::{Direction, DnsQuery, Flow, FlowAction, WebRequest};
pub use ou::{OuPath, OuPathError};
pub use plan::{Class, Plan, PlannedCall, UndoCall};
pub use receipt::{Outcome, Receipt};
pub use record::{Origin, Record};
pub use resource::{Arn, ArnError, Resource};
pub use timestamp::{Timestamp, TimestampError};

/// What kind of failure an error is. It alone decides whether a caller tries again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ErrorKind {
    /// The input is wrong; the same input will be wrong again.
    Invalid,
    /// The thing named does not exist.
    NotFound,
    /// Somebody else changed it, or it exists already.
    Conflict,
    /// Not allowed.
    Denied,
    /// Too much at once: try again later, slower.
    Throttled,
    /// The other side did not answer, or said that it could not now: try again.
    Unavailable,
    /// Our own fault.
    Bug,
}

impl ErrorKind {
    /// Whether the same request may succeed later.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable)
    }
}
