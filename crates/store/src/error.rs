//! What can go wrong with state.

use std::path::PathBuf;
use std::sync::Arc;

use quell_model::ErrorKind;

/// A fault of the state store. After any of them but [`StoreError::Unconfirmed`] nothing of the batch has happened.
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
    #[error("the state store at {} cannot be opened: {source}. {mend}", path.display())]
    Open {
        /// Where.
        path: PathBuf,
        /// What to do about it.
        mend: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database server cannot be used.
    #[error("the state store at {place} cannot be opened: {source}. {mend}")]
    Connect {
        /// Host, port and database.
        place: String,
        /// What to do about it.
        mend: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer to a commit was lost: the whole batch has happened, or nothing of it. Who writes it again finds a
    /// conflict when it has.
    #[error("the state store did not confirm a batch: {source}")]
    Unconfirmed {
        /// The database's own error; all batches of a group have it.
        source: Arc<sqlx::Error>,
    },
    /// The database said no, or did not answer.
    #[error("the state store failed while {doing}: {source}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// The database's own error; all batches of a group have it.
        source: Arc<sqlx::Error>,
    },
}

impl StoreError {
    /// What kind of failure it is; it alone decides retries.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::Corrupt { .. } | Self::Unwritable { .. } => ErrorKind::Bug,
            Self::Open { .. } | Self::Connect { .. } => ErrorKind::Invalid,
            Self::Unconfirmed { .. } | Self::Database { .. } => ErrorKind::Unavailable,
        }
    }
}
