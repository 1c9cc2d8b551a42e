//! Which cases the laws are tried on: enough that every changing step of every document is taken.

use std::collections::BTreeSet;

use quell_model::{Call, Class};
use quell_respond::Playbook;

use super::Trial;
use crate::harness::case::{Case, cases as all_cases};

/// More calls of one kind in a row show nothing new, and take a good deal of time.
const ALIKE_MAX: usize = 3;

/// A case for each way through the documents, the shortest first. It fails when a changing step is on none of them.
pub fn cases(playbook: &Playbook) -> Vec<(String, Case)> {
    let all = all_cases(&playbook.id);
    let changing = all.into_iter().filter(|(_, case)| is_whole(case));
    let mut ways: Vec<_> = changing
        .map(|(name, case)| {
            let trial = Trial::new(playbook, &name, &case);
            let way = (
                operations(&trial.calm.made),
                operations(&trial.calm_back.made),
            );
            (
                way,
                trial.calm.made.len() + trial.calm_back.made.len(),
                name,
                case,
            )
        })
        .collect();
    ways.sort_by_key(|(_, calls, name, _)| (*calls, name.clone()));
    let mut seen = BTreeSet::new();
    ways.retain(|(way, ..)| seen.insert(way.clone()));
    let taken: BTreeSet<(&str, &String)> = seen
        .iter()
        .flat_map(|(there, back)| {
            let there = there.iter().map(|operation| ("respond", operation));
            there.chain(back.iter().map(|operation| ("undo", operation)))
        })
        .collect();
    for step in playbook.steps.iter().filter(|step| step.class > Class::R0) {
        let operation = format!("{}:{}", step.service, step.operation);
        assert!(
            taken.contains(&(step.document.as_str(), &operation)),
            "{}: no case takes {} of {} ({operation})",
            playbook.id,
            step.state,
            step.document
        );
    }
    ways.into_iter()
        .map(|(_, _, name, case)| (name, case))
        .collect()
}

/// The operations of calls in order; more than three of one kind in a row are as three.
fn operations(made: &[Call]) -> Vec<String> {
    let mut operations: Vec<String> = Vec::new();
    for call in made {
        let operation = format!("{}:{}", call.service, call.operation);
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

/// Whether a case changes something and is carried to its end.
fn is_whole(case: &Case) -> bool {
    !case.expect.calls.is_empty() && matches!(case.expect.outcome.as_str(), "fixed" | "contained")
}
