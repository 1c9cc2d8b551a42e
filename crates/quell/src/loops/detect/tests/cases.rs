//! Single cases.

use std::sync::Arc;

use quell_collect::accept;
use quell_detect::correlation::RULE_HITS_MAX;
use quell_model::{RecordId, Timestamp};
use quell_store::{Document, Kind, ManualClock};

use super::shelf::Shelf;
use super::*;

const MINUTE: i64 = 60_000;

async fn burst() -> (App, tempfile::TempDir) {
    app(&[(
        "burst",
        correlation("event_count", "a", "10m", "  condition:\n    gte: 3\n"),
    )])
    .await
}

#[tokio::test]
async fn a_newer_event_that_comes_first_does_not_hide_the_older() {
    let (mut app, _folder) = burst().await;
    let calls = [
        call("c", TEN - 2 * MINUTE, "A", "eve"),
        call("a", TEN - 9 * MINUTE, "A", "eve"),
        call("b", TEN - 5 * MINUTE, "A", "eve"),
    ];
    let said = said_of(&mut app, &calls).await;
    let [finding] = said.as_slice() else {
        panic!("{said:#?}")
    };
    assert_eq!(
        finding.record,
        RecordId::of_name("111122223333", "c"),
        "the newest"
    );
    assert_eq!(finding.record_count, 3);
    assert_eq!(finding.records.len(), 3);
    assert_eq!(finding.first_event_time.millis(), TEN - 9 * MINUTE);
    assert_eq!(finding.event_time.millis(), TEN - 2 * MINUTE);
    assert_eq!(finding.principal.id, "eve");
    assert_eq!(finding.detection, "burst.correlation");
}

#[tokio::test]
async fn an_event_that_is_delivered_twice_counts_once() {
    let (mut app, _folder) = burst().await;
    let mut calls = vec![
        call("a", TEN - 9 * MINUTE, "A", "eve"),
        call("b", TEN - 5 * MINUTE, "A", "eve"),
    ];
    calls.extend(calls.clone());
    assert_eq!(said_of(&mut app, &calls).await, []);
    calls.push(call("c", TEN - 2 * MINUTE, "A", "eve"));
    calls.extend(calls.clone());
    assert_eq!(said_of(&mut app, &calls).await.len(), 1);
}

#[tokio::test]
async fn a_base_rule_with_a_name_and_no_id_is_found() {
    let (mut app, _folder) = app(&[("both", correlation("temporal", "a, b", "10m", ""))]).await;
    let calls = [
        call("a", TEN - MINUTE, "A", "eve"),
        call("b", TEN, "B", "eve"),
    ];
    assert_eq!(said_of(&mut app, &calls).await.len(), 1);
    let others = [
        call("a", TEN - MINUTE, "A", "eve"),
        call("b", TEN, "B", "adam"),
    ];
    assert_eq!(said_of(&mut app, &others).await, []);
}

#[tokio::test]
async fn a_burst_across_the_edge_of_a_bucket_is_seen() {
    let (mut app, _folder) = burst().await;
    // Ten o'clock is an edge of every bucket of ten minutes.
    let at = [TEN - 2 * MINUTE, TEN - MINUTE, TEN + MINUTE];
    app.clock = Arc::new(ManualClock::at(Timestamp::from_millis(TEN + 2 * MINUTE)));
    let calls = at.map(|at| call(&at.to_string(), at, "A", "eve"));
    assert_eq!(said_of(&mut app, &calls).await.len(), 1);
}

#[tokio::test]
async fn many_records_of_one_group_are_one_batch_and_one_incident() {
    let (mut app, _folder) = burst().await;
    let shelf = Arc::new(Shelf::new(1, 0));
    app.state = shelf.clone();
    let calls: Vec<Record> = (0..150)
        .map(|n| call(&n.to_string(), TEN - n * 1000, "A", "eve"))
        .collect();
    accept(&*app.state, &calls, &[]).await.unwrap();
    let before = shelf.tally().done;
    let mut worker = Worker::new(app.clock.now(), RULE_HITS_MAX);
    work_off(&app, &mut worker).await;
    assert_eq!(shelf.tally().done - before, 1);
    let incidents = incidents(&shelf);
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].finding_count, findings(&shelf).len() as u64);
}

