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
        let edges = edges(state).into_iter();
        Node {
            name: name.to_owned(),
            edges: edges
                .map(|edge| (format!("{at}/{}", edge.field), edge.target.to_owned()))
                .collect(),
            ends: ends(state),
        }
    }
}

/// One transition as a state writes it.
#[derive(Debug)]
pub(crate) struct Edge<'v> {
    /// `Next`, `Default`, `Choices[0]/Next` or `Catch[0]/Next`.
    pub(crate) field: String,
    pub(crate) target: &'v str,
    /// The rule or catcher that it is of.
    pub(crate) item: Option<&'v Value>,
}

/// The transitions of a state: the one without a condition first.
pub(crate) fn edges(state: &Value) -> Vec<Edge<'_>> {
    let choice = state.get("Type").is_some_and(|kind| kind == "Choice");
    let plain = if choice { "Default" } else { "Next" };
    let mut edges = Vec::from_iter(edge(plain.to_owned(), state.get(plain), None));
    for list in ["Choices", "Catch"] {
        let items = state.get(list).and_then(Value::as_array);
        for (n, item) in items.into_iter().flatten().enumerate() {
            let field = format!("{list}[{n}]/Next");
            edges.extend(edge(field, item.get("Next"), Some(item)));
        }
    }
    edges
}

fn edge<'v>(field: String, target: Option<&'v Value>, item: Option<&'v Value>) -> Option<Edge<'v>> {
    let target = target?.as_str()?;
    Some(Edge {
        field,
        target,
        item,
    })
}

/// Whether the execution, branch or iteration may end with a state.
pub(crate) fn ends(state: &Value) -> bool {
    let kind = state.get("Type");
    state.get("End") == Some(&Value::Bool(true))
        || kind.is_some_and(|kind| kind == "Succeed" || kind == "Fail")
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
