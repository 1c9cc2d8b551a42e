//! OCSF: events and findings in the words of the Open Cybersecurity Schema Framework.
//!
//! The version is the one that Amazon Security Lake has for its own sources and takes from others. A writer says only what its
//! source says: an attribute that is not known is left out, and one that the schema requires says «unknown» in the schema's own way.
//! What a source wrote with characters that the schema does not allow in a name is put in `unmapped`, as it was.

mod base;
mod cloudtrail;
mod config;
mod finding;
mod hostname;
mod network;
mod record;

pub use cloudtrail::of_cloudtrail;
pub(crate) use config::is_configuration_form;
pub use config::{is_configuration, of_configuration};
pub use finding::of_finding;
pub use network::{of_dns, of_flow, of_web};
pub use record::{OcsfEvents, of_record};

use serde_json::Value;

/// The version of OCSF that is written: that of Security Lake's sources of version 2.
/// <https://docs.aws.amazon.com/security-lake/latest/userguide/open-cybersecurity-schema-framework.html>
pub const VERSION: &str = "1.1.0";

/// The schema allows a string no more characters.
pub const STRING_CHARS_MAX: usize = 65_535;

/// Why a record cannot be written in OCSF.
#[derive(Debug, thiserror::Error)]
pub enum OcsfError {
    /// It has another form than its source's.
    #[error("it is not {source_name}'s: {error}")]
    Form {
        /// The source.
        source_name: &'static str,
        /// What the reader says.
        error: serde_json::Error,
    },
    /// A field that the schema cannot do without is missing or is no time.
    #[error("{source_name}: «{field}» is missing or wrong")]
    Field {
        /// The source.
        source_name: &'static str,
        /// The field.
        field: &'static str,
    },
}

/// One event in OCSF, with what every event needs.
#[derive(Clone, Debug, PartialEq)]
pub struct OcsfEvent(Value);

impl OcsfEvent {
    /// The event.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// The event on one line: its keys are sorted, so that the same event is the same text.
    pub fn to_line(&self) -> String {
        quell_model::canonical_json(&self.0)
    }
}
