//! The scripted cases of a playbook: what is there, and what must come of it.

use quell_guard::Family;
use quell_model::{Call, Resource};
use quell_respond::{Playbook, Roles, Run, run};
use serde::Deserialize;
use serde_json::{Value, json};

use super::playbooks;

/// One file of a playbook's `tests` folder.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// What is there, by service.
    pub world: Value,
    /// What the run is about, when it is not the usual one of the playbook's type.
    #[serde(default)]
    resource: Option<Resource>,
    /// What the run is given beyond the playbook's own facts, merged into its input.
    #[serde(default)]
    input: Value,
    /// Whether the account is one of production.
    #[serde(default)]
    pub production: bool,
    /// Whether somebody else is faster once, so that AWS refuses a call and another plan is made. What is planted on that call happens
    /// before the plan that counts: the laws say nothing of it.
    #[serde(default)]
    pub raced: bool,
    /// Whether the people who are asked say yes.
    #[serde(default = "yes")]
    pub people_agree: bool,
    /// What must come of it.
    pub expect: Expect,
}

fn yes() -> bool {
    true
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The outcome, or the error that the document ends with.
    pub outcome: String,
    /// The changing calls, in order: `service:Operation`, or `{"service:Operation": {…}}` with arguments that must be so.
    pub calls: Vec<Value>,
    /// Whether a person is asked.
    #[serde(default)]
    pub asks: Option<bool>,
}

/// The cases of a playbook, in order, with the files that they are in.
pub fn cases(id: &str) -> Vec<(String, Case)> {
    let entries = std::fs::read_dir(playbooks().join(id).join("tests"));
    let entries = entries.unwrap_or_else(|e| panic!("{id} has no cases: {e}"));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        let name = format!("{id}/tests/{name}");
        let text = std::fs::read_to_string(path).unwrap();
        let case = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        (name, case)
    };
    paths.iter().map(read).collect()
}

const ACCOUNT: &str = "444455556666";
const REGION: &str = "us-east-1";

/// The account that manages the organisation.
pub const MANAGEMENT: &str = "100020003000";

/// The usual resource of a type.
fn usual(kind: &str) -> Resource {
    let (arn, id) = match kind {
        "AWS::EC2::SecurityGroup" => (
            "arn:aws:ec2:us-east-1:444455556666:security-group/sg-0a1b2c3d4e5f60718",
            "sg-0a1b2c3d4e5f60718",
        ),
        "AWS::EC2::Instance" => (
            "arn:aws:ec2:us-east-1:444455556666:instance/i-0a1b2c3d4e5f60718",
            "i-0a1b2c3d4e5f60718",
        ),
        "AWS::EC2::Snapshot" => (
            "arn:aws:ec2:us-east-1::snapshot/snap-0a1b2c3d4e5f60718",
            "snap-0a1b2c3d4e5f60718",
        ),
        "AWS::IAM::User" => ("arn:aws:iam::444455556666:user/eve", "eve"),
        "AWS::IAM::Role" => ("arn:aws:iam::444455556666:role/app", "app"),
        "AWS::CloudTrail::Trail" => (
            "arn:aws:cloudtrail:us-east-1:444455556666:trail/main",
            "main",
        ),
        "AWS::::Account" => ("arn:aws:iam::444455556666:root", ACCOUNT),
        "AWS::Lambda::Function" => (
            "arn:aws:lambda:us-east-1:444455556666:function:resize",
            "resize",
        ),
        "AWS::S3::Bucket" => ("arn:aws:s3:::shop-data", "shop-data"),
        other => panic!("the case has to say which {other} it is about: \"resource\": {{…}}"),
    };
    Resource::new(arn.parse().unwrap(), kind, id)
}

impl Case {
    /// What the run is about.
    pub fn resource(&self, playbook: &Playbook) -> Resource {
        let usual = || usual(&playbook.resource_types[0]);
        let resource = self.resource.clone().unwrap_or_else(usual);
        resource.told_to_be_in(ACCOUNT, REGION)
    }

    /// A run on it that has not begun; `undo` for one that takes back what is recorded there.
    pub fn run(&self, playbook: &Playbook, undo: Option<&Value>) -> Run {
        let mode = if undo.is_some() { "undo" } else { "respond" };
        let mut run: Run = serde_json::from_value(json!({
            "id": RUN, "playbook": playbook.id, "playbookVersion": playbook.version,
            "playbookDigest": playbook.digest, "mode": mode, "incident": "inc-20261121-0a1b2c3d",
            "resource": self.resource(playbook), "status": "running", "coversFindings": 1, "timeline": [],
        }))
        .unwrap();
        run.undo = undo.cloned();
        run.told.incident =
            json!({"id": run.incident, "severity": "HIGH", "category": playbook.category});
        run.told.hints = json!({"actors": [], "findings": [], "since": "2026-11-21T10:00:00.000Z"});
        run
    }

    /// What a run's document is given.
    pub fn input(&self, playbook: &Playbook, run: &Run) -> Value {
        let mut input = run::input(run, &playbook.facts, &roles(), &[ACCOUNT]);
        merge(&mut input, &self.input);
        input
    }
}

/// The id of every run here.
pub const RUN: &str = "run-20261121-0a1b2c3d4e5f";

/// The roles that tasks are made as.
pub fn roles() -> Roles {
    let acting = |family: Family| (family, format!("role/{}", family.key()));
    Roles {
        read: "role/read".to_owned(),
        read_organization: Some("role/read-organization".to_owned()),
        act: Family::ALL.map(acting).into_iter().collect(),
    }
}

fn merge(into: &mut Value, more: &Value) {
    match (into, more) {
        (_, Value::Null) => {}
        (Value::Object(into), Value::Object(more)) => {
            for (key, value) in more {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more.clone(),
    }
}

/// Whether the changing calls that were made are those that a case expects.
pub fn assert_calls(name: &str, made: &[Call], expected: &[Value]) {
    let called = |call: &Call| format!("{}:{}", call.service, call.operation);
    let names: Vec<String> = made.iter().map(called).collect();
    let wanted = expected.iter().map(|call| match call {
        Value::String(name) => name.clone(),
        Value::Object(one) => one.keys().next().unwrap().clone(),
        other => panic!("{name}: {other} is no call"),
    });
    assert_eq!(names, wanted.collect::<Vec<_>>(), "{name}");
    for (call, wanted) in made.iter().zip(expected) {
        let arguments = wanted.as_object().and_then(|one| one.values().next());
        for (argument, value) in arguments.and_then(Value::as_object).into_iter().flatten() {
            assert_eq!(
                call.params[argument],
                *value,
                "{name}: {argument} of {}",
                called(call)
            );
        }
    }
}
