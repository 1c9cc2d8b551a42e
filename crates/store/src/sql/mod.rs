//! State in an SQL database. What a batch or a query means is said once, here; [`sqlite`] and [`postgres`] say how
//! the database is opened, how a transaction begins, and how values go in and out.

pub mod postgres;
pub mod sqlite;
mod statement;

use std::borrow::Cow;

use async_trait::async_trait;
use quell_model::Timestamp;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::query::Query as SqlQuery;
use sqlx::{
    AssertSqlSafe, ColumnIndex, Database as Driver, Decode, Encode, Row as _, Type, TypeInfo as _,
    ValueRef as _,
};

use self::statement::{Cell, Row, Statement};
use crate::{Batch, Document, Entry, Kind, Order, Page, Query, State, StoreError, Write};

/// A batch that the database broke off because of another one is begun again so often.
const ATTEMPTS_MAX: u32 = 8;

/// A database that holds the tables of `migrations/`.
#[async_trait]
pub(crate) trait Database: Send + Sync {
    type Transaction: Transaction;

    /// A transaction that may write.
    async fn begin(&self) -> Result<Self::Transaction, sqlx::Error>;

    /// The rows of a statement that only reads.
    async fn fetch(&self, statement: &Statement) -> Result<Vec<Row>, sqlx::Error>;

    /// Whether the database broke a transaction off, wholly, to let another one go on.
    fn is_broken_off(error: &sqlx::Error) -> bool;
}

/// A transaction: dropped, it has not happened.
#[async_trait]
pub(crate) trait Transaction: Send {
    /// Does it, and says how many rows it touched.
    async fn execute(&mut self, statement: &Statement) -> Result<u64, sqlx::Error>;

    /// The rows.
    async fn fetch(&mut self, statement: &Statement) -> Result<Vec<Row>, sqlx::Error>;

    /// Makes it durable.
    async fn commit(self) -> Result<(), sqlx::Error>;
}

/// State in a database.
#[derive(Clone, Debug)]
pub struct SqlState<D> {
    database: D,
}

/// A statement with its values, for the driver that wants it written as `sql`.
fn query<'q, DB>(sql: String, values: &'q [Cell]) -> SqlQuery<'q, DB, <DB as Driver>::Arguments>
where
    DB: Driver,
    &'q str: Encode<'q, DB> + Type<DB>,
    i64: Encode<'q, DB> + Type<DB>,
{
    let query = sqlx::query(AssertSqlSafe(sql));
    values.iter().fold(query, |query, value| match value {
        Cell::Text(text) => query.bind(text.as_str()),
        Cell::Int(number) => query.bind(*number),
    })
}

/// What the driver gave; `number` is what it calls the type of whole numbers.
fn rows<DB>(rows: &[DB::Row], number: &str) -> Result<Vec<Row>, sqlx::Error>
where
    DB: Driver,
    usize: ColumnIndex<DB::Row>,
    for<'r> String: Decode<'r, DB> + Type<DB>,
    for<'r> i64: Decode<'r, DB> + Type<DB>,
{
    let cell = |row: &DB::Row, at: usize| {
        let is_number = row.try_get_raw(at)?.type_info().name() == number;
        Ok(if is_number {
            Cell::Int(row.try_get(at)?)
        } else {
            Cell::Text(row.try_get(at)?)
        })
    };
    let read = |row: &DB::Row| {
        let cells: Result<Vec<_>, sqlx::Error> = (0..row.len()).map(|at| cell(row, at)).collect();
        Ok(Row(cells?.into_iter()))
    };
    rows.iter().map(read).collect()
}

fn migrator(migrations: &[(i64, &'static str, &'static str)]) -> Migrator {
    let migration = |(version, name, sql): &(i64, &'static str, &'static str)| {
        let sql = sqlx::SqlStr::from_static(sql);
        let name = Cow::Borrowed(*name);
        Migration::new(*version, name, MigrationType::Simple, sql, false)
    };
    Migrator {
        migrations: migrations.iter().map(migration).collect(),
        ..Migrator::DEFAULT
    }
}

fn failed(doing: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |source| StoreError::Database { doing, source }
}

