//! What AWS's own detectors say.

use std::sync::Arc;

use quell_collect::accept;
use quell_detect::correlation::RULE_HITS_MAX;
use quell_model::{IncidentStatus, ReportState, Severity};
use quell_store::Kind;
use serde_json::Value;

use super::schedules::World;
use super::shelf::{Dice, Shelf};
use super::*;

fn event(source: &str, kind: &str, detail: &Value) -> Record {
    let text = detail.to_string();
    Record {
        id: RecordId::of_bytes(text.as_bytes()),
        origin: Origin::Queue { url: "q".into() },
        received_at: Timestamp::from_millis(TEN),
        envelope: Some(json!({"source": source, "detail-type": kind})),
        body: serde_json::value::to_raw_value(detail).unwrap(),
    }
}

/// GuardDuty's finding of an instance, as changed so many minutes after ten.
fn guardduty(minutes: i64, severity: f64, archived: bool) -> Record {
    let at = Timestamp::from_millis(TEN + minutes * 60_000);
    let detail = json!({
        "schemaVersion": "2.0", "accountId": "111122223333", "region": "eu-west-1", "id": "f-1", "type": "Backdoor:EC2/Spambot",
        "severity": severity, "title": "T", "createdAt": Timestamp::from_millis(TEN), "updatedAt": at,
        "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": "i-0a1"}},
        "service": {"count": minutes, "archived": archived, "eventLastSeen": at},
    });
    event("aws.guardduty", "GuardDuty Finding", &detail)
}

async fn installation() -> (App, tempfile::TempDir) {
    app(&[]).await
}

/// Works records off, one by one or all at once.
async fn told(app: &mut App, records: &[Record], at_once: bool) -> Arc<Shelf> {
    let shelf = Arc::new(Shelf::new(1, 0));
    app.state = shelf.clone();
    let mut worker = Worker::new(app.clock.now(), RULE_HITS_MAX);
    let size = if at_once { records.len().max(1) } else { 1 };
    for records in records.chunks(size) {
        accept(&*app.state, records, &[]).await.unwrap();
        work_off(app, &mut worker).await;
    }
    assert!(
        shelf
            .all(Kind::Record)
            .iter()
            .all(|r| r.status != "pending")
    );
    shelf
}

fn statuses(shelf: &Shelf, kind: Kind) -> Vec<String> {
    shelf
        .all(kind)
        .into_iter()
        .map(|document| document.status)
        .collect()
}

#[tokio::test]
async fn a_finding_and_its_updates_are_one_in_any_order_together_or_apart() {
    let (mut app, _folder) = installation().await;
    let updates = [
        guardduty(1, 5.0, false),
        guardduty(2, 5.0, false),
        guardduty(3, 8.0, false),
        guardduty(3, 8.0, false),
    ];
    let orders = [
        [0, 1, 2, 3],
        [3, 2, 1, 0],
        [2, 0, 3, 1],
        [1, 3, 0, 2],
        [0, 2, 1, 3],
    ];
    for order in orders {
        for at_once in [false, true] {
            let records = order.map(|at| updates[at].clone());
            let shelf = told(&mut app, &records, at_once).await;
            let said = findings(&shelf);
            let [finding] = said.as_slice() else {
                panic!("{order:?}: {said:#?}")
            };
            assert_eq!(
                (finding.severity, finding.record_count),
                (Severity::High, 3),
                "{order:?}"
            );
            assert_eq!(finding.first_event_time.millis(), TEN);
            assert_eq!(finding.event_time.millis(), TEN + 3 * 60_000);
            let said = incidents(&shelf);
            let [incident] = said.as_slice() else {
                panic!("{order:?}: {said:#?}")
            };
            assert_eq!(
                incident.findings.as_slice(),
                std::slice::from_ref(&finding.id),
                "{order:?}"
            );
            assert_eq!(
                (incident.severity, incident.finding_count),
                (Severity::High, 1),
                "{order:?}"
            );
            assert_eq!(incident.resource.id, "i-0a1");
            assert_eq!(incident.last_event_at, finding.event_time, "{order:?}");
            assert_eq!(incident.status, IncidentStatus::Open);
            assert_eq!(
                statuses(&shelf, Kind::Record),
                ["done"; 3],
                "the same event twice is one record"
            );
        }
    }
}

#[tokio::test]
async fn a_weak_finding_waits_and_opens_an_incident_when_it_gets_worse() {
    let (mut app, _folder) = installation().await;
    for at_once in [false, true] {
        let weak = [guardduty(1, 2.0, false), guardduty(2, 3.0, false)];
        let shelf = told(&mut app, &weak, at_once).await;
        assert_eq!(statuses(&shelf, Kind::Finding), ["waiting"]);
        assert_eq!(incidents(&shelf), []);
        let worse = [guardduty(1, 2.0, false), guardduty(2, 9.0, false)];
        let shelf = told(&mut app, &worse, at_once).await;
        assert_eq!(statuses(&shelf, Kind::Finding), ["new"]);
        assert_eq!(incidents(&shelf)[0].severity, Severity::Critical);
    }
}

