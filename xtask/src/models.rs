//! Compact service models from botocore's: the operations of `selection.txt`, the shapes they reach, the traits
//! that matter on the wire, and nothing else. Keys keep botocore's spelling, so that one reader reads both.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::{Map, Value};

type Object = Map<String, Value>;
type Result<T> = std::result::Result<T, String>;

const METADATA: &[&str] = &[
    "apiVersion",
    "awsQueryCompatible",
    "endpointPrefix",
    "globalEndpoint",
    "jsonVersion",
    "protocol",
    "protocols",
    "serviceId",
    "signingName",
    "targetPrefix",
    "xmlNamespace",
];
const OPERATION: &[&str] = &["http", "input", "output", "errors", "endpoint", "authtype"];
const HTTP: &[&str] = &["method", "requestUri"];
const SHAPE: &[&str] = &[
    "type",
    "required",
    "flattened",
    "locationName",
    "payload",
    "timestampFormat",
    "xmlNamespace",
    "exception",
    "error",
    "sensitive",
    "union",
    "document",
    "eventstream",
    "location",
    "streaming",
];
const REFERENCE: &[&str] = &[
    "shape",
    "location",
    "locationName",
    "queryName",
    "flattened",
    "xmlNamespace",
    "xmlAttribute",
    "streaming",
    "idempotencyToken",
    "timestampFormat",
    "hostLabel",
    "jsonvalue",
    "payload",
    "resultWrapper",
];
const PAGINATOR: &[&str] = &[
    "input_token",
    "output_token",
    "limit_key",
    "result_key",
    "more_results",
];

/// Writes the models, or with `check` proves that the committed ones are what `botocore` gives.
pub(crate) fn run(botocore: &Path, check: bool) -> Result<()> {
    let folder = models_folder();
    let selection = selection(&read_text(&folder.join("selection.txt"))?)?;
    let source = format!("botocore {}", version(botocore)?);
    let mut stale = Vec::new();
    let mut total = 0;
    for (service, operations) in &selection {
        let compact = compact(botocore, service, operations, &source)?;
        let path = folder.join(format!("{service}.json"));
        total += compact.len();
        println!("{service}: {} bytes", compact.len());
        if !check {
            fs::write(&path, compact).map_err(|e| format!("{}: {e}", path.display()))?;
        } else if fs::read_to_string(&path).ok() != Some(compact) {
            stale.push(service.as_str());
        }
    }
    println!("{total} bytes in all, from {source}");
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!(
        "not what {source} gives: {}; run `cargo xtask models --botocore DIR`",
        stale.join(", ")
    ))
}

fn models_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/aws/models")
}

fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

/// `service: Operation …` lines; several lines of one service add up.
fn selection(text: &str) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut selection: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (service, operations) = line
            .split_once(':')
            .ok_or_else(|| format!("selection.txt: «{line}» has no colon"))?;
        selection
            .entry(service.trim().to_owned())
            .or_default()
            .extend(operations.split_whitespace().map(str::to_owned));
    }
    Ok(selection)
}

fn version(botocore: &Path) -> Result<String> {
    let text = read_text(&botocore.join("__init__.py"))?;
    text.lines()
        .find_map(|line| line.strip_prefix("__version__ = "))
        .map(|quoted| quoted.trim().trim_matches(['\'', '"']).to_owned())
        .ok_or_else(|| "botocore/__init__.py names no version".to_owned())
}

