//! Parameters are checked before anything is sent, and every fault is told at once.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use crate::model::{Kind, View};
use crate::scalar::parse_time;

/// Parameters nested deeper than this are refused; no operation of AWS comes near.
const DEPTH_MAX: usize = 64;
/// More faults than this help nobody.
const FAULTS_MAX: usize = 50;

/// One thing that is wrong with the parameters. It names the place and never quotes a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where: `IpPermissions[0].FromPort`.
    pub path: String,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The operation has no such member.
    Unknown {
        /// The member that was perhaps meant.
        nearest: Option<String>,
    },
    /// It must be given.
    Missing,
    /// It is of another type.
    WrongType {
        /// The type that is wanted.
        wanted: Kind,
    },
    /// One member of a union must be given, and no more.
    NotOne,
    /// Nested too deep.
    TooDeep,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.problem {
            Problem::Unknown { nearest: Some(n) } => {
                write!(f, "{path} is not a parameter (did you mean {n}?)")
            }
            Problem::Unknown { nearest: None } => write!(f, "{path} is not a parameter"),
            Problem::Missing => write!(f, "{path} is missing"),
            Problem::WrongType { wanted } => write!(f, "{path} must be {wanted}"),
            Problem::NotOne => write!(f, "{path} must have exactly one member"),
            Problem::TooDeep => write!(f, "{path} is nested too deep"),
        }
    }
}

/// Everything that is wrong with `params` for an operation whose input is `input`; `null_items` says whether the
/// protocol can send `null` within lists and maps.
pub fn faults(input: Option<View<'_>>, params: &Value, null_items: bool) -> Vec<Fault> {
    let mut check = Check {
        faults: Vec::new(),
        null_items,
    };
    match (input, params) {
        (Some(input), params) => check.value(input, params, &mut Vec::new()),
        (None, Value::Object(members)) => {
            for name in members.keys() {
                check.fault(
                    std::slice::from_ref(name),
                    Problem::Unknown { nearest: None },
                );
            }
        }
        (None, Value::Null) => {}
        (None, _) => {
            let wanted = Kind::Structure;
            check.fault(&[], Problem::WrongType { wanted });
        }
    }
    // One order, whatever order the parameters came in.
    check.faults.sort_by(|a, b| a.path.cmp(&b.path));
    check.faults
}

struct Check {
    faults: Vec<Fault>,
    null_items: bool,
}

impl Check {
    fn fault(&mut self, path: &[String], problem: Problem) {
        if self.faults.len() < FAULTS_MAX {
            let joined = path.join(".").replace(".[", "[");
            let path = if joined.is_empty() {
                "the input".to_owned()
            } else {
                joined
            };
            self.faults.push(Fault { path, problem });
        }
    }

    fn value(&mut self, view: View<'_>, value: &Value, path: &mut Vec<String>) {
        if path.len() > DEPTH_MAX {
            return self.fault(path, Problem::TooDeep);
        }
        match (view.kind(), value) {
            (Kind::Structure, _) if view.is_document() => {}
            (Kind::Structure, Value::Object(members)) => self.structure(view, members, path),
            (Kind::List, Value::Array(items)) => {
                for (i, value) in items.iter().enumerate() {
                    self.item(view.item(), value, format!("[{i}]"), path);
                }
            }
            (Kind::Map, Value::Object(entries)) => {
                for (key, value) in entries {
                    self.item(view.value(), value, key.clone(), path);
                }
            }
            (kind, value) if scalar_fits(view, kind, value) => {}
            (wanted, _) => self.fault(path, Problem::WrongType { wanted }),
        }
    }

    fn item(&mut self, view: Option<View<'_>>, value: &Value, key: String, path: &mut Vec<String>) {
        let Some(view) = view else { return };
        if value.is_null() && self.null_items {
            return;
        }
        path.push(key);
        self.value(view, value, path);
        path.pop();
    }

