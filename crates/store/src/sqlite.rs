//! State in one SQLite file: the default, for one machine.
//!
//! Write-ahead log with `synchronous = FULL`: a commit is on the disk before it is answered. One connection
//! writes, so that writers queue here and not on SQLite's lock; several read.

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use quell_model::Timestamp;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use crate::{Batch, Document, Entry, Kind, Order, Page, Query, State, StoreError, Write};

/// The schema, oldest first. A migration that has shipped never changes: add the next.
const MIGRATIONS: &[(i64, &str, &str)] = &[(
    1,
    "documents and logs",
    include_str!("../migrations/0001.sql"),
)];

/// How long a statement waits for another process that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(20);
const READERS: u32 = 4;

/// State in one SQLite file.
#[derive(Debug, Clone)]
pub struct SqliteState {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl SqliteState {
    /// Opens the file, making it and its tables when they are not there. Nobody but this user may read it.
    ///
    /// # Errors
    /// [`StoreError::Open`] when the folder cannot be written or the file is not ours.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let fail = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Open {
            path: path.to_owned(),
            source,
        };
        private_file(path).map_err(|e| fail(e.into()))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(60))
            .connect_with(options.clone())
            .await
            .map_err(|e| fail(e.into()))?;
        migrator().run(&writer).await.map_err(|e| fail(e.into()))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options)
            .await
            .map_err(|e| fail(e.into()))?;
        Ok(Self { writer, readers })
    }

    /// Closes it, waiting for what is under way.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Makes the file before SQLite does, so that it is never readable by others, not for a moment.
fn private_file(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map(drop)
}

fn migrator() -> Migrator {
    let migrations = MIGRATIONS
        .iter()
        .map(|(version, name, sql)| {
            let sql = sqlx::SqlStr::from_static(sql);
            Migration::new(
                *version,
                Cow::Borrowed(*name),
                MigrationType::Simple,
                sql,
                false,
            )
        })
        .collect();
    Migrator {
        migrations,
        ..Migrator::DEFAULT
    }
}

fn database(doing: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |source| StoreError::Database { doing, source }
}

#[async_trait]
impl State for SqliteState {
    async fn commit(&self, batch: Batch) -> Result<Vec<bool>, StoreError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        // IMMEDIATE: take the write lock first, or a reader-turned-writer can fail half way.
        let mut tx = self
            .writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(database("beginning a batch"))?;
        let mut done = Vec::with_capacity(batch.writes().len());
        for write in batch.writes() {
            done.push(apply(&mut tx, write).await?);
        }
        tx.commit().await.map_err(database("committing a batch"))?;
        Ok(done)
    }

    async fn get(&self, kind: Kind, id: &str) -> Result<Option<Document>, StoreError> {
        let row = sqlx::query(
            "SELECT id, version, status, parent, at, body FROM document WHERE kind = ? AND id = ?",
        )
        .bind(kind.as_str())
        .bind(id)
        .fetch_optional(&self.readers)
        .await
        .map_err(database("reading a document"))?;
        row.as_ref()
            .map(|row| document(kind, row))
            .transpose()
            .map_err(database("reading a document"))
    }

    async fn list(&self, query: &Query) -> Result<Page, StoreError> {
        let limit = query.limit.clamp(1, Query::LIMIT_MAX);
        let rows = select(query, limit)
            .build()
            .fetch_all(&self.readers)
            .await
            .map_err(database("listing documents"))?;
        let mut documents = Vec::with_capacity(rows.len());
        for row in &rows {
            documents.push(document(query.kind, row).map_err(database("listing documents"))?);
        }
        let more = documents.len() > limit;
        documents.truncate(limit);
        let last = documents.last().filter(|_| more);
        let next = last.map(|d| format!("{}~{}", d.at.millis(), d.id));
        Ok(Page { documents, next })
    }

    async fn count(&self, kind: Kind) -> Result<Vec<(String, u64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT status, COUNT(*) FROM document WHERE kind = ? GROUP BY status ORDER BY status",
        )
        .bind(kind.as_str())
        .fetch_all(&self.readers)
        .await
        .map_err(database("counting documents"))?;
        rows.iter()
            .map(|row| {
                Ok((
                    row.try_get(0)?,
                    u64::try_from(row.try_get::<i64, _>(1)?).unwrap_or(0),
                ))
            })
            .collect::<Result<_, sqlx::Error>>()
            .map_err(database("counting documents"))
    }

    async fn read_log(&self, log: &str, from: i64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let rows = sqlx::query(
            "SELECT seq, at, body FROM entry WHERE log = ? AND seq >= ? ORDER BY seq LIMIT ?",
        )
        .bind(log)
        .bind(from)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.readers)
        .await
        .map_err(database("reading a log"))?;
        rows.iter()
            .map(|row| {
                Ok(Entry {
                    seq: row.try_get(0)?,
                    at: Timestamp::from_millis(row.try_get(1)?),
                    body: row.try_get(2)?,
                })
            })
            .collect::<Result<_, sqlx::Error>>()
            .map_err(database("reading a log"))
    }
}

