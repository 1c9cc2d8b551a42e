//! SQLite passes the suite, keeps what it acknowledged, and says what is wrong with a folder.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test says what is wrong by failing"
)]
mod suite;

use quell_model::Timestamp;
use quell_store::sqlite::SqliteState;
use quell_store::{Batch, Document, Kind, State, StoreError, Write};
use std::os::unix::fs::PermissionsExt;

#[tokio::test]
async fn passes_the_suite() {
    let folder = tempfile::tempdir().unwrap();
    suite::run(
        &SqliteState::open(&folder.path().join("q.db"))
            .await
            .unwrap(),
    )
    .await;
}

#[tokio::test]
async fn a_killed_writer_has_kept_its_word() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.db");
    let state = SqliteState::open(&path).await.unwrap();
    suite::kill::writers(&state, path.to_str().unwrap()).await;
}

#[tokio::test]
async fn a_second_process_sees_what_the_first_committed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.db");
    let one = SqliteState::open(&path).await.unwrap();
    let two = SqliteState::open(&path).await.unwrap();
    let doc = Document::new(Kind::Run, "r", "running", Timestamp::default(), &1).unwrap();
    one.commit(Batch::new().with(Write::Insert(doc.clone())))
        .await
        .unwrap();
    assert_eq!(two.get(Kind::Run, "r").await.unwrap(), Some(doc));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "only its owner may read it");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let error = SqliteState::open("/nonexistent/quell/q.db".as_ref())
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }));
    assert!(
        error.to_string().contains("/nonexistent/quell/q.db"),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_that_is_not_a_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.db");
    std::fs::write(
        &path,
        "not a database, but long enough to look at ".repeat(100),
    )
    .unwrap();
    assert!(matches!(
        SqliteState::open(&path).await,
        Err(StoreError::Open { .. })
    ));
}
