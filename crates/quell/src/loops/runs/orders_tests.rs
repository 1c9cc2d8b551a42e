//! What people have laid down, from the store and the content up to the gate.

use std::path::Path;
use std::sync::Arc;

use quell_guard::exception::Scope;
use quell_guard::{Exception, Freeze};
use quell_model::{OuPath, Plan, Resource, Timestamp};
use quell_respond::{Run, RunStatus};
use quell_store::sqlite::SqliteState;
use quell_store::{Batch, Document, Kind, State, StoreError, Write};
use serde_json::json;

use super::budget::Budgets;
use super::test_content::run as run_as_stored;
use super::test_content::{ACCOUNT, app, document, gate, open, resource, write};
use crate::app::App;
use crate::begin;
use crate::config::Config;
use crate::loops::drive_to_end;
use crate::orders::{exceptions, freezes};

const ID: &str = "PB-900";

/// A playbook of hygiene that asks for a permit and ends.
fn content(folder: &Path) {
    let content = folder.join("content");
    let call = json!({"resource": "arn:aws:states:::sns:publish", "arguments": {"TopicArn": "t", "Message": "m"}});
    let ends = json!({"Type": "Succeed", "Output": {"outcome": "permitted"}});
    let respond = document(
        "Gate",
        json!({"Gate": gate(ID, &call, "Done"), "Done": ends}),
    );
    write(&content, ID, &respond, &[("-", "sns", "Publish")]);
    let facts = content.join("playbooks").join(ID).join("playbook.toml");
    let text = std::fs::read_to_string(&facts).unwrap();
    let text = text.replace("category = \"c\"", "category = \"Policy Violations\"");
    std::fs::write(facts, text).unwrap();
}

/// How a new run comes to rest.
async fn comes_to(app: &Arc<App>) -> (RunStatus, String) {
    let now = app.clock.now();
    let mut run = begin::imagined(&app.content.playbooks[ID], resource(), now);
    // One of its own, however often somebody asks.
    let before = app
        .state
        .count(Kind::Run)
        .await
        .unwrap()
        .iter()
        .map(|(_, n)| n)
        .sum::<u64>();
    run.id = format!("run-{before}").parse().unwrap();
    begin_run(app, &run).await;
    drive_to_end(app, &run.id).await.unwrap();
    let run: Run = run_as_stored(app, &run.id).await;
    let why = run.reason.or(run.outcome).unwrap_or_default();
    (run.status, why)
}

async fn begin_run(app: &App, run: &Run) {
    let mut batch = Batch::new();
    for write in begin::writes(run).unwrap() {
        batch.push(write);
    }
    app.state.commit(batch).await.unwrap();
}

fn permitted() -> (RunStatus, String) {
    (RunStatus::Done, "permitted".to_owned())
}

fn exception(now: Timestamp) -> Exception {
    Exception {
        id: String::new(),
        owner: "web team".into(),
        reason: "a load test".into(),
        scope: Scope {
            playbook: Some(ID.into()),
            resource: Some(resource().arn.to_string().parse().unwrap()),
            ..Scope::default()
        },
        approved_by: "ann".into(),
        created_at: now,
        expires_at: now.plus_millis(3_600_000),
        ended: None,
    }
}

async fn insert(app: &App, document: Document) {
    let batch = Batch::new().with(Write::Insert(document));
    app.state.commit(batch).await.unwrap();
}

#[tokio::test]
async fn what_is_excepted_is_refused_until_the_exception_ends() {
    let folder = tempfile::tempdir().unwrap();
    content(folder.path());
    let app = app(folder.path(), |_| {}).await;
    let now = app.clock.now();
    let added = exceptions::add(&*app.state, exception(now)).await.unwrap();
    let (status, why) = comes_to(&app).await;
    assert_eq!(status, RunStatus::Parked);
    let words = format!("{} of web team excepts it until", added.id);
    assert!(why.starts_with(&words), "{why}");
    exceptions::end(&*app.state, &added.id, "ann", now)
        .await
        .unwrap();
    assert_eq!(comes_to(&app).await, permitted());
}

