//! What ends by itself, and which findings begin a playbook that has something of that kind.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test says what is wrong by failing"
)]

use std::collections::BTreeMap;
use std::path::Path;

use quell_model::Finding;
use quell_respond::{Playbook, Run, Told};
use serde_json::{Value, json};

fn files() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content/playbooks/PB-014");
    let names = ["playbook.toml", "respond.asl.json", "undo.asl.json"];
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    names.map(|name| (name.to_owned(), read(name))).into()
}

fn playbook() -> Playbook {
    Playbook::load("PB-014", &files()).unwrap()
}

/// A run that these calls take back.
fn run(calls: &[&str]) -> Run {
    let calls: Vec<Value> = calls
        .iter()
        .map(|call| json!({"resource": format!("arn:aws:states:::aws-sdk:{call}"), "arguments": {}, "sets": {}}))
        .collect();
    serde_json::from_value(json!({
        "id": "run-1", "playbook": "PB-014", "playbookVersion": "1.0.0", "playbookDigest": "d", "mode": "respond",
        "incident": "inc-1", "status": "done", "coversFindings": 1, "timeline": [], "undo": {"calls": calls},
        "resource": {"arn": "arn:aws:ec2:us-east-1:444455556666:instance/i-1", "type": "AWS::EC2::Instance", "id": "i-1"},
    }))
    .unwrap()
}

#[test]
fn only_what_is_declared_for_that_ends_by_itself() {
    for (calls, ends) in [
        (&["wafv2:updateIPSet"][..], true),
        (
            &["wafv2:updateIPSet", "networkfirewall:updateRuleGroup"],
            true,
        ),
        (&["ec2:deleteNetworkAclEntry"], true),
        (&["rds:modifyDBInstance"], false),
        (&["wafv2:updateIPSet", "rds:modifyDBInstance"], false),
        (&[], false),
    ] {
        assert_eq!(playbook().ends_by_itself(&run(calls)), ends, "{calls:?}");
    }
}

#[test]
fn what_ends_is_a_changing_step_of_the_undo_and_has_an_end() {
    for (was, is, fault) in [
        ("containment_hours = 24\n", "", "needs an end"),
        (
            "\"wafv2:UpdateIPSet\",\n  \"networkfirewall",
            "\"wafv2:GetIPSet\",\n  \"networkfirewall",
            "no changing step of the undo",
        ),
        (
            "\"wafv2:UpdateIPSet\",\n  \"networkfirewall",
            "\"ec2:CreateNetworkAclEntry\",\n  \"networkfirewall",
            "no changing step of the undo",
        ),
    ] {
        let mut files = files();
        let text = files.get_mut("playbook.toml").unwrap();
        assert!(text.contains(was));
        *text = text.replace(was, is);
        let faults = Playbook::load("PB-014", &files).unwrap_err();
        assert!(
            faults.iter().any(|f| f.message.contains(fault)),
            "{fault}: {faults:?}"
        );
    }
}

fn finding(part: &str, outsider: bool, state: &str) -> Finding {
    serde_json::from_value(json!({
        "id": "fnd-1", "detection": "guardduty/UnauthorizedAccess:EC2/SSHBruteForce", "title": "T", "severity": "LOW", "record": "rec-1",
        "eventName": "E", "eventTime": "2026-11-21T10:00:00.000Z", "detectedAt": "2026-11-21T10:00:01.000Z",
        "resource": {"arn": "arn:aws:ec2:us-east-1:444455556666:instance/i-1", "type": "AWS::EC2::Instance", "id": "i-1"},
        "principal": {"arn": "arn:aws:iam::444455556666:root", "type": "AWS::::Account", "id": "444455556666"},
        "actor": {"kind": "Address", "name": "203.0.113.5"}, "outsider": outsider,
        "report": {"uid": "1", "account": "444455556666", "region": "us-east-1", "updatedAt": "2026-11-21T10:00:00.000Z", "state": state, "part": part},
    }))
    .unwrap()
}

#[test]
fn what_an_outsider_can_cause_begins_what_ends_and_nothing_else() {
    let target = finding("target", true, "active");
    assert!(playbook().target(&target).is_some() && playbook().may_begin_for(&target));
    // An instance that guesses the passwords of others is another playbook's.
    assert!(
        playbook()
            .target(&finding("actor", false, "active"))
            .is_none()
    );
    assert!(!playbook().may_begin_for(&finding("target", true, "archived")));
    let mut files = files();
    let text = files.get_mut("playbook.toml").unwrap();
    let from = text.find("taken_back_at_end = [").unwrap();
    let upto = from + text[from..].find(']').unwrap() + 1;
    text.replace_range(from..upto, "");
    let without = Playbook::load("PB-014", &files).unwrap();
    assert!(!without.may_begin_for(&target));
    assert!(without.may_begin_for(&finding("target", false, "active")));
}

#[test]
fn a_run_is_an_outsider_s_when_all_that_it_is_told_of_is() {
    let told = |findings: Value| Told {
        hints: json!({"findings": findings}),
        ..Told::default()
    };
    let [theirs, ours] = [true, false].map(|outsider| json!({"outsider": outsider}));
    assert!(told(json!([theirs, theirs])).is_by_outsiders());
    assert!(!told(json!([theirs, ours])).is_by_outsiders());
    assert!(!told(json!([])).is_by_outsiders());
    assert!(!Told::default().is_by_outsiders());
}
