//! PB-001 against an intruder who is at work meanwhile, and what it never does: each test is a trap that a containment of
//! identities has to keep out of.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    missing_docs,
    reason = "a test says what is wrong by failing; the harness has more than is used here"
)]
mod harness;
mod world;

use harness::case::Case;
use harness::drive::{self, End, KIND};
use harness::{files, load};
use quell_model::{Call, Finding};
use serde_json::{Value, json};
use world::{World, Worlds};

const QUARANTINE: &str = "arn:aws:iam::444455556666:policy/QuellQuarantine";
const KEY: &str = "AKIAEXAMPLEEVE000001";
const SPARE: &str = "AKIAEXAMPLEEVE000002";
const ROLE_ID: &str = "AROAEXAMPLEAPP0000001";

/// A user with a key in use and one switched off, and what an intruder does with them.
fn eve(intruder: Vec<Value>) -> Case {
    let deny = json!({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}});
    let case = json!({
        "name": "an intruder is at work",
        "world": {"iam": {
            "users": {"eve": {"id": "AIDAEXAMPLEEVE0000001", "path": "/", "keys": {KEY: "Active", SPARE: "Inactive"}}},
            "policies": {QUARANTINE: {"default": "v1", "versions": {"v1": deny}}},
            "intruder": intruder,
        }},
        "input": {"hints": {"actors": [{"kind": "IAMUser", "accessKeyId": KEY, "principalId": "AIDAEXAMPLEEVE0000001"}]}},
        "expect": {"outcome": "", "calls": []},
    });
    serde_json::from_value(case).unwrap()
}

fn after(operation: &str, does: &str, arguments: Value) -> Value {
    json!({"after": operation, "calls": [[does, arguments]]})
}

fn creates_after(operation: &str) -> Value {
    after(operation, "CreateAccessKey", json!({"UserName": "eve"}))
}

fn switches(operation: &str, status: &str) -> Value {
    let arguments = json!({"UserName": "eve", "AccessKeyId": SPARE, "Status": status});
    after(operation, "UpdateAccessKey", arguments)
}

fn contain(case: &Case) -> (End, Worlds) {
    let mut world = Worlds::of(&case.world);
    let end = drive::respond(&load("PB-001"), case, &mut world, KIND);
    assert!(end.refusals.is_empty(), "{:?}", end.refusals);
    (end, world)
}

fn keys(world: &Worlds) -> Value {
    world.image()["iam"]["users"]["eve"]["keys"].clone()
}

fn said(end: &End) -> String {
    format!("{:?}", end.status)
}

#[test]
fn a_key_made_meanwhile_is_found_by_a_later_look_and_is_a_plan_of_its_own() {
    // Also when it is made before the first look is over, or between the calls.
    for moment in ["AttachUserPolicy", "UpdateAccessKey", "ListAccessKeys"] {
        let case = eve(vec![creates_after(moment)]);
        let (end, world) = contain(&case);
        assert_eq!(end.outcome(), "contained", "{moment}: {}", said(&end));
        let all = keys(&world);
        assert_eq!(all.as_object().unwrap().len(), 3, "{moment}");
        let off = |status: &Value| status == "Inactive";
        assert!(
            all.as_object().unwrap().values().all(off),
            "{moment}: {all}"
        );
        let plans: Vec<usize> = end.plans.iter().map(|p| p.calls.len()).collect();
        assert_eq!(plans, [2, 1], "{moment}");
        assert!(
            end.plans[1].summary.starts_with("Look 2: "),
            "{}",
            end.plans[1].summary
        );
    }
}

/// Two keys are all that a user can have: who wants a third deletes one.
#[test]
fn a_key_that_is_deleted_to_make_room_for_another_hides_nothing() {
    let deletes = |id: &str| json!(["DeleteAccessKey", {"UserName": "eve", "AccessKeyId": id}]);
    let creates = json!(["CreateAccessKey", {"UserName": "eve"}]);
    // The one that is off, and the one that is being switched off: before its call comes, and after.
    for (moment, id) in [
        ("AttachUserPolicy", SPARE),
        ("UpdateAccessKey", SPARE),
        ("AttachUserPolicy", KEY),
        ("UpdateAccessKey", KEY),
    ] {
        let (end, world) = contain(&eve(vec![
            json!({"after": moment, "calls": [deletes(id), creates]}),
        ]));
        assert_eq!(end.outcome(), "contained", "{moment} {id}: {}", said(&end));
        assert_eq!(end.plans.len(), 2, "{moment} {id}");
        let all = keys(&world);
        assert_eq!(
            all["AKIAMADE000000000001"], "Inactive",
            "{moment} {id}: {all}"
        );
    }
}

