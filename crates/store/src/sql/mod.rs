//! State in an SQL database. What a query means is said here and what a batch means in [`group`], once for both
//! databases; [`sqlite`] and [`postgres`] say how one is opened, how a transaction begins, and how values go in and out.

mod group;
mod mend;
pub mod postgres;
pub mod sqlite;
mod statement;
mod writer;

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::query::Query as SqlQuery;
use sqlx::{
    AssertSqlSafe, ColumnIndex, Database as Driver, Decode, Encode, Row as _, Type, TypeInfo as _,
    ValueRef as _,
};

use self::statement::{Cell, Row, Statement};
use self::writer::Writer;
use crate::{Batch, Document, Entry, Kind, Order, Page, Query, State, StoreError};

/// A database that holds the tables of `migrations/`.
#[async_trait]
pub(crate) trait Database: Clone + Send + Sync {
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
    /// What ends a `SELECT … AS d` whose rows may not change before the transaction has ended.
    const HOLD: &'static str;

    /// Does it, and says how many rows it touched.
    async fn execute(&mut self, statement: &Statement) -> Result<u64, sqlx::Error>;

    /// The rows.
    async fn fetch(&mut self, statement: &Statement) -> Result<Vec<Row>, sqlx::Error>;

    /// Makes it durable.
    async fn commit(self) -> Result<(), sqlx::Error>;

    /// Takes it back.
    async fn rollback(self) -> Result<(), sqlx::Error>;
}

/// State in a database.
#[derive(Clone, Debug)]
pub struct SqlState<D> {
    database: D,
    writer: Writer,
}

/// State in a database that is open and has its tables.
fn state<D: Database + 'static>(database: D) -> SqlState<D> {
    let writer = Writer::start(database.clone());
    SqlState { database, writer }
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
    move |source| StoreError::Database {
        doing,
        source: Arc::new(source),
    }
}

#[async_trait]
impl<D: Database> State for SqlState<D> {
    async fn commit(&self, batch: Batch) -> Result<Vec<bool>, StoreError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        self.writer.commit(batch).await
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