#[tokio::test]
async fn what_its_product_does_not_uphold_opens_nothing_until_it_does_again() {
    let (mut app, _folder) = installation().await;
    for at_once in [false, true] {
        let shelf = told(&mut app, &[guardduty(1, 8.0, true)], at_once).await;
        assert_eq!(statuses(&shelf, Kind::Finding), ["closed"]);
        assert_eq!(incidents(&shelf), []);
        // The archived one is the newer: it stays so, whichever comes first.
        for records in [
            [guardduty(1, 8.0, false), guardduty(2, 8.0, true)],
            [guardduty(2, 8.0, true), guardduty(1, 8.0, false)],
        ] {
            let shelf = told(&mut app, &records, at_once).await;
            let report = findings(&shelf)[0].report.clone().unwrap();
            assert_eq!(report.state, ReportState::Archived);
            assert!(!findings(&shelf)[0].may_begin_a_change());
        }
        let shelf = told(
            &mut app,
            &[guardduty(1, 8.0, true), guardduty(2, 8.0, false)],
            at_once,
        )
        .await;
        assert_eq!(statuses(&shelf, Kind::Finding), ["new"]);
        assert_eq!(incidents(&shelf).len(), 1);
    }
}

fn asff(id: &str, bucket: &str, minute: u8) -> Value {
    json!({
        "SchemaVersion": "2018-10-08", "Id": id, "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/securityhub", "GeneratorId": "g",
        "AwsAccountId": "111122223333", "Region": "eu-west-1", "Types": ["Effects"], "CreatedAt": "2026-11-21T10:00:00Z",
        "UpdatedAt": format!("2026-11-21T10:{minute:02}:00Z"), "Severity": {"Label": "HIGH"}, "Title": "T", "Description": "D",
        "Resources": [{"Type": "AwsS3Bucket", "Id": format!("arn:aws:s3:::{bucket}")}],
    })
}

#[tokio::test]
async fn an_import_of_several_is_as_many_findings_and_a_broken_one_is_put_aside_and_counted() {
    let (mut app, _folder) = installation().await;
    let import = json!({"findings": [asff("1", "b-1", 1), {"Id": "x"}, asff("2", "b-2", 1), asff("3", "b-2", 1), asff("1", "b-1", 2)]});
    let imported = event(
        "aws.securityhub",
        "Security Hub Findings - Imported",
        &import,
    );
    let shelf = told(&mut app, &[imported], true).await;
    assert_eq!(findings(&shelf).len(), 3);
    let about: Vec<u64> = incidents(&shelf)
        .iter()
        .map(|incident| incident.finding_count)
        .collect();
    assert_eq!(
        about.iter().sum::<u64>(),
        3,
        "two about one bucket are one incident"
    );
    assert_eq!(about.len(), 2);
    let mut records = statuses(&shelf, Kind::Record);
    records.sort();
    assert_eq!(records, ["done", "quarantined"]);
    let aside = shelf
        .all(Kind::Record)
        .into_iter()
        .find(|r| r.status == "quarantined")
        .unwrap();
    assert!(aside.body.contains("findings[1]"), "{}", aside.body);
    // One of which nothing can be read is put aside whole.
    let broken = event(
        "aws.securityhub",
        "Security Hub Findings - Imported",
        &json!({"findings": [{}, 5]}),
    );
    let shelf = told(&mut app, &[broken], true).await;
    assert_eq!(statuses(&shelf, Kind::Record), ["quarantined"]);
}

#[tokio::test]
async fn an_event_of_another_source_is_no_finding_of_awss() {
    let (mut app, _folder) = installation().await;
    let real = guardduty(1, 9.0, false);
    for (source, kind) in [
        ("custom.guardduty", "GuardDuty Finding"),
        ("awsx.guardduty", "GuardDuty Finding"),
        ("", "GuardDuty Finding"),
    ] {
        let detail: Value = serde_json::from_str(real.body.get()).unwrap();
        let shelf = told(&mut app, &[event(source, kind, &detail)], true).await;
        assert_eq!(findings(&shelf), [], "{source}");
        assert_eq!(statuses(&shelf, Kind::Record), ["done"]);
    }
}

