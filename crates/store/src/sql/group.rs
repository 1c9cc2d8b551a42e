//! Many batches in one transaction, with few statements.
//!
//! Writes to different documents and logs do not depend on each other, whatever batch they are of. So the writes of a
//! group are sorted into waves: two writes to the same document are in different waves, in the order in which they
//! came, and all writes of one wave and form are one statement (or a few, of fixed sizes, so that the database keeps
//! them prepared). What a statement gives back says which of its writes found what they wanted.

use std::collections::{BTreeMap, BTreeSet};

use quell_model::Timestamp;

use super::statement::{Cell, Row, Statement};
use super::{Transaction, failed};
use crate::{Batch, Document, Kind, StoreError, Write};

/// The rows of a statement. Few different numbers, so that there are few statements to prepare.
const ROWS: [usize; 4] = [64, 16, 4, 1];

/// What a group came to.
pub(super) enum Ended {
    /// For each batch, for each write: whether it changed something.
    Done(Vec<Vec<bool>>),
    /// This batch did not find what it wanted. Nothing of the group may be kept.
    Conflict(usize, StoreError),
}

/// Does the writes of all batches in an open transaction.
pub(super) async fn apply<T: Transaction>(
    transaction: &mut T,
    batches: &[&Batch],
) -> Result<Ended, StoreError> {
    let mut done: Vec<Vec<bool>> = batches
        .iter()
        .map(|batch| vec![false; batch.writes().len()])
        .collect();
    for (form, writes) in waves(batches) {
        let mut rest = writes.as_slice();
        while let Some((chunk, after)) = next_chunk(form, rest) {
            rest = after;
            let found = run(transaction, form, chunk).await?;
            let found: BTreeSet<Key<'_>> = found.iter().map(key_of).collect();
            let mut lost: Option<&Placed<'_>> = None;
            for placed in chunk {
                let changed = found.contains(&placed.key());
                if !changed && placed.must() {
                    lost = lost.filter(|other| other.at <= placed.at).or(Some(placed));
                }
                let slot = done
                    .get_mut(placed.at.0)
                    .and_then(|b| b.get_mut(placed.at.1));
                if let Some(slot) = slot {
                    *slot = changed;
                }
            }
            if let Some(lost) = lost {
                return Ok(Ended::Conflict(lost.at.0, lost.conflict()));
            }
        }
    }
    Ok(Ended::Done(done))
}

/// The kinds of statement, in the order in which they are made within a wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Require,
    Insert,
    Update,
    Delete,
    Append,
    Prune,
}

/// A write, and where in the group it stands: batch, write.
#[derive(Clone, Copy, Debug)]
struct Placed<'a> {
    at: (usize, usize),
    write: &'a Write,
}

/// What a write is about, and what its statement gives back when it did something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    /// Kind and id of a document.
    Text(&'a str, &'a str),
    /// Log and number of an entry; kind and moment of a prune.
    Number(&'a str, i64),
}

fn key_of((name, second): &(String, Cell)) -> Key<'_> {
    match second {
        Cell::Text(id) => Key::Text(name, id),
        Cell::Int(number) => Key::Number(name, *number),
    }
}

impl<'a> Placed<'a> {
    fn form(&self) -> Form {
        match self.write {
            Write::Require { .. } => Form::Require,
            Write::Insert(_) | Write::InsertNew(_) => Form::Insert,
            Write::Update(_) => Form::Update,
            Write::Delete(..) => Form::Delete,
            Write::Append { .. } => Form::Append,
            Write::Prune(..) => Form::Prune,
        }
    }

    fn key(&self) -> Key<'a> {
        match self.write {
            Write::Insert(d) | Write::InsertNew(d) | Write::Update(d) => {
                Key::Text(d.kind.as_str(), &d.id)
            }
            Write::Require { kind, id, .. } | Write::Delete(kind, id) => {
                Key::Text(kind.as_str(), id)
            }
            Write::Append { log, seq, .. } => Key::Number(log, *seq),
            Write::Prune(kind, before) => Key::Number(kind.as_str(), before.millis()),
        }
    }

    /// Whether the batch fails when the write finds nothing to do.
    fn must(&self) -> bool {
        match self.write {
            Write::Insert(_) | Write::Update(_) | Write::Require { .. } | Write::Append { .. } => {
                true
            }
            Write::InsertNew(_) | Write::Delete(..) | Write::Prune(..) => false,
        }
    }

    fn conflict(&self) -> StoreError {
        let (kind, id) = match self.write {
            Write::Insert(d) | Write::InsertNew(d) | Write::Update(d) => (d.kind, d.id.clone()),
            Write::Require { kind, id, .. } | Write::Delete(kind, id) => (*kind, id.clone()),
            Write::Prune(kind, _) => (*kind, String::new()),
            Write::Append { log, seq, .. } => {
                let id = format!("{log}#{seq}");
                return StoreError::Conflict { kind: "log", id };
            }
        };
        let kind = kind.as_str();
        StoreError::Conflict { kind, id }
    }
}