#[test]
fn whoever_keeps_making_keys_ends_with_a_person_and_stays_denied() {
    let case = eve(vec![creates_after("UpdateAccessKey"); 20]);
    let (end, world) = contain(&case);
    assert_eq!(end.outcome(), "Quell.Drifted", "{}", said(&end));
    assert_eq!(end.plans.len(), 6);
    assert_eq!(
        world.image()["iam"]["users"]["eve"]["attached"],
        json!([QUARANTINE])
    );
}

#[test]
fn switching_things_on_and_off_does_not_hold_it_up() {
    let flaps = (0..7).map(|i| switches("GetUser", ["Active", "Inactive"][i % 2]));
    let (end, world) = contain(&eve(flaps.collect()));
    assert_eq!(end.outcome(), "contained", "{}", said(&end));
    assert_eq!(keys(&world), json!({KEY: "Inactive", SPARE: "Inactive"}));
}

/// What the intruder does once everything was read back: certificates are the last thing to be listed, before the plan,
/// before the calls, and after them.
fn after_it_was_read_back(does: &str, arguments: Value) -> Vec<Value> {
    let last = "ListSigningCertificates";
    let nothing = after(last, "GetUser", json!({"UserName": "eve"}));
    vec![nothing.clone(), nothing, after(last, does, arguments)]
}

#[test]
fn a_deny_that_is_taken_off_comes_back() {
    let arguments = json!({"UserName": "eve", "PolicyArn": QUARANTINE});
    let at_once = vec![after(
        "UpdateAccessKey",
        "DetachUserPolicy",
        arguments.clone(),
    )];
    let later = after_it_was_read_back("DetachUserPolicy", arguments);
    for (intruder, plans) in [(at_once, 1), (later, 2)] {
        let (end, world) = contain(&eve(intruder));
        assert_eq!(
            (end.outcome(), end.plans.len()),
            ("contained", plans),
            "{}",
            said(&end)
        );
        assert_eq!(
            world.image()["iam"]["users"]["eve"]["attached"],
            json!([QUARANTINE])
        );
        assert!(!end.asked, "who is the last administrator was asked before");
    }
}

#[test]
fn a_key_switched_on_again_after_it_was_read_back_is_switched_off_again() {
    let on = json!({"UserName": "eve", "AccessKeyId": KEY, "Status": "Active"});
    let (end, world) = contain(&eve(after_it_was_read_back("UpdateAccessKey", on)));
    assert_eq!(
        (end.outcome(), end.plans.len()),
        ("contained", 2),
        "{}",
        said(&end)
    );
    assert_eq!(keys(&world), json!({KEY: "Inactive", SPARE: "Inactive"}));
}

#[test]
fn an_undo_gives_back_what_was_on_and_leaves_off_what_was_off() {
    let case = eve(vec![creates_after("AttachUserPolicy")]);
    let (end, mut world) = contain(&case);
    let undo = end.run.undo.clone().unwrap();
    let back = drive::undo(&load("PB-001"), &case, &undo, &mut world, KIND);
    assert_eq!(
        back.outcome(),
        "undone",
        "{:?} {:?}",
        back.status,
        back.refusals
    );
    let all = keys(&world);
    assert_eq!(
        (&all[KEY], &all[SPARE]),
        (&json!("Active"), &json!("Inactive"))
    );
    // It was on when it was found: see the playbook's README before taking a containment back.
    assert_eq!(all["AKIAMADE000000000001"], "Active");
}

/// The role `app` with one named session.
fn app() -> Case {
    let work = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let case = json!({
        "name": "a session of a shared role",
        "world": {"iam": {"roles": {"app": {"id": ROLE_ID, "path": "/", "inline": {"work": work}}}}},
        "resource": {"arn": "arn:aws:iam::444455556666:role/app", "type": "AWS::IAM::Role", "id": "app"},
        "input": {"hints": {"actors": [{"kind": "AssumedRole", "principalId": format!("{ROLE_ID}:build-7")}]}},
        "expect": {"outcome": "", "calls": []},
    });
    serde_json::from_value(case).unwrap()
}

