//! The laws find what they are for: documents that were broken on purpose break them.

use std::collections::{BTreeMap, BTreeSet};

use quell_respond::Playbook;
use serde_json::{Value, json};

use super::{Trial, planted};
use crate::harness::case::{Case, cases};
use crate::harness::drive::{self, KIND};
use crate::harness::{files, read};
use crate::world::Worlds;

/// A playbook whose document `name` is changed.
fn broken(id: &str, name: &str, change: impl FnOnce(&mut Value)) -> Playbook {
    let mut files: BTreeMap<String, String> = files(id);
    let mut document: Value = serde_json::from_str(&files[name]).unwrap();
    change(&mut document["States"]);
    files.insert(name.to_owned(), document.to_string());
    read(id, &files)
}

/// What the laws, and the planted failures, find of it on its shortest case.
fn found(playbook: &Playbook, (name, case): &(String, Case)) -> Vec<String> {
    let mut found = Trial::new(playbook, name, case).all(&mut BTreeSet::new()).1;
    found.extend(planted::of(playbook, name, case, &mut BTreeSet::new()).1);
    found
}

/// A case of PB-008 with one step there and one back.
fn shortest() -> (String, Case) {
    let mut cases = cases("PB-008").into_iter();
    cases
        .find(|(_, case)| case.name == "a single rule and nothing else")
        .unwrap()
}

fn assert_found(playbook: &Playbook, what: &str) {
    let found = found(playbook, &shortest());
    let it = found.iter().any(|law| law.contains(what));
    assert!(
        it,
        "{} is broken, and nobody says «{what}»: {found:#?}",
        playbook.id
    );
}

#[test]
fn a_step_without_a_catch_is_found() {
    let playbook = broken("PB-008", "respond.asl.json", |states| {
        states["Revoke"].as_object_mut().unwrap().remove("Catch");
    });
    assert_found(&playbook, "dies after the intent, nothing sent");
}

#[test]
fn an_undo_without_a_catch_is_found() {
    let playbook = broken("PB-008", "undo.asl.json", |states| {
        states["Authorize"].as_object_mut().unwrap().remove("Catch");
        states.as_object_mut().unwrap().remove("Pause");
    });
    assert_found(
        &playbook,
        "undo, step 0 (AuthorizeSecurityGroupIngress), fails once",
    );
}

/// The document believes AWS's yes. The frame's own look at the state finds it as well: here it is shown the planned one.
#[test]
fn a_skipped_verification_is_found() {
    let playbook = broken("PB-008", "respond.asl.json", |states| {
        states["Revoke"]["Next"] = json!("Believed");
        states["Believed"] = json!({"Type": "Succeed", "Output": {"outcome": "fixed", "undo": {
            "before": "{% $plan.before %}", "after": "{% $plan.after %}",
            "calls": "{% [$plan.calls.undo] %}"}}});
    });
    assert_found(&playbook, "it never takes effect: nobody noticed");
    assert_found(&playbook, "something else changes with it: nobody noticed");
}

/// Called again without a look, a lost answer is a second call.
#[test]
fn an_undo_that_does_not_look_is_found() {
    let playbook = broken("PB-008", "undo.asl.json", |states| {
        states["Restored"]["Choices"]
            .as_array_mut()
            .unwrap()
            .remove(1);
    });
    assert_found(&playbook, "undo, step 0 (AuthorizeSecurityGroupIngress)");
}

/// A way back that leaves something out never comes so far: the guard's proof refuses the plan.
#[test]
fn a_way_back_that_is_not_whole_is_refused() {
    let playbook = broken("PB-008", "respond.asl.json", |states| {
        let way_back = states["Plan"]["Assign"]["plan"]["calls"][0]["undo"].take();
        assert!(way_back.is_string());
        states["Plan"]["Assign"]["plan"]["calls"][0]["undo"] = json!([]);
    });
    let (name, case) = &shortest();
    let mut world = Worlds::of(&case.world);
    let end = drive::respond(&playbook, case, &mut world, KIND);
    assert_eq!(
        (end.outcome(), end.attempts),
        ("Quell.Refused", 0),
        "{name}"
    );
    assert!(
        end.refusals.iter().any(|no| no.contains("no way back")),
        "{:?}",
        end.refusals
    );
}
