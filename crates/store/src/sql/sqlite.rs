//! State in one SQLite file: the default, for one machine.
//!
//! Write-ahead log with `synchronous = FULL`: a commit is on the disk before it is answered. One connection
//! writes, so that writers queue here and not on SQLite's lock; several read.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};

use super::statement::{Row, Statement};
use super::{Database, SqlState, Transaction, mend, migrator};
use crate::StoreError;

/// The schema, oldest first. A migration that has shipped never changes: add the next.
const MIGRATIONS: &[(i64, &str, &str)] = &[(
    1,
    "documents and logs",
    include_str!("../../migrations/sqlite/0001.sql"),
)];

/// How long a statement waits for another process that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(20);
const READERS: u32 = 4;
/// What is in the write-ahead log goes into the file after so many pages of 4 KiB: with the usual 1,000 a busy writer
/// is at that most of the time.
const CHECKPOINT_PAGES: &str = "8000";
/// Negative: KiB.
const CACHE_KIB: &str = "-32768";

const USUAL_MEND: &str =
    "Is the folder there, and may this user write to it? (--data or store.url says where)";

/// What it calls the type of a whole number.
const NUMBER: &str = "INTEGER";

/// One SQLite file.
#[derive(Clone, Debug)]
pub struct Sqlite {
    writer: SqlitePool,
    readers: SqlitePool,
}

/// State in one SQLite file.
pub type SqliteState = SqlState<Sqlite>;

impl SqliteState {
    /// Opens the file, making it and its tables when they are not there. Nobody but this user may read it.
    ///
    /// # Errors
    /// [`StoreError::Open`] when the folder cannot be written or the file is not ours.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let fail = |mend, source| StoreError::Open {
            path: path.to_owned(),
            mend,
            source,
        };
        private_file(path).map_err(|e| fail(USUAL_MEND, e.into()))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(60))
            .connect_with(
                options
                    .clone()
                    .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
                    .pragma("cache_size", CACHE_KIB)
                    .pragma("temp_store", "memory"),
            )
            .await
            .map_err(|e| fail(mend::of(&e, USUAL_MEND), e.into()))?;
        let migrated = migrator(MIGRATIONS).run(&writer).await;
        migrated.map_err(|e| fail(mend::of_migration(&e, USUAL_MEND), e.into()))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options)
            .await
            .map_err(|e| fail(USUAL_MEND, e.into()))?;
        Ok(super::state(Sqlite { writer, readers }))
    }

    /// Closes it, waiting for what is under way.
    pub async fn close(&self) {
        self.writer.close().await;
        self.database.readers.close().await;
        self.database.writer.close().await;
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

#[async_trait]
impl Database for Sqlite {
    type Transaction = sqlx::Transaction<'static, sqlx::Sqlite>;

    /// IMMEDIATE takes the write lock first; a reader that turns writer can fail half way.
    async fn begin(&self) -> Result<Self::Transaction, sqlx::Error> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }

    async fn fetch(&self, statement: &Statement) -> Result<Vec<Row>, sqlx::Error> {
        let rows = query(statement).fetch_all(&self.readers).await?;
        super::rows::<sqlx::Sqlite>(&rows, NUMBER)
    }

    /// There is one writer, and others wait for it.
    fn is_broken_off(_: &sqlx::Error) -> bool {
        false
    }
}

#[async_trait]
impl Transaction for sqlx::Transaction<'static, sqlx::Sqlite> {
    /// There is one writer: nothing changes but by it.
    const HOLD: &'static str = "";

    async fn execute(&mut self, statement: &Statement) -> Result<u64, sqlx::Error> {
        let done = query(statement).execute(&mut **self).await?;
        Ok(done.rows_affected())
    }

    async fn fetch(&mut self, statement: &Statement) -> Result<Vec<Row>, sqlx::Error> {
        let rows = query(statement).fetch_all(&mut **self).await?;
        super::rows::<sqlx::Sqlite>(&rows, NUMBER)
    }

    async fn commit(self) -> Result<(), sqlx::Error> {
        sqlx::Transaction::commit(self).await
    }

    async fn rollback(self) -> Result<(), sqlx::Error> {
        sqlx::Transaction::rollback(self).await
    }
}

fn query(statement: &Statement) -> Query<'_, sqlx::Sqlite, SqliteArguments> {
    super::query(statement.question_marks(), &statement.values)
}