#[test]
fn the_other_sessions_of_a_role_go_on() {
    let (end, mut world) = contain(&app());
    assert_eq!(end.outcome(), "contained", "{}", said(&end));
    let mut decision = |session: &str| {
        let answer = world.call(&Call {
            service: "iam".into(),
            operation: "SimulatePrincipalPolicy".into(),
            params: json!({
                "PolicySourceArn": "arn:aws:iam::444455556666:role/app", "ActionNames": ["s3:GetObject"],
                "ContextEntries": [{"ContextKeyName": "aws:userid", "ContextKeyType": "string", "ContextKeyValues": [session]}],
            }),
        });
        answer.unwrap()["EvaluationResults"][0]["EvalDecision"].clone()
    };
    assert_eq!(decision(&format!("{ROLE_ID}:build-7")), "explicitDeny");
    for sibling in ["build-8", "build-77", "build-", "BUILD-7"] {
        assert_eq!(
            decision(&format!("{ROLE_ID}:{sibling}")),
            "allowed",
            "{sibling}"
        );
    }
}

#[test]
fn a_role_is_never_revoked_as_a_whole() {
    for (name, text) in files("PB-001")
        .iter()
        .filter(|(name, _)| name.ends_with(".json"))
    {
        for word in [
            "TokenIssueTime",
            "updateAssumeRolePolicy",
            "attachRolePolicy",
            "putUserPolicy",
        ] {
            assert!(!text.contains(word), "{name}: {word}");
        }
    }
}

#[test]
fn no_key_and_no_password_is_ever_deleted_and_tags_are_not_even_read() {
    let playbook = load("PB-001");
    let deletes: Vec<(&str, &str)> = playbook
        .steps
        .iter()
        .filter(|step| step.operation.starts_with("Delete"))
        .map(|step| (step.document.as_str(), step.operation.as_str()))
        .collect();
    assert_eq!(deletes, [("undo", "DeleteRolePolicy")]);
    assert!(
        playbook
            .iam
            .act
            .iter()
            .all(|action| !action.starts_with("iam:Delete") || action == "iam:DeleteRolePolicy")
    );
    for (name, text) in files("PB-001")
        .iter()
        .filter(|(name, _)| name.ends_with(".json"))
    {
        assert!(!text.contains("Tags"), "{name}");
    }
}

/// A bucket was read by `principal`, of the type `kind`.
fn finding(severity: &str, kind: &str, principal: &str) -> Finding {
    let arn = format!("arn:aws:iam::444455556666:{principal}");
    let finding = json!({
        "id": "fnd-1", "detection": "d", "title": "T", "severity": severity, "record": "rec-1", "eventName": "GetObject",
        "eventTime": "2026-11-21T10:00:00.000Z", "detectedAt": "2026-11-21T10:00:01.000Z",
        "resource": {"arn": "arn:aws:s3:::shop-data", "type": "AWS::S3::Bucket", "id": "shop-data", "account": "444455556666", "region": "us-east-1"},
        "principal": {"arn": arn, "type": kind, "id": "x"}, "actor": {"kind": "IAMUser"},
    });
    serde_json::from_value(finding).unwrap()
}

/// GuardDuty's PenTest findings are of medium severity, most of Discovery are of low: people are told.
#[test]
fn a_weak_finding_never_begins_it_and_it_is_about_who_did_it() {
    let playbook = load("PB-001");
    for severity in ["INFORMATIONAL", "LOW", "MEDIUM"] {
        let weak = finding(severity, "AWS::IAM::User", "user/eve");
        assert!(playbook.target(&weak).is_none(), "{severity}");
    }
    for severity in ["HIGH", "CRITICAL"] {
        for (kind, who) in [
            ("AWS::IAM::User", "user/eve"),
            ("AWS::IAM::Role", "role/app"),
        ] {
            let strong = finding(severity, kind, who);
            assert_eq!(
                playbook.target(&strong),
                Some(&strong.principal),
                "{severity}"
            );
        }
        // Root, another account, an AWS service: what is known of them is an account.
        let root = finding(severity, "AWS::::Account", "root");
        assert!(playbook.target(&root).is_none());
    }
}
