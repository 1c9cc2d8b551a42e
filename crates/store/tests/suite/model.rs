//! Batches that share transactions end as if they had come one after the other.

use std::collections::BTreeMap;

use quell_store::{Batch, Document, Kind, Query, State, StoreError, Write};

use super::{all, at};

/// What a store would hold that did one batch after the other.
#[derive(Clone, Default)]
struct Model {
    /// Version and status.
    documents: BTreeMap<String, (i64, String)>,
    logs: BTreeMap<String, Vec<String>>,
}

impl Model {
    /// What the batch is answered; nothing when it is a conflict, and then nothing has changed.
    fn commit(&mut self, batch: &Batch) -> Option<Vec<bool>> {
        let mut next = self.clone();
        let done: Option<Vec<bool>> = batch.writes().iter().map(|w| next.apply(w)).collect();
        if done.is_some() {
            *self = next;
        }
        done
    }

    fn apply(&mut self, write: &Write) -> Option<bool> {
        match write {
            Write::Insert(d) | Write::InsertNew(d) => {
                let there = self.documents.contains_key(&d.id);
                if !there {
                    self.documents.insert(d.id.clone(), (1, d.status.clone()));
                }
                let may = !there || matches!(write, Write::InsertNew(_));
                may.then_some(!there)
            }
            Write::Update(d) => {
                let stored = self.documents.get_mut(&d.id).filter(|s| s.0 == d.version)?;
                *stored = (d.version + 1, d.status.clone());
                Some(true)
            }
            Write::Require { id, version, .. } => {
                let stored = self.documents.get(id).filter(|s| s.0 == *version);
                stored.map(|_| true)
            }
            Write::Delete(_, id) => Some(self.documents.remove(id).is_some()),
            Write::Prune(..) => {
                // The moment of a document is its number.
                let before = self.documents.len();
                self.documents.retain(|id, _| id.as_str() >= "m2");
                Some(self.documents.len() < before)
            }
            Write::Append { log, seq, body, .. } => {
                let entries = self.logs.entry(log.clone()).or_default();
                let next = usize::try_from(*seq).ok() == Some(entries.len());
                next.then(|| entries.push(body.clone()))?;
                Some(true)
            }
        }
    }
}

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

fn write(dice: &mut Dice, model: &Model, n: usize) -> Write {
    let number = dice.below(6);
    let id = format!("m{number}");
    let moment = at(i64::try_from(number).unwrap());
    // Mostly what is there, sometimes what was or will be.
    let version = model.documents.get(&id).map_or(1, |s| s.0) + i64::from(dice.below(5) == 0);
    let new = Document::new(Kind::Finding, &*id, format!("s{n}"), moment, &n).unwrap();
    let old = Document {
        version,
        ..new.clone()
    };
    let kind = Kind::Finding;
    match dice.below(13) {
        0 | 1 => Write::Insert(new),
        2 | 3 => Write::InsertNew(new),
        4..=6 => Write::Update(old),
        7 | 8 => Write::Require { kind, id, version },
        9 => Write::Delete(kind, id),
        10 if dice.below(4) == 0 => Write::Prune(kind, at(2)),
        _ => {
            let log = format!("model {}", number % 3);
            let end = model.logs.get(&log).map_or(0, Vec::len);
            let seq = i64::try_from(end).unwrap() + i64::from(dice.below(6) == 0);
            let body = format!("\"{n}\"");
            Write::Append {
                log,
                seq,
                at: moment,
                body,
            }
        }
    }
}

pub(crate) async fn as_if_one_after_the_other(state: &dyn State) {
    let mut dice = Dice(20_261_121);
    let mut model = Model::default();
    let (mut kept, mut refused) = (0, 0);
    for round in 0..30_usize {
        let mut batches = Vec::new();
        let mut wanted = Vec::new();
        for n in 0..=usize::try_from(dice.below(24)).unwrap() {
            let mut batch = Batch::new();
            // Writes are made for what the batches before them leave behind.
            let mut ahead = model.clone();
            for _ in 0..=dice.below(4) {
                let write = write(&mut dice, &ahead, round * 100 + n);
                ahead.apply(&write);
                batch.push(write);
            }
            wanted.push(model.commit(&batch));
            batches.push(batch);
        }
        let ended = all(batches.iter().map(|b| state.commit(b.clone())).collect()).await;
        for ((batch, ended), wanted) in batches.iter().zip(ended).zip(wanted) {
            match (&ended, &wanted) {
                (Ok(done), Some(wanted)) if done == wanted => kept += 1,
                (Err(StoreError::Conflict { .. }), None) => refused += 1,
                _ => panic!("round {round}: {batch:?} ended as {ended:?} and not as {wanted:?}"),
            }
        }
        let stored = state
            .list(&Query::all(Kind::Finding))
            .await
            .unwrap()
            .documents;
        let stored: BTreeMap<_, _> = stored
            .into_iter()
            .map(|d| (d.id, (d.version, d.status)))
            .collect();
        assert_eq!(stored, model.documents, "round {round}");
        for (log, bodies) in &model.logs {
            let entries = state.read_log(log, 0, 10_000).await.unwrap();
            let stored: Vec<_> = entries.into_iter().map(|e| e.body).collect();
            assert_eq!(&stored, bodies, "round {round}: {log}");
        }
    }
    assert!(
        kept > 80 && refused > 80,
        "{kept} kept, {refused} refused: too few of one sort"
    );
}
