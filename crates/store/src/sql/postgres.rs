//! State in PostgreSQL: for processes that share the work. Tested with 15.
//!
//! `synchronous_commit = on`, whatever the server's default: a commit is on the server's disk before it is answered.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::query::Query;

use super::statement::{Row, Statement};
use super::{Database, SqlState, Transaction, migrator};
use crate::StoreError;

/// The schema, oldest first. A migration that has shipped never changes: add the next.
const MIGRATIONS: &[(i64, &str, &str)] = &[(
    1,
    "documents and logs",
    include_str!("../../migrations/postgres/0001.sql"),
)];

const CONNECTIONS_MAX: u32 = 8;
/// How long a caller waits for a connection of the pool, or for the server to take a new one.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A statement that takes longer is stopped by the server.
const STATEMENT_MILLIS_MAX: &str = "20000";
/// What the server says when it broke a transaction off: `serialization_failure`, `deadlock_detected`.
const BROKEN_OFF: [&str; 2] = ["40001", "40P01"];

/// What it calls the type of a whole number.
const NUMBER: &str = "INT8";

/// A PostgreSQL database.
#[derive(Clone, Debug)]
pub struct Postgres {
    pool: PgPool,
}

/// State in PostgreSQL.
pub type PostgresState = SqlState<Postgres>;

impl PostgresState {
    /// Connects, and makes the tables when they are not there.
    ///
    /// `url` is `postgres://user@host:port/database`, with the parameters of libpq (`sslmode`, `host` for a socket's
    /// folder). What it leaves out comes from libpq's environment variables and password file.
    ///
    /// # Errors
    /// [`StoreError::Connect`] when there is no such server, or it does not let us in. No password is ever part of it.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let options: PgConnectOptions = url.parse().map_err(|_| StoreError::Connect {
            place: "(not a postgres:// URL)".to_owned(),
            source: "the URL cannot be read".into(),
        })?;
        let options = options.application_name("quell").options([
            ("synchronous_commit", "on"),
            ("statement_timeout", STATEMENT_MILLIS_MAX),
        ]);
        let place = format!(
            "{}:{}/{}",
            options.get_host(),
            options.get_port(),
            options.get_database().unwrap_or_default()
        );
        let fail = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Connect {
            place: place.clone(),
            source,
        };
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options)
            .await
            .map_err(|e| fail(e.into()))?;
        let migrated = migrator(MIGRATIONS).run(&pool).await;
        migrated.map_err(|e| fail(e.into()))?;
        Ok(super::state(Postgres { pool }))
    }

    /// Closes it, waiting for what is under way.
    pub async fn close(&self) {
        self.writer.close().await;
        self.database.pool.close().await;
    }
}

#[async_trait]
impl Database for Postgres {
    type Transaction = sqlx::Transaction<'static, sqlx::Postgres>;

    async fn begin(&self) -> Result<Self::Transaction, sqlx::Error> {
        self.pool.begin().await
    }

    async fn fetch(&self, statement: &Statement) -> Result<Vec<Row>, sqlx::Error> {
        let rows = query(statement).fetch_all(&self.pool).await?;
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
