//! What responses did and is looked at again, as it stands in the store.

use quell_respond::Watch;
use quell_store::{Document, Kind, StoreError, Write};

/// The write of a watch. It is listed by when it is due.
///
/// # Errors
/// [`StoreError::Unwritable`].
pub(crate) fn write(stored: Option<Document>, watch: &Watch) -> Result<Write, StoreError> {
    let status = match watch.due {
        Some(_) => "watching",
        None => "over",
    };
    let at = watch
        .due
        .or(watch.fixes.last().copied())
        .unwrap_or_default();
    Ok(match stored {
        Some(mut document) => {
            document.at = at;
            Write::Update(document.with(status, watch)?)
        }
        None => {
            let id = watch.own_id();
            let document = Document::new(Kind::Watch, id, status, at, watch)?;
            Write::Insert(document.under(watch.incident.as_str()))
        }
    })
}
