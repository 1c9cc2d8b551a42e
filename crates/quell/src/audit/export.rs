//! A copy of the audit log in a folder, with everything that is needed to check it elsewhere.

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use quell_evidence::{Entry, Hash};
use quell_model::canonical_json;
use quell_store::{Kind, Query, State, StoreError};
use serde_json::Value;

use super::keeper::{KEPT, LOCKED};
use super::{Keeper, LOG};

/// Entries read at once.
const PAGE: usize = 1000;

/// The log cannot be written out.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The state store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file.
    #[error("{path}: {source}", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Something is there already.
    #[error("{} is there already and not empty: give a new folder", .0.display())]
    NotEmpty(PathBuf),
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct Exported {
    /// Entries.
    pub entries: u64,
    /// Bodies.
    pub bodies: u64,
    /// Checkpoints, the newest among them.
    pub checkpoints: u64,
}

/// The bytes of the body that a run's entry names, as they were hashed.
///
/// # Errors
/// [`StoreError`].
pub async fn body(state: &dyn State, run: &str) -> Result<Option<String>, StoreError> {
    let Some(document) = state.get(Kind::Evidence, run).await? else {
        return Ok(None);
    };
    let sealed: Value = document.read()?;
    Ok(sealed.get("evidence").map(canonical_json))
}

/// Writes the log up to its newest checkpoint into a new folder: `checkpoint`, `checkpoints/SIZE`, `entries.jsonl`, `bodies/SHA256.json`.
/// What is missing in the store is missing in the copy, and the check of the copy says so.
///
/// # Errors
/// [`ExportError`] names the file.
pub async fn export(
    state: &dyn State,
    keeper: &Keeper,
    folder: &Path,
) -> Result<Exported, ExportError> {
    let fail = |path: &Path| {
        let path = path.to_owned();
        move |source| ExportError::File { path, source }
    };
    make_empty(folder)?;
    for inside in ["bodies", "checkpoints"] {
        let path = folder.join(inside);
        std::fs::create_dir_all(&path).map_err(fail(&path))?;
    }
    let head = keeper.head().await?;
    let mut exported = Exported::default();
    let lines = folder.join("entries.jsonl");
    let mut file = BufWriter::new(std::fs::File::create_new(&lines).map_err(fail(&lines))?);
    while exported.entries < head.tree.size() {
        let left = head.tree.size().saturating_sub(exported.entries);
        let limit = usize::try_from(left).unwrap_or(PAGE).min(PAGE);
        let from = i64::try_from(exported.entries).unwrap_or(i64::MAX);
        let page = state.read_log(LOG, from, limit).await?;
        if page.is_empty() {
            break;
        }
        for entry in page {
            writeln!(file, "{}", entry.body).map_err(fail(&lines))?;
            exported.entries = exported.entries.saturating_add(1);
            exported.bodies = exported
                .bodies
                .saturating_add(write_bodies(state, folder, &entry.body).await?);
        }
    }
    file.flush().map_err(fail(&lines))?;
    exported.checkpoints = write_checkpoints(state, folder).await?;
    let newest = folder.join("checkpoint");
    std::fs::write(&newest, &head.checkpoint).map_err(fail(&newest))?;
    Ok(exported)
}

fn make_empty(folder: &Path) -> Result<(), ExportError> {
    let fail = |source| ExportError::File {
        path: folder.to_owned(),
        source,
    };
    std::fs::create_dir_all(folder).map_err(fail)?;
    match std::fs::read_dir(folder).map_err(fail)?.next() {
        None => Ok(()),
        Some(_) => Err(ExportError::NotEmpty(folder.to_owned())),
    }
}

async fn write_bodies(state: &dyn State, folder: &Path, line: &str) -> Result<u64, ExportError> {
    let Ok(entry) = Entry::read(line.as_bytes()) else {
        return Ok(0);
    };
    let mut written = 0;
    for hash in entry.bodies.values() {
        let Some(text) = body(state, &entry.about).await? else {
            continue;
        };
        if Hash::of_bytes(text.as_bytes()) != *hash {
            // It is not what was sealed. Under another name it would be a body that nobody knows.
            tracing::error!(
                run = entry.about,
                "the stored evidence is not what the audit log names"
            );
        }
        let path = folder.join("bodies").join(format!("{hash}.json"));
        std::fs::write(&path, text).map_err(|source| ExportError::File { path, source })?;
        written += 1;
    }
    Ok(written)
}

async fn write_checkpoints(state: &dyn State, folder: &Path) -> Result<u64, ExportError> {
    let mut query = Query::all(Kind::AuditLog)
        .status(KEPT)
        .status(LOCKED)
        .limit(Query::LIMIT_MAX);
    let mut written = 0;
    loop {
        let page = state.list(&query).await?;
        for document in &page.documents {
            let size = document.id.rsplit('/').next().unwrap_or_default();
            let path = folder.join("checkpoints").join(size);
            let text: String = document.read()?;
            std::fs::write(&path, text).map_err(|source| ExportError::File { path, source })?;
            written += 1;
        }
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return Ok(written),
        }
    }
}
