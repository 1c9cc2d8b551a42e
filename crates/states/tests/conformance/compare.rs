//! Whether two values are the same, or as alike as a recording can tell.

use serde_json::Value;

/// Equal, with numbers compared closely.
pub(crate) fn same(left: &Value, right: &Value, unordered: bool) -> bool {
    match (left, right) {
        // The reference suite compares numbers closely, not exactly.
        (Value::Number(a), Value::Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a == b || (a - b).abs() <= 1e-12 * a.abs().max(b.abs()),
            _ => false,
        },
        (Value::Array(a), Value::Array(b)) if unordered => {
            a.len() == b.len() && a.iter().all(|x| b.iter().any(|y| same(x, y, false)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(x, y)| same(x, y, false))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(name, x)| b.get(name).is_some_and(|y| same(x, y, false)))
        }
        _ => left == right,
    }
}

/// JSON in a text, or the value itself.
pub(crate) fn decoded(value: &Value) -> Value {
    match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| value.clone()),
        _ => value.clone(),
    }
}

/// Equal but for what a recording cannot keep: times, ARNs, tokens, names.
pub(crate) fn alike(expected: &Value, actual: &Value) -> Result<(), String> {
    let open = |value: &Value| match value {
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
            serde_json::from_str(text).unwrap_or_else(|_| value.clone())
        }
        _ => value.clone(),
    };
    match (&open(expected), &open(actual)) {
        (Value::String(text), _) if is_placeholder(text) => Ok(()),
        (Value::Object(a), Value::Object(b)) => {
            let names = |map: &serde_json::Map<String, Value>| {
                // Who works on an activity is nobody's business here.
                let mut names: Vec<String> = map
                    .keys()
                    .filter(|name| *name != "workerName")
                    .cloned()
                    .collect();
                names.sort();
                names
            };
            if names(a) != names(b) {
                return Err(format!("expected {expected}, got {actual}"));
            }
            a.iter().try_for_each(|(name, x)| match name.as_str() {
                "timestamp" | "roleArn" | "workerName" => Ok(()),
                _ => alike(x, b.get(name).unwrap_or(&Value::Null)),
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).try_for_each(|(x, y)| alike(x, y))
        }
        (a, b) if same(a, b, false) => Ok(()),
        (a, b) => Err(format!("expected {a}, got {b}")),
    }
}

fn is_placeholder(text: &str) -> bool {
    matches!(
        text.trim_matches('"'),
        "date"
            | "timestamp"
            | "datetime"
            | "snf_role_arn"
            | "table-name"
            | "activity_arn"
            | "bucket-name"
            | "file-key"
            | "lambda_function_name"
            | "sqs_queue_url"
            | "RandomNumberGenerated"
            | "map_run_arn"
    ) || text.starts_with("arn:")
        || text.ends_with("EventDetails.output")
        || text.starts_with("function_name_branch")
        || (text.contains('<') && text.contains('>'))
}
