//! The baselines of the content, on the samples beside them: a story each that they fire on at its end, and one that they do not.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use quell_detect::DetectionFile;
use quell_detect::baseline::{Baselines, HashKey, Memory, Subject};
use quell_model::{Origin, Record, RecordId, Severity, Timestamp};
use quell_normalize::{assumption, event, principal};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A record, and how often it happens.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Told {
    record: serde_json::Map<String, serde_json::Value>,
    #[serde(default = "one")]
    times: i64,
    #[serde(default)]
    every_hours: i64,
    #[serde(default)]
    every_seconds: i64,
}

fn one() -> i64 {
    1
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../content/detections")
}

fn files() -> Vec<DetectionFile> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder().join("baseline")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(".yml") {
            let text = std::fs::read_to_string(&path).unwrap();
            out.push(DetectionFile {
                path: format!("baseline/{name}"),
                text,
            });
        }
    }
    out
}

/// The records of a sample in order of time, each happening with its own time and id.
fn story(id: &str, kind: &str) -> Vec<Record> {
    let path = folder().join(format!("{id}.{kind}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let told: Vec<Told> =
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut out = Vec::new();
    for (of, told) in told.into_iter().enumerate() {
        let first: Timestamp = told.record["eventTime"].as_str().unwrap().parse().unwrap();
        for n in 0..told.times {
            let at = first.plus_millis(n * 1000 * (told.every_hours * 3600 + told.every_seconds));
            let mut body = told.record.clone();
            body["eventTime"] = at.to_string().into();
            let body = serde_json::to_string(&body).unwrap();
            out.push((
                at,
                Record {
                    id: RecordId::of_name("1", &format!("{of}.{n}")),
                    origin: Origin::File { path: "t".into() },
                    received_at: at,
                    envelope: None,
                    body: RawValue::from_string(body).unwrap(),
                },
            ));
        }
    }
    out.sort_by_key(|(at, _)| *at);
    out.into_iter().map(|(_, record)| record).collect()
}

/// Which baselines fire on which record of a story.
fn fired(baselines: &Baselines, records: &[Record]) -> Vec<(usize, String)> {
    let mut memory = Memory::default();
    let mut out = Vec::new();
    for (n, record) in records.iter().enumerate() {
        let event = event(record).unwrap();
        let principal = principal(&event);
        let role =
            assumption(&event, record).map(|(role, source)| Subject::of_role(&role, &source));
        for subject in Subject::of_principal(&event, &principal)
            .into_iter()
            .chain(role)
        {
            for fired in memory.step(baselines, record, event.time, &subject) {
                let finding = baselines
                    .finding(&fired, &event, &principal, event.time)
                    .unwrap();
                assert!(finding.explanation.unwrap().len() > 60);
                out.push((n, fired.baseline));
            }
        }
    }
    out
}

#[test]
fn every_baseline_fires_on_its_hit_and_not_on_its_miss() {
    let (baselines, faults) = Baselines::load(&files(), HashKey::new([9; 16]));
    assert_eq!(faults, []);
    assert!(baselines.all().len() >= 11);
    for baseline in baselines.all() {
        let id = baseline.id();
        let hit = story(id, "hit");
        let at: Vec<usize> = fired(&baselines, &hit)
            .into_iter()
            .filter(|(_, b)| b == id)
            .map(|(n, _)| n)
            .collect();
        assert_eq!(at.len(), 1, "{id}: once");
        assert!(
            at[0] >= hit.len() - 40,
            "{id}: at the end of its hit, not at {}",
            at[0]
        );
        // A past of a week is not enough.
        let late = hit.len() - hit.len() / 3;
        assert!(
            fired(&baselines, &hit[late..]).iter().all(|(_, b)| b != id),
            "{id}: without a past"
        );
        let miss = fired(&baselines, &story(id, "miss"));
        assert!(miss.iter().all(|(_, b)| b != id), "{id}: miss {miss:?}");
    }
}

#[test]
fn only_two_new_things_together_are_medium_and_nothing_is_more() {
    let (baselines, _) = Baselines::load(&files(), HashKey::new([9; 16]));
    let mediums: BTreeSet<&str> = baselines
        .all()
        .iter()
        .filter(|b| b.detection().severity >= Severity::Medium)
        .map(|b| b.id())
        .collect();
    assert!(mediums.iter().all(|id| id.contains("-and-")), "{mediums:?}");
    assert!(
        baselines
            .all()
            .iter()
            .all(|b| b.detection().severity <= Severity::Medium)
    );
}

/// The real logs, where they are at hand.
fn real_hour() -> Option<Vec<Record>> {
    let given = std::env::var_os("QUELL_DATA").map(PathBuf::from);
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = given.unwrap_or(root).join("invictus");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .ok()?
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "json"));
    files.sort();
    let mut out = Vec::new();
    for path in files {
        let split = quell_normalize::split(&std::fs::read(path).unwrap());
        out.extend(split.records.into_iter().map(|raw| Record {
            id: raw.id,
            origin: Origin::File { path: "t".into() },
            received_at: Timestamp::default(),
            envelope: None,
            body: raw.body,
        }));
    }
    out.sort_by_key(|record| event(record).unwrap().time);
    Some(out)
}

/// The first part of the hour, every day for three weeks, is the past; what baselines say of the rest is little, and what is low or more is mostly of the simulations.
/// The same day again and again has no rare actions of its own, so that every new one is as rare as can be: a real past says less.
#[test]
fn the_real_hour_makes_little_noise() {
    let Some(records) = real_hour() else {
        return;
    };
    let (baselines, _) = Baselines::load(&files(), HashKey::new([9; 16]));
    let mut memory = Memory::default();
    let (past, rest) = records.split_at(records.len() / 2);
    let mut step = |record: &Record, shift: i64| {
        let event = event(record).unwrap();
        let at = event.time.plus_millis(shift);
        let principal = principal(&event);
        let role =
            assumption(&event, record).map(|(role, source)| Subject::of_role(&role, &source));
        let subjects = Subject::of_principal(&event, &principal)
            .into_iter()
            .chain(role);
        let fired: Vec<_> = subjects
            .flat_map(|subject| memory.step(&baselines, record, at, &subject))
            .collect();
        (event, fired)
    };
    for day in -21..0 {
        for record in past {
            step(record, day * 86_400_000);
        }
    }
    let (mut by_id, mut marked, mut telling) = (BTreeMap::new(), 0, 0);
    for record in rest {
        let (event, fired) = step(record, 0);
        let is_marked = event
            .user_agent
            .is_some_and(|agent| agent.starts_with("stratus-red-team_"));
        for fired in fired {
            let baseline = baselines
                .all()
                .iter()
                .find(|b| b.id() == fired.baseline)
                .unwrap();
            telling += usize::from(baseline.detection().severity > Severity::Informational);
            marked += usize::from(is_marked);
            *by_id.entry(fired.baseline).or_insert(0) += 1;
        }
    }
    let of = |n: usize| n * 10_000 / rest.len();
    let all: usize = by_id.values().sum();
    println!(
        "in 10,000 of {} records: {} findings, {} of them low or more; {marked} of {all} are of marked simulations: {by_id:?}",
        rest.len(),
        of(all),
        of(telling)
    );
    assert!(
        telling > 0 && of(all) < 400 && of(telling) < 150,
        "{by_id:?}"
    );
}
