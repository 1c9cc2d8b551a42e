//! The expressions that are measured.

use std::borrow::Cow;
use std::path::Path;

use quell_states::Moment;
use quell_states::jsonata::{Expression, Scope};
use serde_json::{Map, Value, json};

/// An expression, and what it sees.
pub(crate) struct Case {
    pub(crate) expr: String,
    pub(crate) data: Option<Value>,
    pub(crate) bindings: Map<String, Value>,
}

impl Case {
    pub(crate) fn json(&self) -> Value {
        json!({"expr": self.expr, "data": self.data, "bindings": self.bindings})
    }
}

type Read = Result<Vec<Case>, Box<dyn std::error::Error>>;

/// The expressions of every document of the playbooks. Their variables are what the documents' own assignments give when
/// they are evaluated one after the other, over a security group with three rules that are open to the world.
pub(crate) fn of_playbooks(folder: &Path) -> Read {
    let mut cases = Vec::new();
    for playbook in std::fs::read_dir(folder)? {
        for file in std::fs::read_dir(playbook?.path())? {
            let path = file?.path();
            if path.to_string_lossy().ends_with(".asl.json") {
                let document = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
                cases.extend(of_document(&document));
            }
        }
    }
    Ok(cases)
}

/// Each expression of a document, once.
fn of_document(document: &Value) -> Vec<Case> {
    let (mut found, mut bindings) = (Vec::new(), Map::from_iter([("states".to_owned(), seen())]));
    // Later states assign what earlier ones read in a loop: three rounds bring everything that can be had.
    for _ in 0..3 {
        found.clear();
        gather(document, None, &mut |name, text| {
            if let (Some(name), Some(value)) = (name, evaluated(text, &bindings)) {
                bindings.insert(name.to_owned(), value);
            }
            found.push(text.to_owned());
        });
    }
    found.sort();
    found.dedup();
    found.retain(|text| evaluated(text, &bindings).is_some());
    let case = |expr| Case {
        expr,
        data: None,
        bindings: bindings.clone(),
    };
    found.into_iter().map(case).collect()
}

fn evaluated(text: &str, bindings: &Map<String, Value>) -> Option<Value> {
    let mut scope = Scope::new(Moment::new(1_700_000_000_000, 1));
    scope.bind_all(bindings);
    let expression = Expression::parse(text).ok()?;
    let value = scope.evaluate(&expression).ok()?;
    value.map(Cow::into_owned)
}

/// Every expression; with the name of the variable when it is all that is assigned to one.
fn gather(value: &Value, name: Option<&str>, tell: &mut dyn FnMut(Option<&str>, &str)) {
    match value {
        Value::String(text) => {
            let text = text
                .strip_prefix("{%")
                .and_then(|text| text.strip_suffix("%}"));
            if let Some(text) = text {
                tell(name, text.trim());
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, None, tell)),
        Value::Object(members) => {
            for (key, member) in members {
                match (key.as_str(), member) {
                    ("Assign", Value::Object(assigned)) => {
                        assigned
                            .iter()
                            .for_each(|(name, value)| gather(value, Some(name), tell));
                    }
                    _ => gather(member, None, tell),
                }
            }
        }
        _ => {}
    }
}

/// `$states` as the states of a playbook see it.
fn seen() -> Value {
    let rule = |id: &str, port: u64, cidr: &str| {
        json!({
            "SecurityGroupRuleId": id, "GroupId": "sg-1", "GroupOwnerId": "444455556666", "IsEgress": false,
            "IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIpv4": cidr,
            "Tags": [{"Key": "env", "Value": "prod"}, {"Key": "app", "Value": "web"}],
        })
    };
    let rules: Vec<Value> = (0..12)
        .map(|n| {
            rule(
                &format!("sgr-{n}"),
                20 + n,
                ["0.0.0.0/0", "10.0.0.0/8", "203.0.113.0/24"][n as usize % 3],
            )
        })
        .collect();
    let group = json!({"GroupName": "web", "VpcId": "vpc-1", "OwnerId": "444455556666", "GroupId": "sg-1", "Tags": []});
    json!({
        "input": {
            "resource": {"id": "sg-1", "arn": "arn:aws:ec2:us-east-1:444455556666:security-group/sg-1"},
            "playbook": "PB-008", "queues": {"permit": "quell:permits"},
            "roles": {"read": "arn:aws:iam::444455556666:role/read", "act": "arn:aws:iam::444455556666:role/act"},
            "facts": {"criticalPorts": [22, 23, 3389, 5432], "exposedShare": 0.01, "webPorts": [80, 443]},
        },
        "result": {"SecurityGroups": [group], "SecurityGroupRules": rules, "Entries": []},
        "errorOutput": {"Error": "Ec2.Ec2Exception", "Cause": "no"},
        "context": {"Execution": {"Id": "e", "Name": "e"}, "State": {"Name": "s"}},
    })
}

/// The suite of the reference implementation.
pub(crate) fn of_suite(file: &Path) -> Read {
    let text = std::fs::read_to_string(file)?;
    // A row with half of a pair of surrogates is no JSON here.
    let rows: Vec<Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let case = |row: &Value| Case {
        expr: row["expr"].as_str().unwrap_or_default().to_owned(),
        data: (row["has_data"] == true).then(|| row["data"].clone()),
        bindings: row["bindings"].as_object().cloned().unwrap_or_default(),
    };
    let sound =
        |row: &&Value| row["expected"].get("result").is_some() && row["timelimit"].is_null();
    Ok(rows.iter().filter(sound).map(case).collect())
}

/// Whether two values are the same, numbers by their value.
pub(crate) fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => ours == theirs,
    }
}
