//! Detection over a store, without AWS: what is said, what is kept, and what happens between two workers.

mod cases;
mod pasts;
mod reported;
mod schedules;
mod shelf;

use std::sync::Arc;

use quell_collect::accept;
use quell_detect::correlation::RULE_HITS_MAX;
use quell_model::{Finding, Incident, Origin, Record, RecordId, Timestamp};
use quell_store::{Kind, ManualClock};
use serde_json::json;

use self::shelf::Shelf;
use super::Worker;
use crate::app::App;
use crate::config::Config;

/// 2026-11-21T10:00:00Z.
const TEN: i64 = 1_795_255_200_000;

/// Base rules without an id, named only; they say nothing by themselves.
const BASES: &str = "title: A
name: a
logsource: {product: aws, service: cloudtrail}
detection:
  s:
    eventName: A
  condition: s
level: informational
---
title: B
name: b
logsource: {product: aws, service: cloudtrail}
detection:
  s:
    eventName: B
  condition: s
level: informational
";

/// A correlation over A and B, grouped by user.
fn correlation(kind: &str, rules: &str, timespan: &str, condition: &str) -> String {
    format!(
        "{BASES}---\ntitle: T\ncorrelation:\n  type: {kind}\n  rules: [{rules}]\n  group-by: [userIdentity.userName]\n  timespan: {timespan}\n{condition}level: high\n"
    )
}

/// An installation with these correlations (and detections, with the ends of their names), whose store is a shelf and whose clock stands at ten.
async fn app(correlations: &[(&str, String)]) -> (App, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let detections = folder.path().join("content/detections");
    std::fs::create_dir_all(&detections).unwrap();
    for (name, text) in correlations {
        let name = match name.contains('.') {
            true => (*name).to_owned(),
            false => format!("{name}.correlation.yml"),
        };
        std::fs::write(detections.join(name), text).unwrap();
    }
    let config = Config {
        data: folder.path().join("data"),
        content: Some(folder.path().join("content")),
        ..Config::default()
    };
    let app = App::open(config).await.unwrap();
    assert_eq!(app.content.faults, []);
    let mut app = Arc::into_inner(app).unwrap();
    app.clock = Arc::new(ManualClock::at(Timestamp::from_millis(TEN)));
    app.aws = None;
    (app, folder)
}

/// A call by a user, known by its `id`, that came in when it happened.
fn call(id: &str, at: i64, name: &str, user: &str) -> Record {
    came(id, at, at, name, user, 0)
}

fn came(id: &str, at: i64, received: i64, name: &str, user: &str, size: u64) -> Record {
    let arn = format!("arn:aws:iam::111122223333:user/{user}");
    let body = json!({
        "eventID": id, "eventTime": Timestamp::from_millis(at), "eventSource": "ec2.amazonaws.com", "eventName": name,
        "awsRegion": "us-east-1", "recipientAccountId": "111122223333", "requestParameters": {"size": size},
        "userIdentity": {"type": "IAMUser", "arn": arn, "userName": user, "accountId": "111122223333"},
    });
    Record {
        id: RecordId::of_name("111122223333", id),
        origin: Origin::File { path: "f".into() },
        received_at: Timestamp::from_millis(received),
        envelope: None,
        body: serde_json::value::to_raw_value(&body).unwrap(),
    }
}

/// Works off all that is there.
async fn work_off(app: &App, worker: &mut Worker) {
    while worker.turn(app).await.unwrap() {}
}

/// A new shelf with these records, worked off one after the other.
async fn said_of(app: &mut App, records: &[Record]) -> Vec<Finding> {
    let shelf = Arc::new(Shelf::new(1, 0));
    app.state = shelf.clone();
    let mut worker = Worker::new(app.clock.now(), RULE_HITS_MAX);
    for record in records {
        accept(&*app.state, std::slice::from_ref(record), &[])
            .await
            .unwrap();
        work_off(app, &mut worker).await;
    }
    findings(&shelf)
}

fn findings(shelf: &Shelf) -> Vec<Finding> {
    let documents = shelf.all(Kind::Finding).into_iter();
    documents.map(|d| d.read().unwrap()).collect()
}

fn incidents(shelf: &Shelf) -> Vec<Incident> {
    let documents = shelf.all(Kind::Incident).into_iter();
    documents.map(|d| d.read().unwrap()).collect()
}