async fn apply(tx: &mut SqliteConnection, write: &Write) -> Result<bool, StoreError> {
    match write {
        Write::Insert(d) => match insert(tx, d).await? {
            0 => Err(conflict(d)),
            _ => Ok(true),
        },
        Write::InsertNew(d) => Ok(insert(tx, d).await? > 0),
        Write::Update(d) => match update(tx, d).await? {
            0 => Err(conflict(d)),
            _ => Ok(true),
        },
        Write::Delete(kind, id) => {
            let done = sqlx::query("DELETE FROM document WHERE kind = ? AND id = ?")
                .bind(kind.as_str())
                .bind(id)
                .execute(tx)
                .await
                .map_err(database("deleting a document"))?;
            Ok(done.rows_affected() > 0)
        }
        Write::Prune(kind, before) => {
            let done = sqlx::query("DELETE FROM document WHERE kind = ? AND at < ?")
                .bind(kind.as_str())
                .bind(before.millis())
                .execute(tx)
                .await
                .map_err(database("pruning documents"))?;
            Ok(done.rows_affected() > 0)
        }
        Write::Append { log, seq, at, body } => append(tx, log, *seq, *at, body).await,
    }
}

fn conflict(d: &Document) -> StoreError {
    StoreError::Conflict {
        kind: d.kind.as_str(),
        id: d.id.clone(),
    }
}

async fn insert(tx: &mut SqliteConnection, d: &Document) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "INSERT INTO document (kind, id, version, status, parent, at, body) VALUES (?, ?, 1, ?, ?, ?, ?)
         ON CONFLICT (kind, id) DO NOTHING",
    )
    .bind(d.kind.as_str())
    .bind(&d.id)
    .bind(&d.status)
    .bind(&d.parent)
    .bind(d.at.millis())
    .bind(&d.body)
    .execute(tx)
    .await
    .map_err(database("inserting a document"))?;
    Ok(done.rows_affected())
}

async fn update(tx: &mut SqliteConnection, d: &Document) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE document SET version = version + 1, status = ?, parent = ?, at = ?, body = ?
         WHERE kind = ? AND id = ? AND version = ?",
    )
    .bind(&d.status)
    .bind(&d.parent)
    .bind(d.at.millis())
    .bind(&d.body)
    .bind(d.kind.as_str())
    .bind(&d.id)
    .bind(d.version)
    .execute(tx)
    .await
    .map_err(database("updating a document"))?;
    Ok(done.rows_affected())
}

async fn append(
    tx: &mut SqliteConnection,
    log: &str,
    seq: i64,
    at: Timestamp,
    body: &str,
) -> Result<bool, StoreError> {
    let next: i64 = sqlx::query("SELECT COALESCE(MAX(seq) + 1, 0) FROM entry WHERE log = ?")
        .bind(log)
        .fetch_one(&mut *tx)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(database("reading the end of a log"))?;
    if next != seq {
        return Err(StoreError::Conflict {
            kind: "log",
            id: format!("{log}#{seq}"),
        });
    }
    sqlx::query("INSERT INTO entry (log, seq, at, body) VALUES (?, ?, ?, ?)")
        .bind(log)
        .bind(seq)
        .bind(at.millis())
        .bind(body)
        .execute(tx)
        .await
        .map_err(database("appending to a log"))?;
    Ok(true)
}

fn select(query: &Query, limit: usize) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new(
        "SELECT id, version, status, parent, at, body FROM document WHERE kind = ",
    );
    sql.push_bind(query.kind.as_str());
    if !query.statuses.is_empty() {
        sql.push(" AND status IN (");
        let mut list = sql.separated(", ");
        for status in &query.statuses {
            list.push_bind(status.clone());
        }
        sql.push(")");
    }
    if let Some(parent) = &query.parent {
        sql.push(" AND parent = ").push_bind(parent.clone());
    }
    if let Some(since) = query.since {
        sql.push(" AND at >= ").push_bind(since.millis());
    }
    let (after, direction) = match query.order {
        Order::Oldest => (">", "ASC"),
        Order::Newest => ("<", "DESC"),
    };
    // A cursor that is not one of ours lists from the start.
    let cursor = query.cursor.as_deref().and_then(|c| c.split_once('~'));
    if let Some((Ok(at), id)) = cursor.map(|(at, id)| (at.parse::<i64>(), id)) {
        sql.push(format!(" AND (at, id) {after} ("));
        sql.push_bind(at)
            .push(", ")
            .push_bind(id.to_owned())
            .push(")");
    }
    sql.push(format!(" ORDER BY at {direction}, id {direction} LIMIT "));
    sql.push_bind(i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX));
    sql
}

fn document(kind: Kind, row: &SqliteRow) -> Result<Document, sqlx::Error> {
    Ok(Document {
        kind,
        id: row.try_get(0)?,
        version: row.try_get(1)?,
        status: row.try_get(2)?,
        parent: row.try_get(3)?,
        at: Timestamp::from_millis(row.try_get(4)?),
        body: row.try_get(5)?,
    })
}
