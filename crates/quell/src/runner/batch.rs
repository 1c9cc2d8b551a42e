//! What is about to be committed for a run: entries of its log, and what belongs with them.

use quell_model::{RunId, Timestamp};
use quell_respond::LogEntry;
use quell_store::{Batch, Write};

use super::RunError;

/// Entries and writes that are not durable yet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// The entries, as they will be stored.
    bodies: Vec<String>,
    /// Those of them that are no inputs of the state machine.
    pub(super) notes: Vec<LogEntry>,
    /// What is stored with them.
    pub(super) writes: Vec<Write>,
}

impl Pending {
    /// Adds an entry.
    pub(super) fn push(&mut self, run: &RunId, entry: &LogEntry) -> Result<(), RunError> {
        let body = serde_json::to_string(entry);
        self.bodies
            .push(body.map_err(|source| RunError::Unwritable {
                run: run.clone(),
                source,
            })?);
        if !matches!(entry, LogEntry::Input { .. }) {
            self.notes.push(entry.clone());
        }
        Ok(())
    }

    pub(super) fn entries(&self) -> usize {
        self.bodies.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bodies.is_empty() && self.writes.is_empty()
    }

    /// The batch, with the log going on at `seq`.
    pub(super) fn batch(&self, run: &RunId, seq: i64, at: Timestamp) -> Batch {
        let mut batch = Batch::new();
        for (seq, body) in (seq..).zip(&self.bodies) {
            let (log, body) = (run.to_string(), body.clone());
            batch.push(Write::Append { log, seq, at, body });
        }
        self.writes
            .iter()
            .for_each(|write| batch.push(write.clone()));
        batch
    }
}
