//! Task tokens: nobody guesses them, each ends one task of one run once, and the store cannot tell them.

use quell::runner::Rest;
use quell::runner::signal::{SignalError, Word, stop, tell};
use quell_store::{Clock, Kind};
use serde_json::{Value, json};

use crate::documents::ASK;
use crate::lab::Lab;

fn ask() -> Value {
    json!({"QueryLanguage": "JSONata", "StartAt": "Ask", "States": {
        "Ask": {
            "Type": "Task", "Resource": ASK, "HeartbeatSeconds": 50, "TimeoutSeconds": 100, "Next": "Rest",
            "Arguments": {"QueueUrl": "q", "Key": "{% $states.context.Execution.Name %}", "MessageBody": "{% $states.context.Task.Token %}"},
        },
        "Rest": {"Type": "Wait", "Seconds": 1000, "Next": "Again"},
        "Again": {
            "Type": "Task", "Resource": ASK, "TimeoutSeconds": 100, "End": true,
            "Arguments": {"QueueUrl": "q", "Key": "again", "MessageBody": "{% $states.context.Task.Token %}"},
        },
    }})
}

fn refused(told: Result<(), SignalError>) {
    assert!(matches!(told, Err(SignalError::NoTask)), "{told:?}");
}

#[tokio::test]
async fn a_token_ends_its_task_once_and_no_other() {
    let lab = Lab::new(&[("d", &ask())]).await;
    let (process, other) = (lab.process().await, lab.process().await);
    let one = lab.begin("run-one", "d", "a", json!({})).await;
    let two = lab.begin("run-two", "d", "a", json!({})).await;
    for run in [&one, &two] {
        assert!(matches!(
            lab.carry(&process, run).await,
            Some(Rest::Until(_))
        ));
    }
    let messages = lab.world.look().messages;
    let [(_, first), (_, second)] = &messages[..] else {
        panic!("{messages:?}")
    };
    assert_ne!(first, second);
    assert_eq!(first.len(), 64, "256 bits");
    lab.succeed(first, json!("yes")).await.unwrap();
    refused(
        lab.succeed(first, json!("again, before it is in the log"))
            .await,
    );
    // Another process takes it in: it never saw the token.
    assert!(matches!(
        lab.carry(&other, &one).await,
        Some(Rest::Until(_))
    ));
    refused(
        lab.succeed(first, json!("again, after it is in the log"))
            .await,
    );
    // The other run has not moved.
    assert_eq!(lab.log(&two).await.len(), 3);
    lab.carry(&other, &two).await;
    assert_eq!(lab.log(&two).await.len(), 3);
    // A later task of the same run has another token, and the first does not end it.
    lab.clock.advance(1_000_000);
    lab.carry(&process, &one).await;
    refused(lab.succeed(first, json!("for another task")).await);
    let last = lab.world.last_token();
    assert_ne!(&last, first);
    lab.succeed(&last, json!("done")).await.unwrap();
    assert_eq!(lab.carry(&process, &one).await, Some(Rest::Ended));
    assert_eq!(
        lab.stands(&one).await,
        ("succeeded".to_owned(), json!("done"))
    );
    refused(lab.succeed(&last, json!("after the end")).await);
}

#[tokio::test]
async fn a_token_is_refused_when_its_task_has_timed_out_and_a_heartbeat_puts_that_off() {
    let lab = Lab::new(&[("d", &ask())]).await;
    let process = lab.process().await;
    let run = lab.begin("run-one", "d", "a", json!({})).await;
    lab.carry(&process, &run).await;
    let token = lab.world.last_token();
    lab.clock.advance(40_000);
    for _ in 0..3 {
        tell(&*lab.state, &token, Word::Heartbeat, lab.clock.now())
            .await
            .unwrap();
    }
    lab.carry(&process, &run).await;
    lab.clock.advance(40_000);
    assert!(matches!(
        lab.carry(&process, &run).await,
        Some(Rest::Until(_))
    ));
    lab.clock.advance(10_000);
    assert_eq!(lab.carry(&process, &run).await, Some(Rest::Ended));
    assert_eq!(
        lab.stands(&run).await,
        ("failed".to_owned(), json!("States.HeartbeatTimeout"))
    );
    refused(lab.succeed(&token, json!("late")).await);
    lab.assert_nothing_left().await;
}

#[tokio::test]
async fn a_forged_token_is_refused_and_the_store_holds_no_token() {
    let lab = Lab::new(&[("d", &ask())]).await;
    let process = lab.process().await;
    let run = lab.begin("run-one", "d", "a", json!({})).await;
    lab.carry(&process, &run).await;
    let token = lab.world.last_token();
    let stored = lab.state.list(&quell_store::Query::all(Kind::Token)).await;
    let stored = stored.unwrap().documents.remove(0);
    // What is in the store: the hash, the log with its moments and seeds. None of it is the token.
    for forged in [stored.id.as_str(), "", "task-1", "0".repeat(64).as_str()] {
        refused(lab.succeed(forged, json!(1)).await);
    }
    let unkeyed = {
        use quell_respond::Flow;
        let mut flow = Flow::new(
            lab.definitions["d"].clone(),
            run.as_str(),
            quell_states::MachineRef::default(),
            json!({}),
        );
        let mut entries = lab.log(&run).await;
        flow.apply(entries.remove(0));
        flow.tasks().next().unwrap().request.token.clone().unwrap()
    };
    assert_ne!(unkeyed, token);
    refused(lab.succeed(&unkeyed, json!(1)).await);
    for name in ["lab.db", "lab.db-wal"] {
        let bytes = std::fs::read(lab.folder.path().join(name)).unwrap();
        let found = bytes.windows(64).any(|window| window == token.as_bytes());
        assert!(!found, "the token is in {name}");
    }
    tell(
        &*lab.state,
        &token,
        Word::Failure {
            error: "No".into(),
            cause: "because".into(),
        },
        lab.clock.now(),
    )
    .await
    .unwrap();
    assert_eq!(lab.carry(&process, &run).await, Some(Rest::Ended));
    assert_eq!(lab.stands(&run).await, ("failed".to_owned(), json!("No")));
}

#[tokio::test]
async fn results_that_are_too_large_are_refused_and_the_token_stays_good() {
    let lab = Lab::new(&[("d", &ask())]).await;
    let process = lab.process().await;
    let run = lab.begin("run-one", "d", "a", json!({})).await;
    lab.carry(&process, &run).await;
    let token = lab.world.last_token();
    let large = json!("x".repeat(300_000));
    let told = lab.succeed(&token, large).await;
    assert!(
        matches!(told, Err(SignalError::TooLarge { .. })),
        "{told:?}"
    );
    lab.succeed(&token, json!("small")).await.unwrap();
    stop(&*lab.state, &run, "Enough", "", lab.clock.now(), Vec::new())
        .await
        .unwrap();
    assert_eq!(lab.carry(&process, &run).await, Some(Rest::Ended));
    lab.assert_nothing_left().await;
}