/// What is forgotten for want of room makes nothing true: neither for those that count fewer, nor for those that count more.
#[tokio::test]
async fn what_is_forgotten_for_want_of_room_says_nothing_false() {
    let (mut app, _folder) = app(&[
        (
            "few",
            correlation("event_count", "a", "10m", "  condition:\n    lte: 2\n"),
        ),
        (
            "many",
            correlation("event_count", "a", "10m", "  condition:\n    gte: 4\n"),
        ),
    ])
    .await;
    let shelf = Arc::new(Shelf::new(1, 0));
    app.state = shelf.clone();
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(TEN)));
    app.clock = clock.clone();
    let mut worker = Worker::new(app.clock.now(), 40);
    // Each of fifty users calls three times; between the second call and the third, the memory of most of them is lost.
    for round in 0..3 {
        for user in 0..50 {
            let at = TEN - 5 * MINUTE + round * MINUTE + user * 100;
            let record = call(&format!("{round}-{user}"), at, "A", &format!("u{user}"));
            accept(&*app.state, &[record], &[]).await.unwrap();
        }
        work_off(&app, &mut worker).await;
        let groups = |status: &str| {
            shelf
                .all(Kind::Memory)
                .iter()
                .filter(|d| d.status == status)
                .count()
        };
        assert!(
            groups("expires") <= 60 && groups("closes") <= 60,
            "{} {}",
            groups("expires"),
            groups("closes")
        );
        assert!(groups("expires") > 0 && groups("closes") > 0);
    }
    clock.advance(3 * 60 * MINUTE);
    accept(
        &*app.state,
        &[call("end", TEN + 3 * 60 * MINUTE, "C", "eve")],
        &[],
    )
    .await
    .unwrap();
    work_off(&app, &mut worker).await;
    // Windows of the first call alone, or of the first two, were true while they were known whole.
    let windows: Vec<u64> = findings(&shelf).iter().map(|f| f.record_count).collect();
    assert_eq!(
        findings(&shelf)
            .iter()
            .filter(|f| f.detection.starts_with("many"))
            .count(),
        0
    );
    let third = |f: &quell_model::Finding| f.event_time.millis() >= TEN - 3 * MINUTE;
    assert!(
        !findings(&shelf).iter().any(third),
        "three calls are not fewer: {windows:?}"
    );
    assert!(windows.len() < 50, "most could say nothing");
}

#[tokio::test]
async fn a_state_that_cannot_be_read_stops_nothing() {
    let (mut app, _folder) = burst().await;
    let shelf = Arc::new(Shelf::new(1, 0));
    app.state = shelf.clone();
    let mut worker = Worker::new(app.clock.now(), RULE_HITS_MAX);
    let stored = |n: i64| call(&n.to_string(), TEN - n * 1000, "A", "eve");
    accept(&*app.state, &[stored(0)], &[]).await.unwrap();
    work_off(&app, &mut worker).await;
    let broken = shelf
        .all(Kind::Memory)
        .into_iter()
        .find(|d| d.status == "expires")
        .unwrap();
    shelf.put(Document {
        body: "{\"group\":7}".into(),
        ..broken
    });
    let mut worker = Worker::new(app.clock.now(), RULE_HITS_MAX);
    for n in 1..4 {
        accept(&*app.state, &[stored(n)], &[]).await.unwrap();
        work_off(&app, &mut worker).await;
    }
    assert_eq!(findings(&shelf).len(), 1, "three that came after it");
}