/// The writes of a group, wave by wave, and within a wave by form and then by key: processes that write the same
/// documents take their locks in the same order, and rarely wait for each other in a circle.
fn waves<'a>(batches: &[&'a Batch]) -> Vec<(Form, Vec<Placed<'a>>)> {
    let mut sorted: BTreeMap<(usize, Form), Vec<Placed<'a>>> = BTreeMap::new();
    let mut documents: BTreeMap<Key<'a>, usize> = BTreeMap::new();
    let mut logs: BTreeMap<&'a str, (usize, i64)> = BTreeMap::new();
    // A prune is about every document of a kind: what came before it is in earlier waves, what comes after it in later.
    let (mut first, mut last) = (0, 0);
    for (b, batch) in batches.iter().enumerate() {
        for (w, write) in batch.writes().iter().enumerate() {
            let at = (b, w);
            let placed = Placed { at, write };
            let wave = match write {
                Write::Prune(..) => {
                    first = last + 2;
                    last + 1
                }
                // The next entry of the same log goes into the same statement.
                Write::Append { log, seq, .. } => {
                    let wave = match logs.get(log.as_str()) {
                        Some((wave, next)) if next == seq => *wave,
                        Some((wave, _)) => wave + 1,
                        None => first,
                    };
                    let wave = wave.max(first);
                    logs.insert(log, (wave, seq.saturating_add(1)));
                    wave
                }
                _ => {
                    let key = placed.key();
                    let wave = documents.get(&key).map_or(first, |wave| wave + 1);
                    let wave = wave.max(first);
                    documents.insert(key, wave);
                    wave
                }
            };
            last = last.max(wave);
            sorted
                .entry((wave, placed.form()))
                .or_default()
                .push(placed);
        }
    }
    let by_key = |((_, form), mut writes): ((usize, Form), Vec<Placed<'a>>)| {
        writes.sort_by(|a, b| a.key().cmp(&b.key()));
        (form, writes)
    };
    sorted.into_iter().map(by_key).collect()
}

/// The writes of the next statement, and those after it.
fn next_chunk<'s, 'a>(
    form: Form,
    writes: &'s [Placed<'a>],
) -> Option<(&'s [Placed<'a>], &'s [Placed<'a>])> {
    let most = if form == Form::Prune { 1 } else { usize::MAX };
    let size = ROWS
        .into_iter()
        .find(|size| *size <= writes.len().min(most))?;
    writes.split_at_checked(size)
}

