//! The objects and lists that item readers read were not recorded; the items
//! that came out of them were. They are written again from those, in their format.

use crate::compare::decoded;
use crate::recording::states;
use quell_states::{Event, Resource, TaskRequest};
use serde_json::{Value, json};

/// Whether a task reads or writes an object for a Map.
pub(crate) fn is_transfer(request: &TaskRequest, document: &Value) -> bool {
    state(&request.state, document).is_some_and(|state| state["Type"] == "Map")
}

fn state<'v>(name: &str, document: &'v Value) -> Option<&'v Value> {
    let mut states = states(document).into_iter();
    states
        .find(|(other, _)| other == name)
        .map(|(_, state)| state)
}

/// S3's answer: nothing to a write, else the list or the object.
pub(crate) fn answer(request: &TaskRequest, document: &Value, recording: &[Value]) -> Event {
    let output = match &request.resource {
        Resource::AwsSdk { action, .. } if action == "putObject" => json!({}),
        Resource::AwsSdk { action, .. } if action == "listObjectsV2" => {
            json!({ "Contents": recorded_items(&request.state, recording) })
        }
        _ => json!({ "Body": body(request, document, recording) }),
    };
    Event::TaskSucceeded {
        task: request.task,
        output,
    }
}

/// The object, with more in it than `MaxItems` lets through.
fn body(request: &TaskRequest, document: &Value, recording: &[Value]) -> String {
    let state = state(&request.state, document);
    let config = state.map(|state| state["ItemReader"]["ReaderConfig"].clone());
    let config = config.unwrap_or_default();
    let mut items = recorded_items(&request.state, recording);
    let cut = ["MaxItems", "MaxItemsPath"]
        .iter()
        .any(|name| config.get(name).is_some());
    if let (true, Some(last)) = (cut && items.len() < 4, items.last().cloned()) {
        items.extend([last.clone(), last]);
    }
    match config["InputType"].as_str() {
        Some("CSV") => csv(&items, &config),
        Some("JSONL") => items.iter().map(|item| format!("{item}\n")).collect(),
        _ => Value::Array(items).to_string(),
    }
}

fn recorded_items(state: &str, recording: &[Value]) -> Vec<Value> {
    let exits = recording
        .iter()
        .map(|event| &event["stateExitedEventDetails"]);
    let exit = exits.into_iter().find(|details| details["name"] == state);
    match exit.map(|details| decoded(&details["output"])) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

fn csv(items: &[Value], config: &Value) -> String {
    let first = items.first().and_then(Value::as_object);
    let names: Vec<&String> = first.into_iter().flat_map(|fields| fields.keys()).collect();
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut rows: Vec<String> = Vec::new();
    if config["CSVHeaderLocation"] == "FIRST_ROW" {
        rows.push(
            names
                .iter()
                .map(|name| quoted(name))
                .collect::<Vec<_>>()
                .join(","),
        );
    }
    for item in items {
        let cells = names
            .iter()
            .map(|name| quoted(item[*name].as_str().unwrap_or_default()));
        rows.push(cells.collect::<Vec<_>>().join(","));
    }
    rows.join("\n")
}
