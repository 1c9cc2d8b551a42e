//! Writes until it is killed, and says of each batch that it was acknowledged: `LOG SEQ`. For the crash tests.
//!
//!     writes postgres://… | PATH  CALLERS

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    reason = "for tests only"
)]

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use quell_model::Timestamp;
use quell_store::postgres::PostgresState;
use quell_store::sqlite::SqliteState;
use quell_store::{Batch, Document, Kind, State, Write};

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [place, callers] = words.as_slice() else {
        panic!("writes PLACE CALLERS")
    };
    let state: Arc<dyn State> = if place.starts_with("postgres://") {
        Arc::new(PostgresState::connect(place, None).await.unwrap())
    } else {
        Arc::new(SqliteState::open(Path::new(place)).await.unwrap())
    };
    let callers = (0..callers.parse::<usize>().unwrap()).map(|n| write(state.clone(), n));
    let mut work = tokio::task::JoinSet::new();
    callers.for_each(|caller| drop(work.spawn(caller)));
    work.join_all().await;
}

/// Each batch has a log entry and a document: neither may be there without the other.
async fn write(state: Arc<dyn State>, caller: usize) {
    let log = format!("{}.{caller}", std::process::id());
    for seq in 0.. {
        let at = Timestamp::from_millis(seq);
        let entry = Write::Append {
            log: log.clone(),
            seq,
            at,
            body: seq.to_string(),
        };
        let document = Document::new(Kind::Run, format!("{log}#{seq}"), "done", at, &seq).unwrap();
        let batch = Batch::new().with(entry).with(Write::Insert(document));
        state.commit(batch).await.unwrap();
        // One write of the whole line: what is cut off was not said.
        let line = format!("{log} {seq}\n");
        std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
    }
}
