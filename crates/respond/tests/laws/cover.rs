//! Which cases the laws are tried on: enough that every changing step of every document is taken.

use std::collections::BTreeSet;

use quell_model::{Call, Class, Plan};
use quell_respond::Playbook;

use super::Trial;
use crate::harness::case::{Case, cases as all_cases};
use crate::harness::drive::{self, KIND};
use crate::world::Worlds;

/// More calls of one kind in a row show nothing new, and take a good deal of time.
const ALIKE_MAX: usize = 3;

/// The cases that take every changing step of every stage and document, the shortest first; with `QUELL_LAWS=all`, one for each way
/// through the documents. It fails when a changing step is on none of them.
pub fn cases(playbook: &Playbook) -> Vec<(String, Case)> {
    let mut ways = ways(playbook);
    let mut taken = BTreeSet::new();
    ways.retain(|way| {
        let new = way.steps.iter().any(|step| !taken.contains(step));
        taken.extend(way.steps.iter().cloned());
        new || all()
    });
    for step in playbook.steps.iter().filter(|step| step.class > Class::R0) {
        let operation = format!("{}:{}", step.service, step.operation);
        let is_taken = taken
            .iter()
            .any(|(document, _, taken, _)| *document == step.document && *taken == operation);
        assert!(
            is_taken,
            "{}: no case takes {} of {} ({operation})",
            playbook.id, step.state, step.document
        );
    }
    ways.into_iter().map(|way| (way.name, way.case)).collect()
}

/// Whether every case and every step is tried, at the price of minutes.
pub fn all() -> bool {
    std::env::var_os("QUELL_LAWS").is_some_and(|which| which == "all")
}

/// A changing call: the document, the stage, the operation, and whether it is another of its kind.
type Step = (&'static str, usize, String, bool);

/// A case, and what its documents call when nothing happens.
struct Way {
    operations: [Vec<String>; 2],
    steps: BTreeSet<Step>,
    calls: usize,
    name: String,
    case: Case,
}

/// One case for each way through the documents, the shortest first.
fn ways(playbook: &Playbook) -> Vec<Way> {
    let all = all_cases(&playbook.id);
    let changing = all.into_iter().filter(|(_, case)| is_whole(case));
    let changing = changing.filter(|(_, case)| has_a_way_back(playbook, case));
    let way = |(name, case): (String, Case)| {
        let trial = Trial::new(playbook, &name, &case);
        let (there, back) = (&trial.calm, &trial.calm_back);
        let steps = [("respond", there), ("undo", back)].into_iter();
        let steps = steps.flat_map(|(document, end)| {
            let calls = end.made.iter().zip(&end.stages);
            let mut seen = BTreeSet::new();
            calls.map(move |(call, stage)| {
                let is_first = seen.insert((*stage, name_of(call)));
                (document, *stage, name_of(call), !is_first)
            })
        });
        Way {
            operations: [operations(&there.made), operations(&back.made)],
            steps: steps.collect(),
            calls: there.made.len() + back.made.len(),
            name,
            case,
        }
    };
    let mut ways: Vec<Way> = changing.map(way).collect();
    ways.sort_by_key(|way| (way.calls, way.name.clone()));
    let mut seen = BTreeSet::new();
    ways.retain(|way| seen.insert(way.operations.clone()));
    ways
}

pub fn name_of(call: &Call) -> String {
    format!("{}:{}", call.service, call.operation)
}

/// The operations of calls in order; more than three of one kind in a row are as three.
fn operations(made: &[Call]) -> Vec<String> {
    let mut operations: Vec<String> = Vec::new();
    for call in made {
        let operation = name_of(call);
        if operations
            .iter()
            .rev()
            .take_while(|last| **last == operation)
            .count()
            < ALIKE_MAX
        {
            operations.push(operation);
        }
    }
    operations
}

/// Whether anything of what a case does can be taken back; of a task that was only stopped, nothing can.
fn has_a_way_back(playbook: &Playbook, case: &Case) -> bool {
    let end = drive::respond(playbook, case, &mut Worlds::of(&case.world), KIND);
    let only_kept = |plan: &Plan| plan.calls.iter().all(|call| call.undo.is_empty());
    !end.plans.iter().all(only_kept)
}

/// Whether a case changes something and is carried to its end.
fn is_whole(case: &Case) -> bool {
    !case.raced
        && !case.expect.calls.is_empty()
        && matches!(case.expect.outcome.as_str(), "fixed" | "contained")
}
