//! When a run has to be looked at next, as a document: the one place where the runs that are not in memory are found.
//!
//! It is stored with the run and gone when the run has ended. While the run is at work its moment has passed, so
//! whoever starts after a crash finds it.

use quell_model::{RunId, Timestamp};
use quell_store::{Document, Kind, StoreError, Write};

/// The moment of a run that waits for nothing but a signal.
pub(super) fn never() -> Timestamp {
    Timestamp::from_millis(i64::MAX)
}

/// The document that says when to look at a run.
fn document(run: &RunId, account: &str, at: Timestamp) -> Result<Document, StoreError> {
    Ok(Document::new(Kind::Wake, run.as_str(), "waiting", at, &())?.under(account))
}

/// What stores with a new run that it is to be begun. `account`: whose turn it takes.
///
/// # Errors
/// [`StoreError::Unwritable`].
pub fn first(run: &RunId, account: &str, now: Timestamp) -> Result<Write, StoreError> {
    Ok(Write::InsertNew(document(run, account, now)?))
}

/// What has a run looked at again, at `at`.
///
/// # Errors
/// [`StoreError::Unwritable`].
pub fn at(run: &RunId, account: &str, at: Timestamp) -> Result<[Write; 2], StoreError> {
    Ok([last(run), Write::Insert(document(run, account, at)?)])
}

/// What has a run never looked at again.
pub(super) fn last(run: &RunId) -> Write {
    Write::Delete(Kind::Wake, run.to_string())
}
