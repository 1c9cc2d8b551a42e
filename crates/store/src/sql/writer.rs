//! One writer for each store: batches that come while it is at work wait, and share the next transaction and its sync.
//!
//! Batches happen in the order in which they were handed in. One that fails takes no other with it: what was before it
//! is done without it, it is done alone, and then what came after it.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::group::{Ended, apply};
use super::{Database, Transaction, failed};
use crate::{Batch, StoreError};

/// So many batches wait; who brings more waits before the queue.
const WAITING_MAX: usize = 1024;
/// A transaction is not made larger than this by waiting batches; one batch may be.
const GROUP_WRITES_MAX: usize = 1024;
/// What the database broke off because of another transaction is begun again so often.
const ATTEMPTS_MAX: u32 = 8;

type Answer = Result<Vec<bool>, StoreError>;

#[derive(Debug)]
enum Wish {
    Commit(Batch, oneshot::Sender<Answer>),
    Close(oneshot::Sender<()>),
}

/// The way to the writer. The writer ends when all of them are gone.
#[derive(Clone, Debug)]
pub(super) struct Writer(mpsc::Sender<Wish>);

impl Writer {
    /// Starts it. It lives apart from its callers: one that is given up half way must not break off the batches of the others.
    pub(super) fn start<D: Database + 'static>(database: D) -> Self {
        let (send, receive) = mpsc::channel(WAITING_MAX);
        #[expect(
            clippy::disallowed_methods,
            reason = "the one task of this room: it outlives callers that are dropped, and ends with the last of them"
        )]
        drop(tokio::spawn(work(database, receive)));
        Self(send)
    }

    pub(super) async fn commit(&self, batch: Batch) -> Answer {
        let (answer, wait) = oneshot::channel();
        let sent = self.0.send(Wish::Commit(batch, answer)).await;
        // Not sent: closed before. Sent and not answered: the process is ending, and nobody knows.
        sent.map_err(|_| failed("handing in a batch")(sqlx::Error::PoolClosed))?;
        wait.await.unwrap_or_else(|_| {
            let source = Arc::new(sqlx::Error::WorkerCrashed);
            Err(StoreError::Unconfirmed { source })
        })
    }

    /// Ends it, when what was handed in before is done.
    pub(super) async fn close(&self) {
        let (answer, wait) = oneshot::channel();
        if self.0.send(Wish::Close(answer)).await.is_ok() {
            drop(wait.await);
        }
    }
}

async fn work<D: Database>(database: D, mut wishes: mpsc::Receiver<Wish>) {
    while let Some(first) = wishes.recv().await {
        // Those who were answered just now may be about to hand in their next.
        tokio::task::yield_now().await;
        let mut group = VecDeque::new();
        let mut writes = 0;
        let mut next = Some(first);
        while let Some(wish) = next {
            match wish {
                Wish::Commit(batch, answer) => {
                    writes += batch.writes().len();
                    group.push_back((batch, answer));
                }
                Wish::Close(answer) => {
                    commit_all(&database, group).await;
                    wishes.close();
                    let _ = answer.send(());
                    return;
                }
            }
            next = (writes < GROUP_WRITES_MAX)
                .then(|| wishes.try_recv().ok())
                .flatten();
        }
        commit_all(&database, group).await;
    }
}

type Waiting = VecDeque<(Batch, oneshot::Sender<Answer>)>;

/// Commits batches in as few transactions as their failures allow. One that was given up meanwhile is done all the same.
async fn commit_all<D: Database>(database: &D, mut waiting: Waiting) {
    let mut size = waiting.len();
    while !waiting.is_empty() {
        let batches: Vec<&Batch> = waiting.iter().take(size).map(|(batch, _)| batch).collect();
        match commit_group(database, &batches).await {
            Ok(Ended::Done(done)) => {
                for ((_, answer), done) in waiting.drain(..size).zip(done) {
                    drop(answer.send(Ok(done)));
                }
                size = waiting.len();
            }
            // Alone, it is its own fault.
            Ok(Ended::Conflict(_, error)) if size == 1 => {
                answer_first(&mut waiting, error);
                size = waiting.len();
            }
            // Those before it, then it alone, then those after it.
            Ok(Ended::Conflict(at, _)) => size = at.max(1),
            Err(error) if size > 1 && is_of_one(&error) => size = 1,
            Err(error) => {
                for (_, answer) in waiting.drain(..size) {
                    drop(answer.send(Err(copy(&error))));
                }
                size = waiting.len();
            }
        }
    }
}

fn answer_first(waiting: &mut Waiting, error: StoreError) {
    if let Some((_, answer)) = waiting.pop_front() {
        drop(answer.send(Err(error)));
    }
}

/// Whether the database refused a value, and not the whole transaction: then it is one batch's fault, and nobody says whose.
fn is_of_one(error: &StoreError) -> bool {
    matches!(error, StoreError::Database { source, .. } if matches!(**source, sqlx::Error::Database(_)))
}

/// The same failure for each batch of a group.
fn copy(error: &StoreError) -> StoreError {
    match error {
        StoreError::Unconfirmed { source } => StoreError::Unconfirmed {
            source: source.clone(),
        },
        StoreError::Database { doing, source } => StoreError::Database {
            doing,
            source: source.clone(),
        },
        _ => failed("committing a batch")(sqlx::Error::WorkerCrashed),
    }
}

async fn commit_group<D: Database>(database: &D, batches: &[&Batch]) -> Result<Ended, StoreError> {
    let mut attempt = 1;
    loop {
        match attempt_group(database, batches).await {
            Err(StoreError::Database { source, .. })
                if attempt < ATTEMPTS_MAX && D::is_broken_off(&source) => {}
            ended => return ended,
        }
        attempt += 1;
    }
}

async fn attempt_group<D: Database>(database: &D, batches: &[&Batch]) -> Result<Ended, StoreError> {
    let begun = database.begin().await;
    let mut transaction = begun.map_err(failed("beginning a batch"))?;
    match apply(&mut transaction, batches).await {
        Ok(Ended::Done(done)) => match transaction.commit().await {
            Ok(()) => Ok(Ended::Done(done)),
            Err(source) if D::is_broken_off(&source) => Err(failed("committing a batch")(source)),
            Err(source) => Err(StoreError::Unconfirmed {
                source: Arc::new(source),
            }),
        },
        // When it cannot be taken back by word, the connection is given up, which takes it back too.
        other => {
            drop(transaction.rollback().await);
            other
        }
    }
}
