//! One service's documents as one: the shapes that its operations reach, the traits that matter on the wire, for
//! checks and for printing, and nothing else. Keys keep botocore's spelling, so that one reader reads both.

use std::fmt::Write as _;

use serde_json::Value;

use super::wheel::Wheel;
use super::{Object, Result, object};

const METADATA: &[&str] = &[
    "apiVersion",
    "auth",
    "awsQueryCompatible",
    "endpointPrefix",
    "globalEndpoint",
    "jsonVersion",
    "protocol",
    "protocols",
    "serviceId",
    "signatureVersion",
    "signingName",
    "targetPrefix",
    "xmlNamespace",
];
const OPERATION: &[&str] = &[
    "auth",
    "authtype",
    "endpoint",
    "errors",
    "http",
    "httpChecksum",
    "httpChecksumRequired",
    "input",
    "operationContextParams",
    "output",
    "requestcompression",
    "staticContextParams",
    "unsignedPayload",
];
const HTTP: &[&str] = &["method", "requestUri"];
const SHAPE: &[&str] = &[
    "document",
    "error",
    "event",
    "eventstream",
    "exception",
    "flattened",
    "location",
    "locationName",
    "max",
    "min",
    "payload",
    "required",
    "retryable",
    "sensitive",
    "streaming",
    "timestampFormat",
    "type",
    "union",
    "xmlNamespace",
];
const REFERENCE: &[&str] = &[
    "contextParam",
    "eventheader",
    "eventpayload",
    "flattened",
    "hostLabel",
    "idempotencyToken",
    "jsonvalue",
    "location",
    "locationName",
    "payload",
    "queryName",
    "resultWrapper",
    "shape",
    "streaming",
    "timestampFormat",
    "xmlAttribute",
    "xmlNamespace",
];
const PAGINATOR: &[&str] = &[
    "input_token",
    "limit_key",
    "more_results",
    "output_token",
    "result_key",
];
const WAITER: &[&str] = &["acceptors", "delay", "maxAttempts", "operation"];

/// The compact model of `service`: JSON, always the same for the same wheel.
pub(super) fn compact(wheel: &Wheel<'_>, service: &str) -> Result<String> {
    let model = wheel
        .document(service, "service-2")?
        .ok_or_else(|| format!("{service} has no service-2.json"))?;
    let operations: Object = entries(&model, "operations", compact_operation);
    let shapes = shapes(object(&model, "shapes"), &operations)?;
    let section = |file: &str, key: &str, kept: &[&str]| -> Result<Object> {
        let document = wheel.document(service, file)?.unwrap_or_default();
        Ok(entries(&document, key, |entry| keep(entry, kept)))
    };
    let rules = wheel.document(service, "endpoint-rule-set-1")?;
    let rules = rules.map_or(Value::Null, without_documentation);
    let metadata = model.get("metadata").map(|m| keep(m, METADATA));

    let mut text = format!("{{\"source\":{}", Value::from(wheel.source.as_str()));
    write_entry(&mut text, "metadata", metadata.unwrap_or_default());
    let settings = entries(&model, "clientContextParams", |p| keep(p, &["type"]));
    write_entry(&mut text, "clientContextParams", settings.into());
    write_lines(&mut text, "operations", operations);
    write_lines(
        &mut text,
        "paginators",
        section("paginators-1", "pagination", PAGINATOR)?,
    );
    write_lines(
        &mut text,
        "waiters",
        section("waiters-2", "waiters", WAITER)?,
    );
    write_entry(&mut text, "endpointRuleSet", rules);
    write_lines(&mut text, "shapes", shapes);
    text.push_str("}\n");
    Ok(text)
}

/// A member of the model. Whether maps keep their order depends on what else is built; the files must not.
fn write_entry(text: &mut String, name: &str, mut value: Value) {
    value.sort_all_objects();
    let _ = write!(text, ",\n\"{name}\":{value}");
}

/// A member with one entry a line, so that a difference between two versions can be read.
fn write_lines(text: &mut String, name: &str, entries: Object) {
    let _ = write!(text, ",\n\"{name}\":{{");
    let mut entries = Value::Object(entries);
    entries.sort_all_objects();
    for (i, (name, value)) in entries.as_object().into_iter().flatten().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        let _ = write!(text, "{comma}\n{}:{value}", Value::from(name.as_str()));
    }
    text.push('}');
}

