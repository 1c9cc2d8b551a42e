//! A run is stopped: at each of its rests, while its tasks are under way, while a person thinks, before it began.

use quell::runner::Rest;
use quell::runner::signal::{SignalError, stop};
use quell_store::Clock;
use serde_json::json;

use crate::clocks::until;
use crate::documents::{CHANGE, Mode, Place, READ, document, single};
use crate::lab::Lab;

async fn cancel(lab: &Lab, run: &quell_model::RunId) -> Result<(), SignalError> {
    stop(
        &*lab.state,
        run,
        "Cancelled",
        "by a test",
        lab.clock.now(),
        Vec::new(),
    )
    .await
}

async fn assert_aborted(lab: &Lab, run: &quell_model::RunId) {
    let aborted = ("aborted".to_owned(), json!("Cancelled"));
    assert_eq!(lab.stands(run).await, aborted);
    lab.assert_nothing_left().await;
    let again = cancel(lab, run).await;
    assert!(matches!(again, Err(SignalError::NoRun(_))), "{again:?}");
}

#[tokio::test]
async fn at_each_of_its_rests() {
    for place in [Place::Top, Place::Branch, Place::Item] {
        let document = document(place, Mode::Retry);
        for at_rest in 0.. {
            let lab = Lab::new(&[("d", &document)]).await;
            let run = lab.begin("run-1", "d", "a", json!({})).await;
            let process = lab.process().await;
            let mut rest = Some(Rest::Until(lab.clock.now()));
            for _ in 0..at_rest {
                rest = lab.carry(&process, &run).await;
                if let Some(Rest::Until(at)) = rest {
                    lab.clock.advance(at.millis_since(lab.clock.now()).max(0));
                }
            }
            if rest == Some(Rest::Ended) {
                assert!(at_rest > 4, "only {at_rest} rests");
                break;
            }
            cancel(&lab, &run).await.unwrap();
            cancel(&lab, &run).await.unwrap();
            let before = lab.world.look().effects;
            assert_eq!(lab.carry(&process, &run).await, Some(Rest::Ended));
            assert_eq!(
                lab.world.look().effects,
                before,
                "it did something after all"
            );
            assert_aborted(&lab, &run).await;
        }
    }
}

#[tokio::test]
async fn while_its_tasks_are_under_way() {
    for resource in [READ, CHANGE] {
        let document =
            single(json!({"Type": "Task", "Resource": resource, "Arguments": {"Key": "k"}}));
        let lab = Lab::new(&[("d", &document)]).await;
        lab.world.change(|facts| {
            facts.silent.insert("k".to_owned());
        });
        let run = lab.begin("run-1", "d", "a", json!({})).await;
        let process = lab.process().await;
        let tasks = lab.loop_of(&process);
        until("a task is under way", async || lab.world.look().aloft == 1).await;
        cancel(&lab, &run).await.unwrap();
        until("it is stopped", async || {
            lab.stands(&run).await.0 == "aborted"
        })
        .await;
        tasks.stop().await;
        assert_aborted(&lab, &run).await;
    }
}

#[tokio::test]
async fn while_a_person_thinks() {
    let gate = json!({"Type": "Task", "Resource": READ, "Arguments": {"Key": "k", "Mode": "gate"}});
    let document = single(gate);
    let lab = Lab::new(&[("d", &document)]).await;
    let run = lab.begin("run-1", "d", "a", json!({})).await;
    let process = lab.process().await;
    assert_eq!(lab.carry(&process, &run).await, Some(Rest::Parked));
    cancel(&lab, &run).await.unwrap();
    assert_eq!(lab.carry(&process, &run).await, Some(Rest::Ended));
    assert_aborted(&lab, &run).await;
}

#[tokio::test]
async fn what_never_began_or_was_never_there_cannot_be_stopped() {
    let document = single(json!({"Type": "Pass"}));
    let lab = Lab::new(&[("d", &document)]).await;
    let nobody = "run-nobody".parse().unwrap();
    let told = cancel(&lab, &nobody).await;
    assert!(matches!(told, Err(SignalError::NoRun(_))), "{told:?}");
}
