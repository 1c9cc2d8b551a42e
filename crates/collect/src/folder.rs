//! A folder: every file put into it is read once. For archives, tests, and machines without a network.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use quell_model::{Origin, Timestamp, sha256_hex};
use quell_store::{Batch, Clock, Document, Kind, State, Write};

use crate::queue::take;
use crate::{CollectError, Delivery, Quarantined, Source};

/// Files beyond this are put aside unread.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A folder as a source. Files stay where they are; what was read is remembered by name, size and time.
pub struct FolderSource {
    folder: PathBuf,
    state: Arc<dyn State>,
    waiting: VecDeque<PathBuf>,
    wait: std::time::Duration,
}

impl FolderSource {
    /// The folder; looked at again after `wait` when there was nothing new.
    pub fn new(folder: PathBuf, state: Arc<dyn State>, wait: std::time::Duration) -> Self {
        Self {
            folder,
            state,
            waiting: VecDeque::new(),
            wait,
        }
    }

    fn fail(&self, source: std::io::Error) -> CollectError {
        CollectError::File {
            source_name: self.name(),
            source,
        }
    }

    async fn look(&mut self) -> Result<(), CollectError> {
        let mut entries = tokio::fs::read_dir(&self.folder)
            .await
            .map_err(|e| self.fail(e))?;
        let mut found = Vec::new();
        while let Some(entry) = entries.next_entry().await.map_err(|e| self.fail(e))? {
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            // Not through links: a link may point at what the one who put it there cannot read.
            let is_file = entry.file_type().await.is_ok_and(|t| t.is_file());
            if is_file && !hidden {
                found.push(entry.path());
            }
        }
        found.sort();
        for path in found {
            if let Ok(mark) = mark(&path).await
                && self.state.get(Kind::Cursor, &mark).await?.is_none()
            {
                self.waiting.push_back(path);
            }
        }
        Ok(())
    }

    async fn read(&self, path: &Path, now: Timestamp) -> std::io::Result<Delivery> {
        let mut delivery = Delivery {
            records: Vec::new(),
            quarantined: Vec::new(),
            handle: mark(path).await?,
        };
        let origin = Origin::File {
            path: path.display().to_string(),
        };
        let size = tokio::fs::metadata(path).await?.len();
        if size > FILE_BYTES_MAX {
            let reason =
                format!("the file has {size} bytes; at most {FILE_BYTES_MAX} are read: split it");
            delivery
                .quarantined
                .push(Quarantined::new(origin, reason, b"", now));
        } else {
            take(&mut delivery, &tokio::fs::read(path).await?, &origin, now);
        }
        Ok(delivery)
    }
}

/// What a file is remembered by: a changed file is another file.
async fn mark(path: &Path) -> std::io::Result<String> {
    use std::os::unix::fs::MetadataExt;
    let meta = tokio::fs::metadata(path).await?;
    Ok(format!(
        "file:{}",
        sha256_hex(format!(
            "{}\n{}\n{}\n{}",
            path.display(),
            meta.len(),
            meta.mtime(),
            meta.mtime_nsec()
        ))
    ))
}

#[async_trait]
impl Source for FolderSource {
    fn name(&self) -> String {
        format!("folder {}", self.folder.display())
    }

    async fn receive(&mut self, clock: &dyn Clock) -> Result<Vec<Delivery>, CollectError> {
        if self.waiting.is_empty() {
            self.look().await?;
        }
        let Some(path) = self.waiting.pop_front() else {
            tokio::time::sleep(self.wait).await;
            return Ok(Vec::new());
        };
        match self.read(&path, clock.now()).await {
            Ok(delivery) => Ok(vec![delivery]),
            Err(source) => Err(self.fail(source)),
        }
    }

    async fn acknowledge(&mut self, delivery: Delivery) -> Result<(), CollectError> {
        let cursor = Document::new(
            Kind::Cursor,
            delivery.handle,
            "read",
            Timestamp::default(),
            &(),
        )?;
        self.state
            .commit(Batch::new().with(Write::InsertNew(cursor)))
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accept;
    use quell_store::sqlite::SqliteState;
    use std::time::Duration;

    #[tokio::test]
    async fn each_file_is_read_once_and_a_bad_one_stops_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let state: Arc<dyn State> = Arc::new(
            SqliteState::open(&folder.path().join(".q.db"))
                .await
                .unwrap(),
        );
        let record = |n: u32| {
            format!(r#"{{"eventID":"e{n}","recipientAccountId":"111122223333","eventName":"X"}}"#)
        };
        std::fs::write(
            folder.path().join("a.json"),
            format!("{{\"Records\":[{},{}]}}", record(1), record(2)),
        )
        .unwrap();
        std::fs::write(folder.path().join("b.json"), "broken").unwrap();
        std::fs::write(
            folder.path().join("c.ndjson"),
            format!("{}\n{}\n", record(2), record(3)),
        )
        .unwrap();
        let clock = quell_store::ManualClock::at(Timestamp::from_millis(5));
        for restart in 0..2 {
            let mut source = FolderSource::new(folder.path().into(), state.clone(), Duration::ZERO);
            let mut counts = (0, 0, 0);
            loop {
                let Some(delivery) = source.receive(&clock).await.unwrap().pop() else {
                    break;
                };
                let accepted = accept(&*state, &delivery.records, &delivery.quarantined)
                    .await
                    .unwrap();
                counts = (
                    counts.0 + accepted.new,
                    counts.1 + accepted.known,
                    counts.2 + accepted.quarantined,
                );
                source.acknowledge(delivery).await.unwrap();
            }
            assert_eq!(counts, if restart == 0 { (3, 1, 1) } else { (0, 0, 0) });
        }
        let stored = state.count(Kind::Record).await.unwrap();
        assert_eq!(
            stored,
            [("pending".to_owned(), 3), ("quarantined".to_owned(), 1)]
        );
    }
}
