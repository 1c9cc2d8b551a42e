//! Which process carries which run, when several share a state store.
//!
//! A process that carries runs has a carrier document and changes it every few seconds: it is there. A run is carried by
//! the process that its claim names. When a carrier stands still for ten seconds, as seen by another process on that
//! one's own clock, it is gone: its document is taken away, and its claims are for whoever is first.
//!
//! Nothing depends on clocks agreeing. A process that was paused and believes that it is still there is held off twice:
//! it makes no changing call once its own time is over ([`Claims::are_good`]), which is before anybody calls it gone, and
//! every batch that it writes for a run requires the claim as it took it ([`Claim::fence`]).

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quell_model::{RunId, Timestamp};
use quell_store::{Batch, Clock, Document, Kind, Query, State, StoreError, Write};
use tokio::time::Instant;

use crate::random;

/// How often a process says that it is there.
const BEAT: Duration = Duration::from_secs(2);
/// So long after it began to say so, it may act on its claims.
const GOOD_FOR: Duration = Duration::from_secs(7);
/// So long it has to stand still before others call it gone.
const GONE_AFTER: Duration = Duration::from_secs(10);
/// What another process should have taken up is anybody's after so long.
const LEFT_LYING_MILLIS: i64 = 1_500;
/// Who carries which run is remembered for so many, to ask the store less.
const REMEMBERED_MAX: usize = 20_000;

/// The claims of this process.
pub struct Claims {
    state: Arc<dyn State>,
    clock: Arc<dyn Clock>,
    /// Beside an SQLite file, where a file for each process is locked while it lives. Who shares such a file is on this machine,
    /// and the system frees the lock of a process that dies: nobody has to wait to know it.
    marks: Option<PathBuf>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    me: Option<Standing>,
    /// The carriers that were there when they were last looked at.
    seen: BTreeMap<String, Seen>,
    /// Runs that somebody else carries.
    others: BTreeMap<RunId, String>,
}

/// What this process is as a carrier.
struct Standing {
    document: Document,
    good_until: Instant,
    /// The same by the machine's clock: after a suspended machine wakes, that one has moved on.
    good_until_by_clock: Timestamp,
    _mark: Option<File>,
}

/// A carrier as it was seen: since when it has this version.
struct Seen {
    version: i64,
    since: Instant,
}

/// The right to carry a run, as it was taken.
#[derive(Clone, Debug)]
pub struct Claim {
    document: Document,
    carrier: String,
}

impl Claim {
    /// For every batch that is written for the run: it does not happen when somebody else has taken the run over.
    pub fn fence(&self) -> Write {
        Write::Require {
            kind: Kind::Claim,
            id: self.document.id.clone(),
            version: self.document.version,
        }
    }

    /// Gives the run back, in a batch that has the fence too.
    pub fn give_back(&self) -> Write {
        Write::Delete(Kind::Claim, self.document.id.clone())
    }
}

