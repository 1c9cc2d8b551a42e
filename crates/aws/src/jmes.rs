//! JMESPath over answers: where the models of paginators and waiters say that something stands.

use serde_json::Value;

use crate::output::{Output, Part};

/// What `answer` has at `path`; `null` when there is nothing.
///
/// # Errors
/// What is wrong with the path.
pub(crate) fn find(path: &str, answer: &Output<'_>) -> Result<Value, String> {
    // Nearly every path is a chain of names, which needs no copy of the whole answer.
    if let Some(pointer) = pointer(path) {
        let found = answer.pointer(&pointer);
        return Ok(found.map(Part::to_json).unwrap_or_default());
    }
    let wrong = |error: jmespath::JmespathError| format!("{path}: {error}");
    let found = jmespath::compile(path).map_err(wrong)?;
    let found = found.search(answer.to_json()).map_err(wrong)?;
    serde_json::to_value(&*found).map_err(|error| format!("{path}: {error}"))
}

/// A chain of names (`DistributionList.Items`) as a JSON pointer.
pub(crate) fn pointer(path: &str) -> Option<String> {
    let is_name = |name: &str| {
        let mut letters = name.bytes();
        let first = letters.next();
        first.is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
            && letters.all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    path.split('.')
        .all(is_name)
        .then(|| format!("/{}", path.replace('.', "/")))
}

/// Whether JMESPath takes a value for false: nothing, false, or empty.
pub(crate) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_indexes_and_alternatives_are_found() {
        let answer =
            json!({"A": {"B": [1, 2]}, "Contents": [{"Key": "k1"}, {"Key": "k2"}], "E": ""});
        let answer = Output::from(&answer);
        for (path, wanted) in [
            ("A.B", json!([1, 2])),
            ("A.None", Value::Null),
            ("NextMarker || Contents[-1].Key", json!("k2")),
            ("E || Contents[0].Key", json!("k1")),
            ("Contents[].Key", json!(["k1", "k2"])),
            ("length(Contents) == `2`", json!(true)),
        ] {
            assert_eq!(find(path, &answer).unwrap(), wanted, "{path}");
        }
        assert!(find("A[", &answer).unwrap_err().starts_with("A[: "));
    }

    #[test]
    fn every_path_of_every_paginator_and_waiter_is_jmespath() {
        let nothing = Output::default();
        let mut paths = 0;
        for name in crate::registry::SERVICES {
            let service = crate::registry::service(name).unwrap();
            for paginator in service.paginators.values() {
                for path in paginator.output_token.iter().chain(&paginator.more_results) {
                    find(path, &nothing).unwrap();
                    paths += 1;
                }
                // Results are taken out of the page where they stand, which only a chain of names says.
                for path in &paginator.result_key {
                    assert!(pointer(path).is_some(), "{name} {path}");
                }
            }
            let acceptors = service.waiters.values().flat_map(|w| &w.acceptors);
            for path in acceptors.filter_map(|a| a.argument.as_ref()) {
                jmespath::compile(path).unwrap();
                paths += 1;
            }
        }
        assert!(paths > 1000, "{paths}");
    }
}
