//! The one way in: durable, once each.

use quell_model::{Origin, Record, RecordId, Timestamp};
use quell_store::{Batch, Document, Kind, State, StoreError, Write};
use serde::{Deserialize, Serialize};

/// Something that came in and could not be read as a record.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quarantined {
    /// Where it came in.
    pub origin: Origin,
    /// Why it is here: the place in it, and what is wrong.
    pub reason: String,
    /// How it begins.
    pub excerpt: String,
    /// When it came.
    pub received_at: Timestamp,
}

/// So much of it is kept.
const EXCERPT_CHARS_MAX: usize = 2000;

impl Quarantined {
    /// Something unreadable, with what it began with.
    pub fn new(
        origin: Origin,
        reason: impl Into<String>,
        bytes: &[u8],
        received_at: Timestamp,
    ) -> Self {
        let head = bytes.get(..EXCERPT_CHARS_MAX).unwrap_or(bytes);
        Self {
            origin,
            reason: reason.into(),
            excerpt: String::from_utf8_lossy(head).into_owned(),
            received_at,
        }
    }

    /// Its row in the store.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written as JSON.
    pub fn document(&self) -> Result<Document, StoreError> {
        let id = self.id();
        Document::new(
            Kind::Record,
            id.as_str(),
            "quarantined",
            self.received_at,
            self,
        )
    }

    /// The same thing twice is one.
    fn id(&self) -> RecordId {
        RecordId::of_bytes(
            format!("{}\n{}\n{:?}", self.reason, self.excerpt, self.origin).as_bytes(),
        )
    }
}

/// What became of a delivery: accepted = new + known + quarantined, always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Stored now.
    pub new: usize,
    /// Stored before: a second delivery, or the same record by another way.
    pub known: usize,
    /// Unreadable, and kept as such.
    pub quarantined: usize,
}

/// Stores records as pending, and what is unreadable as quarantined. They are durable when it answers.
///
/// # Errors
/// [`StoreError`]; nothing of it is stored then.
pub async fn accept(
    state: &dyn State,
    records: &[Record],
    quarantined: &[Quarantined],
) -> Result<Accepted, StoreError> {
    let mut batch = Batch::new();
    for record in records {
        let id = record.id.as_str();
        batch.push(Write::InsertNew(Document::new(
            Kind::Record,
            id,
            "pending",
            record.received_at,
            record,
        )?));
    }
    for q in quarantined {
        batch.push(Write::InsertNew(q.document()?));
    }
    let stored = state.commit(batch).await?;
    let new = stored
        .iter()
        .take(records.len())
        .filter(|new| **new)
        .count();
    Ok(Accepted {
        new,
        known: records.len().saturating_sub(new),
        quarantined: quarantined.len(),
    })
}
