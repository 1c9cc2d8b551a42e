//! Runs inside runs, from the store up: everything but AWS is real.

use quell_model::RunId;
use quell_respond::RunStatus;
use quell_store::Kind;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

use super::test_content::*;
use crate::app::App;
use crate::loops::drive_to_end;
use crate::runner::signal;

fn start(pattern: &str, arguments: Value) -> Value {
    json!({"resource": format!("arn:aws:states:::states:startExecution{pattern}"), "arguments": arguments})
}

const START: (&str, &str, &str) = ("Tell", "states", "StartExecution");

/// A parent whose output says in `outcome` what its task gave, or the name of the error.
fn parent(content: &Path, id: &str, call: &Value, says: &str) {
    let caught = json!([{"ErrorEquals": ["States.ALL"], "Next": "Caught",
        "Output": {"outcome": "{% $states.errorOutput.Error %}", "reason": "{% $states.errorOutput.Cause %}"}}]);
    let output = json!({"outcome": says});
    let mut document = telling(id, call, json!({"Output": output, "Catch": caught}));
    document["States"]["Caught"] = json!({"Type": "Succeed"});
    write(content, id, &document, &[START]);
}

/// A child that ends at once.
fn child(content: &Path, id: &str, state: Value) {
    write(content, id, &document("Only", json!({"Only": state})), &[]);
}

/// How a parent that asks `PB-901` for so ends: in one word, and with the reason.
async fn ends(call: &Value, says: &str, only: Value) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let content = folder.path().join("content");
    parent(&content, "PB-900", call, says);
    child(&content, "PB-901", only);
    let app = app(folder.path(), |_| {}).await;
    let id = store(&app, "PB-900").await;
    drive_to_end(&app, &id).await.unwrap();
    let ended = run(&app, &id).await;
    for kind in [Kind::Wake, Kind::Signal, Kind::Token, Kind::Lease] {
        let left = app.state.count(kind).await.unwrap();
        assert!(left.is_empty(), "{kind:?} is left: {left:?}");
    }
    (ended.outcome.unwrap(), ended.reason.unwrap_or_default())
}

#[tokio::test]
async fn a_task_gets_the_output_of_the_document_it_awaits() {
    let echo = json!({"Type": "Pass", "End": true, "Output": {"got": "{% $states.input.x %}"}});
    let given = json!({"StateMachineArn": "PB-901", "Input": {"x": "hello"}});
    let call = start(".sync:2", given.clone());
    let (outcome, _) = ends(
        &call,
        "{% $states.result.Output.got & $states.result.Status %}",
        echo.clone(),
    )
    .await;
    assert_eq!(outcome, "helloSUCCEEDED");
    let (outcome, _) = ends(
        &start(".sync", given),
        "{% $states.result.Output %}",
        echo.clone(),
    )
    .await;
    assert_eq!(outcome, "{\"got\":\"hello\"}");
    let by_arn = json!({"StateMachineArn": "arn:aws:states:us-east-1:111111111111:stateMachine:PB-901", "Name": "n"});
    let nothing = json!({"Type": "Succeed", "Output": "{% $states.context.StateMachine.Name %}"});
    let (outcome, _) = ends(
        &start(".sync:2", by_arn),
        "{% $states.result.Output & $states.result.Name %}",
        nothing,
    )
    .await;
    assert_eq!(outcome, "PB-901n");
}

#[tokio::test]
async fn a_document_that_fails_fails_the_task_with_its_description() {
    let call = start(".sync:2", json!({"StateMachineArn": "PB-901"}));
    let fails = json!({"Type": "Fail", "Error": "E", "Cause": "C"});
    let (outcome, reason) = ends(&call, "-", fails).await;
    assert_eq!(outcome, "States.TaskFailed");
    let said: Value = serde_json::from_str(&reason).unwrap();
    assert_eq!(
        (&said["Status"], &said["Error"], &said["Cause"]),
        (&json!("FAILED"), &json!("E"), &json!("C"))
    );
}

