//! Against moto: every operation that the playbooks and the inventory use, changing ones too. These are here and not
//! in `tests/` because a changing call needs a permit, which no test can make: the engine is called below the
//! sessions. What is called with what, and what comes of it, is in `tests/moto/operations.json`; the expectations are
//! what boto3 makes of moto's answers to the same calls.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use crate::execute::{Job, Safety};
use crate::wire_tests::range;
use crate::{AwsError, Client, registry};

/// A call, and what comes of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    service: String,
    operation: String,
    /// `${name}` stands for what the seed calls so.
    params: Value,
    /// It is answered, and these members have a value.
    gives: Option<Vec<String>>,
    /// It is refused with this code.
    error: Option<String>,
    /// Moto has no such operation.
    #[serde(default)]
    missing: bool,
}

impl Row {
    fn name(&self) -> String {
        format!("{} {}", self.service, self.operation)
    }
}

fn rows() -> Vec<Row> {
    serde_json::from_str(include_str!("../tests/moto/operations.json")).unwrap()
}

/// Puts one of everything into moto; its names.
fn seed(url: &str) -> BTreeMap<String, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/moto/seed.py");
    let done = Command::new(range::python().unwrap())
        .arg("-B")
        .args([script.as_os_str(), url.as_ref()])
        .env("PYTHONUTF8", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    serde_json::from_slice(&done.stdout).unwrap()
}

fn fill(value: &Value, names: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => {
            let mut text = text.clone();
            for (name, value) in names {
                text = text.replace(&format!("${{{name}}}"), value);
            }
            assert!(!text.contains("${"), "the seed has no {text}");
            text.into()
        }
        Value::Array(items) => items.iter().map(|item| fill(item, names)).collect(),
        Value::Object(members) => {
            let filled = members
                .iter()
                .map(|(name, value)| (name.clone(), fill(value, names)));
            Value::Object(filled.collect())
        }
        other => other.clone(),
    }
}

/// What is wrong with what came of a call; nothing when it is as the row says.
fn difference(row: &Row, came: &Result<crate::Response, AwsError>) -> Option<String> {
    match (came, &row.gives, &row.error) {
        (Ok(answer), Some(gives), _) => {
            let has = |name: &&String| {
                answer
                    .value
                    .get(name.as_str())
                    .is_none_or(|part| part.is_null())
            };
            let without: Vec<&String> = gives.iter().filter(has).collect();
            (!without.is_empty()).then(|| format!("the answer is without {without:?}"))
        }
        (Ok(_), _, _) if row.missing => Some("moto has it now: say what it gives".to_owned()),
        (Ok(_), ..) => Some("it was answered".to_owned()),
        (Err(error), _, Some(code)) => {
            (error.code() != Some(code)).then(|| format!("another error: {error}"))
        }
        (Err(AwsError::Service(error)), ..) if row.missing => {
            let is_so = matches!(error.status, 404 | 500 | 501);
            (!is_so).then(|| format!("moto has it now, and says: {error}"))
        }
        (Err(error), ..) => Some(error.to_string()),
    }
}

#[tokio::test]
async fn every_operation_that_playbooks_and_inventory_use_is_called() {
    let Some(moto) = range::Moto::start() else {
        return;
    };
    let names = seed(&moto.url);
    let client = Client::new(range::config(&moto.url)).unwrap();
    let mut differences = Vec::new();
    let (mut answered, mut refused, mut missing) = (0, 0, 0);
    for row in rows() {
        let job = Job {
            service: &row.service,
            operation: &row.operation,
            params: &fill(&row.params, &names),
            region: "us-east-1",
            role: None,
            // So it is asked once, whatever comes of it.
            safety: Safety::Once,
            deadline: None,
            idempotency_token: None,
        };
        let came = client.inner.call(&job).await;
        if let Some(what) = difference(&row, &came) {
            differences.push(format!("{}: {what}", row.name()));
        }
        match (&came, row.missing) {
            (_, true) => missing += 1,
            (Ok(_), _) => answered += 1,
            (Err(_), _) => refused += 1,
        }
    }
    eprintln!(
        "{answered} answered, {refused} refused with the modelled error, {missing} that moto does not have"
    );
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_table_says_one_thing_of_each_operation() {
    let mut seen = BTreeSet::new();
    for row in rows() {
        registry::operation(&row.service, &row.operation).unwrap();
        let said = [row.gives.is_some(), row.error.is_some(), row.missing];
        assert_eq!(
            said.iter().filter(|said| **said).count(),
            1,
            "{}",
            row.name()
        );
        assert!(seen.insert(row.name()), "{} is there twice", row.name());
    }
}

/// What the Task states of a document are, at any depth.
fn resources(document: &Value) -> Vec<&str> {
    match document {
        Value::Object(members) => {
            let is_task = members.get("Type").and_then(Value::as_str) == Some("Task");
            let own = members.get("Resource").and_then(Value::as_str);
            let inner = members.values().flat_map(resources);
            own.filter(|_| is_task).into_iter().chain(inner).collect()
        }
        Value::Array(items) => items.iter().flat_map(resources).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_task_of_every_playbook_is_in_the_table() {
    let called: BTreeSet<String> = rows().iter().map(Row::name).collect();
    let playbooks = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content/playbooks");
    let mut tasks = 0;
    for playbook in std::fs::read_dir(playbooks).unwrap() {
        for document in ["respond.asl.json", "undo.asl.json"] {
            let text = std::fs::read_to_string(playbook.as_ref().unwrap().path().join(document));
            let document: Value = serde_json::from_str(&text.unwrap()).unwrap();
            for task in resources(&document) {
                let Some((_, task)) = task.split_once("aws-sdk:") else {
                    continue;
                };
                let (service, action) = task.split_once(':').unwrap();
                let (first, rest) = action.split_at(1);
                let operation = first.to_uppercase() + rest;
                let name = format!("{} {operation}", crate::names::sdk_service(service));
                assert!(called.contains(&name), "{name} is not in operations.json");
                tasks += 1;
            }
        }
    }
    assert!(tasks > 0);
}