/// Another text of a rule does not read what the one before it remembered, and what that left is dropped.
#[tokio::test]
async fn a_rule_that_says_something_else_begins_anew() {
    let (mut first, _one) = burst().await;
    let shelf = Arc::new(Shelf::new(1, 0));
    first.state = shelf.clone();
    let calls = ["a", "b"].map(|id| call(id, TEN, "A", "eve"));
    accept(&*shelf, &calls, &[]).await.unwrap();
    work_off(&first, &mut Worker::new(first.clock.now(), RULE_HITS_MAX)).await;
    let other = correlation("event_count", "b, a", "10m", "  condition:\n    gte: 3\n");
    let (mut second, _two) = app(&[("burst", other)]).await;
    second.state = shelf.clone();
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(TEN)));
    second.clock = clock.clone();
    let mut worker = Worker::new(second.clock.now(), RULE_HITS_MAX);
    accept(&*shelf, &[call("c", TEN, "A", "eve")], &[])
        .await
        .unwrap();
    work_off(&second, &mut worker).await;
    assert_eq!(findings(&shelf), []);
    clock.advance(3 * 60 * MINUTE);
    work_off(&second, &mut worker).await;
    let left = shelf
        .all(Kind::Memory)
        .into_iter()
        .filter(|d| d.status != "detector");
    assert_eq!(left.count(), 0, "nothing is kept for ever");
}

const POLICY: &str = "title: A policy was changed
logsource: {product: aws, service: cloudtrail}
detection:
  s:
    eventName: PutBucketPolicy
  condition: s
level: high
";

/// A call of `user` that changes the policy of a bucket.
fn policy(id: &str, at: i64, user: &str, bucket: &str) -> Record {
    let mut record = call(id, at, "PutBucketPolicy", user);
    let body = record
        .body
        .get()
        .replace("ec2.amazonaws.com", "s3.amazonaws.com");
    let body = body.replace("\"size\":0", &format!("\"bucketName\":\"{bucket}\""));
    record.body = serde_json::value::RawValue::from_string(body).unwrap();
    record
}

#[tokio::test]
async fn those_who_act_on_one_resource_are_told_of_each_other() {
    let (mut app, _folder) = app(&[("policy.yml", POLICY.into())]).await;
    let shelf = Arc::new(Shelf::new(1, 0));
    app.state = shelf.clone();
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(TEN)));
    app.clock = clock.clone();
    let mut worker = Worker::new(app.clock.now(), RULE_HITS_MAX);
    // Two in one batch, one in the next, and one who has nothing to do with them.
    let pages = [
        vec![
            policy("a", TEN - 3 * MINUTE, "eve", "b1"),
            policy("b", TEN - 2 * MINUTE, "adam", "b1"),
        ],
        vec![
            policy("c", TEN - MINUTE, "lilith", "b1"),
            policy("d", TEN, "cain", "b2"),
        ],
        vec![policy("e", TEN, "eve", "b1")],
    ];
    for page in pages {
        accept(&*app.state, &page, &[]).await.unwrap();
        work_off(&app, &mut worker).await;
    }
    let all = incidents(&shelf);
    let by = |name: &str| all.iter().find(|i| i.resource.id == name).unwrap();
    let related = |name: &str| {
        let mut ids = by(name).related.clone();
        ids.sort();
        ids
    };
    for name in ["eve", "adam", "lilith"] {
        let others = ["eve", "adam", "lilith"]
            .into_iter()
            .filter(|other| *other != name);
        let mut others: Vec<_> = others.map(|other| by(other).id.clone()).collect();
        others.sort();
        assert_eq!(related(name), others, "{name}");
    }
    assert_eq!(related("cain"), []);
    clock.advance(6 * 60 * MINUTE);
    work_off(&app, &mut worker).await;
    let left = shelf
        .all(Kind::Memory)
        .into_iter()
        .filter(|d| d.status != "detector");
    assert_eq!(left.count(), 0, "nothing is remembered for ever");
}