#[async_trait]
impl<D: Database> State for SqlState<D> {
    async fn commit(&self, batch: Batch) -> Result<Vec<bool>, StoreError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let mut attempt = 1;
        loop {
            match attempt_batch(&self.database, &batch).await {
                Err(StoreError::Database { source, .. })
                    if attempt < ATTEMPTS_MAX && D::is_broken_off(&source) => {}
                ended => return ended,
            }
            attempt += 1;
        }
    }

    async fn get(&self, kind: Kind, id: &str) -> Result<Option<Document>, StoreError> {
        let statement = Statement::new(
            "SELECT id, version, status, parent, at, body FROM document WHERE kind = ? AND id = ?",
        )
        .with(kind.as_str())
        .with(id);
        let fail = || failed("reading a document");
        let mut rows = self.database.fetch(&statement).await.map_err(fail())?;
        let document = rows.pop().map(|row| row.document(kind));
        document.transpose().map_err(fail())
    }

    async fn list(&self, query: &Query) -> Result<Page, StoreError> {
        let limit = query.limit.clamp(1, Query::LIMIT_MAX);
        let fail = || failed("listing documents");
        let rows = self.database.fetch(&select(query, limit)).await;
        let documents = rows.map_err(fail())?.into_iter();
        let documents: Result<Vec<_>, _> = documents.map(|row| row.document(query.kind)).collect();
        let mut documents = documents.map_err(fail())?;
        let more = documents.len() > limit;
        documents.truncate(limit);
        let last = documents.last().filter(|_| more);
        let next = last.map(|d| format!("{}~{}", d.at.millis(), d.id));
        Ok(Page { documents, next })
    }

    async fn count(&self, kind: Kind) -> Result<Vec<(String, u64)>, StoreError> {
        let statement = Statement::new(
            "SELECT status, COUNT(*) FROM document WHERE kind = ? GROUP BY status ORDER BY status",
        )
        .with(kind.as_str());
        let fail = || failed("counting documents");
        let rows = self.database.fetch(&statement).await.map_err(fail())?;
        let read = |mut row: Row| Ok((row.text()?, u64::try_from(row.int()?).unwrap_or(0)));
        let counts: Result<_, sqlx::Error> = rows.into_iter().map(read).collect();
        counts.map_err(fail())
    }

    async fn read_log(&self, log: &str, from: i64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let statement = Statement::new(
            "SELECT seq, at, body FROM entry WHERE log = ? AND seq >= ? ORDER BY seq LIMIT ?",
        )
        .with(log)
        .with(from)
        .with(i64::try_from(limit).unwrap_or(i64::MAX));
        let fail = || failed("reading a log");
        let rows = self.database.fetch(&statement).await.map_err(fail())?;
        let entries: Result<_, _> = rows.into_iter().map(Row::entry).collect();
        entries.map_err(fail())
    }
}

async fn attempt_batch<D: Database>(database: &D, batch: &Batch) -> Result<Vec<bool>, StoreError> {
    let begun = database.begin().await;
    let mut transaction = begun.map_err(failed("beginning a batch"))?;
    let mut done = Vec::with_capacity(batch.writes().len());
    for write in batch.writes() {
        done.push(apply(&mut transaction, write).await?);
    }
    match transaction.commit().await {
        Ok(()) => Ok(done),
        Err(source) if D::is_broken_off(&source) => Err(failed("committing a batch")(source)),
        Err(source) => Err(StoreError::Unconfirmed { source }),
    }
}

async fn apply<T: Transaction>(transaction: &mut T, write: &Write) -> Result<bool, StoreError> {
    match write {
        Write::Insert(document) => match insert(transaction, document).await? {
            0 => Err(conflict(document)),
            _ => Ok(true),
        },
        Write::InsertNew(document) => Ok(insert(transaction, document).await? > 0),
        Write::Update(document) => match update(transaction, document).await? {
            0 => Err(conflict(document)),
            _ => Ok(true),
        },
        Write::Delete(kind, id) => delete(transaction, *kind, id).await,
        Write::Prune(kind, before) => prune(transaction, *kind, *before).await,
        Write::Append { log, seq, at, body } => append(transaction, log, *seq, *at, body).await,
    }
}

fn conflict(document: &Document) -> StoreError {
    StoreError::Conflict {
        kind: document.kind.as_str(),
        id: document.id.clone(),
    }
}