#[tokio::test]
async fn while_changes_are_frozen_a_run_waits_for_a_person() {
    let folder = tempfile::tempdir().unwrap();
    content(folder.path());
    let app = app(folder.path(), |_| {}).await;
    let now = app.clock.now();
    let freeze = Freeze {
        id: String::new(),
        reason: "end of year".into(),
        by: "ann".into(),
        from: now,
        until: now.plus_millis(3_600_000),
        accounts: vec![ACCOUNT.to_owned()],
        environments: Vec::new(),
        ended: None,
    };
    freezes::add(&*app.state, freeze, now).await.unwrap();
    let (status, why) = comes_to(&app).await;
    assert_eq!(status, RunStatus::Parked);
    assert!(why.starts_with("changes are frozen until "), "{why}");
}

/// The trap: whoever can spoil one document frees everything that the others hold.
#[tokio::test]
async fn fail_open_on_an_unreadable_store() {
    for (kind, says) in [
        (
            Kind::Exception,
            "nobody can say whether an exception speaks against it",
        ),
        (Kind::Freeze, "nobody can say whether changes are frozen"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        content(folder.path());
        let app = app(folder.path(), |_| {}).await;
        let until = app.clock.now().plus_millis(3_600_000);
        let status = match kind {
            Kind::Exception => "in-force",
            _ => "planned",
        };
        insert(&app, Document::new(kind, "x", status, until, &5).unwrap()).await;
        let (status, why) = comes_to(&app).await;
        assert_eq!(status, RunStatus::Parked);
        assert!(why.starts_with(says), "{why}");
    }
}

/// The trap: a policy file with a fault is left out like any other content, and with it what it forbids.
#[tokio::test]
async fn fail_open_on_an_unreadable_policy() {
    let folder = tempfile::tempdir().unwrap();
    content(folder.path());
    assert_eq!(
        comes_to(&app(folder.path(), |_| {}).await).await,
        permitted()
    );
    let policies = folder.path().join("content/policies");
    for (text, says) in [
        (
            "forbid (principal, action, resource) when {",
            "there is a fault in the policies",
        ),
        (
            "@id(\"x\") @reason(\"not here\") forbid (principal, action, resource);",
            "not here (policy x)",
        ),
    ] {
        std::fs::write(policies.join("x.cedar"), text).unwrap();
        let app = open(folder.path(), |_| {}).await;
        let (status, why) = comes_to(&app).await;
        assert_eq!(status, RunStatus::Parked);
        assert!(why.starts_with(says), "{why}");
    }
    // Nor does a file that is no text, or that is too large to be read, go unseen.
    for bytes in [vec![0xff, 0xfe], vec![b'/'; 2 * 1024 * 1024]] {
        std::fs::write(policies.join("x.cedar"), bytes).unwrap();
        let app = open(folder.path(), |_| {}).await;
        let (status, why) = comes_to(&app).await;
        assert_eq!(status, RunStatus::Parked, "{why}");
        assert!(why.starts_with("there is a fault in the policies"), "{why}");
    }
}

#[tokio::test]
async fn what_a_pipeline_made_waits_for_a_person() {
    let folder = tempfile::tempdir().unwrap();
    content(folder.path());
    let pipeline = format!("arn:aws:iam::{ACCOUNT}:role/deploy-web");
    let set = |config: &mut Config| {
        config.respond.pipelines = vec!["arn:aws:iam::*:role/deploy-*".parse().unwrap()];
    };
    let app = app(folder.path(), set).await;
    let at = app.clock.now();
    let run = begin::imagined(&app.content.playbooks[ID], resource(), at);
    let incident = json!({
        "id": run.incident, "cause": "c", "title": "t", "severity": "HIGH", "category": "Policy Violations",
        "status": "open", "resource": resource(), "findings": [], "findingCount": 1,
        "actors": [{"kind": "AssumedRole", "issuerArn": pipeline, "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/deploy-web/ann")}],
        "told": [{"detection": "d", "severity": "HIGH"}],
        "firstEventAt": at, "receivedAt": at, "detectedAt": at, "lastEventAt": at,
    });
    insert(
        &app,
        Document::new(Kind::Incident, run.incident.as_str(), "open", at, &incident).unwrap(),
    )
    .await;
    begin_run(&app, &run).await;
    drive_to_end(&app, &run.id).await.unwrap();
    let run: Run = run_as_stored(&app, &run.id).await;
    let why = run.reason.unwrap_or_default();
    assert_eq!(run.status, RunStatus::Parked, "{why}");
    assert!(
        why.starts_with(&format!("the pipeline {pipeline} made it so")),
        "{why}"
    );
}