#[tokio::test]
async fn what_is_not_of_the_content_is_not_started() {
    let call = start(".sync:2", json!({"StateMachineArn": "PB-999"}));
    let (outcome, reason) = ends(&call, "-", json!({"Type": "Succeed"})).await;
    assert_eq!(outcome, "StepFunctions.StateMachineDoesNotExistException");
    assert_eq!(reason, "State Machine Does Not Exist: 'PB-999'");
}

/// A permit for one execution is none for another.
#[tokio::test]
async fn what_was_not_permitted_is_not_started() {
    let folder = tempfile::tempdir().unwrap();
    let content = folder.path().join("content");
    let permitted = start("", json!({"StateMachineArn": "PB-901", "Input": {"n": 1}}));
    let made = start("", json!({"StateMachineArn": "PB-901", "Input": {"n": 2}}));
    let states =
        json!({"Gate": gate("PB-900", &permitted, "Tell"), "Tell": task(&made, json!({}))});
    write(&content, "PB-900", &document("Gate", states), &[START]);
    child(&content, "PB-901", json!({"Type": "Succeed"}));
    let app = app(folder.path(), |_| {}).await;
    let id = store(&app, "PB-900").await;
    drive_to_end(&app, &id).await.unwrap();
    assert_eq!(
        run(&app, &id).await.outcome.as_deref(),
        Some("States.Permissions")
    );
    assert!(others(&app, &id).await.is_empty());
}

/// Without a gate there is no permit, and without a step no gate helps.
#[tokio::test]
async fn nothing_is_started_without_a_permit() {
    let folder = tempfile::tempdir().unwrap();
    let content = folder.path().join("content");
    let call = start("", json!({"StateMachineArn": "PB-901"}));
    let states = json!({"Tell": task(&call, json!({}))});
    write(&content, "PB-900", &document("Tell", states), &[START]);
    child(&content, "PB-901", json!({"Type": "Succeed"}));
    let app = app(folder.path(), |_| {}).await;
    let id = store(&app, "PB-900").await;
    drive_to_end(&app, &id).await.unwrap();
    assert_eq!(
        run(&app, &id).await.outcome.as_deref(),
        Some("Quell.Refused")
    );
    assert!(others(&app, &id).await.is_empty());
}

#[tokio::test]
async fn a_circle_of_documents_fails_where_it_would_close() {
    let folder = tempfile::tempdir().unwrap();
    let content = folder.path().join("content");
    for (id, next) in [
        ("PB-900", "PB-901"),
        ("PB-901", "PB-902"),
        ("PB-902", "PB-900"),
    ] {
        let call = start(".sync:2", json!({"StateMachineArn": next}));
        parent(&content, id, &call, "{% $states.result.Output.outcome %}");
    }
    let app = app(folder.path(), |_| {}).await;
    let id = store(&app, "PB-900").await;
    drive_to_end(&app, &id).await.unwrap();
    // The innermost caught it; those above got its output.
    assert_eq!(
        run(&app, &id).await.outcome.as_deref(),
        Some("Quell.CyclicExecution")
    );
    let inner = others(&app, &id).await;
    assert_eq!(inner.len(), 2);
    let reasons: Vec<_> = inner
        .iter()
        .filter_map(|run| run.reason.as_deref())
        .collect();
    assert_eq!(
        reasons,
        ["an execution would start itself: PB-900 → PB-901 → PB-902 → PB-900"]
    );
}

#[tokio::test]
async fn what_is_nested_too_deep_fails_there() {
    let folder = tempfile::tempdir().unwrap();
    let content = folder.path().join("content");
    for n in 0..9 {
        let call = start(
            ".sync:2",
            json!({"StateMachineArn": format!("PB-9{:02}", n + 1)}),
        );
        parent(
            &content,
            &format!("PB-9{n:02}"),
            &call,
            "{% $states.result.Output.outcome %}",
        );
    }
    let app = app(folder.path(), |_| {}).await;
    let id = store(&app, "PB-900").await;
    drive_to_end(&app, &id).await.unwrap();
    assert_eq!(
        run(&app, &id).await.outcome.as_deref(),
        Some("Quell.ExecutionTooDeep")
    );
    assert_eq!(others(&app, &id).await.len(), 7);
}

