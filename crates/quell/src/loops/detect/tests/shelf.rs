//! A store in memory, in which every look takes a while, so that two workers come between each other, and some commits fail.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use quell_store::{Batch, Document, Entry, Kind, Order, Page, Query, State, StoreError, Write};

/// Splitmix64: the same course every time, named by its number.
#[derive(Debug)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n.max(1)
    }

    pub(super) fn millis(&mut self, n: i64) -> i64 {
        i64::try_from(self.below(n.unsigned_abs())).unwrap()
    }
}

type Documents = BTreeMap<(Kind, String), Document>;

/// What became of the commits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) done: u64,
    pub(super) conflicts: u64,
    pub(super) lost_before: u64,
    pub(super) lost_after: u64,
}

#[derive(Debug)]
pub(super) struct Shelf {
    documents: Mutex<Documents>,
    dice: Mutex<Dice>,
    tally: Mutex<Tally>,
    /// One commit in so many fails.
    fails_one_in: Mutex<u64>,
}

impl Shelf {
    pub(super) fn new(seed: u64, fails_one_in: u64) -> Self {
        Self {
            documents: Mutex::default(),
            dice: Mutex::new(Dice(seed)),
            tally: Mutex::default(),
            fails_one_in: Mutex::new(fails_one_in),
        }
    }

    pub(super) fn all(&self, kind: Kind) -> Vec<Document> {
        let documents = self.documents();
        let of_kind = documents.values().filter(|d| d.kind == kind);
        of_kind.cloned().collect()
    }

    pub(super) fn put(&self, document: Document) {
        let key = (document.kind, document.id.clone());
        self.documents().insert(key, document);
    }

    pub(super) fn tally(&self) -> Tally {
        *self.tally.lock().unwrap()
    }

    pub(super) fn mend(&self) {
        *self.fails_one_in.lock().unwrap() = 0;
    }

    fn documents(&self) -> MutexGuard<'_, Documents> {
        self.documents.lock().unwrap()
    }

    fn below(&self, n: u64) -> u64 {
        self.dice.lock().unwrap().below(n)
    }

    async fn pause(&self) {
        for _ in 0..self.below(4) {
            tokio::task::yield_now().await;
        }
    }

    fn fails(&self) -> bool {
        let one_in = *self.fails_one_in.lock().unwrap();
        one_in > 0 && self.below(one_in) == 0
    }
}

fn lost() -> StoreError {
    StoreError::Open {
        path: "shelf".into(),
        mend: "",
        source: "lost".into(),
    }
}

fn conflict(kind: Kind, id: &str) -> StoreError {
    let (kind, id) = (kind.as_str(), id.to_owned());
    StoreError::Conflict { kind, id }
}

/// Does a write on a copy; answers whether it changed something.
fn apply(documents: &mut Documents, write: Write) -> Result<bool, StoreError> {
    match write {
        Write::Insert(d) | Write::InsertNew(d)
            if !documents.contains_key(&(d.kind, d.id.clone())) =>
        {
            documents.insert((d.kind, d.id.clone()), Document { version: 1, ..d });
            Ok(true)
        }
        Write::Insert(d) => Err(conflict(d.kind, &d.id)),
        Write::InsertNew(_) => Ok(false),
        Write::Update(d) => match documents.get_mut(&(d.kind, d.id.clone())) {
            Some(there) if there.version == d.version => {
                let version = d.version + 1;
                *there = Document { version, ..d };
                Ok(true)
            }
            _ => Err(conflict(d.kind, &d.id)),
        },
        Write::Require { kind, id, version } => match documents.get(&(kind, id.clone())) {
            Some(there) if there.version == version => Ok(false),
            _ => Err(conflict(kind, &id)),
        },
        Write::Delete(kind, id) => Ok(documents.remove(&(kind, id)).is_some()),
        Write::Prune(..) | Write::Append { .. } => panic!("detection does not do that"),
    }
}

#[async_trait]
impl State for Shelf {
    async fn commit(&self, batch: Batch) -> Result<Vec<bool>, StoreError> {
        self.pause().await;
        if self.fails() {
            self.tally.lock().unwrap().lost_before += 1;
            return Err(lost());
        }
        let done = {
            let mut copy = self.documents().clone();
            let writes = batch.writes().iter().cloned();
            let done: Result<Vec<bool>, _> = writes.map(|write| apply(&mut copy, write)).collect();
            if done.is_ok() {
                *self.documents() = copy;
            }
            done
        };
        let mut tally = *self.tally.lock().unwrap();
        tally.done += u64::from(done.is_ok());
        tally.conflicts += u64::from(done.is_err());
        *self.tally.lock().unwrap() = tally;
        self.pause().await;
        if done.is_ok() && self.fails() {
            self.tally.lock().unwrap().lost_after += 1;
            return Err(lost());
        }
        done
    }

    async fn get(&self, kind: Kind, id: &str) -> Result<Option<Document>, StoreError> {
        self.pause().await;
        Ok(self.documents().get(&(kind, id.to_owned())).cloned())
    }

    async fn list(&self, query: &Query) -> Result<Page, StoreError> {
        self.pause().await;
        let wanted = |d: &Document| {
            d.kind == query.kind
                && (query.statuses.is_empty() || query.statuses.contains(&d.status))
                && query
                    .parent
                    .as_ref()
                    .is_none_or(|parent| d.parent == *parent)
                && query.since.is_none_or(|since| d.at >= since)
        };
        let mut documents: Vec<Document> = self
            .documents()
            .values()
            .filter(|d| wanted(d))
            .cloned()
            .collect();
        documents.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        if query.order == Order::Newest {
            documents.reverse();
        }
        let begin = query.cursor.as_ref().map_or(0, |c| c.parse().unwrap());
        let end = (begin + query.limit).min(documents.len());
        let next = (end < documents.len()).then(|| end.to_string());
        let documents = documents[begin..end].to_vec();
        Ok(Page { documents, next })
    }

    async fn count(&self, _: Kind) -> Result<Vec<(String, u64)>, StoreError> {
        panic!("detection does not count")
    }

    async fn read_log(&self, _: &str, _: i64, _: usize) -> Result<Vec<Entry>, StoreError> {
        panic!("detection reads no logs")
    }
}
