//! The port for state.

use async_trait::async_trait;
use quell_model::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoreError;

/// The kinds of document. The words are stored, so they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A record as received: `pending`, `done`, `quarantined`.
    Record,
    /// A finding.
    Finding,
    /// An incident, by status.
    Incident,
    /// A run, by status.
    Run,
    /// What was captured for a run.
    Evidence,
    /// An access key that Quell issued.
    AccessKey,
    /// A signature that was used, until it expires.
    Nonce,
    /// How far a source has been read.
    Cursor,
    /// The right to work on one resource for a while.
    Lease,
    /// A number that only grows.
    Counter,
    /// The brake: whether changes are halted.
    Brake,
    /// A process that carries runs, for as long as it says that it is there.
    Carrier,
    /// Which process carries a run.
    Claim,
    /// What kind of trouble an incident was opened for on a resource: two processes cannot both open one.
    Cause,
    /// When a run has to be looked at next; gone when it has ended.
    Wake,
    /// The hash of a task token, while its task waits for it.
    Token,
    /// Something said to a run from outside that is not in its log yet.
    Signal,
    /// What a detector remembers: of one group (`closes`, `expires`), or of itself (`detector`).
    Memory,
    /// An entry of the audit log that is not in its tree yet.
    AuditEntry,
    /// The audit log's tree, its checkpoints, and what signs them.
    AuditLog,
    /// What a playbook did to a resource, and when it is looked at again: `watching`, `over`.
    Watch,
    /// What people decided to leave as it is: `in-force` until it is `ended`, by the moment at which it expires.
    Exception,
    /// A change freeze: `planned` until it is `ended`, by the moment at which it is over.
    Freeze,
    /// The image of a resource as a person approved it, for one playbook, by the moment at which it expires.
    ApprovedImage,
    /// That a playbook may act by itself here, by its id.
    Promotion,
}

impl Kind {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Finding => "finding",
            Self::Incident => "incident",
            Self::Run => "run",
            Self::Evidence => "evidence",
            Self::AccessKey => "access-key",
            Self::Nonce => "nonce",
            Self::Cursor => "cursor",
            Self::Lease => "lease",
            Self::Counter => "counter",
            Self::Brake => "brake",
            Self::Carrier => "carrier",
            Self::Claim => "claim",
            Self::Cause => "cause",
            Self::Wake => "wake",
            Self::Token => "token",
            Self::Signal => "signal",
            Self::Memory => "memory",
            Self::AuditEntry => "audit-entry",
            Self::AuditLog => "audit-log",
            Self::Watch => "watch",
            Self::Exception => "exception",
            Self::Freeze => "freeze",
            Self::ApprovedImage => "approved-image",
            Self::Promotion => "promotion",
        }
    }
}

/// A value with an id, a version and the few columns it is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it is.
    pub kind: Kind,
    /// Unique within its kind.
    pub id: String,
    /// 1 when inserted, one more with each update.
    pub version: i64,
    /// What it is listed by.
    pub status: String,
    /// What it belongs to (an incident's cause, a run's incident), or empty.
    pub parent: String,
    /// What it is ordered by, then by id.
    pub at: Timestamp,
    /// The value, as JSON text.
    pub body: String,
}

impl Document {
    /// A new document at version 1, to insert.
    ///
    /// # Errors
    /// [`StoreError::Unwritable`] when the value has no JSON form.
    pub fn new(
        kind: Kind,
        id: impl Into<String>,
        status: impl Into<String>,
        at: Timestamp,
        value: &impl Serialize,
    ) -> Result<Self, StoreError> {
        let id = id.into();
        let body = write_json(kind, &id, value)?;
        Ok(Self {
            kind,
            id,
            version: 1,
            status: status.into(),
            parent: String::new(),
            at,
            body,
        })
    }

    /// The same, belonging to `parent`.
    #[must_use]
    pub fn under(mut self, parent: impl Into<String>) -> Self {
        self.parent = parent.into();
        self
    }

    /// The same document with a new value and status, to update: it keeps the version that was read.
    ///
    /// # Errors
    /// [`StoreError::Unwritable`] when the value has no JSON form.
    pub fn with(
        mut self,
        status: impl Into<String>,
        value: &impl Serialize,
    ) -> Result<Self, StoreError> {
        self.body = write_json(self.kind, &self.id, value)?;
        self.status = status.into();
        Ok(self)
    }

    /// The value.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the text is not such a value.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        serde_json::from_str(&self.body).map_err(|source| StoreError::Corrupt {
            kind: self.kind.as_str(),
            id: self.id.clone(),
            source,
        })
    }
}

fn write_json(kind: Kind, id: &str, value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Unwritable {
        kind: kind.as_str(),
        id: id.to_owned(),
        source,
    })
}