#[tokio::test]
async fn what_is_said_of_a_user_joins_what_the_user_did() {
    let (mut app, _folder) = installation().await;
    let detail = json!({
        "schemaVersion": "2.0", "accountId": "111122223333", "region": "us-east-1", "id": "f-2", "severity": 5.0, "title": "T",
        "type": "UnauthorizedAccess:IAMUser/TorIPCaller", "updatedAt": Timestamp::from_millis(TEN),
        "resource": {"resourceType": "AccessKey", "accessKeyDetails": {"userType": "IAMUser", "userName": "eve", "principalId": "AIDA"}},
        "service": {},
    });
    let shelf = told(
        &mut app,
        &[event("aws.guardduty", "GuardDuty Finding", &detail)],
        true,
    )
    .await;
    let incident = &incidents(&shelf)[0];
    assert_eq!(
        incident.cause,
        "principal|arn:aws:iam::111122223333:user/eve"
    );
    assert_eq!(incident.resource.id, "eve");
}

/// How many courses are tried.
const CASES: u64 = 150;

/// Updates of some findings, in any order, some of them twice.
fn course(dice: &mut Dice) -> Vec<Record> {
    let mut out = Vec::new();
    for finding in 0..1 + dice.below(4) {
        for _ in 0..1 + dice.below(5) {
            let minutes = dice.millis(4);
            let record = guardduty(
                minutes,
                [2.0, 5.0, 8.0][dice.below(3) as usize],
                dice.below(4) == 0,
            );
            let text = record
                .body
                .get()
                .replace("f-1", &format!("f-{finding}"))
                .replace("i-0a1", &format!("i-0a{}", finding / 2));
            let detail = serde_json::from_str(&text).unwrap();
            for _ in 0..1 + dice.below(4) / 3 {
                out.push(event("aws.guardduty", "GuardDuty Finding", &detail));
            }
        }
    }
    for at in (1..out.len()).rev() {
        out.swap(at, dice.below(at as u64 + 1) as usize);
    }
    out
}

/// Two workers in each other's way, commits that fail before and after they happened: of each finding there is what was said of it
/// last, and it is in one incident at most.
#[tokio::test]
async fn two_workers_keep_what_was_said_last_of_each_finding() {
    use quell_normalize::finding::{Source, findings as read, newer};
    let (mut app, _folder) = installation().await;
    let (mut conflicts, mut lost, mut opened) = (0, 0, 0);
    for case in 0..CASES {
        let dice = &mut Dice(case);
        let records = course(dice);
        let shelf = Arc::new(Shelf::new(case, [0, 5, 12][dice.below(3) as usize]));
        app.state = shelf.clone();
        let workers = [World::worker(&app), World::worker(&app)];
        let clock = Arc::new(quell_store::ManualClock::at(Timestamp::from_millis(TEN)));
        let mut world = World {
            shelf,
            clock,
            workers,
        };
        let mut rest = records.as_slice();
        while !rest.is_empty() {
            let (page, after) = rest.split_at(rest.len().min(1 + dice.below(6) as usize));
            rest = after;
            while accept(&*app.state, page, &[]).await.is_err() {}
            for _ in 0..dice.below(4) {
                world.turn(&app, dice).await;
            }
        }
        world.shelf.mend();
        let mut quiet = 0;
        while quiet < 6 {
            quiet = if world.turn(&app, dice).await {
                0
            } else {
                quiet + 1
            };
        }
        let said = records.iter().flat_map(|record| {
            read(
                record,
                Source::GuardDuty,
                &app.content.guardduty,
                app.clock.now(),
            )
            .found
        });
        let mut wanted = std::collections::BTreeMap::<_, Finding>::new();
        for finding in said.map(|reported| reported.finding) {
            let kept = match wanted.remove(&finding.id) {
                Some(before) => newer(before, finding),
                None => finding,
            };
            wanted.insert(kept.id.clone(), kept);
        }
        let kept: std::collections::BTreeMap<_, Finding> = findings(&world.shelf)
            .into_iter()
            .map(|f| (f.id.clone(), f))
            .collect();
        assert_eq!(kept, wanted, "case {case}");
        let mut held: Vec<_> = incidents(&world.shelf)
            .into_iter()
            .flat_map(|incident| incident.findings)
            .collect();
        opened += held.len();
        let all = held.len();
        held.sort();
        held.dedup();
        assert_eq!(
            held.len(),
            all,
            "case {case}: each finding is in one incident at most"
        );
        for finding in kept.values() {
            let strong = finding.severity >= Severity::Medium
                && finding.report.as_ref().unwrap().state == ReportState::Active;
            assert!(
                !strong || held.contains(&finding.id),
                "case {case}: {finding:#?}"
            );
        }
        let tally = world.shelf.tally();
        conflicts += tally.conflicts;
        lost += tally.lost_before + tally.lost_after;
    }
    // The courses are worth something.
    assert!(conflicts > CASES / 2, "{conflicts} conflicts");
    assert!(lost > CASES / 3, "{lost} lost commits");
    assert!(opened > CASES as usize, "{opened} in incidents");
}