fn plan(calls: usize) -> Plan {
    let call = json!({
        "resource": "arn:aws:states:::aws-sdk:ec2:revokeSecurityGroupIngress", "arguments": {"GroupId": "sg-1"}, "class": "R1", "undo": [],
    });
    let plan = json!({
        "playbook": ID, "resource": "x", "summary": "s", "calls": vec![call; calls], "before": {}, "after": {}, "facts": {},
    });
    serde_json::from_value(plan).unwrap()
}

/// Asks for a plan as the gate does, until it is permitted or over a budget.
async fn asks(app: Arc<App>, plan: Plan) -> bool {
    loop {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let resource: Resource = resource();
        let budgets = Budgets::read(&app, &resource, &plan, now).await.unwrap();
        if budgets.left().iter().any(|b| b.cost(&plan) > b.left) {
            return false;
        }
        let mut batch = Batch::new();
        for write in budgets.spend(&plan).unwrap() {
            batch.push(write);
        }
        match app.state.commit(batch).await {
            Ok(_) => return true,
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Two processes on one store, with 48 workers each; the tightest budget is spent exactly, and the others no further.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn budgets_are_spent_exactly_by_many_workers_at_once() {
    let unit: OuPath = "Root/Prod/Web".parse().unwrap();
    type Set = fn(&mut Config);
    let cases: [(Set, &str, &str, u64); 4] = [
        (
            |c| c.respond.changes_per_account_hour = 31,
            ACCOUNT,
            "account",
            30,
        ),
        (
            |c| c.respond.changes_per_organisation_hour = 31,
            "organisation",
            "the organisation",
            30,
        ),
        (
            |c| {
                let units = &mut c.respond.changes_per_ou_hour;
                units.insert("Root".parse().unwrap(), 31);
            },
            "ou:Root",
            "OU Root",
            30,
        ),
        (
            |c| {
                let name = "ec2:RevokeSecurityGroupIngress".to_owned();
                c.respond.changes_per_action_hour.insert(name, 31);
            },
            "action:ec2:RevokeSecurityGroupIngress",
            "ec2:RevokeSecurityGroupIngress",
            30,
        ),
    ];
    for (set, key, of, spent) in cases {
        let folder = tempfile::tempdir().unwrap();
        content(folder.path());
        let both = |c: &mut Config| {
            c.respond.changes_per_account_hour = 1000;
            c.accounts[0].ou = Some(unit.clone());
            set(c);
        };
        let (here, there) = (
            app(folder.path(), both).await,
            app(folder.path(), both).await,
        );
        let workers = (0..96).map(|n| {
            let app = if n % 2 == 0 {
                here.clone()
            } else {
                there.clone()
            };
            #[expect(clippy::disallowed_methods, reason = "these workers are the test")]
            tokio::spawn(asks(app, plan(2)))
        });
        let mut yes = 0;
        for worker in workers.collect::<Vec<_>>() {
            yes += u64::from(worker.await.unwrap());
        }
        assert_eq!(yes * 2, spent, "{key}");
        let path = here.place.file().unwrap();
        let state = SqliteState::open(path).await.unwrap();
        let id = format!("changes:{key}:500000");
        let counter = state.get(Kind::Counter, &id).await.unwrap().unwrap();
        assert_eq!(counter.read::<u64>().unwrap(), spent, "{key}");
        let (resource, plan) = (resource(), plan(2));
        let now = Timestamp::from_millis(1_800_000_000_000);
        let left = Budgets::read(&here, &resource, &plan, now);
        let left = left.await.unwrap().left();
        let one = left.iter().find(|b| b.of.starts_with(of)).unwrap();
        assert_eq!(one.left, 1, "{key}");
    }
}

/// The trap: a budget of a unit that counts the accounts right below it and no others.
#[tokio::test]
async fn ou_filters_that_see_one_level_only() {
    let folder = tempfile::tempdir().unwrap();
    content(folder.path());
    let app = app(folder.path(), |c| {
        c.accounts[0].ou = Some("Root/Prod/Web".parse().unwrap());
        for unit in ["Root", "Root/Prod", "Root/Prod/Web", "Root/Test", "Prod"] {
            c.respond
                .changes_per_ou_hour
                .insert(unit.parse().unwrap(), 1);
        }
    })
    .await;
    let budgets = Budgets::read(&app, &resource(), &plan(1), app.clock.now()).await;
    let budgets = budgets.unwrap().left();
    let units: Vec<&str> = budgets
        .iter()
        .filter_map(|b| b.of.strip_prefix("OU "))
        .collect();
    assert_eq!(units, ["Root", "Root/Prod", "Root/Prod/Web"]);
}
