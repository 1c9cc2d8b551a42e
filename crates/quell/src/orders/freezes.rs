//! Change freezes in the store. They are there and not in the settings, so that one holds at once in every process, as the brake does.

use quell_evidence::Act;
use quell_guard::Freeze;
use quell_guard::exception::Ended;
use quell_model::Timestamp;
use quell_store::{Batch, Document, Kind, State, StoreError, Write};
use serde_json::json;

use super::{IN_FORCE_MAX, OrderError, all, new_id};
use crate::audit;

const PLANNED: &str = "planned";
const ENDED: &str = "ended";
const REASON_CHARS_MAX: usize = 1000;

/// Those that last now.
///
/// # Errors
/// [`StoreError`]: nobody can say whether changes are frozen.
pub async fn in_force(state: &dyn State, now: Timestamp) -> Result<Vec<Freeze>, StoreError> {
    let stored: Vec<Freeze> = all(state, Kind::Freeze, Some(PLANNED), Some(now)).await?;
    Ok(stored.into_iter().filter(|f| f.is_in_force(now)).collect())
}

/// All that there ever were, the first to end first.
///
/// # Errors
/// [`StoreError`].
pub async fn list(state: &dyn State) -> Result<Vec<Freeze>, StoreError> {
    all(state, Kind::Freeze, None, None).await
}

/// Adds one, and answers it with its id.
///
/// # Errors
/// [`OrderError`]: it may not be made, or not be stored.
pub async fn add(state: &dyn State, freeze: Freeze, now: Timestamp) -> Result<Freeze, OrderError> {
    let no = |text: &str| Err(OrderError::Refused(text.to_owned()));
    if freeze.reason.trim().is_empty() || freeze.reason.chars().count() > REASON_CHARS_MAX {
        return no("a freeze has a reason of 1 to 1000 characters");
    }
    if freeze.until <= freeze.from || freeze.until <= now {
        return no("a freeze ends after it begins, and not before now");
    }
    let planned: Vec<Freeze> = all(state, Kind::Freeze, Some(PLANNED), Some(now)).await?;
    if planned.len() >= IN_FORCE_MAX {
        return no("there are too many freezes: end some of them first");
    }
    let freeze = Freeze {
        id: new_id("frz-")?,
        ..freeze
    };
    // By the moment at which it ends: those that ended long ago are not even looked at.
    let document = Document::new(
        Kind::Freeze,
        freeze.id.clone(),
        PLANNED,
        freeze.until,
        &freeze,
    )?;
    let details = json!({
        "reason": freeze.reason, "from": freeze.from, "until": freeze.until, "accounts": freeze.accounts,
        "environments": freeze.environments,
    });
    let told = audit::entry(now, Act::FreezeAdded, &freeze.by, &freeze.id, details);
    let batch = Batch::new()
        .with(Write::Insert(document))
        .with(audit::write(&told)?);
    state.commit(batch).await?;
    Ok(freeze)
}

/// Ends one before its time, or before it began, and answers it.
///
/// # Errors
/// [`OrderError`]: there is none, it has ended, or it is not to be stored.
pub async fn end(
    state: &dyn State,
    id: &str,
    by: &str,
    now: Timestamp,
) -> Result<Freeze, OrderError> {
    let ended = Ended {
        by: by.to_owned(),
        at: now,
    };
    let over = |freeze: &mut Freeze| {
        let was_over = freeze.ended.is_some() || freeze.until <= now;
        freeze.ended = Some(ended.clone());
        !was_over
    };
    let told = audit::entry(now, Act::FreezeEnded, by, id, serde_json::Value::Null);
    super::end(state, (Kind::Freeze, id, ENDED), &told, over).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use quell_store::sqlite::SqliteState;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn freeze(from: i64, until: i64) -> Freeze {
        Freeze {
            id: String::new(),
            reason: "end of year".into(),
            by: "ann".into(),
            from: at(from),
            until: at(until),
            accounts: Vec::new(),
            environments: Vec::new(),
            ended: None,
        }
    }

    #[tokio::test]
    async fn it_lasts_in_its_window_unless_somebody_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        let state = SqliteState::open(&folder.path().join("q.db"))
            .await
            .unwrap();
        let first = add(&state, freeze(10, 20), at(0)).await.unwrap();
        let lasting = async |now| in_force(&state, at(now)).await.unwrap().len();
        let seen = [
            lasting(9).await,
            lasting(10).await,
            lasting(19).await,
            lasting(20).await,
        ];
        assert_eq!(seen, [0, 1, 1, 0]);
        // One that has not begun can be ended too.
        end(&state, &first.id, "bob", at(5)).await.unwrap();
        assert_eq!(lasting(15).await, 0);
        assert!(end(&state, &first.id, "bob", at(5)).await.is_err());
        for (from, until) in [(10, 10), (20, 10), (1, 5)] {
            assert!(add(&state, freeze(from, until), at(5)).await.is_err());
        }
        assert_eq!(list(&state).await.unwrap().len(), 1);
    }

    /// The trap: a document that nobody can read is passed over, and with it the freeze.
    #[tokio::test]
    async fn fail_open_on_an_unreadable_freeze() {
        let folder = tempfile::tempdir().unwrap();
        let state = SqliteState::open(&folder.path().join("q.db"))
            .await
            .unwrap();
        let broken = Document::new(Kind::Freeze, "frz-1", PLANNED, at(10), &"x").unwrap();
        let batch = Batch::new().with(Write::Insert(broken));
        state.commit(batch).await.unwrap();
        assert!(in_force(&state, at(0)).await.is_err());
    }
}
