//! Activities: a worker takes a task, and says how it ended.

use quell_model::RunId;
use quell_store::Kind;
use serde_json::{Value, json};
use std::sync::Arc;

use super::test_content::*;
use crate::app::App;
use crate::loops::Tasks;
use crate::runner::signal::{self, SignalError, Word};

const ACTIVITY: &str = "arn:aws:states:us-east-1:123456789012:activity:look";

/// A server with one run that waits for a worker.
async fn waiting(folder: &std::path::Path, more: Value) -> (Arc<App>, Tasks, RunId) {
    let call = json!({"resource": ACTIVITY, "arguments": {"x": 1}});
    let mut all = json!({"Output": {"outcome": "{% $states.result.said %}"}});
    all.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let document = telling("PB-900", &call, all);
    write(
        &folder.join("content"),
        "PB-900",
        &document,
        &[("Tell", "activity", "Offer")],
    );
    let app = app(folder, |_| {}).await;
    let id = store(&app, "PB-900").await;
    let tasks = serve(&app);
    (app, tasks, id)
}

async fn take(app: &App, token: &str) -> signal::Taken {
    until("a task", async || {
        let taken = signal::take(&*app.state, ACTIVITY, token.to_owned(), app.clock.now()).await;
        taken.unwrap()
    })
    .await
}

async fn tell(app: &App, token: &str, word: Word) -> Result<(), SignalError> {
    signal::tell(&*app.state, token, word, app.clock.now()).await
}

async fn outcome(app: &App, id: &RunId) -> String {
    until("an end", async || run(app, id).await.outcome).await
}

#[tokio::test]
async fn one_worker_takes_a_task_and_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let (app, tasks, id) = waiting(folder.path(), json!({})).await;
    assert_eq!(take(&app, "token-1").await.input, "{\"x\":1}");
    let again = signal::take(&*app.state, ACTIVITY, "token-2".to_owned(), app.clock.now()).await;
    assert_eq!(again.unwrap(), None, "one task, one worker");
    let forged = tell(&app, "token-2", Word::Success(json!({}))).await;
    assert!(matches!(forged, Err(SignalError::NoTask)));
    tell(&app, "token-1", Word::Heartbeat).await.unwrap();
    tell(&app, "token-1", Word::Success(json!({"said": "seen"})))
        .await
        .unwrap();
    assert_eq!(outcome(&app, &id).await, "seen");
    let twice = tell(&app, "token-1", Word::Success(json!({"said": "again"}))).await;
    assert!(matches!(twice, Err(SignalError::NoTask)));
    for kind in [Kind::Token, Kind::Signal, Kind::Wake] {
        assert!(app.state.count(kind).await.unwrap().is_empty(), "{kind:?}");
    }
    tasks.stop().await;
}

#[tokio::test]
async fn a_worker_can_fail_a_task() {
    let folder = tempfile::tempdir().unwrap();
    let (app, tasks, id) = waiting(folder.path(), json!({})).await;
    take(&app, "t").await;
    let (error, cause) = ("Custom".to_owned(), "why".to_owned());
    tell(&app, "t", Word::Failure { error, cause })
        .await
        .unwrap();
    assert_eq!(outcome(&app, &id).await, "Custom");
    assert_eq!(run(&app, &id).await.reason.as_deref(), Some("why"));
    tasks.stop().await;
}

#[tokio::test]
async fn a_worker_that_falls_silent_loses_its_task() {
    let folder = tempfile::tempdir().unwrap();
    let (app, tasks, id) = waiting(folder.path(), json!({"HeartbeatSeconds": 1})).await;
    take(&app, "t").await;
    assert_eq!(outcome(&app, &id).await, "States.HeartbeatTimeout");
    let late = tell(&app, "t", Word::Success(json!({"said": "late"}))).await;
    assert!(matches!(late, Err(SignalError::NoTask)));
    tasks.stop().await;
}

/// Nobody is given a task that nobody waits for any more.
#[tokio::test]
async fn what_timed_out_is_not_offered_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let (app, tasks, id) = waiting(folder.path(), json!({"TimeoutSeconds": 1})).await;
    assert_eq!(outcome(&app, &id).await, "States.Timeout");
    let taken = signal::take(&*app.state, ACTIVITY, "t".to_owned(), app.clock.now()).await;
    assert_eq!(taken.unwrap(), None);
    tasks.stop().await;
}