fn entries(parent: &Object, key: &str, compact: impl Fn(&Value) -> Value) -> Object {
    object(parent, key)
        .iter()
        .map(|(name, entry)| (name.clone(), compact(entry)))
        .collect()
}

fn compact_operation(operation: &Value) -> Value {
    let mut kept = keep(operation, OPERATION);
    for (name, value) in kept.as_object_mut().into_iter().flatten() {
        match (name.as_str(), value) {
            ("http", value) => *value = keep(value, HTTP),
            ("input" | "output", value) => *value = keep(value, REFERENCE),
            ("errors", Value::Array(errors)) => {
                for error in errors {
                    *error = keep(error, &["shape"]);
                }
            }
            _ => {}
        }
    }
    kept
}

/// The shapes that `operations` reach, to the last, and every error: any operation may answer with it.
fn shapes(all: &Object, operations: &Object) -> Result<Object> {
    let is_error = |shape: &Value| shape.get("exception") == Some(&Value::Bool(true));
    let errors = all.iter().filter(|(_, shape)| is_error(shape));
    let mut todo: Vec<String> = errors.map(|(name, _)| name.clone()).collect();
    for operation in operations.values() {
        for side in ["input", "output"] {
            todo.extend(operation.get(side).and_then(target));
        }
    }
    let mut kept = Object::new();
    while let Some(name) = todo.pop() {
        if kept.contains_key(&name) {
            continue;
        }
        let shape = all
            .get(&name)
            .ok_or_else(|| format!("there is no shape {name}"))?;
        let compact = compact_shape(shape);
        let members = compact.get("members").and_then(Value::as_object);
        let members = members.into_iter().flat_map(Object::values);
        todo.extend(members.filter_map(target));
        for side in ["member", "key", "value"] {
            todo.extend(compact.get(side).and_then(target));
        }
        kept.insert(name, compact);
    }
    Ok(kept)
}

fn compact_shape(shape: &Value) -> Value {
    let mut kept = keep(shape, SHAPE);
    let (Some(fields), Some(shape)) = (kept.as_object_mut(), shape.as_object()) else {
        return kept;
    };
    if shape.contains_key("members") {
        let members = entries(shape, "members", |member| keep(member, REFERENCE));
        fields.insert("members".to_owned(), members.into());
    }
    for side in ["member", "key", "value"] {
        if let Some(reference) = shape.get(side) {
            fields.insert(side.to_owned(), keep(reference, REFERENCE));
        }
    }
    kept
}

/// The rule set as it is, but for what its parameters say of themselves.
fn without_documentation(mut rules: Object) -> Value {
    let parameters = rules.get_mut("parameters").and_then(Value::as_object_mut);
    for (_, parameter) in parameters.into_iter().flatten() {
        if let Some(fields) = parameter.as_object_mut() {
            fields.remove("documentation");
        }
    }
    rules.into()
}

fn target(reference: &Value) -> Option<String> {
    Some(reference.get("shape")?.as_str()?.to_owned())
}

fn keep(value: &Value, keys: &[&str]) -> Value {
    let fields = value.as_object().into_iter().flatten();
    let kept: Object = fields
        .filter(|(name, _)| keys.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    kept.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_reached_is_kept_and_documentation_is_not() {
        let all = serde_json::json!({
            "In": {"type": "structure", "documentation": "d", "members": {
                "documentation": {"shape": "Text", "documentation": "d"}}},
            "Text": {"type": "string", "pattern": "x", "min": 1},
            "Other": {"type": "string"},
            "Denied": {"type": "structure", "members": {}, "exception": true},
        });
        let operations = serde_json::json!({"Op": {"input": {"shape": "In"}}});
        let kept = shapes(all.as_object().unwrap(), operations.as_object().unwrap()).unwrap();
        assert_eq!(
            Value::from(kept),
            serde_json::json!({
                "In": {"type": "structure", "members": {"documentation": {"shape": "Text"}}},
                "Text": {"type": "string", "min": 1},
                "Denied": {"type": "structure", "members": {}, "exception": true},
            })
        );
    }

    #[test]
    fn rules_lose_their_documentation_only() {
        let rules = serde_json::json!({
            "parameters": {"Region": {"documentation": "d", "type": "string"}},
            "rules": [{"documentation": "kept"}],
        });
        assert_eq!(
            without_documentation(rules.as_object().unwrap().clone()),
            serde_json::json!({
                "parameters": {"Region": {"type": "string"}},
                "rules": [{"documentation": "kept"}],
            })
        );
    }
}