    /// A member that is `null` counts as not given.
    fn structure(
        &mut self,
        view: View<'_>,
        members: &serde_json::Map<String, Value>,
        path: &mut Vec<String>,
    ) {
        for name in view.required() {
            let filled_later = view.member(name).is_some_and(View::is_idempotency_token);
            if members.get(name).is_none_or(Value::is_null) && !filled_later {
                path.push(name.clone());
                self.fault(path, Problem::Missing);
                path.pop();
            }
        }
        for (name, value) in members {
            path.push(name.clone());
            match view.member(name) {
                Some(member) if !value.is_null() => self.value(member, value, path),
                Some(_) => {}
                None => {
                    let nearest = nearest(name, view.members().map(|(name, _)| name));
                    self.fault(path, Problem::Unknown { nearest });
                }
            }
            path.pop();
        }
        if view.is_union() && members.values().filter(|v| !v.is_null()).count() != 1 {
            self.fault(path, Problem::NotOne);
        }
    }
}

fn scalar_fits(view: View<'_>, kind: Kind, value: &Value) -> bool {
    match (kind, value) {
        (Kind::String, Value::String(_)) | (Kind::Boolean, Value::Bool(_)) => true,
        (Kind::String, _) => view.is_json_value(),
        (Kind::Integer, Value::Number(n)) => n.is_i64() || n.is_u64(),
        (Kind::Float, Value::Number(_)) => true,
        (Kind::Float, Value::String(s)) => matches!(s.as_str(), "NaN" | "Infinity" | "-Infinity"),
        (Kind::Timestamp, value) => parse_time(value).is_some(),
        (Kind::Blob, Value::String(text)) => BASE64.decode(text).is_ok(),
        _ => false,
    }
}

/// The candidate that `name` was perhaps meant to be: same letters in another case, or at most a third of them off.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let name = name
        .get(..64.min(name.len()))
        .unwrap_or(name)
        .to_lowercase();
    let (distance, found) = candidates
        .map(|candidate| (distance(&name, &candidate.to_lowercase()), candidate))
        .min()?;
    (distance <= (name.chars().count() / 3).max(1)).then(|| found.to_owned())
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (cell, cb) in row.iter().skip(1).zip(&b) {
            let replaced = diagonal + usize::from(ca != *cb);
            left = replaced.min(left + 1).min(cell + 1);
            diagonal = *cell;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(service: &str, operation: &str, params: &Value) -> Vec<String> {
        let (service, operation) = crate::registry::operation(service, operation).unwrap();
        let input = operation.input.as_ref().map(|i| service.view(i));
        let faults = faults(input, params, false);
        faults.iter().map(Fault::to_string).collect()
    }

    #[test]
    fn all_faults_are_told_at_once_without_values() {
        let params = json!({
            "GroupID": "sg-secret",
            "IpPermissions": [{"FromPort": "22", "IpRanges": {"CidrIp": "0.0.0.0/0"}}],
            "DryRun": "yes",
        });
        assert_eq!(
            told("ec2", "RevokeSecurityGroupIngress", &params),
            [
                "DryRun must be true or false",
                "GroupID is not a parameter (did you mean GroupId?)",
                "IpPermissions[0].FromPort must be an integer",
                "IpPermissions[0].IpRanges must be a list",
            ]
        );
        assert_eq!(
            told("sqs", "SendMessage", &json!({})),
            ["MessageBody is missing", "QueueUrl is missing"]
        );
    }

    #[test]
    fn null_is_as_good_as_absent_and_anything_else_is_an_object() {
        assert!(told("sqs", "ListQueues", &json!({"MaxResults": null})).is_empty());
        assert_eq!(
            told("sqs", "ListQueues", &json!([])),
            ["the input must be an object"]
        );
        assert_eq!(
            told(
                "sqs",
                "SendMessage",
                &json!({"QueueUrl": null, "MessageBody": "m"})
            ),
            ["QueueUrl is missing"]
        );
    }

    #[test]
    fn nearest_is_near() {
        let all = ["GroupId", "GroupName", "IpPermissions"];
        assert_eq!(
            nearest("groupid", all.into_iter()).as_deref(),
            Some("GroupId")
        );
        assert_eq!(nearest("Tenancy", all.into_iter()), None);
    }
}
