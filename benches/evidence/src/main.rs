//! Checking a copy of the audit log with a million entries, beside hashing and nothing else of the same bytes.

use std::time::Instant;

use quell_evidence::{Act, Check, Entry, Hash, SigningKey, Tree};
use quell_model::Timestamp;
use serde_json::json;

const ENTRIES: u64 = 1_000_000;
const ROUNDS: usize = 3;

fn main() {
    let lines: Vec<String> = (0..ENTRIES).map(line).collect();
    let bytes: usize = lines.iter().map(String::len).sum();
    let key = SigningKey::new("bench/audit", &[1; 32]).expect("a key");
    let mut tree = Tree::new();
    for line in &lines {
        tree.push(Hash::of_leaf(line.as_bytes()));
    }
    let signed = key.sign(tree.size(), tree.root());
    println!("{ENTRIES} entries, {} bytes each", bytes / lines.len());
    for round in 1..=ROUNDS {
        let started = Instant::now();
        let newest = key.public().open(&signed).expect("a checkpoint");
        let mut check = Check::new(&newest, &[]);
        for line in &lines {
            check.entry(line.as_bytes());
        }
        let clean = check.finish().faults.len();
        let checked = started.elapsed();
        let started = Instant::now();
        let mut last = Hash::of_nothing();
        for line in &lines {
            last = Hash::of_leaf(line.as_bytes());
        }
        let hashed = started.elapsed();
        println!(
            "round {round}: checked in {checked:.2?} ({clean} faults, one for the missing bodies each, at most 100), leaves hashed in {hashed:.2?} ({last})"
        );
    }
}

/// Entries as runs make them: begun, decided, changed, ended with a body.
fn line(n: u64) -> String {
    let (act, details) = match n % 4 {
        0 => (
            Act::RunBegun,
            json!({"playbook": "PB-008", "version": "1.0.0", "mode": "respond", "incident": "inc-2026-11-21-0123456789ab", "resource": "arn:aws:ec2:us-east-1:111122223333:security-group/sg-0123456789abcdef0"}),
        ),
        1 => (
            Act::Decided,
            json!({"decision": "permit", "reasons": [], "planHash": "0123456789abcdef".repeat(4)}),
        ),
        2 => (
            Act::Changed,
            json!({"call": "ec2:RevokeSecurityGroupIngress", "outcome": "accepted", "planHash": "0123456789abcdef".repeat(4), "requestId": "7a62c49f-347e-4fc4-9331-6e8eEXAMPLE"}),
        ),
        _ => (
            Act::RunEnded,
            json!({"status": "done", "outcome": "fixed", "planHash": "0123456789abcdef".repeat(4)}),
        ),
    };
    let bodies = match n % 4 {
        3 => [("evidence".to_owned(), Hash::of_bytes(&n.to_be_bytes()))].into(),
        _ => [].into(),
    };
    let at = Timestamp::from_millis(1_800_000_000_000_i64.saturating_add_unsigned(n));
    let (by, about) = ("policy:auto".to_owned(), format!("run-{n}"));
    let entry = Entry {
        at,
        act,
        by,
        about,
        details,
        bodies,
    };
    entry.line().expect("a line")
}
