//! What detectors remember, kept in the state store.
//!
//! A group's state is a document of the kind `memory` under its detector. A batch that changes one wants it as it was read, and
//! wants the document of its detector as it was read too. That one changes only when states are dropped, and says what can no longer be
//! known of a group without a state: so no two processes count a hit twice, and nobody takes a dropped group for a new one.
//!
//! States stay in memory from batch to batch, as they were stored; after a batch that did not happen they are read anew.

use std::collections::{BTreeMap, BTreeSet};

use quell_detect::correlation::Group;
use quell_detect::{Keeping, Stateful, Until};
use quell_model::{MemoryId, Timestamp};
use quell_store::{Batch, Document, Kind, Query, State, StoreError, Write};
use serde::{Deserialize, Serialize};

/// The status of a state that has to be advanced when nothing before its moment, in event time, is expected any more.
pub(super) const CLOSES: &str = "closes";
/// The status of a state that is dropped when its moment has passed by the clock.
pub(super) const EXPIRES: &str = "expires";
/// The status of what is known of a detector.
const DETECTOR: &str = "detector";
/// So many inputs stay in memory: some ten megabytes.
const HELD_MAX: usize = 64 * 1024;
/// A batch drops no more states.
const DROPPED_AT_ONCE: usize = 200;

/// What is known of a detector.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Bounds {
    /// States were dropped that were closed up to this moment of event time: an input before it comes too late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed: Option<Timestamp>,
    /// The newest input of the states that were dropped because there were too many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forgotten: Option<Timestamp>,
}

/// What is stored of a group.
#[derive(Debug, Serialize, Deserialize)]
struct Stored<S> {
    group: Group,
    state: S,
}

/// A detector's document. Version 0: there is none yet.
#[derive(Debug, Default)]
struct OfDetector {
    version: i64,
    bounds: Bounds,
    /// How many inputs came since the stored states were last counted, and how many more may.
    came: usize,
    may_come: usize,
}

#[derive(Debug)]
struct OfGroup<S> {
    version: i64,
    detector: String,
    /// `None` only while a step is made.
    stored: Option<Stored<S>>,
    keeping: Keeping,
}

/// The states of detectors, and what a batch has to change.
#[derive(Debug)]
pub(super) struct Memories<D: Stateful> {
    detectors: BTreeMap<String, OfDetector>,
    groups: BTreeMap<String, OfGroup<D::State>>,
    held: usize,
    /// What the next batch changes, drops and requires.
    changed: BTreeSet<String>,
    dropped: BTreeSet<String>,
    touched: BTreeSet<String>,
    bumped: BTreeSet<String>,
    /// So many inputs of a detector are kept in the store.
    inputs_max: usize,
}

impl<D: Stateful> Memories<D> {
    /// Nothing read yet. At most `inputs_max` inputs of a detector are kept.
    pub(super) fn new(inputs_max: usize) -> Self {
        Self {
            detectors: BTreeMap::new(),
            groups: BTreeMap::new(),
            held: 0,
            changed: BTreeSet::new(),
            dropped: BTreeSet::new(),
            touched: BTreeSet::new(),
            bumped: BTreeSet::new(),
            inputs_max,
        }
    }

    /// Forgets what was read: it may not be so any more.
    pub(super) fn clear(&mut self) {
        let came = |of: &OfDetector| OfDetector {
            came: of.came,
            may_come: of.may_come,
            version: -1,
            ..OfDetector::default()
        };
        self.detectors = self
            .detectors
            .iter()
            .map(|(id, of)| (id.clone(), came(of)))
            .collect();
        self.groups.clear();
        self.held = 0;
        for set in [
            &mut self.changed,
            &mut self.dropped,
            &mut self.touched,
            &mut self.bumped,
        ] {
            set.clear();
        }
    }

    /// How many writes the next batch has for them.
    pub(super) fn writes(&self) -> usize {
        self.changed.len() + self.dropped.len() * 2 + self.touched.len()
    }

    /// Takes an input of a group in, which happened `at`; answers what fires.
    pub(super) async fn step(
        &mut self,
        store: &dyn State,
        detector: &D,
        group: &Group,
        input: D::Input,
        at: Timestamp,
    ) -> Result<Vec<D::Fired>, StoreError> {
        let bounds = self.bounds(store, detector.memory()).await?;
        if bounds.closed.is_some_and(|closed| at < closed) {
            return Ok(Vec::new());
        }
        let id = MemoryId::of(detector.memory(), group).to_string();
        if !self.groups.contains_key(&id) {
            let of = match store.get(Kind::Memory, &id).await? {
                Some(document) => Self::read(detector, &document, group),
                None => Self::begun(detector, group, bounds.forgotten),
            };
            self.hold(id.clone(), of);
        }
        if let Some(of) = self.detectors.get_mut(detector.memory()) {
            of.came += 1;
        }
        let step = |state| detector.step(state, input);
        Ok(self.change(detector, &id, step))
    }

