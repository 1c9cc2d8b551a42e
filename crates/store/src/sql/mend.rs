//! What to do about a database that cannot be opened.

use sqlx::Error;
use sqlx::migrate::MigrateError;

/// What helps, by what the database said; `usual` when that says little.
pub(super) fn of(error: &Error, usual: &'static str) -> &'static str {
    match error {
        Error::Database(said) => match said.code().as_deref() {
            // invalid_authorization_specification, invalid_password
            Some("28000" | "28P01") => {
                "Does the server know this user and password? (the user stands in store.url, the password in store.password, PGPASSWORD or ~/.pgpass)"
            }
            // invalid_catalog_name
            Some("3D000") => "Make the database (createdb), or name another in store.url",
            // insufficient_privilege
            Some("42501") => "Let this user make tables in the database: it had best own it",
            // read_only_sql_transaction; SQLITE_READONLY and its extended codes
            Some("25006" | "8" | "264" | "520" | "776" | "1032" | "1288" | "1544") => {
                "It may only be read: name one that can be written to (the primary, not a standby)"
            }
            // too_many_connections; SQLITE_NOTADB
            Some("53300") => "The server has no connection left: raise its max_connections",
            Some("26") => "The file is no state store of Quell: name another, or move it away",
            _ => usual,
        },
        Error::Tls(_) => {
            "TLS to the server failed: sslmode and sslrootcert in store.url say what is asked of it"
        }
        Error::Migrate(said) => of_migration(said, usual),
        _ => usual,
    }
}

/// The same for making the tables.
pub(super) fn of_migration(error: &MigrateError, usual: &'static str) -> &'static str {
    match error {
        MigrateError::VersionMissing(_) => {
            "A newer Quell has made its tables: use that one, or another database"
        }
        MigrateError::VersionMismatch(_) => {
            "Its tables are not those that Quell makes: name another database"
        }
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => of(error, usual),
        _ => usual,
    }
}
