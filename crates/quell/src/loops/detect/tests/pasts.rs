//! What is remembered of who did it: every record counts once, whoever works on it and whatever becomes of commits.

use std::sync::Arc;

use quell_collect::accept;
use quell_detect::correlation::RULE_HITS_MAX;
use quell_model::Timestamp;
use quell_store::{Kind, ManualClock};
use serde_json::json;

use super::shelf::{Dice, Shelf};
use super::*;

const HOUR: i64 = 3_600_000;
const NEW_REGION: &str = "title: A new Region
logsource: {product: aws, service: cloudtrail}
baseline:
  kind: first-seen
  fields: [region]
  learn: {days: 1, calls: 5}
detection:
  calls:
    eventName: '*'
  condition: calls
level: medium
";

/// A call of an hour, in a Region.
fn hourly(n: i64, region: &str) -> Record {
    let at = TEN + n * HOUR;
    let mut record = came(&format!("{region}-{n}"), at, at, "A", "u", 0);
    let text = record.body.get().replace("us-east-1", region);
    record.body = serde_json::value::RawValue::from_string(text).unwrap();
    record
}

#[tokio::test]
async fn each_call_counts_once_between_two_workers_and_lost_commits() {
    let file = ("new.baseline.yml", NEW_REGION.to_owned());
    let (mut app, _folder) = app(&[file]).await;
    let mut lost = 0;
    for case in 0..20 {
        let dice = &mut Dice(case);
        let shelf = Arc::new(Shelf::new(case, 5));
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(TEN)));
        (app.state, app.clock) = (shelf.clone(), clock.clone());
        let mut workers = [0, 1].map(|_| Worker::new(app.clock.now(), RULE_HITS_MAX));
        for n in 0..=48 {
            clock.advance(HOUR);
            let region = if n == 48 { "ap-east-1" } else { "eu-west-1" };
            let page = [hourly(n, region)];
            while accept(&*app.state, &page, &[]).await.is_err() {}
            let pending = |shelf: &Shelf| {
                shelf
                    .all(Kind::Record)
                    .iter()
                    .any(|r| r.status == "pending")
            };
            while pending(&shelf) {
                let [one, two] = &mut workers;
                let (first, second) = tokio::join!(one.turn(&app), two.turn(&app));
                for (worker, turned) in workers.iter_mut().zip([first, second]) {
                    if turned.is_err() && dice.below(2) == 0 {
                        *worker = Worker::new(app.clock.now(), RULE_HITS_MAX);
                    }
                }
                clock.advance(2_000);
            }
        }
        let said = findings(&shelf);
        assert_eq!(said.len(), 1, "case {case}: {said:#?}");
        let why = said[0].explanation.as_deref().unwrap();
        assert!(
            why.contains("by 49 calls. The Region «ap-east-1» is new"),
            "case {case}: {why}"
        );
        assert_eq!(incidents(&shelf).len(), 1);
        lost += shelf.tally().lost_before + shelf.tally().lost_after;
    }
    assert!(lost > 20, "{lost} commits were lost");
}

/// A session's record that comes after the session's own call, with commits that are lost: the finding and its incident name who began it.
#[tokio::test]
async fn a_late_session_corrects_what_is_stored() {
    let rule = "title: R
logsource: {product: aws, service: cloudtrail}
detection:
  s:
    eventName: CreateUser
  condition: s
level: LEVEL
";
    // A strong one is in an incident; a weak one waits for more.
    for case in 0..20 {
        let level = ["high", "low"][case as usize % 2];
        let file = ("rule.yml", rule.replace("LEVEL", level));
        let (mut app, _folder) = app(&[file]).await;
        let shelf = Arc::new(Shelf::new(case, 4));
        app.state = shelf.clone();
        let mut worker = Worker::new(app.clock.now(), RULE_HITS_MAX);
        let arn = "arn:aws:sts::111122223333:assumed-role/r/s";
        let at = Timestamp::from_millis(TEN);
        let used = json!({
            "eventID": "used", "eventTime": at, "eventSource": "iam.amazonaws.com", "eventName": "CreateUser", "awsRegion": "us-east-1",
            "recipientAccountId": "111122223333",
            "userIdentity": {"type": "AssumedRole", "principalId": "AROA:s", "arn": arn, "accountId": "111122223333", "accessKeyId": "ASIA1",
                "sessionContext": {"attributes": {"creationDate": at}}},
        });
        let made = json!({
            "eventID": "made", "eventTime": at, "eventSource": "sts.amazonaws.com", "eventName": "AssumeRole", "awsRegion": "us-east-1",
            "recipientAccountId": "111122223333",
            "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/eve", "userName": "eve", "accountId": "111122223333"},
            "requestParameters": {"roleArn": "arn:aws:iam::111122223333:role/r", "roleSessionName": "s"},
            "responseElements": {"credentials": {"accessKeyId": "ASIA1"}},
        });
        for body in [used, made] {
            let id = body["eventID"].as_str().unwrap().to_owned();
            let mut record = call(&id, TEN, "A", "u");
            record.body = serde_json::value::to_raw_value(&body).unwrap();
            while accept(&*app.state, std::slice::from_ref(&record), &[])
                .await
                .is_err()
            {}
            let pending = |shelf: &Shelf| {
                shelf
                    .all(Kind::Record)
                    .iter()
                    .any(|r| r.status == "pending")
            };
            while pending(&shelf) {
                drop(worker.turn(&app).await);
            }
        }
        let (said, held) = (findings(&shelf), incidents(&shelf));
        let wanted = usize::from(level == "high");
        assert_eq!((said.len(), held.len()), (1, wanted), "case {case}");
        let eve = "arn:aws:iam::111122223333:user/eve";
        assert_eq!(said[0].initiator.as_ref().unwrap().id, eve, "case {case}");
        for incident in held {
            let hops = incident.initiator.unwrap().hops;
            assert_eq!(hops.len(), 1, "case {case}");
        }
    }
}
