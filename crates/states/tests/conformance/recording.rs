//! `states-aws-recorded.jsonl`: what its rows have in common.

use crate::rows;
use serde_json::{Value, json};

/// The rows of one kind.
pub(crate) fn kind(kind: &str) -> Vec<Value> {
    let mut rows = rows("states-aws-recorded.jsonl");
    rows.retain(|row| row["kind"] == kind);
    rows
}

/// The recording replaced what its test created by a note of how.
pub(crate) fn fill_in_resources(document: &mut Value) {
    match document {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                if name == "Resource" && value.as_str().is_some_and(is_note) {
                    *value = match value.as_str().is_some_and(|text| text.contains("activity")) {
                        true => json!("arn:aws:states:us-east-1:111111111111:activity:a"),
                        false => json!("arn:aws:lambda:us-east-1:111111111111:function:f"),
                    };
                } else {
                    fill_in_resources(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(fill_in_resources),
        _ => {}
    }
}

fn is_note(resource: &str) -> bool {
    resource.starts_with('{') || resource.contains("your-account-id")
}

/// Every state of a document, nested ones too, with its name.
pub(crate) fn states(document: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    gather(document, &mut found);
    found
}

fn gather<'v>(value: &'v Value, found: &mut Vec<(String, &'v Value)>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if name == "States"
                    && let Value::Object(states) = field
                {
                    found.extend(states.iter().map(|(name, state)| (name.clone(), state)));
                }
                gather(field, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, found)),
        _ => {}
    }
}
