use super::*;
use crate::begin;
use crate::config::{Config, Secret};
use quell_model::Resource;

async fn app(folder: &std::path::Path) -> Arc<App> {
    let mut config = Config {
        data: folder.to_owned(),
        ..Config::default()
    };
    // Whatever the environment of the test holds: no AWS.
    let none = Some(Secret::reference("env:QUELL_TEST_HAS_NONE"));
    config.aws.access_key_id = none.clone();
    config.aws.secret_access_key = none;
    let app = App::open(config).await.unwrap();
    app.claims.join().await.unwrap();
    app
}

async fn stored(app: &App) -> (Document, Run) {
    let resource = Resource::security_group("aws", "us-east-1", "444455556666", "sg-1");
    let run = begin::imagined(&app.content.playbooks["PB-008"], resource, app.clock.now());
    store(app, &run).await;
    (
        app.state
            .get(Kind::Run, run.id.as_str())
            .await
            .unwrap()
            .unwrap(),
        run,
    )
}

async fn store(app: &App, run: &Run) {
    let mut batch = Batch::new();
    for write in begin::writes(run).unwrap() {
        batch.push(write);
    }
    app.state.commit(batch).await.unwrap();
}

async fn end(app: &App, document: &Document, run: &Run) {
    let mut ended = run.clone();
    ended.status = RunStatus::Done;
    ended.outcome = Some("fixed".to_owned());
    let update = Write::Update(document.clone().with("done", &ended).unwrap());
    app.state.commit(Batch::new().with(update)).await.unwrap();
}

async fn leases(app: &App) -> usize {
    app.state.count(Kind::Lease).await.unwrap().len()
}

/// The race that 200 kills found: a run was listed while it ran, ended, and was driven once more. A kill before the
/// lease was given back a second time left its group to nobody.
#[tokio::test]
async fn a_run_that_ended_since_it_was_read_takes_no_lease() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path()).await;
    let (mut read, run) = stored(&app).await;
    end(&app, &read, &run).await;
    assert!(!lease(&app, &mut read, &run).await.unwrap());
    crate::loops::drive_to_end(&app, &run.id).await.unwrap();
    assert_eq!(leases(&app).await, 0);
    assert!(app.state.count(Kind::Wake).await.unwrap().is_empty());
    assert!(
        app.state
            .read_log(run.id.as_str(), 0, 10)
            .await
            .unwrap()
            .is_empty(),
        "it is not begun anew"
    );
}

#[tokio::test]
async fn one_run_at_a_time_holds_a_resource_and_keeps_it_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path()).await;
    let (mut document, run) = stored(&app).await;
    assert!(lease(&app, &mut document, &run).await.unwrap());
    assert!(
        lease(&app, &mut document, &run).await.unwrap(),
        "its own lease is its own, after a restart too"
    );
    let mut other = run.clone();
    other.id = "run-other".parse().unwrap();
    store(&app, &other).await;
    let mut document = app
        .state
        .get(Kind::Run, "run-other")
        .await
        .unwrap()
        .unwrap();
    assert!(!lease(&app, &mut document, &other).await.unwrap());
}

/// What may have happened is sent again only where AWS knows it by its token, and that is the same after every crash.
#[test]
fn a_token_belongs_to_one_task_of_one_run() {
    let (one, two) = ("run-one".parse().unwrap(), "run-two".parse().unwrap());
    let token = once_as(&one, TaskId(1));
    assert_eq!(token, once_as(&one, TaskId(1)));
    assert_ne!(token, once_as(&one, TaskId(2)));
    assert_ne!(token, once_as(&two, TaskId(1)));
    let lengths: Vec<usize> = token.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
}

#[test]
fn a_call_is_made_again_only_while_aws_knows_its_token() {
    let want = |resource: &str| {
        let request = TaskRequest {
            task: TaskId(1),
            state: "Act".to_owned(),
            resource: resource.parse().unwrap(),
            arguments: serde_json::json!({}),
            credentials_role: None,
            timeout: None,
            heartbeat: None,
            token: None,
            attempt: 0,
        };
        let scope = quell_aws::Scope {
            account: "444455556666".to_owned(),
            region: "us-east-1".to_owned(),
            role: None,
        };
        let work = Work::of(
            &request,
            &quell_model::Caller::new(&"run-one".parse().unwrap(), "PB-008"),
        )
        .unwrap();
        Want::Change(scope, work)
    };
    let since = Timestamp::from_millis(1_700_000_000_000);
    let after = |minutes: i64| since.plus_millis(minutes * 60_000);
    let known = want("arn:aws:states:::aws-sdk:ec2:runInstances");
    assert!(may_be_sent_again(&known, since, after(0)));
    assert!(may_be_sent_again(&known, since, after(60)));
    assert!(!may_be_sent_again(&known, since, after(61)));
    let unknown = want("arn:aws:states:::aws-sdk:ec2:revokeSecurityGroupIngress");
    assert!(!may_be_sent_again(&unknown, since, after(0)));
}
