//! State in PostgreSQL: for processes that share the work. Tested with 15.
//!
//! One connection writes, so that a group of batches is one transaction; several read.
//! `synchronous_commit = on`, whatever the server's default: a commit is on the server's disk before it is answered.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::query::Query;
use sqlx::{ConnectOptions as _, Connection as _};

use super::statement::{Row, Statement};
use super::{Database, SqlState, Transaction, mend, migrator};
use crate::StoreError;

/// The schema, oldest first. A migration that has shipped never changes: add the next.
const MIGRATIONS: &[(i64, &str, &str)] = &[(
    1,
    "documents and logs",
    include_str!("../../migrations/postgres/0001.sql"),
)];

const READERS: u32 = 6;
/// How long a caller waits for a connection of the pool, or for the server to take a new one.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A process that is paused or cut off in the middle of a batch keeps its rows from the others for so long, in
/// milliseconds; then the server undoes the batch.
const IDLE_MILLIS_MAX: &str = "5000";
/// A statement that takes longer, in milliseconds, is stopped by the server.
const STATEMENT_MILLIS_MAX: &str = "20000";
/// What the server says when it broke a transaction off: `serialization_failure`, `deadlock_detected`.
const BROKEN_OFF: [&str; 2] = ["40001", "40P01"];

const USUAL_MEND: &str =
    "Is the server up, and may this user use the database? (store.url says where)";

/// What it calls the type of a whole number.
const NUMBER: &str = "INT8";

/// A PostgreSQL database.
#[derive(Clone, Debug)]
pub struct Postgres {
    writer: PgPool,
    readers: PgPool,
}

/// State in PostgreSQL.
pub type PostgresState = SqlState<Postgres>;

impl PostgresState {
    /// Connects, and makes the tables when they are not there.
    ///
    /// `url` is `postgres://user@host:port/database`, with the parameters of libpq (`sslmode`, `sslrootcert`, `host` for
    /// a socket's folder). What it leaves out comes from libpq's environment variables; so does the password, and from
    /// its password file, when `password` is not given.
    ///
    /// # Errors
    /// [`StoreError::Connect`] says what to mend: no such server, a wrong password, no database, one that can only be read, or
    /// tables that a newer Quell has made. No password is ever part of it.
    pub async fn connect(url: &str, password: Option<&str>) -> Result<Self, StoreError> {
        let options = options(url, password)?;
        let place = format!(
            "{}:{}/{}",
            options.get_host(),
            options.get_port(),
            options.get_database().unwrap_or_default()
        );
        let fail = |mend, source| StoreError::Connect {
            place: place.clone(),
            mend,
            source,
        };
        // A pool would only say that it got no connection. One asked for by itself says why.
        let first = tokio::time::timeout(ACQUIRE_TIMEOUT, PgConnection::connect_with(&options));
        match first.await {
            Ok(Ok(connection)) => drop(connection.close().await),
            Ok(Err(e)) => return Err(fail(mend::of(&e, USUAL_MEND), e.into())),
            Err(late) => return Err(fail(USUAL_MEND, late.into())),
        }
        let pool = |connections| {
            PgPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .connect_lazy_with(options.clone())
        };
        let (writer, readers) = (pool(1), pool(READERS));
        let migrated = migrator(MIGRATIONS).run(&writer).await;
        migrated.map_err(|e| fail(mend::of_migration(&e, USUAL_MEND), e.into()))?;
        Ok(super::state(Postgres { writer, readers }))
    }

    /// Closes it, waiting for what is under way.
    pub async fn close(&self) {
        self.writer.close().await;
        self.database.readers.close().await;
        self.database.writer.close().await;
    }
}

fn options(url: &str, password: Option<&str>) -> Result<PgConnectOptions, StoreError> {
    let options: PgConnectOptions = url.parse().map_err(|_| StoreError::Connect {
        place: "(not a postgres:// URL)".to_owned(),
        mend: "store.url is postgres://USER@HOST:PORT/DATABASE",
        source: "the URL cannot be read".into(),
    })?;
    let options = match password {
        Some(password) => options.password(password),
        None => options,
    };
    let options = options.application_name("quell").options([
        ("synchronous_commit", "on"),
        ("statement_timeout", STATEMENT_MILLIS_MAX),
        ("idle_in_transaction_session_timeout", IDLE_MILLIS_MAX),
    ]);
    Ok(options.disable_statement_logging())
}

#[async_trait]
impl Database for Postgres {
    type Transaction = sqlx::Transaction<'static, sqlx::Postgres>;

    async fn begin(&self) -> Result<Self::Transaction, sqlx::Error> {
        self.writer.begin().await
    }

    async fn fetch(&self, statement: &Statement) -> Result<Vec<Row>, sqlx::Error> {
        let rows = query(statement).fetch_all(&self.readers).await?;
        super::rows::<sqlx::Postgres>(&rows, NUMBER)
    }

    fn is_broken_off(error: &sqlx::Error) -> bool {
        let code = error.as_database_error().and_then(|error| error.code());
        code.is_some_and(|code| BROKEN_OFF.contains(&&*code))
    }
}

#[async_trait]
impl Transaction for sqlx::Transaction<'static, sqlx::Postgres> {
    const HOLD: &'static str = " FOR SHARE OF d";

    async fn execute(&mut self, statement: &Statement) -> Result<u64, sqlx::Error> {
        let done = query(statement).execute(&mut **self).await?;
        Ok(done.rows_affected())
    }

    async fn fetch(&mut self, statement: &Statement) -> Result<Vec<Row>, sqlx::Error> {
        let rows = query(statement).fetch_all(&mut **self).await?;
        super::rows::<sqlx::Postgres>(&rows, NUMBER)
    }

    async fn commit(self) -> Result<(), sqlx::Error> {
        sqlx::Transaction::commit(self).await
    }

    async fn rollback(self) -> Result<(), sqlx::Error> {
        sqlx::Transaction::rollback(self).await
    }
}

fn query(statement: &Statement) -> Query<'_, sqlx::Postgres, PgArguments> {
    super::query(statement.numbered(), &statement.values)
}