/// A parent that awaits a child which waits for ever.
async fn waiting(folder: &Path, pattern: &str, arguments: Value, more: Value) -> (Arc<App>, RunId) {
    let content = folder.join("content");
    let call = start(pattern, arguments);
    let document = telling("PB-900", &call, more);
    write(&content, "PB-900", &document, &[START]);
    let wait = json!({"Wait": {"Type": "Wait", "Seconds": 86_400, "Next": "Done"}, "Done": {"Type": "Succeed"}});
    write(
        &content,
        "PB-901",
        &super::test_content::document("Wait", wait),
        &[],
    );
    let app = app(folder, |_| {}).await;
    let id = store(&app, "PB-900").await;
    (app, id)
}

async fn only_child(app: &App, id: &RunId) -> RunId {
    until("a nested run", async || {
        let others = others(app, id).await;
        assert!(others.len() < 2);
        Some(others.first()?.id.clone())
    })
    .await
}

async fn outcome(app: &App, id: &RunId) -> String {
    until("an end", async || run(app, id).await.outcome).await
}

#[tokio::test]
async fn who_stops_a_run_stops_what_it_awaits() {
    let folder = tempfile::tempdir().unwrap();
    let (app, id) = waiting(
        folder.path(),
        ".sync:2",
        json!({"StateMachineArn": "PB-901"}),
        json!({}),
    )
    .await;
    let tasks = serve(&app);
    let child = only_child(&app, &id).await;
    signal::stop(
        &*app.state,
        &id,
        "Stopped",
        "by hand",
        app.clock.now(),
        Vec::new(),
    )
    .await
    .unwrap();
    assert_eq!(outcome(&app, &id).await, "Stopped");
    assert_eq!(outcome(&app, &child).await, "States.TaskFailed");
    until("an empty store", async || {
        let left = app.state.count(Kind::Wake).await.unwrap();
        left.is_empty().then_some(())
    })
    .await;
    tasks.stop().await;
}

#[tokio::test]
async fn a_task_that_times_out_stops_what_it_awaits() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = json!({"StateMachineArn": "PB-901"});
    let (app, id) = waiting(
        folder.path(),
        ".sync",
        arguments,
        json!({"TimeoutSeconds": 1}),
    )
    .await;
    let tasks = serve(&app);
    let child = only_child(&app, &id).await;
    assert_eq!(outcome(&app, &id).await, "States.Timeout");
    assert_eq!(outcome(&app, &child).await, "States.TaskFailed");
    tasks.stop().await;
}

#[tokio::test]
async fn a_child_that_is_stopped_fails_its_parent() {
    let folder = tempfile::tempdir().unwrap();
    let (app, id) = waiting(
        folder.path(),
        ".sync",
        json!({"StateMachineArn": "PB-901"}),
        json!({}),
    )
    .await;
    let tasks = serve(&app);
    let child = only_child(&app, &id).await;
    signal::stop(
        &*app.state,
        &child,
        "Stopped",
        "by hand",
        app.clock.now(),
        Vec::new(),
    )
    .await
    .unwrap();
    assert_eq!(outcome(&app, &id).await, "States.TaskFailed");
    let reason = run(&app, &id).await.reason.unwrap();
    let said: Value = serde_json::from_str(&reason).unwrap();
    assert_eq!(
        (&said["Status"], &said["Error"]),
        (&json!("ABORTED"), &json!("Stopped"))
    );
    tasks.stop().await;
}

