//! The durable runner: carries runs of state machines through crashes, and knows nothing of playbooks.
//!
//! What a run means is the [`Host`]'s business. The runner keeps its log: what is to be done is noted before it is
//! done where doing it twice would matter, and what came of it after, so that folding the log gives the run back.
//! Many tasks of one run are under way at once; what they bring is noted in one batch. A run that waits leaves
//! memory, and a document says when it is to be looked at again ([`wake`]). What others have to say to a run is a
//! document too ([`signal`]).
//!
//! While a run is in memory this process has a claim on it ([`crate::claims`]): each batch requires it, and each changing call
//! is made only while it is surely good.
//!
//! **Invariant:** no effect that changes anything begins before its intent is durable; nothing of a run is only in
//! memory but the work under way.

mod batch;
mod carry;
mod host;
mod look;
mod queue;
pub mod signal;
pub mod wake;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quell_model::{RunId, Timestamp};
use quell_states::TokenKey;
use quell_store::{Clock, State, StoreError};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

pub use host::{Answer, Begin, Beside, Ended, Host, Opened, Point, Work};

use crate::claims::Claims;
use crate::random::{self, NoRandomness};

/// A run cannot go on just now. It stays as it is in the store.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The state store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No randomness for its tokens and its jitter.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// Its log is not what a log is.
    #[error("entry {seq} of the log of {run} cannot be read: {source}")]
    Log {
        /// The run.
        run: RunId,
        /// The entry's number.
        seq: i64,
        /// Why.
        source: serde_json::Error,
    },
    /// This process was not heard of for a while: another may carry the run by now.
    #[error(
        "this process may not be the one that carries {run} any more: nothing is changed for it here"
    )]
    Lost {
        /// The run.
        run: RunId,
    },
    /// An entry for its log has no JSON form.
    #[error("an entry for the log of {run} cannot be written: {source}")]
    Unwritable {
        /// The run.
        run: RunId,
        /// Why.
        source: serde_json::Error,
    },
}

/// How much is done at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Runs in memory.
    pub runs_at_once: usize,
    /// Tasks under way of one run. More wait within the run.
    pub tasks_at_once: usize,
}

/// How a run stands when it has left memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rest {
    /// It has ended, or there is no such run.
    Ended,
    /// It waits for this moment; for a signal too, if it can be given one.
    Until(Timestamp),
    /// A person has to decide. It asks again by itself.
    Parked,
    /// Something stands in its way for a moment.
    Later,
    /// Everything stops: it goes on at the next start.
    Stopped,
}

/// Carries runs.
pub struct Runner<H> {
    host: H,
    state: Arc<dyn State>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    limits: Limits,
    /// Which runs this process carries.
    claims: Arc<Claims>,
    token_key: TokenKey,
    /// Rung when there may be a run to begin or a signal.
    bell: Arc<Notify>,
    /// One for each run that may be in memory.
    places: Arc<Semaphore>,
    /// The runs in memory, each with its own bell.
    active: Mutex<BTreeMap<RunId, Arc<Notify>>>,
    /// Rung when a run has left memory.
    freed: Notify,
    /// When the first of the runs that left memory is to be looked at again.
    soonest: Mutex<Option<Timestamp>>,
}

/// A clock may be moved while something waits for it: it is looked at this often.
const CLOCK_EVERY: Duration = Duration::from_millis(250);
/// Something stands in a run's way: it is looked at again so soon.
const LATER: Duration = Duration::from_millis(200);

impl<H: Host> Runner<H> {
    /// A runner that carries nothing yet. `bell` is rung by whoever stores a new run or a signal in this process;
    /// those of other processes are found by looking.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new(
        host: H,
        state: Arc<dyn State>,
        clock: Arc<dyn Clock>,
        bell: Arc<Notify>,
        stop: CancellationToken,
        limits: Limits,
        claims: Arc<Claims>,
    ) -> Result<Self, NoRandomness> {
        Ok(Self {
            host,
            state,
            clock,
            stop,
            limits,
            claims,
            token_key: TokenKey::new(random::bytes()?),
            bell,
            places: Arc::new(Semaphore::new(limits.runs_at_once.max(1))),
            active: Mutex::default(),
            freed: Notify::new(),
            soonest: Mutex::default(),
        })
    }

    /// Carries one run here, with those that it waits for, until it has ended or a person has to decide: for a command
    /// line without a server.
    ///
    /// # Errors
    /// [`RunError`].
    pub async fn carry_on(&self, id: &RunId) -> Result<Rest, RunError> {
        loop {
            match self.carry(id, &self.bell).await? {
                Rest::Until(at) => match self.host.awaited(id).await?.first() {
                    None => self.wait_until(at).await,
                    Some(nested) => match Box::pin(self.carry_on(nested)).await? {
                        Rest::Parked => return Ok(Rest::Parked),
                        Rest::Stopped => return Ok(Rest::Stopped),
                        Rest::Ended | Rest::Later | Rest::Until(_) => {}
                    },
                },
                Rest::Later => tokio::time::sleep(LATER).await,
                rest => return Ok(rest),
            }
        }
    }

    /// Waits until the clock says `at`, or somebody rings, or everything stops.
    async fn wait_until(&self, at: Timestamp) {
        tokio::select! {
            () = self.sleep_until(at) => {}
            () = self.bell.notified() => {}
            () = self.stop.cancelled() => {}
        }
    }

    async fn sleep_until(&self, at: Timestamp) {
        loop {
            let left = at.millis_since(self.clock.now());
            let Some(left) = u64::try_from(left).ok().filter(|left| *left > 0) else {
                return;
            };
            tokio::time::sleep(Duration::from_millis(left).min(CLOCK_EVERY)).await;
        }
    }
}

/// What a lock holds, also when its holder panicked: each change of it is one step.
fn locked<T>(lock: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
