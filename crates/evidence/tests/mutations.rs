//! Whatever is done to a copy of a log, it shows: more than ten thousand changes of every kind, each found.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in a test a panic is the failure"
)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use quell_evidence::{Act, Check, Entry, Hash, Report, SigningKey, Tree};
use quell_model::Timestamp;
use serde_json::json;

const CASES: u32 = 12_000;

/// A copy of a log as it is handed on: the newest checkpoint, the lines, the bodies.
#[derive(Clone, Debug)]
struct Copy {
    checkpoint: String,
    lines: Vec<Vec<u8>>,
    bodies: BTreeMap<String, Vec<u8>>,
}

fn key() -> SigningKey {
    SigningKey::new("quell.test/audit", &[42; 32]).unwrap()
}

fn sign(key: &SigningKey, lines: &[Vec<u8>]) -> String {
    let mut tree = Tree::new();
    for line in lines {
        tree.push(Hash::of_leaf(line));
    }
    key.sign(tree.size(), tree.root())
}

fn copy(entries: usize) -> Copy {
    let mut bodies = BTreeMap::new();
    let mut lines = Vec::new();
    for n in 0..entries {
        let body = json!({"run": n, "before": [n, n + 1]})
            .to_string()
            .into_bytes();
        let hash = Hash::of_bytes(&body);
        let entry = Entry {
            at: Timestamp::from_millis(1_800_000_000_000 + n as i64),
            act: if n % 2 == 0 {
                Act::RunBegun
            } else {
                Act::RunEnded
            },
            by: "policy:auto".into(),
            about: format!("run-{n}"),
            details: json!({"n": n}),
            bodies: match n % 2 {
                0 => BTreeMap::new(),
                _ => [("evidence".to_owned(), hash)].into(),
            },
        };
        if n % 2 == 1 {
            bodies.insert(hash.to_string(), body);
        }
        lines.push(entry.line().unwrap().into_bytes());
    }
    let checkpoint = sign(&key(), &lines);
    Copy {
        checkpoint,
        lines,
        bodies,
    }
}

/// What somebody who has the public key finds; `kept` are checkpoints that were seen earlier.
fn check(copy: &Copy, kept: &[String]) -> Result<Report, String> {
    let public = key().public();
    let open = |text: &String| public.open(text).map_err(|e| e.to_string());
    let newest = open(&copy.checkpoint)?;
    let kept = kept.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let mut check = Check::new(&newest, &kept);
    for line in &copy.lines {
        check.entry(line);
    }
    for (name, body) in &copy.bodies {
        check.body(name, body);
    }
    Ok(check.finish())
}

fn is_clean(copy: &Copy, kept: &[String]) -> bool {
    check(copy, kept).is_ok_and(|report| report.is_clean())
}

