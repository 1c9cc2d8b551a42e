//! Every playbook's documents on small worlds made of data, under the real guard: the scripted cases of every folder in
//! `content/playbooks`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test says what is wrong by failing"
)]
mod harness;
mod laws;
mod rights;
mod traps;
mod world;

use harness::case::{Case, assert_calls, cases};
use harness::drive::{self, Blow, KIND};
use harness::life::recorded;
use harness::{files, ids, load};
use quell_model::Call;
use quell_respond::Playbook;
use serde_json::{Value, json};
use world::{World, Worlds};

#[test]
fn every_case_ends_as_it_says_and_is_proven_and_can_be_taken_back() {
    for id in ids() {
        let playbook = load(&id);
        let cases = cases(&id);
        for (name, case) in &cases {
            ends_as_it_says(&playbook, name, case);
        }
        let changing = cases
            .iter()
            .filter(|(_, case)| !case.expect.calls.is_empty());
        let changing = changing.count();
        assert!(
            changing > 0,
            "{id} has no case in which it changes something"
        );
        assert!(
            changing < cases.len(),
            "{id} has no case in which it leaves all as it is"
        );
        println!("{id}: {} cases, {changing} with changes", cases.len());
    }
}

fn ends_as_it_says(playbook: &Playbook, name: &str, case: &Case) {
    let mut world = Worlds::of(&case.world);
    let (before, evidence) = (world.image(), world.evidence());
    let end = drive::respond(playbook, case, &mut world, KIND);
    let why = || format!("{name}: {:?} {:?}", end.status, end.refusals);
    assert_eq!(end.outcome(), case.expect.outcome, "{}", why());
    assert_calls(name, &end.made, &case.expect.calls);
    if let Some(asks) = case.expect.asks {
        assert_eq!(end.asked, asks, "{}: whether a person is asked", why());
    }
    if end.made.is_empty() {
        assert_eq!(
            (world.image(), world.evidence()),
            (before, evidence),
            "{name}"
        );
        return;
    }
    assert!(end.refusals.is_empty(), "{}", why());
    for planned in end.plans.iter().flat_map(|plan| &plan.calls) {
        let call = Call::of_task(&planned.resource, &planned.arguments).unwrap();
        assert!(playbook.declaration().covers(&call), "{name}: {call:?}");
    }
    let kept = world.evidence();
    let Some(undo) = recorded(&end) else {
        return assert_eq!(world.image(), before, "{name}: nothing to take back");
    };
    let back = drive::undo(playbook, case, undo, &mut world, KIND);
    assert_eq!(
        back.outcome(),
        "undone",
        "{name}: {:?} {:?}",
        back.status,
        back.refusals
    );
    assert_eq!(world.image(), before, "{name}: undone, it is as it was");
    assert_eq!(world.evidence(), kept, "{name}: what is kept stays");
    let again = drive::undo(playbook, case, undo, &mut world, KIND);
    assert_eq!(
        again.outcome(),
        "already-undone",
        "{name}: {:?}",
        again.status
    );
    assert_eq!(
        again.attempts, 0,
        "{name}: repeated, an undo changes nothing"
    );
}

/// The case by which PB-008 is tried here.
fn open_ssh() -> Case {
    let case = cases("PB-008").into_iter();
    case.map(|(_, case)| case)
        .find(|case| case.name == "ssh open to the world")
        .unwrap()
}

/// Every end is done or a failure that parks the run; nothing is done twice, nothing is said that was not seen.
#[test]
fn whatever_fate_does_there_is_one_effect_and_a_true_end() {
    let (playbook, case) = (load("PB-008"), open_ssh());
    for (blow, ends, arrivals) in [
        (Blow::ReplyLost, "fixed", 1),
        (Blow::Unsent, "fixed", 1),
        (Blow::UnsentAndMeddled, "fixed", 1),
        (Blow::Hollow, "fixed", 1),
        (Blow::Halted, "Quell.VerifyFailed", 0),
    ] {
        let mut world = Worlds::of(&case.world);
        let first = |n: usize, _: &Call| if n == 0 { blow } else { Blow::None };
        let end = drive::respond(&playbook, &case, &mut world, &first);
        assert_eq!(
            (end.outcome(), end.made.len()),
            (ends, arrivals),
            "{blow:?}"
        );
    }
}

#[test]
fn an_undo_of_a_changed_group_refuses_and_says_what_changed() {
    let (playbook, case) = (load("PB-008"), open_ssh());
    let mut world = Worlds::of(&case.world);
    let end = drive::respond(&playbook, &case, &mut world, KIND);
    let undo = recorded(&end).unwrap();
    world.meddle(&end.made[0]);
    let left = world.image();
    let back = drive::undo(&playbook, &case, undo, &mut world, KIND);
    assert_eq!((back.outcome(), back.plans.len()), ("Quell.Drifted", 0));
    assert_eq!(world.image(), left);
    let quell_states::Status::Failed { cause, .. } = &back.status else {
        panic!("{:?}", back.status)
    };
    let difference: Value = serde_json::from_str(cause.as_deref().unwrap()).unwrap();
    assert_eq!(difference["added"][0]["SecurityGroupRuleId"], "sgr-theirs1");
}

/// A change that may have happened is never sent again without a look: a document that would is refused when it is read.
#[test]
fn a_change_that_a_wildcard_would_send_again_is_refused_with_its_place() {
    let files = files("PB-008");
    let playbook = load("PB-008");
    let step = playbook
        .steps
        .iter()
        .find(|s| s.document == "respond" && s.class > quell_model::Class::R0);
    let state = &step.unwrap().state;
    let faults = |retry: Value| {
        let mut files = files.clone();
        let mut document: Value = serde_json::from_str(&files["respond.asl.json"]).unwrap();
        let changed = document.pointer_mut(&format!("/States/{state}")).unwrap();
        changed["Retry"] = retry;
        files.insert("respond.asl.json".to_owned(), document.to_string());
        Playbook::load("playbooks/PB-008", &files)
            .err()
            .unwrap_or_default()
    };
    let never = json!({"ErrorEquals": ["Quell.Interrupted"], "MaxAttempts": 0});
    for wildcard in ["States.ALL", "States.TaskFailed", "Quell.Interrupted"] {
        let again = json!({"ErrorEquals": [wildcard], "MaxAttempts": 2});
        let found = faults(json!([again]));
        assert_eq!(found.len(), 1, "{wildcard}: {found:#?}");
        let text = found[0].to_string();
        assert!(
            text.contains("respond.asl.json") && text.contains(&format!("/States/{state}/Retry/0")),
            "{text}"
        );
        assert!(faults(json!([never, again])).is_empty(), "{wildcard}");
    }
    assert!(faults(json!([{"ErrorEquals": ["Ec2.Ec2Exception"]}])).is_empty());
}