    /// Advances a state that was just read from the store; answers of which group it is, and what fires.
    pub(super) async fn advance(
        &mut self,
        store: &dyn State,
        detector: &D,
        document: &Document,
        to: Timestamp,
    ) -> Result<(Group, Vec<D::Fired>), StoreError> {
        self.bounds(store, detector.memory()).await?;
        let of = Self::read(detector, document, &Group::new());
        let group = of.stored.as_ref().map(|s| s.group.clone());
        self.hold(document.id.clone(), of);
        let fired = self.change(detector, &document.id, |state| detector.advance(state, to));
        let empty = self
            .groups
            .get(&document.id)
            .is_some_and(|of| of.keeping.until == Until::Now);
        if empty {
            self.drop_group(detector.memory(), &document.id);
            if let Some(of) = self.detectors.get_mut(detector.memory()) {
                of.bounds.closed = of.bounds.closed.max(Some(to));
            }
        }
        Ok((group.unwrap_or_default(), fired))
    }

    /// Drops a state that was just read from the store, and that nothing can need any more.
    pub(super) async fn expire(
        &mut self,
        store: &dyn State,
        detector: &D,
        document: &Document,
    ) -> Result<(), StoreError> {
        self.bounds(store, detector.memory()).await?;
        let of = Self::read(detector, document, &Group::new());
        self.hold(document.id.clone(), of);
        self.drop_group(detector.memory(), &document.id);
        Ok(())
    }

    /// Adds what changed to a batch, and what has to be as it was read.
    pub(super) fn write(&self, now: Timestamp, batch: &mut Batch) -> Result<(), StoreError> {
        for name in &self.touched {
            let Some(of) = self.detectors.get(name) else {
                continue;
            };
            let document = || {
                let new =
                    Document::new(Kind::Memory, name, DETECTOR, Timestamp::EPOCH, &of.bounds)?;
                Ok::<_, StoreError>(Document {
                    version: of.version,
                    ..new
                })
            };
            batch.push(match (of.version, self.bumped.contains(name)) {
                (0, _) => Write::Insert(document()?),
                (_, true) => Write::Update(document()?),
                (version, false) => Write::Require {
                    kind: Kind::Memory,
                    id: name.clone(),
                    version,
                },
            });
        }
        for (id, of) in self
            .changed
            .iter()
            .filter_map(|id| Some((id, self.groups.get(id)?)))
        {
            let (status, at) = match of.keeping.until {
                Until::Now => (EXPIRES, now),
                Until::Closed(at) => (CLOSES, at),
                Until::Quiet(millis) => (EXPIRES, now.plus_millis(millis)),
            };
            let document = Document::new(Kind::Memory, id, status, at, &of.stored)?;
            let document = document.under(&*of.detector);
            batch.push(match of.version {
                0 => Write::Insert(document),
                version => Write::Update(Document {
                    version,
                    ..document
                }),
            });
        }
        for (id, of) in self
            .dropped
            .iter()
            .filter_map(|id| Some((id, self.groups.get(id)?)))
        {
            batch.push(Write::Require {
                kind: Kind::Memory,
                id: id.clone(),
                version: of.version,
            });
            batch.push(Write::Delete(Kind::Memory, id.clone()));
        }
        Ok(())
    }

    /// The batch happened: what is in memory is what is stored.
    pub(super) fn committed(&mut self) {
        for name in std::mem::take(&mut self.touched) {
            let bumped = self.bumped.remove(&name);
            if let Some(of) = self.detectors.get_mut(&name) {
                of.version += i64::from(bumped || of.version == 0);
            }
        }
        for id in std::mem::take(&mut self.changed) {
            if let Some(of) = self.groups.get_mut(&id) {
                of.version += 1;
            }
        }
        for id in std::mem::take(&mut self.dropped) {
            self.let_go(&id);
        }
        if self.held > HELD_MAX {
            self.groups.clear();
            self.held = 0;
        }
    }

    /// Forgets the states that were quiet longest, of detectors that may have too many inputs; each batch by itself.
    pub(super) async fn forget(
        &mut self,
        store: &dyn State,
        detectors: &[D],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for detector in detectors {
            let full = |of: &OfDetector| of.came >= of.may_come;
            if self.detectors.get(detector.memory()).is_some_and(full) {
                self.forget_of(store, detector, now).await?;
            }
        }
        Ok(())
    }