#[derive(Clone, Debug)]
enum Change {
    FlipInLine(prop::sample::Index, prop::sample::Index, u8),
    FlipInBody(prop::sample::Index, prop::sample::Index, u8),
    FlipInCheckpoint(prop::sample::Index, u8),
    DeleteLine(prop::sample::Index),
    DeleteBody(prop::sample::Index),
    InsertLine(prop::sample::Index, prop::sample::Index),
    InsertBody(Vec<u8>),
    RenameBody(prop::sample::Index, prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    Truncate(prop::sample::Index),
    CutLine(prop::sample::Index, prop::sample::Index),
    JoinLines(prop::sample::Index),
    /// Made anew from here by somebody who has no key, or another.
    Rewrite(prop::sample::Index),
    /// Made anew from here by somebody who stole the key: an earlier checkpoint shows it.
    Fork(prop::sample::Index),
    /// An older whole copy in place of the new one: a later checkpoint shows it.
    RollBack(prop::sample::Index),
}

fn change() -> impl Strategy<Value = Change> {
    use Change::*;
    let at = any::<prop::sample::Index>;
    let bit = 0_u8..8;
    prop_oneof![
        (at(), at(), bit.clone()).prop_map(|(a, b, c)| FlipInLine(a, b, c)),
        (at(), at(), bit.clone()).prop_map(|(a, b, c)| FlipInBody(a, b, c)),
        (at(), bit).prop_map(|(a, c)| FlipInCheckpoint(a, c)),
        at().prop_map(DeleteLine),
        at().prop_map(DeleteBody),
        (at(), at()).prop_map(|(a, b)| InsertLine(a, b)),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(InsertBody),
        (at(), at()).prop_map(|(a, b)| RenameBody(a, b)),
        (at(), at()).prop_map(|(a, b)| Swap(a, b)),
        at().prop_map(Truncate),
        (at(), at()).prop_map(|(a, b)| CutLine(a, b)),
        at().prop_map(JoinLines),
        at().prop_map(Rewrite),
        at().prop_map(Fork),
        at().prop_map(RollBack),
    ]
}

/// The changed copy and what earlier or later checkpoints the checker holds; `None` when the change changes nothing.
fn apply(change: &Change, good: &Copy) -> Option<(Copy, Vec<String>)> {
    let mut bad = good.clone();
    let mut kept = Vec::new();
    let count = good.lines.len();
    let names: Vec<String> = good.bodies.keys().cloned().collect();
    match change {
        Change::FlipInLine(line, at, bit) => {
            let line = &mut bad.lines[line.index(count)];
            let at = at.index(line.len());
            line[at] ^= 1 << bit;
        }
        Change::FlipInBody(body, at, bit) => {
            let body = bad.bodies.get_mut(&names[body.index(names.len())])?;
            let at = at.index(body.len());
            body[at] ^= 1 << bit;
        }
        Change::FlipInCheckpoint(at, bit) => {
            let mut bytes = bad.checkpoint.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            // What is no text is refused before it is read.
            bad.checkpoint = String::from_utf8_lossy(&bytes).into_owned();
        }
        Change::DeleteLine(line) => drop(bad.lines.remove(line.index(count))),
        Change::DeleteBody(body) => drop(bad.bodies.remove(&names[body.index(names.len())])),
        Change::InsertLine(from, to) => {
            let line = bad.lines[from.index(count)].clone();
            bad.lines.insert(to.index(count + 1), line);
        }
        Change::InsertBody(bytes) => {
            drop(
                bad.bodies
                    .insert(Hash::of_bytes(bytes).to_string(), bytes.clone()),
            );
        }
        Change::RenameBody(from, to) => {
            let (from, to) = (
                &names[from.index(names.len())],
                &names[to.index(names.len())],
            );
            let body = bad.bodies.remove(from)?;
            bad.bodies.insert(to.clone(), body);
        }
        Change::Swap(a, b) => bad.lines.swap(a.index(count), b.index(count)),
        Change::Truncate(at) => bad.lines.truncate(at.index(count)),
        Change::CutLine(line, at) => {
            let line = &mut bad.lines[line.index(count)];
            line.truncate(at.index(line.len()));
        }
        Change::JoinLines(at) => {
            let at = at.index(count - 1);
            let next = bad.lines.remove(at + 1);
            bad.lines[at].extend_from_slice(&next);
        }
        Change::Rewrite(at) => {
            rewrite(&mut bad, at.index(count));
            let other = SigningKey::new("quell.test/audit", &[43; 32]).unwrap();
            bad.checkpoint = sign(&other, &bad.lines);
        }
        Change::Fork(at) => {
            let at = at.index(count);
            kept.push(sign(&key(), &good.lines[..=at]));
            rewrite(&mut bad, at);
            bad.checkpoint = sign(&key(), &bad.lines);
        }
        Change::RollBack(at) => {
            let at = at.index(count);
            kept.push(good.checkpoint.clone());
            bad.lines.truncate(at);
            bad.checkpoint = sign(&key(), &bad.lines);
        }
    }
    let same =
        bad.lines == good.lines && bad.bodies == good.bodies && bad.checkpoint == good.checkpoint;
    (!same).then_some((bad, kept))
}

fn rewrite(copy: &mut Copy, at: usize) {
    let text = String::from_utf8(copy.lines[at].clone()).unwrap();
    copy.lines[at] = text.replace("policy:auto", "policy:nobody").into_bytes();
}

#[test]
fn whatever_is_done_to_a_copy_shows() {
    let changed = std::cell::Cell::new(0);
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let copies: Vec<Copy> = (2..32).map(copy).collect();
    for good in &copies {
        assert!(is_clean(good, &[]), "{:?}", check(good, &[]));
    }
    let run = TestRunner::new(config).run(&(0..copies.len(), change()), |(which, change)| {
        let good = &copies[which];
        if let Some((bad, kept)) = apply(&change, good) {
            changed.set(changed.get() + 1);
            prop_assert!(!is_clean(&bad, &kept), "{change:?} was not found");
        }
        Ok(())
    });
    run.unwrap();
    let changed = changed.get();
    assert!(changed >= 10_000, "only {changed} cases changed something");
}

#[test]
fn a_clean_copy_is_clean_also_with_earlier_checkpoints() {
    let good = copy(20);
    let kept: Vec<String> = (0..=20).map(|n| sign(&key(), &good.lines[..n])).collect();
    let report = check(&good, &kept).unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(
        (report.entries, report.bodies, report.checkpoints),
        (20, 10, 21)
    );
}

#[test]
fn an_earlier_checkpoint_tells_the_place() {
    let good = copy(20);
    let kept: Vec<String> = [5, 10, 15].map(|n| sign(&key(), &good.lines[..n])).into();
    let mut bad = good.clone();
    rewrite(&mut bad, 7);
    let report = check(&bad, &kept).unwrap();
    let first = report.faults[0].to_string();
    assert!(first.contains("between 6 and 10"), "{first}");
}
