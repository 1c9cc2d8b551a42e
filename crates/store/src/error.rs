//! What can go wrong with state.

use std::path::PathBuf;

use quell_model::ErrorKind;

/// A fault of the state store. After any of them nothing of the batch has happened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else wrote it first: read it again.
    #[error("{kind} {id} was changed meanwhile: read it again")]
    Conflict {
        /// The kind of document, or `log`.
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// What is stored cannot be understood.
    #[error("{kind} {id} in the state store cannot be read: {source}")]
    Corrupt {
        /// The kind of document.
        kind: &'static str,
        /// Its id.
        id: String,
        /// Why.
        source: serde_json::Error,
    },
    /// A value could not be written as JSON.
    #[error("{kind} {id} cannot be written as JSON: {source}")]
    Unwritable {
        /// The kind of document.
        kind: &'static str,
        /// Its id.
        id: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The folder or file cannot be used.
    #[error("the state store at {} cannot be opened: {source}. Is the folder there, and may this user write to it? (--data says where)", path.display())]
    Open {
        /// Where.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database said no, or did not answer.
    #[error("the state store failed while {doing}: {source}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// The database's own error.
        source: sqlx::Error,
    },
}

impl StoreError {
    /// What kind of failure it is; it alone decides retries.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::Corrupt { .. } | Self::Unwritable { .. } => ErrorKind::Bug,
            Self::Open { .. } => ErrorKind::Invalid,
            Self::Database { .. } => ErrorKind::Unavailable,
        }
    }
}
