//! Where the states lead: every target exists, every state is reached, and the
//! execution can end. Works on the raw document, so that it also covers states
//! that could not be read.

use crate::diagnostic::{DiagnosticCode, Faults};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One state and the places where it names another.
#[derive(Debug)]
pub(crate) struct Node {
    name: String,
    edges: Vec<(String, String)>,
    ends: bool,
}

impl Node {
    /// The transitions written in the state at `at`.
    pub(crate) fn of(name: &str, state: &Value, at: &str) -> Node {
        let mut edges = Vec::new();
        let mut edge = |place: String, value: Option<&Value>| {
            if let Some(target) = value.and_then(Value::as_str) {
                edges.push((place, target.to_owned()));
            }
        };
        let choice = state.get("Type").is_some_and(|kind| kind == "Choice");
        if choice {
            edge(format!("{at}/Default"), state.get("Default"));
        } else {
            edge(format!("{at}/Next"), state.get("Next"));
        }
        for list in ["Choices", "Catch"] {
            let items = state.get(list).and_then(Value::as_array);
            for (n, item) in items.into_iter().flatten().enumerate() {
                edge(format!("{at}/{list}[{n}]/Next"), item.get("Next"));
            }
        }
        let ends = state.get("End") == Some(&Value::Bool(true))
            || state
                .get("Type")
                .is_some_and(|kind| kind == "Succeed" || kind == "Fail");
        Node {
            name: name.to_owned(),
            edges,
            ends,
        }
    }
}

/// Notes missing targets, states out of reach, and the lack of an end, in the
/// group of states at `at` (which ends with a slash).
pub(crate) fn check(start_at: &str, nodes: &[Node], at: &str, faults: &mut Faults) {
    let names: BTreeMap<&str, &Node> = nodes.iter().map(|n| (n.name.as_str(), n)).collect();
    if !names.contains_key(start_at) {
        faults.error(
            DiagnosticCode::MissingTransitionTarget,
            format!("{at}StartAt"),
            format!("Missing 'StartAt' target: {start_at}"),
        );
    }
    for (place, target) in nodes.iter().flat_map(|node| &node.edges) {
        if !names.contains_key(target.as_str()) {
            let field = place.rsplit('/').next().unwrap_or_default();
            faults.error(
                DiagnosticCode::MissingTransitionTarget,
                place,
                format!("Missing '{field}' target: {target}"),
            );
        }
    }
    if names.contains_key(start_at) {
        let reached = reach(start_at, &names);
        for name in names.keys().filter(|name| !reached.contains(*name)) {
            faults.error(
                DiagnosticCode::MissingTransitionTarget,
                format!("{at}States/{name}"),
                format!("State \"{name}\" is not reachable."),
            );
        }
    }
    if !nodes.is_empty() && !nodes.iter().any(|node| node.ends) {
        faults.error(
            DiagnosticCode::MissingEndState,
            format!("{at}States"),
            "The workflow does not have a terminal state",
        );
    }
}

fn reach<'a>(start_at: &'a str, names: &BTreeMap<&'a str, &'a Node>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start_at];
    while let Some(name) = open.pop() {
        let Some(node) = names.get(name) else {
            continue;
        };
        if reached.insert(name) {
            open.extend(node.edges.iter().map(|(_, target)| target.as_str()));
        }
    }
    reached
}
