//! A line of the log: who did what to what, and when.

use std::collections::BTreeMap;

use quell_model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Hash;

/// What was done. The words are stored, so they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// A process began to serve, with this content.
    Started,
    /// A run of a playbook was begun.
    RunBegun,
    /// The guard permitted, asked, or refused.
    Decided,
    /// A person said yes to a plan.
    Approved,
    /// A changing call was made in AWS.
    Changed,
    /// A person said no to a plan.
    Rejected,
    /// A run ended; what was captured is in its bodies.
    RunEnded,
    /// Somebody pulled the brake.
    Halted,
    /// Somebody let the brake go.
    Resumed,
    /// An access key was issued.
    KeyIssued,
    /// A run was told to stop.
    StopAsked,
    /// A person lets a containment last longer.
    Kept,
    /// A person said what an incident was.
    Judged,
    /// Evidence was handed out: the chain of custody goes on elsewhere.
    Exported,
    /// Something was excepted from being answered.
    ExceptionAdded,
    /// An exception was ended before its time.
    ExceptionEnded,
    /// Changes are to be frozen.
    FreezeAdded,
    /// A freeze was ended before its time.
    FreezeEnded,
    /// A person approved the image of a resource.
    ImageApproved,
    /// The approved image of a resource was removed.
    ImageRemoved,
    /// A playbook may act by itself from then on.
    Promoted,
    /// A playbook may not act by itself any more.
    Demoted,
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entry {
    /// When, by the clock of the process that wrote it.
    pub at: Timestamp,
    /// What was done.
    pub act: Act,
    /// Who did it: `key:QKIA…`, `policy:auto`, `process:NAME`.
    pub by: String,
    /// To what: the id of a run, an incident, a key; or a resource's ARN.
    pub about: String,
    /// What else is to be known. Never a secret.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub details: Value,
    /// Files that belong to it, by what they are: each by its SHA-256.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bodies: BTreeMap<String, Hash>,
}

/// An entry that cannot be logged, or a line that is none.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// Longer than a line may be.
    #[error("an entry of {bytes} bytes is longer than {max}: put what is large into a body", max = Entry::BYTES_MAX)]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// No entry's JSON.
    #[error("it is no entry: {0}")]
    Form(#[from] serde_json::Error),
}

impl Entry {
    /// A line is no longer: a log is read line by line.
    pub const BYTES_MAX: usize = 64 * 1024;

    /// The line, without its end: the bytes that are hashed.
    ///
    /// # Errors
    /// [`EntryError::TooLong`].
    pub fn line(&self) -> Result<String, EntryError> {
        let line = serde_json::to_string(self)?;
        match line.len() > Self::BYTES_MAX {
            true => Err(EntryError::TooLong { bytes: line.len() }),
            false => Ok(line),
        }
    }

    /// Reads a line.
    ///
    /// # Errors
    /// [`EntryError`] when it is none.
    pub fn read(line: &[u8]) -> Result<Self, EntryError> {
        if line.len() > Self::BYTES_MAX {
            return Err(EntryError::TooLong { bytes: line.len() });
        }
        Ok(serde_json::from_slice(line)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry() -> Entry {
        Entry {
            at: Timestamp::from_millis(1_800_000_000_000),
            act: Act::Approved,
            by: "key:QKIA1".into(),
            about: "run-1".into(),
            details: json!({"planHash": "ab"}),
            bodies: [("plan".to_owned(), Hash::of_bytes(b"plan"))].into(),
        }
    }

    #[test]
    fn an_entry_is_a_line_and_back() {
        let line = entry().line().unwrap();
        assert!(!line.contains('\n'));
        assert_eq!(Entry::read(line.as_bytes()).unwrap(), entry());
        let ends = json!({"text": "a\nb"});
        let with_ends = Entry {
            details: ends,
            ..entry()
        };
        assert!(!with_ends.line().unwrap().contains('\n'));
    }

    #[test]
    fn what_is_too_long_or_unknown_is_refused() {
        let details = json!("x".repeat(Entry::BYTES_MAX));
        let long = Entry { details, ..entry() };
        assert!(matches!(long.line(), Err(EntryError::TooLong { .. })));
        let more = entry()
            .line()
            .unwrap()
            .replace("\"at\"", "\"extra\":1,\"at\"");
        assert!(matches!(
            Entry::read(more.as_bytes()),
            Err(EntryError::Form(_))
        ));
    }
}
