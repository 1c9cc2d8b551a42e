//! Failures that a verification has to find: AWS says yes, and what is there is not what was planned.

use super::{Happening, Kind, Trial, at, cover, once, same_image};
use std::collections::BTreeSet;

use quell_model::{Call, UndoCall};
use quell_respond::Playbook;

use crate::harness::case::Case;
use crate::harness::drive::{self, Blow, KIND};
use crate::harness::life::{Life, Stands, recorded};
use crate::harness::{ids, load};
use crate::world::{World, Worlds};

const fn always(name: &'static str, blow: Blow) -> Happening {
    Happening {
        name,
        blow,
        always: true,
    }
}

/// That all is as planned is said only when it is so. A call without an effect may have been needless: an instance that leaves
/// its scaling group leaves the load balancers with it.
fn is_true(trial: &Trial<'_>, life: &Life, world: &Worlds) -> Result<(), String> {
    match &life.stands {
        Stands::Done(outcome) => same_image(world, &trial.after)
            .map_err(|how| format!("nobody noticed, it ended «{outcome}»: {how}")),
        _ => Ok(()),
    }
}

#[test]
fn what_aws_only_says_is_noticed_each_time() {
    let (mut all, mut broken) = (0, Vec::new());
    for id in ids() {
        let playbook = load(&id);
        let (mut planted, mut tried) = (0, BTreeSet::new());
        for (name, case) in &cover::cases(&playbook) {
            let (some, faults) = of(&playbook, name, case, &mut tried);
            planted += some;
            broken.extend(faults);
        }
        println!("{id}: {planted} planted failures noticed");
        assert!(planted > 0, "{id}");
        all += planted;
    }
    println!(
        "all playbooks: {all} planted failures noticed, {} not",
        broken.len()
    );
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// All failures that can be planted in a case: how many were noticed, and which were not.
pub fn of(
    playbook: &Playbook,
    name: &str,
    case: &Case,
    tried: &mut BTreeSet<Kind>,
) -> (usize, Vec<String>) {
    let mut trial = Trial::new(playbook, name, case);
    trial.tried = std::mem::take(tried);
    for step in 0..trial.calm.made.len() {
        let (calls, stage) = (trial.calm.made.clone(), trial.calm.stages[step]);
        if trial.is_new("respond", stage, &calls, step) {
            plant(&mut trial, step);
        }
    }
    after_the_end(&mut trial);
    *tried = std::mem::take(&mut trial.tried);
    (trial.held, trial.broken)
}

/// Somebody takes back all that was done, after the run has ended: the next look of the watch, which is the document up to
/// its gate, would change it again. Without that it would not.
fn after_the_end(trial: &mut Trial<'_>) {
    let Some(undo) = recorded(&trial.calm) else {
        return;
    };
    let mut world = trial.world();
    drop(drive::respond(trial.playbook, trial.case, &mut world, KIND));
    let look = |world: &mut Worlds| drive::refused_at(trial.playbook, trial.case, world, 0);
    let quiet = look(&mut world).plans.len();
    let calls: Vec<UndoCall> = serde_json::from_value(undo["calls"].clone()).unwrap();
    for back in &calls {
        let call = Call::of_task(&back.resource, &back.arguments).unwrap();
        world.call(&call).unwrap();
    }
    let reverted = look(&mut world).plans.len();
    let seen = match (quiet, reverted) {
        (0, 1) => Ok(()),
        _ => Err(format!(
            "{quiet} plans when it holds, {reverted} when it was taken back"
        )),
    };
    trial.hold("somebody takes it back after the end", seen);
}

fn plant(trial: &mut Trial<'_>, step: usize) {
    let calls = trial.calm.made.clone();
    let operation = calls[step].operation.clone();
    let may_be_reverted = trial.has_a_way_back(&calls[step]);
    let planted = [
        Some(always("it never takes effect", Blow::Hollow)),
        Some(once("it takes no effect the first time", Blow::Hollow)),
        Some(once("something else changes with it", Blow::TooMuch)),
        may_be_reverted.then(|| always("somebody takes it back each time", Blow::Reverted)),
        may_be_reverted.then(|| once("somebody takes it back once", Blow::Reverted)),
    ];
    for happening in planted.into_iter().flatten() {
        let mut world = trial.world();
        let life = trial.live(&mut world, &happening.to(step, &calls));
        let seen = is_true(trial, &life, &world);
        trial.hold(&at("respond", step, &operation, happening.name), seen);
    }
}
