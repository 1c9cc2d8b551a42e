//! A store whose process dies before or after its n-th commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use quell_store::{Batch, Document, Entry, Kind, Page, Query, State, StoreError};
use tokio_util::sync::CancellationToken;

/// Where the process dies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Death {
    Never,
    /// Before commit n: what was to be stored is lost.
    Before(usize),
    /// After commit n: it is stored, and nobody here knows.
    After(usize),
}

pub struct Crashing {
    inner: Arc<dyn State>,
    death: Death,
    commits: AtomicUsize,
    dead: CancellationToken,
}

impl Crashing {
    pub fn new(inner: Arc<dyn State>, death: Death, dead: CancellationToken) -> Self {
        let commits = AtomicUsize::new(0);
        Self {
            inner,
            death,
            commits,
            dead,
        }
    }

    pub fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }

    /// Nothing is read or written by the dead: what waits for it waits for ever.
    async fn alive(&self) {
        if self.dead.is_cancelled() {
            std::future::pending::<()>().await;
        }
    }

    async fn die(&self) {
        self.dead.cancel();
        self.alive().await;
    }
}

#[async_trait]
impl State for Crashing {
    async fn commit(&self, batch: Batch) -> Result<Vec<bool>, StoreError> {
        self.alive().await;
        let n = self.commits.fetch_add(1, Ordering::SeqCst);
        if self.death == Death::Before(n) {
            self.die().await;
        }
        let done = self.inner.commit(batch).await;
        if self.death == Death::After(n) {
            self.die().await;
        }
        done
    }

    async fn get(&self, kind: Kind, id: &str) -> Result<Option<Document>, StoreError> {
        self.alive().await;
        self.inner.get(kind, id).await
    }

    async fn list(&self, query: &Query) -> Result<Page, StoreError> {
        self.alive().await;
        self.inner.list(query).await
    }

    async fn count(&self, kind: Kind) -> Result<Vec<(String, u64)>, StoreError> {
        self.alive().await;
        self.inner.count(kind).await
    }

    async fn read_log(&self, log: &str, from: i64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.alive().await;
        self.inner.read_log(log, from, limit).await
    }
}