async fn insert<T: Transaction>(transaction: &mut T, d: &Document) -> Result<u64, StoreError> {
    let statement = Statement::new(
        "INSERT INTO document (kind, id, version, status, parent, at, body) VALUES (?, ?, 1, ?, ?, ?, ?)
         ON CONFLICT (kind, id) DO NOTHING",
    )
    .with(d.kind.as_str())
    .with(&d.id)
    .with(&d.status)
    .with(&d.parent)
    .with(d.at)
    .with(&d.body);
    let done = transaction.execute(&statement).await;
    done.map_err(failed("inserting a document"))
}

async fn update<T: Transaction>(transaction: &mut T, d: &Document) -> Result<u64, StoreError> {
    let statement = Statement::new(
        "UPDATE document SET version = version + 1, status = ?, parent = ?, at = ?, body = ?
         WHERE kind = ? AND id = ? AND version = ?",
    )
    .with(&d.status)
    .with(&d.parent)
    .with(d.at)
    .with(&d.body)
    .with(d.kind.as_str())
    .with(&d.id)
    .with(d.version);
    let done = transaction.execute(&statement).await;
    done.map_err(failed("updating a document"))
}

async fn delete<T: Transaction>(
    transaction: &mut T,
    kind: Kind,
    id: &str,
) -> Result<bool, StoreError> {
    let statement = Statement::new("DELETE FROM document WHERE kind = ? AND id = ?")
        .with(kind.as_str())
        .with(id);
    let done = transaction.execute(&statement).await;
    Ok(done.map_err(failed("deleting a document"))? > 0)
}

async fn prune<T: Transaction>(
    transaction: &mut T,
    kind: Kind,
    before: Timestamp,
) -> Result<bool, StoreError> {
    let statement = Statement::new("DELETE FROM document WHERE kind = ? AND at < ?")
        .with(kind.as_str())
        .with(before);
    let done = transaction.execute(&statement).await;
    Ok(done.map_err(failed("pruning documents"))? > 0)
}

/// Two writers may both have read the same end; the table's key lets only one of them add the entry.
async fn append<T: Transaction>(
    transaction: &mut T,
    log: &str,
    seq: i64,
    at: Timestamp,
    body: &str,
) -> Result<bool, StoreError> {
    let end = Statement::new("SELECT COALESCE(MAX(seq) + 1, 0) FROM entry WHERE log = ?").with(log);
    let fail = || failed("reading the end of a log");
    let mut rows = transaction.fetch(&end).await.map_err(fail())?;
    let next = rows.pop().map(|mut row| row.int()).transpose();
    let taken = || StoreError::Conflict {
        kind: "log",
        id: format!("{log}#{seq}"),
    };
    if next.map_err(fail())? != Some(seq) {
        return Err(taken());
    }
    let entry = Statement::new(
        "INSERT INTO entry (log, seq, at, body) VALUES (?, ?, ?, ?) ON CONFLICT (log, seq) DO NOTHING",
    )
    .with(log)
    .with(seq)
    .with(at)
    .with(body);
    match transaction.execute(&entry).await {
        Ok(0) => Err(taken()),
        Ok(_) => Ok(true),
        Err(source) => Err(failed("appending to a log")(source)),
    }
}

fn select(query: &Query, limit: usize) -> Statement {
    let mut sql =
        Statement::new("SELECT id, version, status, parent, at, body FROM document WHERE kind = ?")
            .with(query.kind.as_str());
    for (at, status) in query.statuses.iter().enumerate() {
        sql.push(if at == 0 { " AND status IN (?" } else { ", ?" });
        sql.bind(status);
    }
    if !query.statuses.is_empty() {
        sql.push(")");
    }
    if let Some(parent) = &query.parent {
        sql.push(" AND parent = ?");
        sql.bind(parent);
    }
    if let Some(since) = query.since {
        sql.push(" AND at >= ?");
        sql.bind(since);
    }
    // A cursor that is not one of ours lists from the start.
    let cursor = query.cursor.as_deref().and_then(|c| c.split_once('~'));
    if let Some((Ok(at), id)) = cursor.map(|(at, id)| (at.parse::<i64>(), id)) {
        sql.push(match query.order {
            Order::Oldest => " AND (at, id) > (?, ?)",
            Order::Newest => " AND (at, id) < (?, ?)",
        });
        sql.bind(at);
        sql.bind(id);
    }
    sql.push(match query.order {
        Order::Oldest => " ORDER BY at ASC, id ASC LIMIT ?",
        Order::Newest => " ORDER BY at DESC, id DESC LIMIT ?",
    });
    sql.bind(i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX));
    sql
}