/// What nobody awaits is not stopped, and waits until its parent has given the resource back.
#[tokio::test]
async fn what_nobody_awaits_outlives_who_started_it() {
    let folder = tempfile::tempdir().unwrap();
    let (app, id) = waiting(
        folder.path(),
        "",
        json!({"StateMachineArn": "PB-901"}),
        json!({}),
    )
    .await;
    let tasks = serve(&app);
    assert_eq!(outcome(&app, &id).await, "done");
    let child = only_child(&app, &id).await;
    until("the child holds the resource", async || {
        let lease = app
            .state
            .get(Kind::Lease, &resource().arn.to_string())
            .await
            .unwrap();
        (lease?.read::<RunId>().unwrap() == child).then_some(())
    })
    .await;
    assert_eq!(run(&app, &child).await.status, RunStatus::Running);
    tasks.stop().await;
}

#[tokio::test]
async fn a_token_in_the_input_of_a_document_ends_the_task_that_started_it() {
    let folder = tempfile::tempdir().unwrap();
    let content = folder.path().join("content");
    let arguments = |token: &str| json!({"StateMachineArn": "PB-901", "Input": {"token": token}});
    let planned = start(".waitForTaskToken", arguments("quell:task-token"));
    let made = start(
        ".waitForTaskToken",
        arguments("{% $states.context.Task.Token %}"),
    );
    let tell = task(
        &made,
        json!({"Output": {"outcome": "{% $states.result %}"}}),
    );
    let states = json!({"Gate": gate("PB-900", &planned, "Tell"), "Tell": tell});
    write(&content, "PB-900", &document("Gate", states), &[START]);
    child(
        &content,
        "PB-901",
        json!({"Type": "Pass", "End": true, "Output": {"outcome": "{% $states.input.token %}"}}),
    );
    let app = app(folder.path(), |_| {}).await;
    let id = store(&app, "PB-900").await;
    let tasks = serve(&app);
    let child = only_child(&app, &id).await;
    let token = outcome(&app, &child).await;
    let log = app.state.read_log(id.as_str(), 0, 100).await.unwrap();
    let has = |text: &str| log.iter().any(|entry| entry.body.contains(text));
    assert!(
        has("quell:task-token") && !has(&token),
        "no log has a token"
    );
    signal::tell(
        &*app.state,
        &token,
        signal::Word::Success(json!("told")),
        app.clock.now(),
    )
    .await
    .unwrap();
    assert_eq!(outcome(&app, &id).await, "told");
    tasks.stop().await;
}

/// A crash at any moment of the parent's or the child's life: here at every one that the store can tell apart.
#[tokio::test]
async fn after_a_restart_between_the_two_the_parent_still_hears_of_the_end_once() {
    let folder = tempfile::tempdir().unwrap();
    let content = folder.path().join("content");
    let call = start(
        ".sync:2",
        json!({"StateMachineArn": "PB-901", "Input": {"x": 1}}),
    );
    parent(
        &content,
        "PB-900",
        &call,
        "{% $string($states.result.Output.x) %}",
    );
    let states = json!({"Wait": {"Type": "Wait", "Seconds": 1, "Next": "Echo"},
        "Echo": {"Type": "Pass", "End": true}});
    write(&content, "PB-901", &document("Wait", states), &[]);
    let first = app(folder.path(), |_| {}).await;
    let id = store(&first, "PB-900").await;
    // The child is begun, and the process ends.
    let tasks = serve(&first);
    let child = only_child(&first, &id).await;
    tasks.stop().await;
    first.claims.leave().await;
    drop(first);
    // A second process carries the child alone to its end.
    let second = app(folder.path(), |_| {}).await;
    drive_to_end(&second, &child).await.unwrap();
    assert_eq!(second.state.count(Kind::Signal).await.unwrap().len(), 1);
    assert_eq!(run(&second, &id).await.outcome, None);
    second.stop.cancel();
    second.claims.leave().await;
    drop(second);
    // A third carries the parent.
    let third = app(folder.path(), |_| {}).await;
    drive_to_end(&third, &id).await.unwrap();
    assert_eq!(run(&third, &id).await.outcome.as_deref(), Some("1"));
    assert!(third.state.count(Kind::Signal).await.unwrap().is_empty());
    assert_eq!(others(&third, &id).await.len(), 1);
}
