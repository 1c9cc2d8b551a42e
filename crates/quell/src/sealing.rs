//! What the secrets of API keys are sealed with: a secret that the settings name, or a file beside an SQLite file.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use quell_detect::baseline::HashKey;
use quell_model::Timestamp;
use quell_server::{AccessKey, SealError, Sealing, is_open};
use quell_store::{Batch, Document, Kind, Query, State, StoreError, Write};

use crate::config::{Config, Secret, SecretError};
use crate::place::Place;
use crate::random::{self, NoRandomness};

/// API keys cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealingError {
    /// The secret that the settings name.
    #[error("store.key: {0}")]
    Secret(#[from] SecretError),
    /// It will not do.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The file beside the state.
    #[error("{path}: {source}", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// The state store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What this installation seals with. On a server without `store.key` that is nothing.
///
/// # Errors
/// [`SealingError`] says what is wrong with the secret or its file.
pub fn of(config: &Config, place: &Place) -> Result<Sealing, SealingError> {
    let secret = match (&config.store.key, file(place)) {
        (Some(secret), _) => Secret::reveal(secret)?,
        (None, Some(path)) => read_or_make(&path)?,
        (None, None) => return Ok(Sealing::default()),
    };
    Ok(Sealing::with(&secret)?)
}

/// The file for it, beside an SQLite file.
pub fn file(place: &Place) -> Option<PathBuf> {
    let mut name = place.file()?.clone().into_os_string();
    name.push(".key");
    Some(PathBuf::from(name))
}

fn read_or_make(path: &Path) -> Result<String, SealingError> {
    let fail = |source| SealingError::File {
        path: path.to_owned(),
        source,
    };
    if !path.try_exists().map_err(fail)? {
        make(path)?;
    }
    std::fs::read_to_string(path).map_err(fail)
}

/// Makes the file whole or not at all, whoever else makes it at the same moment.
fn make(path: &Path) -> Result<(), SealingError> {
    let fail = |source| SealingError::File {
        path: path.to_owned(),
        source,
    };
    let draft = path.with_extension(format!("new-{}", hex::encode(random::bytes::<8>()?)));
    let mut file = std::fs::OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&draft)
        .map_err(fail)?;
    let secret = hex::encode(random::bytes::<32>()?);
    let written = writeln!(file, "{secret}").and_then(|()| file.sync_all());
    let linked = written.and_then(|()| match std::fs::hard_link(&draft, path) {
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    drop(std::fs::remove_file(&draft));
    linked.map_err(fail)
}

/// The stored form of a new API key.
///
/// # Errors
/// [`SealingError`].
pub fn document(sealing: &Sealing, key: AccessKey) -> Result<Document, SealingError> {
    let (id, at) = (key.id.clone(), key.created_at);
    let sealed = sealing.seal(key, random::bytes()?)?;
    Ok(Document::new(Kind::AccessKey, id, "active", at, &sealed)?)
}

/// The document with the key that baselines hash with.
const HASH_KEY: &str = "baselines-key";

/// The secret key that baselines hash with: made once, kept with what it is for, and the same for all processes of an installation. Who may
/// read the store may read what is kept under it as well.
///
/// # Errors
/// [`SealingError`].
pub async fn hash_key(state: &dyn State, now: Timestamp) -> Result<HashKey, SealingError> {
    let read = async || match state.get(Kind::Memory, HASH_KEY).await? {
        Some(document) => Ok::<_, StoreError>(Some(HashKey::new(document.read()?))),
        None => Ok(None),
    };
    if let Some(key) = read().await? {
        return Ok(key);
    }
    let made: [u8; 16] = random::bytes()?;
    let mut batch = Batch::new();
    let document = Document::new(Kind::Memory, HASH_KEY, "key", now, &made)?;
    batch.push(Write::Insert(document));
    match state.commit(batch).await {
        Ok(_) => Ok(HashKey::new(made)),
        // Another process was quicker.
        Err(StoreError::Conflict { .. }) => Ok(read().await?.unwrap_or(HashKey::new(made))),
        Err(error) => Err(error.into()),
    }
}

/// Seals the API keys that an earlier Quell stored as they were.
///
/// # Errors
/// [`SealingError`]: those that are not sealed yet work as before.
pub async fn adopt(state: &dyn State, sealing: &Sealing) -> Result<(), SealingError> {
    if !sealing.is_on() {
        return Ok(());
    }
    let query = Query::all(Kind::AccessKey).limit(Query::LIMIT_MAX);
    let mut batch = Batch::new();
    for document in state.list(&query).await?.documents {
        let key: AccessKey = document.read()?;
        if is_open(&key) {
            let sealed = sealing.seal(key, random::bytes()?)?;
            let status = document.status.clone();
            batch.push(Write::Update(document.with(status, &sealed)?));
        }
    }
    if batch.is_empty() {
        return Ok(());
    }
    let count = batch.writes().len();
    match state.commit(batch).await {
        Ok(_) => tracing::warn!(
            count,
            "the secrets of API keys are sealed now; copies of the state from before hold them as they were"
        ),
        // Another process does it at this moment.
        Err(StoreError::Conflict { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// How API keys are kept, for `quell doctor`.
///
/// # Errors
/// What is wrong, in words.
pub async fn look(state: &dyn State, sealing: &Sealing) -> Result<String, String> {
    let query = Query::all(Kind::AccessKey).limit(Query::LIMIT_MAX);
    let keys = state.list(&query).await.map_err(|e| e.to_string())?;
    let keys: Vec<AccessKey> = keys.read().map_err(|e| e.to_string())?;
    let count = keys.len();
    for key in keys {
        sealing.open(key).map_err(|e| e.to_string())?;
    }
    Ok(match sealing.is_on() {
        true => format!("{count}, their secrets sealed"),
        false => {
            format!("{count}, their secrets readable to who reads the database: set store.key")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use quell_model::Timestamp;
    use quell_server::{Role, new_key};
    use std::os::unix::fs::PermissionsExt;

    #[tokio::test]
    async fn keys_of_before_are_sealed_and_open_again_with_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::File(folder.path().join("q.db"));
        let state = place.open().await.unwrap();
        let key = new_key(&[7; 45], Role::Viewer, "me", Timestamp::from_millis(5));
        let secret = key.secret.clone();
        let plain = document(&Sealing::default(), key).unwrap();
        assert!(plain.body.contains(&secret));
        state
            .commit(Batch::new().with(Write::Insert(plain)))
            .await
            .unwrap();

        let config = Config::default();
        adopt(&*state, &of(&config, &place).unwrap()).await.unwrap();
        let stored = state
            .list(&Query::all(Kind::AccessKey))
            .await
            .unwrap()
            .documents;
        assert!(!stored[0].body.contains(&secret), "{}", stored[0].body);
        let again = of(&config, &place).unwrap();
        assert_eq!(
            again.open(stored[0].read().unwrap()).unwrap().secret,
            secret
        );
        assert!(look(&*state, &again).await.unwrap().contains("sealed"));

        let file = file(&place).unwrap();
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "only its owner may read it");
        std::fs::remove_file(&file).unwrap();
        let other = of(&config, &place).unwrap();
        let wrong = look(&*state, &other).await.unwrap_err();
        assert!(
            wrong.contains("store.key") && !wrong.contains(&secret),
            "{wrong}"
        );
    }
}