/// A process cannot be a carrier.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// The state store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No name that nobody can guess.
    #[error(transparent)]
    Random(#[from] random::NoRandomness),
    /// The file that says that this process lives.
    #[error("{path}: {source}", path = .path.display())]
    Mark {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Claims {
    /// The claims of a process that is no carrier yet. `file` is the state store, when it is a file.
    pub fn new(state: Arc<dyn State>, clock: Arc<dyn Clock>, file: Option<&PathBuf>) -> Self {
        Self {
            state,
            clock,
            marks: file.cloned(),
            inner: Mutex::default(),
        }
    }

    /// Becomes a carrier, unless it is one, and looks who else is.
    ///
    /// # Errors
    /// [`ClaimError`].
    pub async fn join(&self) -> Result<(), ClaimError> {
        if self.me().is_some() {
            return Ok(());
        }
        let id = format!("car-{}", hex::encode(random::bytes::<16>()?));
        let mark = self.mark(&id)?;
        let (began, now) = (Instant::now(), self.clock.now());
        let document = Document::new(Kind::Carrier, &*id, "here", now, &std::process::id())?;
        let insert = Batch::new().with(Write::Insert(document.clone()));
        self.state.commit(insert).await?;
        let mut standing = Standing {
            document,
            good_until: began,
            good_until_by_clock: now,
            _mark: mark,
        };
        standing.is_good_from(began, now);
        self.inner().me = Some(standing);
        self.look().await?;
        Ok(())
    }

    /// Until it is dropped: says that this process is there, and looks for those that are not any more.
    pub async fn keep(&self) {
        loop {
            if let Err(error) = self.beat().await {
                tracing::warn!(%error, "this process could not say that it is there; it makes no change until it could");
            }
            tokio::time::sleep(BEAT).await;
        }
    }

    async fn beat(&self) -> Result<(), ClaimError> {
        let (began, now) = (Instant::now(), self.clock.now());
        let Some(document) = self.inner().me.as_ref().map(|me| me.document.clone()) else {
            return self.join().await;
        };
        let update = Write::Update(Document {
            at: now,
            ..document.clone()
        });
        match self.state.commit(Batch::new().with(update)).await {
            Ok(_) => {
                if let Some(me) = &mut self.inner().me {
                    me.document.version = me.document.version.saturating_add(1);
                    me.is_good_from(began, now);
                }
                Ok(self.look().await?)
            }
            Err(StoreError::Conflict { .. }) => self.find_myself(&document.id).await,
            Err(error) => Err(error.into()),
        }
    }

    /// The own document is not as it was left: an answer was lost on the way, or others took this process for gone.
    async fn find_myself(&self, id: &str) -> Result<(), ClaimError> {
        if let Some(stored) = self.state.get(Kind::Carrier, id).await? {
            if let Some(me) = &mut self.inner().me {
                me.document = stored;
            }
            return Ok(());
        }
        tracing::warn!("others took this process for gone, and its runs over; it begins anew");
        self.forget_me();
        self.join().await
    }

    /// Ends being a carrier: its claims are free at once.
    pub async fn leave(&self) {
        let Some(id) = self.me() else { return };
        self.forget_me();
        let delete = Batch::new().with(Write::Delete(Kind::Carrier, id));
        if let Err(error) = self.state.commit(delete).await {
            tracing::warn!(%error, "the others will notice only after a while that this process has ended");
        }
    }

    /// Looks who is there, and takes those away who are gone.
    async fn look(&self) -> Result<(), StoreError> {
        for carrier in self.gone().await? {
            self.bury(carrier).await?;
        }
        Ok(())
    }

    /// Looks who is there; answers who is gone.
    async fn gone(&self) -> Result<Vec<Document>, StoreError> {
        let query = Query::all(Kind::Carrier).limit(Query::LIMIT_MAX);
        let carriers = self.state.list(&query).await?.documents;
        let now = Instant::now();
        let mut inner = self.inner();
        let me = inner.me.as_ref().map(|me| me.document.id.clone());
        inner
            .seen
            .retain(|id, _| carriers.iter().any(|c| c.id == *id));
        let mut gone = Vec::new();
        for carrier in carriers {
            let (version, since) = (carrier.version, now);
            let new = Seen { version, since };
            let seen = inner.seen.entry(carrier.id.clone()).or_insert(new);
            if seen.version != version {
                *seen = Seen { version, since };
            }
            let still = now.saturating_duration_since(seen.since) >= GONE_AFTER;
            if me.as_ref() != Some(&carrier.id) && (still || self.is_dead(&carrier.id)) {
                gone.push(carrier);
            }
        }
        Ok(gone)
    }

    /// Takes a carrier away, unless it has moved after all.
    async fn bury(&self, carrier: Document) -> Result<(), StoreError> {
        let id = carrier.id.clone();
        let batch = Batch::new()
            .with(Write::Update(carrier))
            .with(Write::Delete(Kind::Carrier, id.clone()));
        match self.state.commit(batch).await {
            Ok(_) => {
                tracing::warn!(carrier = id, "a process is gone; its runs are taken over");
                self.unmark(&id);
                let mut inner = self.inner();
                inner.seen.remove(&id);
                inner.others.retain(|_, other| *other != id);
                Ok(())
            }
            Err(StoreError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Takes the right to carry a run: this process's own, or one that nobody has. `None`: somebody else carries it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take(&self, run: &RunId) -> Result<Option<Claim>, StoreError> {
        let Some(me) = self.me().filter(|_| !self.are_elsewhere(run)) else {
            return Ok(None);
        };
        let stored = self.state.get(Kind::Claim, run.as_str()).await?;
        let claim = |document: Document| Claim {
            document,
            carrier: me.clone(),
        };
        let Some(document) = stored else {
            let new = Document::new(Kind::Claim, run.as_str(), "held", self.clock.now(), &me)?;
            return self.taken(Write::Insert(new.clone()), claim(new)).await;
        };
        let holder: String = document.read()?;
        if holder == me {
            return Ok(Some(claim(document)));
        }
        if self.state.get(Kind::Carrier, &holder).await?.is_some() {
            self.remember(run, holder);
            return Ok(None);
        }
        let mut taken = document.with("held", &me)?;
        let write = Write::Update(taken.clone());
        taken.version = taken.version.saturating_add(1);
        self.taken(write, claim(taken)).await
    }

    async fn taken(&self, write: Write, claim: Claim) -> Result<Option<Claim>, StoreError> {
        match self.state.commit(Batch::new().with(write)).await {
            Ok(_) => Ok(Some(claim)),
            Err(StoreError::Conflict { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether a changing call may be made under a claim now: this process is surely not taken for gone yet.
    pub fn are_good(&self, claim: &Claim) -> bool {
        let now = self.clock.now();
        self.inner().me.as_ref().is_some_and(|me| {
            me.document.id == claim.carrier
                && Instant::now() < me.good_until
                && now < me.good_until_by_clock
        })
    }

    /// How many carriers there are besides this process, as far as anybody knows now. It only reads.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn others(&self) -> Result<usize, StoreError> {
        let gone = self.gone().await?;
        let inner = self.inner();
        let me = inner.me.as_ref().map(|me| &me.document.id);
        let there = |id: &&String| Some(*id) != me && gone.iter().all(|g| g.id != **id);
        Ok(inner.seen.keys().filter(there).count())
    }

    /// Whether what has been waiting since then, and has this id, is for this process: its share by number, and what others
    /// have left lying. Nobody relies on it; it keeps processes out of each other's way.
    pub fn is_for_me(&self, id: &str, since: Timestamp) -> bool {
        let number = |sum: u64, byte: u8| sum.wrapping_mul(31).wrapping_add(u64::from(byte));
        let (place, of) = self.share();
        let mine = id.bytes().fold(0, number) % of.max(1) == place;
        mine || self.clock.now().millis_since(since) > LEFT_LYING_MILLIS
    }

    /// This process's place among the carriers, and how many there are.
    fn share(&self) -> (u64, u64) {
        let inner = self.inner();
        let me = inner.me.as_ref().map(|me| &me.document.id);
        let before = inner.seen.keys().filter(|id| Some(*id) < me).count();
        let place = u64::try_from(before).unwrap_or(0);
        let of = u64::try_from(inner.seen.len()).unwrap_or(1);
        (place, of.max(place.saturating_add(1)))
    }

    fn me(&self) -> Option<String> {
        self.inner().me.as_ref().map(|me| me.document.id.clone())
    }

    fn forget_me(&self) {
        let me = self.inner().me.take();
        if let Some(me) = me {
            self.unmark(&me.document.id);
        }
    }

    /// Whether somebody else carries a run, as far as this process knows without asking.
    pub fn are_elsewhere(&self, run: &RunId) -> bool {
        let inner = self.inner();
        let other = inner.others.get(run);
        other.is_some_and(|carrier| inner.seen.contains_key(carrier))
    }

    fn remember(&self, run: &RunId, carrier: String) {
        let mut inner = self.inner();
        if inner.others.len() >= REMEMBERED_MAX {
            inner.others.clear();
        }
        inner.others.insert(run.clone(), carrier);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark_of(&self, id: &str) -> Option<PathBuf> {
        let mut name = self.marks.clone()?.into_os_string();
        name.push(format!("-{id}"));
        Some(PathBuf::from(name))
    }

    /// Makes this process's mark and locks it, before anybody can know its name.
    fn mark(&self, id: &str) -> Result<Option<File>, ClaimError> {
        let Some(path) = self.mark_of(id) else {
            return Ok(None);
        };
        let fail = |source| ClaimError::Mark {
            path: path.clone(),
            source,
        };
        let file = File::create_new(&path).map_err(fail)?;
        file.lock().map_err(fail)?;
        Ok(Some(file))
    }

    /// Whether the system says that a process has died.
    fn is_dead(&self, id: &str) -> bool {
        let file = self.mark_of(id).and_then(|path| File::open(path).ok());
        file.is_some_and(|file| file.try_lock().is_ok())
    }

    fn unmark(&self, id: &str) {
        if let Some(path) = self.mark_of(id) {
            drop(std::fs::remove_file(path));
        }
    }
}

impl Standing {
    fn is_good_from(&mut self, began: Instant, now: Timestamp) {
        self.good_until = began + GOOD_FOR;
        let millis = i64::try_from(GOOD_FOR.as_millis()).unwrap_or(0);
        self.good_until_by_clock = now.plus_millis(millis);
    }
}

#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
