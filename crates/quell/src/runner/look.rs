//! The loop that finds runs to carry, and gives them places.

use std::sync::Arc;
use std::time::Duration;

use quell_model::{RunId, Timestamp};
use quell_store::{Document, Kind, Query, StoreError};
use tokio::sync::{Notify, OwnedSemaphorePermit};

use super::host::Host;
use super::queue::Queue;
use super::signal::Signal;
use super::{LATER, Rest, Runner, locked, wake};
use crate::loops::Tasks;

/// Looked for even when nobody rang: runs and signals of other processes.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// So much rest between two looks, as a multiple of what a look takes: looking is never most of the work.
const REST_FACTOR: u32 = 4;
const REST_MIN: Duration = Duration::from_millis(5);
/// Runs that wait for a place are kept as ids; more wait in the store.
const QUEUED_MAX: usize = 50_000;

impl<H: Host> Runner<H> {
    /// Carries runs until everything stops.
    pub async fn run(self: Arc<Self>, tasks: Tasks) {
        let mut queue = Queue::default();
        loop {
            let began = tokio::time::Instant::now();
            if let Err(error) = self.look(&mut queue).await {
                tracing::error!(%error, "runs cannot be listed");
            }
            let pause = (began.elapsed() * REST_FACTOR).max(REST_MIN);
            let looked = tokio::time::Instant::now();
            let mut rung = false;
            loop {
                self.fill(&mut queue, &tasks);
                let next = looked
                    + if rung {
                        pause
                    } else {
                        self.until_next_look(pause)
                    };
                tokio::select! {
                    () = tokio::time::sleep_until(next) => break,
                    () = self.freed.notified() => {}
                    () = self.bell.notified() => rung = true,
                }
            }
        }
    }

    /// How long after a look the next one is made, when nobody rings.
    fn until_next_look(&self, pause: Duration) -> Duration {
        let now = self.clock.now();
        let due = locked(&self.soonest).map(|at| at.millis_since(now));
        let due = due.map_or(LOOK_EVERY, |left| {
            Duration::from_millis(u64::try_from(left).unwrap_or(0))
        });
        due.min(LOOK_EVERY).max(pause)
    }

    /// Queues every run that is due or was told something.
    async fn look(&self, queue: &mut Queue) -> Result<(), StoreError> {
        self.look_at_signals(queue).await?;
        let now = self.clock.now();
        let mut query = Query::all(Kind::Wake).limit(Query::LIMIT_MAX);
        *locked(&self.soonest) = None;
        while queue.len() < QUEUED_MAX {
            let page = self.state.list(&query).await?;
            for document in &page.documents {
                if document.at > now {
                    self.note_rest(document.at);
                    return Ok(());
                }
                self.queue(queue, &document.parent, &document.id);
            }
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => return Ok(()),
            }
        }
        Ok(())
    }

    async fn look_at_signals(&self, queue: &mut Queue) -> Result<(), StoreError> {
        let query = Query::all(Kind::Signal).limit(Query::LIMIT_MAX);
        for document in self.state.list(&query).await?.documents {
            let account = account_of(&document)?;
            if let Some(bell) = self.queue(queue, &account, &document.parent) {
                bell.notify_one();
            }
        }
        Ok(())
    }

    /// Queues a run, or answers its bell when it is in memory.
    fn queue(&self, queue: &mut Queue, account: &str, run: &str) -> Option<Arc<Notify>> {
        let Ok(run) = run.parse::<RunId>() else {
            tracing::error!(run, "what is to be looked at is no run");
            return None;
        };
        if let Some(bell) = locked(&self.active).get(&run) {
            return Some(bell.clone());
        }
        if self.claims.are_elsewhere(&run) {
            return None;
        }
        queue.push(account, run);
        None
    }

    /// Gives places to runs while there are both.
    fn fill(self: &Arc<Self>, queue: &mut Queue, tasks: &Tasks) {
        while let Ok(place) = self.places.clone().try_acquire_owned() {
            let Some(run) = queue.pop() else { return };
            let bell = Arc::new(Notify::new());
            locked(&self.active).insert(run.clone(), bell.clone());
            let runner = self.clone();
            tasks.start_orderly("run", async move {
                runner.hold_place(run, &bell, place).await;
            });
        }
    }

    async fn hold_place(&self, run: RunId, bell: &Notify, place: OwnedSemaphorePermit) {
        let rest = self.carry(&run, bell).await;
        drop(place);
        self.freed.notify_one();
        match rest {
            Ok(Rest::Until(at)) if at < wake::never() => self.note_rest(at),
            Ok(Rest::Later) => tokio::time::sleep(LATER).await,
            Ok(_) => {}
            Err(error) => {
                // It stays as it is in the store, and is taken up again at the next look.
                tracing::warn!(%run, %error, "a run was interrupted; it goes on from its log");
                tokio::time::sleep(LATER).await;
            }
        }
        locked(&self.active).remove(&run);
        self.freed.notify_one();
    }

    fn note_rest(&self, at: Timestamp) {
        let mut soonest = locked(&self.soonest);
        *soonest = Some(soonest.map_or(at, |known| known.min(at)));
    }
}

fn account_of(signal: &Document) -> Result<String, StoreError> {
    Ok(signal.read::<Signal>()?.account)
}
