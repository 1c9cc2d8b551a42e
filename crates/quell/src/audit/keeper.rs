//! Who keeps the audit log: takes what waits into the tree, and signs.

use std::sync::Arc;

use quell_evidence::{Hash, KeyError, SigningKey, Tree};
use quell_model::Timestamp;
use quell_server::{SealError, Sealing};
use quell_store::{Batch, Clock, Document, Kind, Query, State, StoreError, Write};
use serde::{Deserialize, Serialize};

use crate::random::{self, NoRandomness};

/// The log's name in the store.
pub const LOG: &str = "audit";
/// The document with the secret that signs.
const KEY: &str = "key";
/// Entries that join in one batch.
const AT_ONCE: usize = 500;
/// A checkpoint is kept once in so long, beside the newest: what was changed can then be placed.
const KEPT_EVERY_MILLIS: i64 = 60_000;
/// Somebody else may make the first key at the same moment.
const TRIES_MAX: usize = 5;

/// The audit log cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// The state store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing key cannot be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// No random bytes for a signing key.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// The name in the settings, or the stored seed.
    #[error("the audit log's signing key: {0}")]
    Key(#[from] KeyError),
}

#[derive(Serialize, Deserialize)]
struct StoredKey {
    /// The log's name: it is signed, so it stays what it was when the log began.
    name: String,
    seed: String,
}

/// The status of a checkpoint that is kept for good.
pub(super) const KEPT: &str = "checkpoint";
/// The status of what is in the locked bucket besides.
pub(super) const LOCKED: &str = "locked";

/// The log as it stands.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Head {
    /// The tree.
    pub tree: Tree,
    /// The signed checkpoint over it; empty before the first entry.
    pub checkpoint: String,
    /// When a checkpoint was last kept for good.
    pub kept_at: Timestamp,
}

/// Keeps the log. Any number of processes may: the store lets one of them add the next entries.
pub struct Keeper {
    state: Arc<dyn State>,
    clock: Arc<dyn Clock>,
    key: SigningKey,
}

impl Keeper {
    /// Takes the log's key, or makes it when there is none yet.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn open(
        state: Arc<dyn State>,
        clock: Arc<dyn Clock>,
        sealing: &Sealing,
        name: &str,
    ) -> Result<Self, KeeperError> {
        for _ in 0..TRIES_MAX {
            if let Some(stored) = state.get(Kind::AuditLog, KEY).await? {
                let StoredKey { name, seed } = stored.read()?;
                let seed = sealing.open_text("the audit log", seed, &beside(&name))?;
                let mut bytes = [0; 32];
                hex::decode_to_slice(seed, &mut bytes).map_err(|_| KeyError::Seed)?;
                let key = SigningKey::new(&name, &bytes)?;
                return Ok(Self { state, clock, key });
            }
            let seed = random::bytes::<32>()?;
            SigningKey::new(name, &seed)?;
            let seed = sealing.seal_text(
                "the audit log",
                hex::encode(seed),
                &beside(name),
                random::bytes()?,
            )?;
            let name = name.to_owned();
            let stored = StoredKey { name, seed };
            let document = Document::new(Kind::AuditLog, KEY, "key", clock.now(), &stored)?;
            // Whoever was first is read in the next round.
            let made = Batch::new().with(Write::InsertNew(document));
            state.commit(made).await?;
        }
        Err(KeyError::Seed.into())
    }

    /// What others check the log with.
    pub fn public(&self) -> quell_evidence::VerifyingKey {
        self.key.public()
    }

    /// The log as it stands.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn head(&self) -> Result<Head, StoreError> {
        let stored = self.state.get(Kind::AuditLog, LOG).await?;
        Ok(stored.map(|d| d.read()).transpose()?.unwrap_or_default())
    }

    /// Takes what waits into the tree, at most 500 entries of it, and signs; answers how many entries joined.
    ///
    /// # Errors
    /// [`StoreError`]; a [`StoreError::Conflict`] means that another process was quicker, and nothing happened here.
    pub async fn gather(&self) -> Result<usize, StoreError> {
        let query = Query::all(Kind::AuditEntry).limit(AT_ONCE);
        let waiting = self.state.list(&query).await?.documents;
        if waiting.is_empty() {
            return Ok(0);
        }
        let stored = self.state.get(Kind::AuditLog, LOG).await?;
        let mut head: Head = stored
            .as_ref()
            .map_or(Ok(Head::default()), Document::read)?;
        let now = self.clock.now();
        let mut batch = Batch::new();
        let joined = waiting.len();
        for document in waiting {
            let seq = i64::try_from(head.tree.size()).unwrap_or(i64::MAX);
            head.tree.push(Hash::of_leaf(document.body.as_bytes()));
            batch.push(Write::Append {
                log: LOG.to_owned(),
                seq,
                at: document.at,
                body: document.body,
            });
            batch.push(Write::Delete(Kind::AuditEntry, document.id));
        }
        head.checkpoint = self.key.sign(head.tree.size(), head.tree.root());
        if now.millis_since(head.kept_at) >= KEPT_EVERY_MILLIS {
            head.kept_at = now;
            let id = format!("checkpoint/{:020}", head.tree.size());
            let kept = Document::new(Kind::AuditLog, id, KEPT, now, &head.checkpoint)?;
            batch.push(Write::InsertNew(kept));
        }
        batch.push(match stored {
            Some(document) => Write::Update(document.with("log", &head)?),
            None => Write::Insert(Document::new(Kind::AuditLog, LOG, "log", now, &head)?),
        });
        self.state.commit(batch).await?;
        Ok(joined)
    }

    /// Takes everything that waits now into the tree.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn gather_all(&self) -> Result<(), StoreError> {
        loop {
            match self.gather().await {
                Ok(joined) if joined < AT_ONCE => return Ok(()),
                Ok(_) | Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// What is sealed in with the seed.
fn beside(name: &str) -> String {
    format!("audit log {name}")
}