    async fn forget_of(
        &mut self,
        store: &dyn State,
        detector: &D,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut query = Query::all(Kind::Memory)
            .parent(detector.memory())
            .limit(Query::LIMIT_MAX);
        let (mut all, mut kept) = (Vec::new(), 0);
        loop {
            let page = store.list(&query).await?;
            for document in page.documents {
                let of = Self::read(detector, &document, &Group::new());
                let size = of.keeping.size;
                kept += size;
                all.push((document.id, size));
            }
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => break,
            }
        }
        let wanted = if kept > self.inputs_max {
            self.inputs_max / 8 * 7
        } else {
            kept
        };
        let mut surplus = Vec::new();
        for (id, size) in all {
            if kept <= wanted {
                break;
            }
            kept = kept.saturating_sub(size);
            surplus.push(id);
        }
        for some in surplus.chunks(DROPPED_AT_ONCE) {
            self.forget_some(store, detector, some, now).await?;
        }
        if let Some(of) = self.detectors.get_mut(detector.memory()) {
            // Other processes add to it as well.
            let room = self.inputs_max.saturating_sub(kept) / 4;
            (of.came, of.may_come) = (0, room.max(self.inputs_max / 8));
        }
        Ok(())
    }

    async fn forget_some(
        &mut self,
        store: &dyn State,
        detector: &D,
        ids: &[String],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.bounds(store, detector.memory()).await?;
        for id in ids {
            let Some(document) = store.get(Kind::Memory, id).await? else {
                continue;
            };
            let of = Self::read(detector, &document, &Group::new());
            let newest = of.keeping.newest;
            self.hold(id.clone(), of);
            self.drop_group(detector.memory(), id);
            if let Some(of) = self.detectors.get_mut(detector.memory()) {
                of.bounds.forgotten = of.bounds.forgotten.max(newest);
            }
        }
        let mut batch = Batch::new();
        self.write(now, &mut batch)?;
        match store.commit(batch).await {
            Ok(_) => {
                self.committed();
                Ok(())
            }
            // Somebody else changed one of them: what is too much now is too much the next time.
            Err(StoreError::Conflict { .. }) => {
                self.clear();
                Ok(())
            }
            Err(error) => {
                self.clear();
                Err(error)
            }
        }
    }

    /// What is known of a detector. The next batch wants it to be still so.
    async fn bounds(&mut self, store: &dyn State, name: &str) -> Result<Bounds, StoreError> {
        self.touched.insert(name.to_owned());
        if let Some(of) = self.detectors.get(name).filter(|of| of.version >= 0) {
            return Ok(of.bounds);
        }
        let found = store.get(Kind::Memory, name).await?;
        let new = OfDetector {
            // What the others keep is not known: it is counted soon.
            may_come: self.inputs_max / 8,
            ..OfDetector::default()
        };
        let of = self.detectors.entry(name.to_owned()).or_insert(new);
        (of.version, of.bounds) = match found {
            Some(document) => (document.version, document.read()?),
            None => (0, Bounds::default()),
        };
        Ok(of.bounds)
    }

    fn begun(detector: &D, group: &Group, forgotten: Option<Timestamp>) -> OfGroup<D::State> {
        let state = detector.begin(forgotten);
        OfGroup {
            version: 0,
            detector: detector.memory().to_owned(),
            keeping: detector.keeping(&state),
            stored: Some(Stored {
                group: group.clone(),
                state,
            }),
        }
    }

    /// A stored state. One that cannot be read is as good as forgotten, and stops nothing.
    fn read(detector: &D, document: &Document, group: &Group) -> OfGroup<D::State> {
        let version = document.version;
        match document.read::<Stored<D::State>>() {
            Ok(stored) => OfGroup {
                version,
                detector: document.parent.clone(),
                keeping: detector.keeping(&stored.state),
                stored: Some(stored),
            },
            Err(error) => {
                tracing::error!(%error, "what a detector remembered cannot be read: it begins anew");
                let ever = Timestamp::from_millis(i64::MAX);
                OfGroup {
                    version,
                    ..Self::begun(detector, group, Some(ever))
                }
            }
        }
    }

    fn change(
        &mut self,
        detector: &D,
        id: &str,
        change: impl FnOnce(D::State) -> (D::State, Vec<D::Fired>),
    ) -> Vec<D::Fired> {
        let Some((of, Stored { group, state })) = self
            .groups
            .get_mut(id)
            .and_then(|of| of.stored.take().map(|stored| (of, stored)))
        else {
            return Vec::new();
        };
        let (state, fired) = change(state);
        self.held = self.held.saturating_sub(of.keeping.size);
        of.keeping = detector.keeping(&state);
        self.held += of.keeping.size;
        of.stored = Some(Stored { group, state });
        self.changed.insert(id.to_owned());
        fired
    }

    fn drop_group(&mut self, detector: &str, id: &str) {
        self.changed.remove(id);
        self.dropped.insert(id.to_owned());
        self.bumped.insert(detector.to_owned());
    }

    fn hold(&mut self, id: String, of: OfGroup<D::State>) {
        self.let_go(&id);
        self.held += of.keeping.size;
        self.groups.insert(id, of);
    }

    fn let_go(&mut self, id: &str) {
        if let Some(of) = self.groups.remove(id) {
            self.held = self.held.saturating_sub(of.keeping.size);
        }
    }
}