/// Makes one statement of some writes, and gives back what names those that did something.
async fn run<T: Transaction>(
    transaction: &mut T,
    form: Form,
    writes: &[Placed<'_>],
) -> Result<Vec<(String, Cell)>, StoreError> {
    if let [
        Placed {
            write: Write::Prune(kind, before),
            ..
        },
    ] = writes
    {
        return prune(transaction, *kind, *before).await;
    }
    let doing = match form {
        Form::Require => "looking whether something is as it was",
        Form::Insert => "inserting documents",
        Form::Update => "updating documents",
        Form::Delete => "deleting documents",
        Form::Append => "appending to logs",
        Form::Prune => "pruning documents",
    };
    let rows = transaction.fetch(&statement::<T>(form, writes)).await;
    let read = |mut row: Row| Ok((row.text()?, row.cell()?));
    let found: Result<_, sqlx::Error> =
        rows.map_err(failed(doing))?.into_iter().map(read).collect();
    found.map_err(failed(doing))
}

async fn prune<T: Transaction>(
    transaction: &mut T,
    kind: Kind,
    before: Timestamp,
) -> Result<Vec<(String, Cell)>, StoreError> {
    let statement = Statement::new("DELETE FROM document WHERE kind = ? AND at < ?")
        .with(kind.as_str())
        .with(before);
    let done = transaction.execute(&statement).await;
    let some = done.map_err(failed("pruning documents"))? > 0;
    let key = (kind.as_str().to_owned(), Cell::from(before));
    Ok(some.then_some(key).into_iter().collect())
}

/// The statement for some writes of one form. `VALUES` names its columns `column1`, `column2`, … in both databases.
fn statement<T: Transaction>(form: Form, writes: &[Placed<'_>]) -> Statement {
    match form {
        Form::Require => {
            let mut s = Statement::new(
                // The order of this join is SQLite's: few rows first, then the key of the table.
                "SELECT d.kind, d.id FROM (VALUES ",
            );
            rows(&mut s, writes, "(?, ?, ?)", ", ");
            s.push(
                ") AS v CROSS JOIN document AS d WHERE d.kind = v.column1 AND d.id = v.column2 AND d.version = v.column3",
            );
            s.push(T::HOLD);
            s
        }
        Form::Insert => {
            let mut s = Statement::new(
                "INSERT INTO document (kind, id, version, status, parent, at, body) VALUES ",
            );
            rows(&mut s, writes, "(?, ?, 1, ?, ?, ?, ?)", ", ");
            s.push(" ON CONFLICT (kind, id) DO NOTHING RETURNING kind, id");
            s
        }
        Form::Update => {
            let mut s = Statement::new(
                "UPDATE document SET version = version + 1, status = v.column4, parent = v.column5,
                 at = v.column6, body = v.column7 FROM (VALUES ",
            );
            rows(&mut s, writes, "(?, ?, ?, ?, ?, ?, ?)", ", ");
            s.push(
                ") AS v WHERE kind = v.column1 AND id = v.column2 AND version = v.column3 RETURNING kind, id",
            );
            s
        }
        Form::Delete | Form::Prune => {
            // Not «(kind, id) IN (…)»: for that SQLite looks at every document there is.
            let mut s = Statement::new("DELETE FROM document WHERE ");
            rows(&mut s, writes, "(kind = ? AND id = ?)", " OR ");
            s.push(" RETURNING kind, id");
            s
        }
        // Two writers may both have read the same end; the table's key lets only one of them add the entry.
        Form::Append => {
            let mut s = Statement::new(
                "INSERT INTO entry (log, seq, at, body) SELECT v.column1, v.column2, v.column3, v.column4 FROM (VALUES ",
            );
            rows(&mut s, writes, "(?, ?, ?, ?, ?)", ", ");
            s.push(
                ") AS v WHERE v.column5 = (SELECT COALESCE(MAX(e.seq) + 1, 0) FROM entry AS e WHERE e.log = v.column1)
                 ON CONFLICT (log, seq) DO NOTHING RETURNING log, seq",
            );
            s
        }
    }
}

/// `(?, ?), (?, ?)` with the values of each write.
fn rows(
    statement: &mut Statement,
    writes: &[Placed<'_>],
    row: &'static str,
    between: &'static str,
) {
    // The first entry that a statement adds to a log stands beside each of them: it has to be the next.
    let mut firsts: BTreeMap<&str, i64> = BTreeMap::new();
    for (n, placed) in writes.iter().enumerate() {
        statement.push(if n == 0 { "" } else { between });
        statement.push(row);
        let s = &mut *statement;
        match placed.write {
            Write::Insert(d) | Write::InsertNew(d) => {
                name(s, d);
                value(s, d);
            }
            Write::Update(d) => {
                name(s, d);
                s.bind(d.version);
                value(s, d);
            }
            Write::Require { kind, id, version } => {
                s.bind(kind.as_str());
                s.bind(id);
                s.bind(*version);
            }
            Write::Delete(kind, id) => {
                s.bind(kind.as_str());
                s.bind(id);
            }
            Write::Append { log, seq, at, body } => {
                s.bind(log);
                s.bind(*seq);
                s.bind(*at);
                s.bind(body);
                s.bind(*firsts.entry(log).or_insert(*seq));
            }
            Write::Prune(..) => {}
        }
    }
}

fn name(statement: &mut Statement, d: &Document) {
    statement.bind(d.kind.as_str());
    statement.bind(&d.id);
}

fn value(statement: &mut Statement, d: &Document) {
    statement.bind(&d.status);
    statement.bind(&d.parent);
    statement.bind(Cell::from(d.at));
    statement.bind(&d.body);
}
