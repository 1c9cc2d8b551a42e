//! The brake: while it is pulled, nothing is changed in AWS, by no process that shares the state store.
//!
//! It is read from the store before every permit and every changing call, never from memory: a brake that was pulled
//! anywhere holds the next call everywhere. What cannot be looked at counts as pulled.

use std::path::Path;

use quell_evidence::Act;
use quell_model::Timestamp;
use quell_store::{Batch, Document, Kind, State, StoreError, Write};
use serde::{Deserialize, Serialize};

use crate::audit;

/// There is one brake, for all accounts.
const ID: &str = "all";
/// Where an earlier Quell had its brake, in the data folder.
const FILE: &str = "halt";
/// Two people at the brake at the same moment; not for ever.
const CONFLICTS_MAX: usize = 20;

/// Who moved it last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Moved {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Who pulled it, while it is pulled.
///
/// # Errors
/// [`StoreError`]: it counts as pulled.
pub async fn pulled(state: &dyn State) -> Result<Option<Moved>, StoreError> {
    let stored = state.get(Kind::Brake, ID).await?;
    let pulled = stored.filter(|brake| brake.status == "pulled");
    pulled.map(|brake| brake.read()).transpose()
}

/// Whether it is pulled, or cannot be looked at.
pub async fn is_pulled(state: &dyn State) -> bool {
    match pulled(state).await {
        Ok(moved) => moved.is_some(),
        Err(error) => {
            tracing::error!(%error, "the brake cannot be looked at: it counts as pulled");
            true
        }
    }
}

/// Pulls it. When this answers, no process begins another change.
///
/// # Errors
/// [`StoreError`]: it is as it was.
pub async fn pull(state: &dyn State, by: &str, at: Timestamp) -> Result<(), StoreError> {
    moved(state, "pulled", by, at).await.map(drop)
}

/// Releases it; answers whether it was pulled.
///
/// # Errors
/// [`StoreError`]: it is as it was.
pub async fn release(state: &dyn State, by: &str, at: Timestamp) -> Result<bool, StoreError> {
    moved(state, "released", by, at).await
}

/// Moves it, and answers whether that changed something.
async fn moved(state: &dyn State, to: &str, by: &str, at: Timestamp) -> Result<bool, StoreError> {
    for _ in 0..CONFLICTS_MAX {
        let by = by.to_owned();
        let moved = Moved { by, at };
        let write = match state.get(Kind::Brake, ID).await? {
            Some(brake) if brake.status == to => return Ok(false),
            Some(brake) => Write::Update(brake.with(to, &moved)?),
            None if to == "released" => return Ok(false),
            None => Write::Insert(Document::new(Kind::Brake, ID, to, at, &moved)?),
        };
        let act = match to {
            "pulled" => Act::Halted,
            _ => Act::Resumed,
        };
        let told = audit::entry(at, act, &moved.by, "brake", serde_json::Value::Null);
        let batch = Batch::new().with(write).with(audit::write(&told)?);
        match state.commit(batch).await {
            Ok(_) => return Ok(true),
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let (kind, id) = (Kind::Brake.as_str(), ID.to_owned());
    Err(StoreError::Conflict { kind, id })
}

/// Takes over the brake of an earlier Quell, which was a file: pulled there is pulled here, and the file goes.
///
/// # Errors
/// [`StoreError`]: the file is where it was.
pub async fn adopt(state: &dyn State, data: &Path, at: Timestamp) -> Result<(), StoreError> {
    let file = data.join(FILE);
    // What cannot be looked at counts as pulled.
    if !file.try_exists().unwrap_or(true) {
        return Ok(());
    }
    pull(state, "the file «halt» of the data folder", at).await?;
    match std::fs::remove_file(&file) {
        Ok(()) => tracing::warn!(
            file = %file.display(),
            "changes are halted: this file said so, and the state store does now; `quell resume` allows them again"
        ),
        Err(error) => {
            tracing::error!(file = %file.display(), %error, "this file halts changes at each start: remove it")
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use quell_store::sqlite::SqliteState;

    #[tokio::test]
    async fn pulled_anywhere_it_is_pulled_everywhere_until_it_is_released() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("q.db");
        let here = SqliteState::open(&path).await.unwrap();
        let there = SqliteState::open(&path).await.unwrap();
        let at = Timestamp::from_millis(5);
        assert!(!is_pulled(&there).await);
        assert!(!release(&here, "me", at).await.unwrap());
        pull(&here, "me", at).await.unwrap();
        pull(&there, "you", at).await.unwrap();
        let moved = pulled(&there).await.unwrap().unwrap();
        assert_eq!(moved.by, "me", "who pulled it first");
        assert!(release(&there, "you", at).await.unwrap());
        assert!(!is_pulled(&here).await);
        pull(&here, "me", at).await.unwrap();
        assert!(is_pulled(&there).await);
        there.close().await;
        assert!(is_pulled(&there).await, "what cannot be looked at");
    }

    #[tokio::test]
    async fn the_file_of_an_earlier_quell_is_taken_over_once() {
        let folder = tempfile::tempdir().unwrap();
        let state = SqliteState::open(&folder.path().join("q.db"))
            .await
            .unwrap();
        let at = Timestamp::from_millis(5);
        std::fs::write(folder.path().join(FILE), "").unwrap();
        adopt(&state, folder.path(), at).await.unwrap();
        assert!(is_pulled(&state).await);
        assert!(!folder.path().join(FILE).exists());
        release(&state, "me", at).await.unwrap();
        adopt(&state, folder.path(), at).await.unwrap();
        assert!(!is_pulled(&state).await);
    }
}
