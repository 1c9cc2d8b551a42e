//! Clocks that jump: no timer is lost, none fires early or twice.

use std::collections::BTreeMap;
use std::time::Duration;

use quell::runner::Rest;
use quell_respond::{Flow, LogEntry};
use quell_states::{Event, MachineRef, TimerId};
use quell_store::Clock;
use serde_json::{Value, json};

use crate::documents::{ASK, READ, single};
use crate::lab::{Lab, START};

const HOUR: i64 = 3_600_000;

fn timers() -> Value {
    let until = quell_model::Timestamp::from_millis(START + 100_000).to_string();
    json!({"QueryLanguage": "JSONata", "StartAt": "First", "States": {
        "First": {"Type": "Wait", "Seconds": 10, "Next": "Flaky"},
        "Flaky": {
            "Type": "Task", "Resource": READ, "Arguments": {"Key": "k", "Mode": "flaky"}, "TimeoutSeconds": 60,
            "Retry": [{"ErrorEquals": ["Flaky"], "IntervalSeconds": 30}], "Next": "Ask",
        },
        "Ask": {
            "Type": "Task", "Resource": ASK, "Arguments": {"QueueUrl": "q", "MessageBody": "b"},
            "HeartbeatSeconds": 20, "TimeoutSeconds": 40, "Next": "Never",
            "Catch": [{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Until"}],
        },
        "Never": {"Type": "Fail", "Error": "Answered"},
        "Until": {"Type": "Wait", "Timestamp": until, "Next": "Fork"},
        "Fork": {"Type": "Parallel", "End": true, "Branches": [
            {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 5, "End": true}}},
            {"StartAt": "B", "States": {"B": {"Type": "Wait", "Seconds": 7, "End": true}}},
        ]},
    }})
}

/// Every timer that fired, with the moments at which it was due and fired.
async fn fired(lab: &Lab, run: &quell_model::RunId) -> Vec<(i64, i64)> {
    let definition = lab.definitions["d"].clone();
    let machine = MachineRef::default();
    let mut flow = Flow::new(definition, run.as_str(), machine, json!({}));
    let mut fired: BTreeMap<TimerId, (i64, i64)> = BTreeMap::new();
    for entry in lab.log(run).await {
        if let LogEntry::Input {
            event: Event::TimerFired { timer },
            moment,
        } = &entry
        {
            let (first, due) = flow.next_timer().expect("a timer that nobody set fired");
            assert_eq!(
                first, *timer,
                "timers fire in the order in which they are due"
            );
            let twice = fired.insert(*timer, (due.millis(), moment.millis));
            assert!(twice.is_none(), "{timer} fired twice");
        }
        flow.apply(entry);
    }
    fired.into_values().collect()
}

#[tokio::test]
async fn jumps_of_an_hour_lose_and_double_no_timer() {
    let document = timers();
    for jump in [HOUR, -HOUR] {
        for at_rest in 0..7 {
            let lab = Lab::new(&[("d", &document)]).await;
            let run = lab.begin("run-1", "d", "a", json!({})).await;
            let process = lab.process().await;
            let mut rests = 0;
            loop {
                match lab.carry(&process, &run).await.unwrap() {
                    Rest::Until(at) => {
                        if rests == at_rest {
                            lab.clock.advance(jump);
                        } else {
                            lab.clock.advance(at.millis_since(lab.clock.now()).max(0));
                        }
                        rests += 1;
                    }
                    rest => break assert_eq!(rest, Rest::Ended),
                }
                assert!(rests < 50, "it waits for ever");
            }
            assert!(rests >= at_rest, "the clock never jumped");
            assert_eq!(lab.stands(&run).await.0, "succeeded");
            let fired = fired(&lab, &run).await;
            assert!(fired.iter().all(|(due, at)| at >= due), "{fired:?}");
            // First, the retry, the heartbeat, the moment, and two side by side. The moment has passed after a jump
            // forward, and then there is no timer for it.
            let least = if jump > 0 { 5 } else { 6 };
            assert!((least..=6).contains(&fired.len()), "{at_rest}: {fired:?}");
            lab.assert_nothing_left().await;
        }
    }
}

#[tokio::test]
async fn a_run_that_is_looked_at_too_early_waits_on() {
    let document = single(json!({"Type": "Wait", "Seconds": 100}));
    let lab = Lab::new(&[("d", &document)]).await;
    let run = lab.begin("run-1", "d", "a", json!({})).await;
    let process = lab.process().await;
    let rest = lab.carry(&process, &run).await;
    lab.clock.advance(99_000);
    assert_eq!(lab.carry(&process, &run).await, rest);
    assert_eq!(lab.log(&run).await.len(), 1);
    lab.clock.advance(1_000);
    assert_eq!(lab.carry(&process, &run).await, Some(Rest::Ended));
}

/// The loop itself: it finds the run when the clock has jumped, without anybody ringing.
#[tokio::test]
async fn the_loop_follows_a_clock_that_jumps() {
    let document = single(json!({"Type": "Wait", "Seconds": 3600}));
    let lab = Lab::new(&[("d", &document)]).await;
    let run = lab.begin("run-1", "d", "a", json!({})).await;
    let process = lab.process().await;
    let tasks = lab.loop_of(&process);
    until("the run rests", async || lab.log(&run).await.len() == 1).await;
    lab.clock.advance(-HOUR);
    lab.clock.advance(2 * HOUR);
    until("the run ends", async || {
        lab.stands(&run).await.0 == "succeeded"
    })
    .await;
    tasks.stop().await;
    lab.assert_nothing_left().await;
}

/// Waits for a condition, not for ever.
pub async fn until(what: &str, mut is: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !is().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), wait).await;
    assert!(waited.is_ok(), "{what}: not within 30 seconds");
}
