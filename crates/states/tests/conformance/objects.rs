//! The objects that item readers read were not recorded; the items that came
//! out of them were. The object is written again from those, in its format.

use crate::compare::decoded;
use crate::recording::states;
use quell_states::{Event, TaskRequest};
use serde_json::{Value, json};

/// Whether a task reads an object for a Map.
pub(crate) fn is_read(request: &TaskRequest, document: &Value) -> bool {
    state(&request.state, document).is_some_and(|state| state["Type"] == "Map")
}

fn state<'v>(name: &str, document: &'v Value) -> Option<&'v Value> {
    let mut states = states(document).into_iter();
    states
        .find(|(other, _)| other == name)
        .map(|(_, state)| state)
}

/// The object, with more in it than `MaxItems` lets through.
pub(crate) fn answer(request: &TaskRequest, document: &Value, recording: &[Value]) -> Event {
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
    let body = match config["InputType"].as_str() {
        Some("CSV") => csv(&items, &config),
        Some("JSONL") => items.iter().map(|item| format!("{item}\n")).collect(),
        _ => Value::Array(items).to_string(),
    };
    Event::TaskSucceeded {
        task: request.task,
        output: json!({ "Body": body }),
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