/// A data file of the newest API version of `service`.
fn data(botocore: &Path, service: &str, name: &str) -> Result<Option<Object>> {
    let folder = botocore.join("data").join(service);
    let newest = fs::read_dir(&folder)
        .map_err(|e| format!("{}: {e}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .max()
        .ok_or_else(|| format!("{service} has no API version"))?;
    for (file, packed) in [(format!("{name}.gz"), true), (name.to_owned(), false)] {
        let Ok(bytes) = fs::read(newest.join(&file)) else {
            continue;
        };
        let mut text = String::new();
        let read = if packed {
            GzDecoder::new(bytes.as_slice()).read_to_string(&mut text)
        } else {
            bytes.as_slice().read_to_string(&mut text)
        };
        read.map_err(|e| format!("{service}/{file}: {e}"))?;
        let value = serde_json::from_str(&text).map_err(|e| format!("{service}/{file}: {e}"))?;
        return Ok(Some(value));
    }
    Ok(None)
}

fn compact(
    botocore: &Path,
    service: &str,
    wanted: &BTreeSet<String>,
    source: &str,
) -> Result<String> {
    let model = data(botocore, service, "service-2.json")?
        .ok_or_else(|| format!("{service} has no service-2.json"))?;
    let operations = operations(service, object(&model, "operations"), wanted)?;
    let shapes = shapes(object(&model, "shapes"), &operations)?;
    let paginators = data(botocore, service, "paginators-1.json")?.unwrap_or_default();
    let paginators: Object = object(&paginators, "pagination")
        .iter()
        .filter(|(name, _)| operations.contains_key(*name))
        .map(|(name, paginator)| (name.clone(), keep(paginator, PAGINATOR)))
        .collect();
    let mut metadata = model
        .get("metadata")
        .map_or(Value::Null, |m| keep(m, METADATA));
    // Whether maps keep their order depends on what else is built; the files must not.
    metadata.sort_all_objects();
    let mut text = format!("{{\"source\":{},\n", Value::from(source));
    let _ = write!(text, "\"metadata\":{metadata},\n\"operations\":");
    write_lines(&mut text, &operations);
    text.push_str(",\n\"paginators\":");
    write_lines(&mut text, &paginators);
    text.push_str(",\n\"shapes\":");
    write_lines(&mut text, &shapes);
    text.push_str("}\n");
    Ok(text)
}

/// One entry a line, so that a difference between two versions can be read.
fn write_lines(text: &mut String, entries: &Object) {
    text.push_str("{\n");
    let mut entries = Value::Object(entries.clone());
    entries.sort_all_objects();
    for (i, (name, value)) in entries.as_object().into_iter().flatten().enumerate() {
        let comma = if i == 0 { "" } else { ",\n" };
        let _ = write!(text, "{comma}{}:{value}", Value::from(name.as_str()));
    }
    text.push('}');
}

fn operations(service: &str, all: &Object, wanted: &BTreeSet<String>) -> Result<Object> {
    let everything = wanted.contains("*");
    let missing: Vec<&str> = wanted
        .iter()
        .map(String::as_str)
        .filter(|name| *name != "*" && !all.contains_key(*name))
        .collect();
    if !missing.is_empty() {
        return Err(format!("{service} has no {}", missing.join(", ")));
    }
    let kept = all
        .iter()
        .filter(|(name, _)| everything || wanted.contains(*name));
    Ok(kept
        .map(|(name, operation)| (name.clone(), compact_operation(operation)))
        .collect())
}

fn compact_operation(operation: &Value) -> Value {
    let mut kept = keep(operation, OPERATION);
    if let Some(fields) = kept.as_object_mut() {
        for (name, value) in fields.iter_mut() {
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
    }
    kept
}

/// The shapes that `operations` reach, to the last.
fn shapes(all: &Object, operations: &Object) -> Result<Object> {
    let mut todo = Vec::new();
    for operation in operations.values() {
        for side in ["input", "output"] {
            todo.extend(operation.get(side).and_then(target));
        }
        let errors = operation.get("errors").and_then(Value::as_array);
        todo.extend(errors.into_iter().flatten().filter_map(target));
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
        todo.extend(
            members
                .into_iter()
                .flat_map(Object::values)
                .filter_map(target),
        );
        for side in ["member", "key", "value"] {
            todo.extend(compact.get(side).and_then(target));
        }
        kept.insert(name, compact);
    }
    Ok(kept)
}

fn compact_shape(shape: &Value) -> Value {
    let mut kept = keep(shape, SHAPE);
    let Some(fields) = kept.as_object_mut() else {
        return kept;
    };
    if let Some(members) = shape.get("members").and_then(Value::as_object) {
        let members: Object = members
            .iter()
            .map(|(name, member)| (name.clone(), keep(member, REFERENCE)))
            .collect();
        fields.insert("members".to_owned(), members.into());
    }
    for side in ["member", "key", "value"] {
        if let Some(reference) = shape.get(side) {
            fields.insert(side.to_owned(), keep(reference, REFERENCE));
        }
    }
    kept
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

fn object<'a>(parent: &'a Object, key: &str) -> &'a Object {
    static EMPTY: std::sync::OnceLock<Object> = std::sync::OnceLock::new();
    parent
        .get(key)
        .and_then(Value::as_object)
        .unwrap_or_else(|| EMPTY.get_or_init(Object::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_service_add_up() {
        let read = selection("# why\n\nec2: A B\nsqs: *\nec2: C\n").unwrap();
        let ec2: Vec<&str> = read["ec2"].iter().map(String::as_str).collect();
        assert_eq!(ec2, ["A", "B", "C"]);
        assert!(read["sqs"].contains("*"));
        assert!(selection("ec2 A").is_err());
    }

    #[test]
    fn only_what_is_reached_is_kept_and_documentation_is_not() {
        let all = serde_json::json!({
            "In": {"type": "structure", "documentation": "d", "members": {
                "documentation": {"shape": "Text", "documentation": "d"}}},
            "Text": {"type": "string", "pattern": "x"},
            "Other": {"type": "string"},
        });
        let operations = serde_json::json!({"Op": {"input": {"shape": "In"}}});
        let kept = shapes(all.as_object().unwrap(), operations.as_object().unwrap()).unwrap();
        assert_eq!(
            Value::from(kept),
            serde_json::json!({
                "In": {"type": "structure", "members": {"documentation": {"shape": "Text"}}},
                "Text": {"type": "string"},
            })
        );
    }
}
