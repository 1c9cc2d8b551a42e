//! The whole document: its states by name.

use super::fields::{Fields, Language, state_name_fault};
use super::{graph, json, names};
use crate::diagnostic::{DiagnosticCode, Faults};
use crate::limits;
use crate::states::State;
use serde_json::Value;
use std::collections::BTreeMap;

/// A document that was read without an error.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) start_at: String,
    pub(crate) timeout_seconds: Option<u64>,
    pub(crate) states: BTreeMap<String, State>,
}

/// Reads a document; without an error in `faults`, there is a machine.
pub(crate) fn read(text: &str, faults: &mut Faults) -> Option<Machine> {
    if text.len() > limits::DOCUMENT_BYTES_MAX {
        faults.schema("/", "The definition is larger than 1 MiB");
        return None;
    }
    if text.trim().is_empty() {
        faults.schema("/", "Definition must be a valid JSON object");
        return None;
    }
    let parsed = match json::parse(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            let place = format!("line: {}, column: {}", error.line(), error.column());
            faults.error(
                DiagnosticCode::InvalidJsonDescription,
                place,
                error.to_string(),
            );
            return None;
        }
    };
    for place in &parsed.repeated {
        note_repeated(place, faults);
    }
    names::check(&parsed.value, faults);
    let top = match &parsed.value {
        Value::Object(_) => Fields::of(&parsed.value, "", faults)?,
        _ => {
            faults.schema("/", "Definition must be a valid JSON object");
            return None;
        }
    };
    read_top(top, faults)
}

fn note_repeated(place: &str, faults: &mut Faults) {
    let mut parts = place.split('/').skip(1);
    if (parts.next(), parts.next().is_some(), parts.next()) == (Some("States"), true, None) {
        faults.error(
            DiagnosticCode::DuplicateStateName,
            place,
            "The state name appears more than once",
        );
    } else {
        faults.schema(place, "The field appears more than once");
    }
}

fn read_top(top: Fields<'_>, faults: &mut Faults) -> Option<Machine> {
    top.text("Comment", faults);
    top.text("Version", faults);
    let language = read_language(&top, faults);
    let timeout_seconds = top.integer("TimeoutSeconds", 1, limits::SECONDS_MAX, faults);
    let top = top.within_document(language);
    let group = read_group(&top, faults);
    top.finish(faults);
    Some(Machine {
        timeout_seconds,
        ..group?
    })
}

/// Reads `StartAt` and `States`: of the document, of a branch, or of what a Map
/// does with each item.
pub(crate) fn read_group(fields: &Fields<'_>, faults: &mut Faults) -> Option<Machine> {
    fields.require(&["States", "StartAt"], faults);
    let start_at = fields.text("StartAt", faults).map(str::to_owned);
    let states = fields
        .value("States")
        .map(|states| read_states(fields, states, faults));
    let (start_at, (states, edges)) = (start_at?, states?);
    graph::check(&start_at, &edges, &fields.at(""), faults);
    Some(Machine {
        start_at,
        timeout_seconds: None,
        states,
    })
}

fn read_language(fields: &Fields<'_>, faults: &mut Faults) -> Option<Language> {
    match fields.text("QueryLanguage", faults)? {
        "JSONata" => Some(Language::Jsonata),
        "JSONPath" => Some(Language::JsonPath),
        _ => {
            faults.schema(
                fields.at("QueryLanguage"),
                "Value is not valid. Allowed values: [JSONPath, JSONata]",
            );
            None
        }
    }
}

fn read_states(
    group: &Fields<'_>,
    states: &Value,
    faults: &mut Faults,
) -> (BTreeMap<String, State>, Vec<graph::Node>) {
    let mut machine = BTreeMap::new();
    let mut nodes = Vec::new();
    let place = group.at("States");
    let Value::Object(entries) = states else {
        faults.schema(place, "Expected value of type Object");
        return (machine, nodes);
    };
    if entries.is_empty() {
        faults.schema(&place, "There must be at least one state");
    }
    for (name, value) in entries {
        let at = format!("{place}/{name}");
        if let Some((code, fault)) = state_name_fault(name) {
            faults.error(code, &at, fault);
        }
        nodes.push(graph::Node::of(name, value, &at));
        if let Some(state) = read_state(group, value, &at, faults) {
            machine.insert(name.clone(), state);
        }
    }
    (machine, nodes)
}

fn read_state(group: &Fields<'_>, value: &Value, at: &str, faults: &mut Faults) -> Option<State> {
    let fields = group.within(value, at, faults)?;
    fields.text("Comment", faults);
    let own = read_language(&fields, faults);
    // States inside a state take after the document, not after that state.
    let outer = group.document_language();
    if (outer, own) == (Some(Language::Jsonata), Some(Language::JsonPath)) {
        faults.schema(
            at,
            "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine",
        );
        return None;
    }
    let language = own.or(outer).unwrap_or(Language::JsonPath);
    State::read(fields.speaking(language), faults)
}
