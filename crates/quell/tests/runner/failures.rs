//! Every task fails in turn, and the run ends as its document says: as the bare state machine ends in the same world.

use std::collections::BTreeSet;

use quell::runner::{Ended, Rest};
use quell_respond::{Flow, LogEntry};
use quell_states::{Definition, Event, MachineRef, Moment, Status};
use quell_store::Clock;
use serde_json::{Value, json};

use crate::documents::{Mode, Place, document};
use crate::lab::{Lab, START};
use crate::world::World;

/// What the document says: the state machine alone, without a store, a crash or anything at the same time.
fn says(definition: &Definition, world: &World) -> Status {
    let machine = MachineRef::default();
    let mut flow = Flow::new(definition.clone(), "run-1", machine, json!({}));
    let (mut event, mut now) = (Event::Started, START);
    for seed in 0..10_000 {
        let moment = Moment::new(now, seed);
        flow.apply(LogEntry::Input { event, moment });
        if *flow.status() != Status::Running {
            return flow.status().clone();
        }
        let Some(awaited) = flow.tasks().next() else {
            let (timer, due) = flow.next_timer().unwrap();
            now = due.millis();
            event = Event::TimerFired { timer };
            continue;
        };
        let task = awaited.request.task;
        event = match world.call("run-1", &awaited.request).ended {
            Ended::Succeeded(output) => Event::TaskSucceeded { task, output },
            Ended::Failed { error, cause } => Event::TaskFailed { task, error, cause },
            Ended::Elsewhere(_) => Event::TaskSucceeded {
                task,
                output: json!("yes"),
            },
        };
    }
    panic!("no end");
}

fn as_stored(status: Status) -> (String, Value) {
    match status {
        Status::Succeeded { output } => ("succeeded".to_owned(), output),
        Status::Failed { error, .. } => ("failed".to_owned(), json!(error)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_task_fails_in_turn() {
    let mut ends = BTreeSet::new();
    for place in [Place::Top, Place::Branch, Place::Item] {
        for mode in [Mode::Plain, Mode::Retry, Mode::Catch] {
            let document = document(place, mode);
            let definition = Definition::parse(&document.to_string()).unwrap();
            let states: BTreeSet<String> = definition.tasks().map(|t| t.name.to_owned()).collect();
            assert!(states.len() >= 4);
            for state in states {
                let broken = || BTreeSet::from([state.clone()]);
                let alone = World::default();
                alone.change(|facts| facts.broken = broken());
                let lab = Lab::new(&[("d", &document)]).await;
                lab.world.change(|facts| facts.broken = broken());
                let run = lab.begin("run-1", "d", "a", json!({})).await;
                assert_eq!(
                    lab.finish(&lab.process().await, &run).await,
                    Some(Rest::Ended)
                );
                let end = lab.stands(&run).await;
                let said = as_stored(says(&definition, &alone));
                assert_eq!(end, said, "{place:?} {mode:?} without {state}");
                // A branch beside the one that fails may have come further here, where both are under way at once.
                let (effects, least) = (lab.world.look().effects, alone.look().effects);
                assert!(
                    least.iter().all(|(key, _)| effects.contains_key(key)),
                    "{state}"
                );
                assert!(
                    effects.values().all(|count| *count == 1),
                    "{state}: {effects:?}"
                );
                lab.assert_nothing_left().await;
                assert!(lab.clock.now().millis() >= START);
                ends.insert(end.0);
            }
        }
    }
    let both = ["failed", "succeeded"].map(str::to_owned);
    assert!(ends.contains(&both[0]), "nothing failed: {ends:?}");
}
