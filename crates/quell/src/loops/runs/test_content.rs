//! Playbooks for tests, and an installation that has them. Their plans revoke a rule that nobody has, so the guard can
//! prove them without AWS, and tell others besides; what is told is what a test is about.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use quell_guard::Level;
use quell_guard::rights::action;
use quell_model::{Resource, RunId};
use quell_respond::Run;
use quell_store::{Batch, Kind};
use serde_json::{Value, json};

use crate::app::App;
use crate::begin;
use crate::config::{Account, Config, Secret};
use crate::loops::Tasks;

/// Moto's own.
pub(super) const ACCOUNT: &str = "123456789012";

pub(super) fn resource() -> Resource {
    Resource::security_group("aws", "us-east-1", ACCOUNT, "sg-1")
}

/// A document with these states, the first of them first.
pub(super) fn document(start: &str, states: Value) -> Value {
    json!({"QueryLanguage": "JSONata", "StartAt": start, "States": states})
}

/// A state that asks for a permit for a plan with this call, and goes on to `next`.
pub(super) fn gate(playbook: &str, call: &Value, next: &str) -> Value {
    let rule = json!({"SecurityGroupRuleId": "sgr-1", "GroupId": "sg-1", "IsEgress": false, "IpProtocol": "tcp",
        "FromPort": 22, "ToPort": 22, "CidrIpv4": "0.0.0.0/0"});
    let permission = json!({"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]});
    let revoke = json!({
        "resource": "arn:aws:states:::aws-sdk:ec2:revokeSecurityGroupIngress",
        "arguments": {"GroupId": "sg-1", "SecurityGroupRuleIds": ["sgr-1"]}, "class": "R1",
        "undo": [{"resource": "arn:aws:states:::aws-sdk:ec2:authorizeSecurityGroupIngress",
            "arguments": {"GroupId": "sg-1", "IpPermissions": [permission]}}],
    });
    let told = json!({"resource": call["resource"], "arguments": call["arguments"], "class": "R3"});
    let plan = json!({
        "playbook": playbook, "resource": resource().arn.to_string(), "summary": "s", "calls": [revoke, told],
        "before": {"securityGroupRules": [rule]}, "after": {"securityGroupRules": []},
        "facts": {"groupName": "web", "isDefault": false, "attachments": [], "attachmentCount": 0, "wideRange": false},
    });
    json!({"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "TimeoutSeconds": 60,
        "Arguments": {"QueueUrl": "quell:permits", "MessageBody": {"plan": plan}}, "Next": next})
}

/// A state that makes the call.
pub(super) fn task(call: &Value, more: Value) -> Value {
    let mut state = json!({"Type": "Task", "Resource": call["resource"], "Arguments": call["arguments"],
        "TimeoutSeconds": 60, "End": true});
    let more = more.as_object().unwrap().clone();
    state.as_object_mut().unwrap().extend(more);
    state
}

/// A document that asks for a permit for a call and makes it; the call's result is its output.
pub(super) fn telling(playbook: &str, call: &Value, more: Value) -> Value {
    let states = json!({"Gate": gate(playbook, call, "Tell"), "Tell": task(call, more)});
    document("Gate", states)
}

/// Writes a playbook into the content folder. `steps`: state, service, operation.
pub(super) fn write(content: &Path, id: &str, respond: &Value, steps: &[(&str, &str, &str)]) {
    let folder = content.join("playbooks").join(id);
    std::fs::create_dir_all(&folder).unwrap();
    let facts = "[facts]\ncriticalPorts = [22]\nexposedShare = 0.05\nmaxAttachments = 20\n";
    let revoke = ("-", "ec2", "RevokeSecurityGroupIngress");
    let steps = || steps.iter().copied().chain([revoke]);
    let mut act: Vec<String> = steps()
        .map(|(_, service, operation)| action(service, operation))
        .collect();
    act.sort();
    act.dedup();
    let mut toml = format!(
        "id = \"{id}\"\nname = \"n\"\nversion = \"1.0.0\"\nsummary = \"s\"\ncategory = \"c\"\n\
         resource_types = [\"AWS::EC2::SecurityGroup\"]\nbegins_from = \"LOW\"\nresponse_target_seconds = 1\n\
         [level]\nproduction = \"auto\"\nnon_production = \"auto\"\n[iam]\nread = []\nact = {act:?}\n{facts}"
    );
    for (state, service, operation) in steps() {
        toml += &format!(
            "[[steps]]\ndocument = \"respond\"\nstate = \"{state}\"\nclass = \"R3\"\n\
             service = \"{service}\"\noperation = \"{operation}\"\n"
        );
    }
    let policies = content.join("policies");
    std::fs::create_dir_all(&policies).unwrap();
    let declared = include_str!("../../../../../content/policies/declared.cedar");
    std::fs::write(policies.join("declared.cedar"), declared).unwrap();
    let undo = document("Done", json!({"Done": {"Type": "Succeed"}}));
    std::fs::write(folder.join("playbook.toml"), toml).unwrap();
    std::fs::write(folder.join("respond.asl.json"), respond.to_string()).unwrap();
    std::fs::write(folder.join("undo.asl.json"), undo.to_string()).unwrap();
}

/// An installation without AWS, with the content of `folder/content`, which is right.
pub(super) async fn app(folder: &Path, set: impl FnOnce(&mut Config)) -> Arc<App> {
    let app = open(folder, set).await;
    let faults: Vec<String> = app.content.faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults, Vec::<String>::new());
    app
}

/// The same, whatever is wrong with the content.
pub(super) async fn open(folder: &Path, set: impl FnOnce(&mut Config)) -> Arc<App> {
    let mut config = Config {
        data: folder.join("data"),
        content: Some(folder.join("content")),
        accounts: vec![Account {
            id: ACCOUNT.to_owned(),
            name: String::new(),
            environment: "test".to_owned(),
            ou: None,
            read_role: "R".to_owned(),
            act_role_prefix: "A-".to_owned(),
        }],
        ..Config::default()
    };
    config.respond.level_max = Level::Auto;
    config.respond.promotion.required = false;
    // Whatever the environment of the test holds: no AWS.
    let none = Some(Secret::reference("env:QUELL_TEST_HAS_NONE"));
    config.aws.access_key_id = none.clone();
    config.aws.secret_access_key = none;
    set(&mut config);
    let app = App::open(config).await.unwrap();
    app.claims.join().await.unwrap();
    app
}

/// The loop that carries all runs, as in the server.
pub(super) fn serve(app: &Arc<App>) -> Tasks {
    let tasks = Tasks::new(app.stop.clone());
    let claims = app.claims.clone();
    tasks.start("claims", async move { claims.keep().await });
    tasks.start("runs", super::run(app.clone(), tasks.clone()));
    tasks
}

/// Stores a run of a playbook, to be begun.
pub(super) async fn store(app: &App, playbook: &str) -> RunId {
    let run = begin::imagined(
        &app.content.playbooks[playbook],
        resource(),
        app.clock.now(),
    );
    let mut batch = Batch::new();
    for write in begin::writes(&run).unwrap() {
        batch.push(write);
    }
    app.state.commit(batch).await.unwrap();
    run.id
}

/// A run as it is stored.
pub(super) async fn run(app: &App, id: &RunId) -> Run {
    let stored = app.state.get(Kind::Run, id.as_str()).await.unwrap();
    stored.unwrap().read().unwrap()
}

/// All runs but the one.
pub(super) async fn others(app: &App, id: &RunId) -> Vec<Run> {
    let runs: Vec<Run> = app.newest(Kind::Run, None, 100).await.unwrap();
    runs.into_iter().filter(|run| run.id != *id).collect()
}

/// Waits until it is so.
pub(super) async fn until<T>(what: &str, mut seen: impl AsyncFnMut() -> Option<T>) -> T {
    let looked = async {
        loop {
            if let Some(seen) = seen().await {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let looked = tokio::time::timeout(Duration::from_secs(60), looked).await;
    looked.unwrap_or_else(|_| panic!("it did not happen: {what}"))
}