/// One change of a batch.
#[derive(Clone, Debug)]
pub enum Write {
    /// A new document; [`StoreError::Conflict`] when there is one.
    Insert(Document),
    /// A new document, or nothing when there is one with that id.
    InsertNew(Document),
    /// A changed document; [`StoreError::Conflict`] unless the stored version is the one that was read.
    Update(Document),
    /// Changes nothing; [`StoreError::Conflict`] unless the document is there in this version, which stays until the
    /// batch has happened.
    Require {
        /// The kind.
        kind: Kind,
        /// The document's id.
        id: String,
        /// The version that was read.
        version: i64,
    },
    /// Removes a document; nothing when there is none.
    Delete(Kind, String),
    /// Removes documents of a kind that are older than a moment.
    Prune(Kind, Timestamp),
    /// The next entry of a log; [`StoreError::Conflict`] unless `seq` is the next.
    Append {
        /// The log's name: the id of what it is about.
        log: String,
        /// 0 for the first entry, then one more each time.
        seq: i64,
        /// When.
        at: Timestamp,
        /// The entry, as JSON text.
        body: String,
    },
}

/// Changes that happen together, in order, or not at all.
#[derive(Clone, Debug, Default)]
pub struct Batch(Vec<Write>);

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a change.
    pub fn push(&mut self, write: Write) {
        self.0.push(write);
    }

    /// Adds a change.
    #[must_use]
    pub fn with(mut self, write: Write) -> Self {
        self.push(write);
        self
    }

    /// The changes, in order.
    pub fn writes(&self) -> &[Write] {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Oldest or newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Oldest first.
    Oldest,
    /// Newest first.
    Newest,
}

/// Which documents to list.
#[derive(Clone, Debug)]
pub struct Query {
    /// The kind.
    pub kind: Kind,
    /// Only these statuses; empty for all.
    pub statuses: Vec<String>,
    /// Only those of this parent.
    pub parent: Option<String>,
    /// Only those at or after this moment.
    pub since: Option<Timestamp>,
    /// Oldest or newest first, by `at`, then by id.
    pub order: Order,
    /// At most so many; more than [`Query::LIMIT_MAX`] is taken as that.
    pub limit: usize,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

impl Query {
    /// A page never holds more.
    pub const LIMIT_MAX: usize = 1000;

    /// All of a kind, oldest first, 100 a page.
    pub fn all(kind: Kind) -> Self {
        Self {
            kind,
            statuses: Vec::new(),
            parent: None,
            since: None,
            order: Order::Oldest,
            limit: 100,
            cursor: None,
        }
    }

    /// Only those with this status (or with any that was named before).
    #[must_use]
    pub fn status(mut self, status: impl Into<String>) -> Self {
        self.statuses.push(status.into());
        self
    }

    /// Only those of this parent.
    #[must_use]
    pub fn parent(mut self, parent: impl Into<String>) -> Self {
        self.parent = Some(parent.into());
        self
    }

    /// Newest first.
    #[must_use]
    pub fn newest(mut self) -> Self {
        self.order = Order::Newest;
        self
    }

    /// At most so many.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

/// Some documents, and where to go on.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The documents.
    pub documents: Vec<Document>,
    /// For [`Query::cursor`], when there are more.
    pub next: Option<String>,
}

impl Page {
    /// The values.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] names the document that is not such a value.
    pub fn read<T: DeserializeOwned>(&self) -> Result<Vec<T>, StoreError> {
        self.documents.iter().map(Document::read).collect()
    }
}

/// An entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// 0, 1, 2, …
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// JSON text.
    pub body: String,
}

/// Documents, logs and batches: where everything lives that must survive a crash.
///
/// **Promise:** when [`State::commit`] answers `Ok`, the batch survives a power cut.
#[async_trait]
pub trait State: Send + Sync {
    /// Does the whole batch, durably, or nothing. Answers for each write whether it changed something (an
    /// `InsertNew` that found a document did not). Batches happen in the order in which they were handed in; one that
    /// was handed in happens also when nobody waits for the answer any more.
    async fn commit(&self, batch: Batch) -> Result<Vec<bool>, StoreError>;

    /// The document, when there is one.
    async fn get(&self, kind: Kind, id: &str) -> Result<Option<Document>, StoreError>;

    /// A page of documents.
    async fn list(&self, query: &Query) -> Result<Page, StoreError>;

    /// How many documents of a kind there are, by status.
    async fn count(&self, kind: Kind) -> Result<Vec<(String, u64)>, StoreError>;

    /// The entries of a log from `from` on, in order, at most `limit` of them.
    async fn read_log(&self, log: &str, from: i64, limit: usize) -> Result<Vec<Entry>, StoreError>;
}
