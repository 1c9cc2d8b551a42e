//! Where state is kept: one SQLite file, or a PostgreSQL database that several machines share.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use quell_store::State;
use quell_store::postgres::PostgresState;
use quell_store::sqlite::SqliteState;

use crate::app::{AppError, make_private_folder};
use crate::config::{Config, Secret};

/// The file with the state, below the data folder.
pub const STATE_FILE: &str = "quell.db";

/// Where state is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// An SQLite file: for processes of this machine.
    File(PathBuf),
    /// A PostgreSQL server.
    Server {
        /// `postgres://USER@HOST:PORT/DATABASE`, without a password.
        url: String,
        /// Where the password stands.
        password: Option<Secret>,
    },
}

impl Place {
    /// What the settings say: `store.url`, else the file in the data folder.
    pub fn of(config: &Config) -> Self {
        match &config.store.url {
            None => Self::File(config.data.join(STATE_FILE)),
            Some(url) => match url.strip_prefix("sqlite:") {
                Some(path) => Self::File(PathBuf::from(path)),
                None => Self::Server {
                    url: url.clone(),
                    password: config.store.password.clone(),
                },
            },
        }
    }

    /// Opens it, and makes its tables when they are not there.
    ///
    /// # Errors
    /// [`AppError`] names the place and the mend.
    pub async fn open(&self) -> Result<Arc<dyn State>, AppError> {
        match self {
            Self::File(path) => {
                if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
                    make_private_folder(folder)?;
                }
                Ok(Arc::new(SqliteState::open(path).await?))
            }
            Self::Server { url, password } => {
                let password = password.as_ref().map(Secret::reveal).transpose()?;
                let state = PostgresState::connect(url, password.as_deref()).await?;
                Ok(Arc::new(state))
            }
        }
    }

    /// The file, when it is one.
    pub fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::File(path) => Some(path),
            Self::Server { .. } => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Server { url, .. } => f.write_str(url),
        }
    }
}

/// What is wrong with a setting `store.url`; nothing of the URL is in it, since there may be a password.
///
/// # Errors
/// What was wanted.
pub fn check_url(url: &str) -> Result<(), &'static str> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        return match path.is_empty() || path.starts_with("//") {
            true => Err(
                "sqlite: is followed by the path of a file, as in sqlite:/var/lib/quell/quell.db",
            ),
            false => Ok(()),
        };
    }
    let schemes = ["postgres://", "postgresql://"];
    if !schemes.iter().any(|scheme| url.starts_with(scheme)) {
        return Err("this is sqlite:PATH or postgres://USER@HOST:PORT/DATABASE");
    }
    match has_password(url) {
        true => Err(
            "a password stands in store.password (env:NAME, file:PATH), in PGPASSWORD or in ~/.pgpass, not here",
        ),
        false => Ok(()),
    }
}

/// Whether a URL holds a password, so that it must not be shown.
pub fn has_password(url: &str) -> bool {
    let after = url.split_once("://").map_or("", |(_, after)| after);
    let (authority, query) = after.split_once('?').unwrap_or((after, ""));
    // An @ in a password that was not escaped: whatever stands before the last one.
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || query.split('&').any(|p| p.starts_with("password="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_a_file_or_a_server_and_hold_no_password() {
        for (url, says) in [
            ("sqlite:/var/lib/quell.db", ""),
            ("sqlite:q.db", ""),
            (
                "postgres://quell@db.example:5432/quell?sslmode=verify-full",
                "",
            ),
            ("postgresql:///quell?host=/run/postgresql", ""),
            ("sqlite:", "path of a file"),
            ("sqlite://x", "path of a file"),
            ("mysql://h/d", "postgres://USER"),
            ("/var/lib/quell.db", "sqlite:PATH"),
            ("postgres://quell:planted@h/d", "store.password"),
            ("postgres://quell:pl@nted@h/d", "store.password"),
            (
                "postgres://quell@h/d?sslmode=require&password=planted",
                "store.password",
            ),
        ] {
            let error = check_url(url).err().unwrap_or_default();
            assert!(
                error.contains(says) && error.is_empty() == says.is_empty(),
                "{url}: {error}"
            );
            assert!(!error.contains("planted"));
        }
    }
}
