//! A copy of the audit log and of what was captured, in a bucket with Object Lock: whoever owns the machine that Quell runs on
//! cannot change it there.
//!
//! Evidence is put there by run, the log's lines by their numbers, and then the checkpoint that stands for them. What is there
//! is noted in the store afterwards, so a crash puts the same object once more; in a locked bucket that is another version of
//! it, and takes nothing away.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use quell_aws::{AwsError, HomeSession};
use quell_evidence::Hash;
use quell_model::Timestamp;
use quell_store::{Batch, Clock, Document, Kind, Query, State, StoreError, Write};
use serde_json::{Value, json};

use super::keeper::{KEPT, LOCKED, LOG};
use crate::config::LockConfig;

/// So many lines of the log in one object.
const LINES_AT_ONCE: usize = 5_000;
/// So many documents of one kind in one round.
const PAGE: usize = 50;
/// How far the log is in the bucket.
const CURSOR: &str = "evidence-lock";
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// What could not be put into the bucket.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The state store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// S3.
    #[error("evidence cannot be locked in s3://{bucket}: {source}")]
    Aws {
        /// The bucket.
        bucket: String,
        /// Why.
        source: Box<AwsError>,
    },
}

/// Puts evidence into the bucket.
pub struct Locker {
    state: Arc<dyn State>,
    clock: Arc<dyn Clock>,
    home: HomeSession,
    lock: LockConfig,
}

impl Locker {
    /// One for the bucket of the settings.
    pub fn new(
        state: Arc<dyn State>,
        clock: Arc<dyn Clock>,
        home: HomeSession,
        lock: LockConfig,
    ) -> Self {
        Self {
            state,
            clock,
            home,
            lock,
        }
    }

    /// Puts there what is not there yet.
    ///
    /// # Errors
    /// [`LockError`]; what was put there before it is noted.
    pub async fn lock_all(&self) -> Result<(), LockError> {
        self.lock_evidence().await?;
        self.lock_log().await
    }

    /// What was captured of runs.
    async fn lock_evidence(&self) -> Result<(), LockError> {
        loop {
            let query = Query::all(Kind::Evidence).status("sealed").limit(PAGE);
            let sealed = self.state.list(&query).await?.documents;
            let is_last = sealed.len() < PAGE;
            for document in sealed {
                let key = format!("evidence/{}.json", document.id);
                self.put(&key, document.body.as_bytes()).await?;
                self.locked(document).await?;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// The log up to each checkpoint that was kept for good, and that checkpoint.
    async fn lock_log(&self) -> Result<(), LockError> {
        let query = Query::all(Kind::AuditLog).status(KEPT).limit(PAGE);
        for kept in self.state.list(&query).await?.documents {
            let size = kept.id.rsplit('/').next().and_then(|n| n.parse().ok());
            self.lock_lines(size.unwrap_or(0)).await?;
            let text: String = kept.read()?;
            let key = format!("{}.txt", kept.id);
            self.put(&key, text.as_bytes()).await?;
            self.locked(kept).await?;
        }
        Ok(())
    }

    /// The lines of the log that are not in the bucket, up to `size`.
    async fn lock_lines(&self, size: i64) -> Result<(), LockError> {
        loop {
            let stored = self.state.get(Kind::Cursor, CURSOR).await?;
            let from: i64 = stored
                .as_ref()
                .map(Document::read)
                .transpose()?
                .unwrap_or(0);
            let left = usize::try_from(size.saturating_sub(from)).unwrap_or(0);
            if left == 0 {
                return Ok(());
            }
            let some = left.min(LINES_AT_ONCE);
            let lines = self.state.read_log(LOG, from, some).await?;
            let Some(last) = lines.last().map(|line| line.seq) else {
                return Ok(());
            };
            let text: String = lines
                .iter()
                .flat_map(|line| [line.body.as_str(), "\n"])
                .collect();
            let key = format!("log/{from:020}-{last:020}.jsonl");
            self.put(&key, text.as_bytes()).await?;
            let next = last.saturating_add(1);
            let write = match stored {
                Some(document) => Write::Update(document.with("at", &next)?),
                None => {
                    let now = self.clock.now();
                    Write::Insert(Document::new(Kind::Cursor, CURSOR, "at", now, &next)?)
                }
            };
            self.note(write).await?;
        }
    }

    /// Notes that it is there. What it says stays to the letter.
    async fn locked(&self, document: Document) -> Result<(), StoreError> {
        let status = LOCKED.to_owned();
        self.note(Write::Update(Document { status, ..document }))
            .await
    }

    /// Another process may have noted the same.
    async fn note(&self, write: Write) -> Result<(), StoreError> {
        match self.state.commit(Batch::new().with(write)).await {
            Err(StoreError::Conflict { .. }) | Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn put(&self, key: &str, body: &[u8]) -> Result<(), LockError> {
        let params = self.params(key, body, self.clock.now());
        let put = self.home.call("s3", "PutObject", &params).await;
        put.map(drop).map_err(|source| LockError::Aws {
            bucket: self.lock.bucket.clone(),
            source: Box::new(source),
        })
    }

    /// S3 takes an object with a lock only with a checksum.
    fn params(&self, key: &str, body: &[u8], now: Timestamp) -> Value {
        let days = i64::from(self.lock.days);
        let until = now.plus_millis(days.saturating_mul(DAY_MILLIS));
        json!({
            "Bucket": self.lock.bucket, "Key": format!("{}{key}", self.lock.prefix), "Body": BASE64.encode(body),
            "ContentType": "application/json", "ChecksumAlgorithm": "SHA256", "ChecksumSHA256": BASE64.encode(Hash::of_bytes(body).0),
            "ObjectLockMode": self.lock.mode.as_str(), "ObjectLockRetainUntilDate": until.to_string(),
        })
    }
}
