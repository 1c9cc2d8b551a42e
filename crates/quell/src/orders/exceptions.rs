//! Exceptions in the store: added, listed and ended by people. docs/orders.md says what one means.

use quell_evidence::Act;
use quell_guard::Exception;
use quell_guard::exception::{Ended, NoException};
use quell_model::Timestamp;
use quell_store::{Batch, Document, Kind, State, StoreError, Write};
use serde_json::json;

use super::{IN_FORCE_MAX, OrderError, all, new_id};
use crate::audit;

impl From<NoException> for OrderError {
    fn from(no: NoException) -> Self {
        Self::Refused(no.to_string())
    }
}

const IN_FORCE: &str = "in-force";
const ENDED: &str = "ended";

/// Those that count now.
///
/// # Errors
/// [`StoreError`]: nobody can say what is excepted.
pub async fn in_force(state: &dyn State, now: Timestamp) -> Result<Vec<Exception>, StoreError> {
    let stored: Vec<Exception> = all(state, Kind::Exception, Some(IN_FORCE), Some(now)).await?;
    Ok(stored.into_iter().filter(|e| e.is_in_force(now)).collect())
}

/// All that there ever were, the first to expire first.
///
/// # Errors
/// [`StoreError`].
pub async fn list(state: &dyn State) -> Result<Vec<Exception>, StoreError> {
    all(state, Kind::Exception, None, None).await
}

/// Adds one, and answers it with its id.
///
/// # Errors
/// [`OrderError`]: it may not be made, or not be stored.
pub async fn add(state: &dyn State, exception: Exception) -> Result<Exception, OrderError> {
    let exception = Exception {
        id: new_id("exc-")?,
        ..exception
    };
    exception.check()?;
    let now = exception.created_at;
    if in_force(state, now).await?.len() >= IN_FORCE_MAX {
        let text = format!("there are {IN_FORCE_MAX} exceptions: end some of them first");
        return Err(OrderError::Refused(text));
    }
    let (id, until) = (exception.id.clone(), exception.expires_at);
    // By the moment at which it ends: those that ended long ago are not even looked at.
    let document = Document::new(Kind::Exception, id.clone(), IN_FORCE, until, &exception)?;
    let details = json!({
        "owner": exception.owner, "reason": exception.reason, "scope": exception.scope, "expiresAt": until,
    });
    let told = audit::entry(
        now,
        Act::ExceptionAdded,
        &exception.approved_by,
        &id,
        details,
    );
    let batch = Batch::new()
        .with(Write::Insert(document))
        .with(audit::write(&told)?);
    state.commit(batch).await?;
    Ok(exception)
}

/// Ends one before its time, and answers it.
///
/// # Errors
/// [`OrderError`]: there is none, it has ended, or it is not to be stored.
pub async fn end(
    state: &dyn State,
    id: &str,
    by: &str,
    now: Timestamp,
) -> Result<Exception, OrderError> {
    let ended = Ended {
        by: by.to_owned(),
        at: now,
    };
    let over = |exception: &mut Exception| {
        let was_over = !exception.is_in_force(now);
        exception.ended = Some(ended.clone());
        !was_over
    };
    let told = audit::entry(now, Act::ExceptionEnded, by, id, serde_json::Value::Null);
    super::end(state, (Kind::Exception, id, ENDED), &told, over).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use quell_guard::exception::Scope;
    use quell_store::Query;
    use quell_store::sqlite::SqliteState;

    fn exception(now: Timestamp, lasts: i64) -> Exception {
        Exception {
            id: String::new(),
            owner: "web team".into(),
            reason: "a load test".into(),
            scope: Scope {
                playbook: Some("PB-008".into()),
                account: Some("444455556666".into()),
                ..Scope::default()
            },
            approved_by: "ann".into(),
            created_at: now,
            expires_at: now.plus_millis(lasts),
            ended: None,
        }
    }

    #[tokio::test]
    async fn it_counts_until_its_moment_or_until_somebody_ends_it_and_each_act_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let state = SqliteState::open(&folder.path().join("q.db"))
            .await
            .unwrap();
        let at = |millis| Timestamp::from_millis(millis);
        let short = add(&state, exception(at(0), 10)).await.unwrap();
        let long = add(&state, exception(at(0), 20)).await.unwrap();
        let ids = async |now| -> Vec<String> {
            let those = in_force(&state, at(now)).await.unwrap();
            those.into_iter().map(|e| e.id).collect()
        };
        assert_eq!(ids(9).await, [short.id.clone(), long.id.clone()]);
        assert_eq!(ids(10).await, std::slice::from_ref(&long.id));
        let ended = end(&state, &long.id, "bob", at(11)).await.unwrap();
        assert_eq!(ended.ended.unwrap().by, "bob");
        assert_eq!(ids(12).await, [""; 0]);
        for (id, says) in [(&long.id, "has ended"), (&short.id, "has ended")] {
            let error = end(&state, id, "bob", at(12)).await.unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
        let none = end(&state, "exc-none", "bob", at(12)).await.unwrap_err();
        assert!(matches!(none, OrderError::NotFound(_)), "{none}");
        assert_eq!(list(&state).await.unwrap().len(), 2);
        let told = state.list(&Query::all(Kind::AuditEntry)).await.unwrap();
        let acts = told.documents.iter().map(|d| &d.body);
        let count = |act: &str| acts.clone().filter(|body| body.contains(act)).count();
        assert_eq!((count("exception-added"), count("exception-ended")), (2, 1));
    }

    #[tokio::test]
    async fn what_may_not_be_made_is_not_stored() {
        let folder = tempfile::tempdir().unwrap();
        let state = SqliteState::open(&folder.path().join("q.db"))
            .await
            .unwrap();
        let mut own = exception(Timestamp::EPOCH, 10);
        own.owner = "Ann (command line)".into();
        let error = add(&state, own).await.unwrap_err().to_string();
        assert!(error.contains("does not approve"), "{error}");
        assert_eq!(list(&state).await.unwrap(), []);
    }

    /// The trap: a document that nobody can read is passed over, and with it the exception.
    #[tokio::test]
    async fn fail_open_on_an_unreadable_exception() {
        let folder = tempfile::tempdir().unwrap();
        let state = SqliteState::open(&folder.path().join("q.db"))
            .await
            .unwrap();
        let until = Timestamp::from_millis(10);
        let broken = Document::new(Kind::Exception, "exc-1", IN_FORCE, until, &5).unwrap();
        let batch = Batch::new().with(Write::Insert(broken));
        state.commit(batch).await.unwrap();
        assert!(in_force(&state, Timestamp::EPOCH).await.is_err());
    }
}
