//! The crash matrix: a process that dies at every point of a run's life, and the next that goes on.

use std::collections::BTreeMap;

use quell::runner::Rest;
use serde_json::{Value, json};

use crate::crashing::Death;
use crate::documents::{Mode, Place, document};
use crate::lab::Lab;
use crate::world::Doom;

struct Seen {
    end: (String, Value),
    effects: BTreeMap<String, u32>,
    commits: usize,
    calls: usize,
}

/// Carries one run with a first process that dies so, and a second that does not.
async fn live(document: &Value, death: Death, doom: Doom) -> Seen {
    let lab = Lab::new(&[("d", document)]).await;
    let run = lab.begin("run-1", "d", "444455556666", json!({})).await;
    let first = lab.mortal(death, doom, 1).await;
    let rest = lab.finish(&first, &run).await;
    let (commits, calls) = (first.state.commits(), lab.world.look().calls);
    if (death, doom) == (Death::Never, Doom::Never) {
        assert_eq!(rest, Some(Rest::Ended));
    } else {
        assert_eq!(rest, None, "{death:?} {doom:?}: it did not die");
        drop(first);
        let second = lab.process().await;
        assert_eq!(lab.finish(&second, &run).await, Some(Rest::Ended));
    }
    lab.assert_nothing_left().await;
    Seen {
        end: lab.stands(&run).await,
        effects: lab.world.look().effects,
        commits,
        calls,
    }
}

async fn every_crash(place: Place, mode: Mode) {
    let document = document(place, mode);
    let quiet = live(&document, Death::Never, Doom::Never).await;
    assert_eq!(quiet.end.0, "succeeded", "{:?}", quiet.end);
    let done = if mode == Mode::Catch { None } else { Some(&1) };
    let changed = ["one", "a", "item0"].map(|key| quiet.effects.get(key));
    assert!(changed.contains(&done), "{:?}", quiet.effects);
    assert!(quiet.effects.values().all(|count| *count == 1));
    let commits = (0..quiet.commits)
        .flat_map(|n| [Death::Before(n), Death::After(n)].map(|death| (death, Doom::Never)));
    let calls = (0..quiet.calls)
        .flat_map(|n| [Doom::BeforeCall(n), Doom::AfterCall(n)].map(|doom| (Death::Never, doom)));
    let mut crashes = 0;
    for (death, doom) in commits.chain(calls) {
        let seen = live(&document, death, doom).await;
        let at = format!("{place:?} {mode:?} {death:?} {doom:?}");
        assert_eq!(seen.end, quiet.end, "{at}");
        assert_eq!(seen.effects, quiet.effects, "{at}");
        crashes += 1;
    }
    assert!(crashes >= 20, "only {crashes} crashes");
}

macro_rules! matrix {
    ($($name:ident: $place:ident, $mode:ident;)*) => {$(
        #[tokio::test]
        async fn $name() {
            every_crash(Place::$place, Mode::$mode).await;
        }
    )*};
}

matrix! {
    at_the_top_and_well: Top, Plain;
    at_the_top_with_a_retry: Top, Retry;
    at_the_top_with_a_catch: Top, Catch;
    in_a_branch_and_well: Branch, Plain;
    in_a_branch_with_a_retry: Branch, Retry;
    in_a_branch_with_a_catch: Branch, Catch;
    in_an_item_and_well: Item, Plain;
    in_an_item_with_a_retry: Item, Retry;
    in_an_item_with_a_catch: Item, Catch;
}

/// Process after process dies after some commits more than the one before: whatever was taken up is left again.
#[tokio::test]
async fn a_run_survives_one_crash_after_another() {
    let document = document(Place::Item, Mode::Retry);
    let quiet = live(&document, Death::Never, Doom::Never).await;
    for step in 1..4 {
        let lab = Lab::new(&[("d", &document)]).await;
        let run = lab.begin("run-1", "d", "444455556666", json!({})).await;
        let mut deaths = 0;
        loop {
            let death = match deaths % 2 {
                0 => Death::After(step),
                _ => Death::Before(step),
            };
            match lab
                .finish(&lab.mortal(death, Doom::Never, 1).await, &run)
                .await
            {
                Some(rest) => break assert_eq!(rest, Rest::Ended),
                None => deaths += 1,
            }
            assert!(deaths < 200, "it never ends");
        }
        assert!(deaths > 2, "only {deaths} deaths");
        assert_eq!(lab.stands(&run).await, quiet.end);
        assert_eq!(lab.world.look().effects, quiet.effects);
        lab.assert_nothing_left().await;
    }
}
