//! The shape of a document, for drawing: its states and where each leads.

use crate::definition::Definition;
use crate::document::{graph, walk};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeSet, VecDeque};

/// A group of states: the whole document, a branch, or what a Map does with each item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outline {
    /// The state it begins with.
    pub start_at: String,
    /// Its states, those nearest to the beginning first.
    pub states: Vec<StateOutline>,
}

/// One state and where it leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StateOutline {
    /// Its name.
    pub name: String,
    /// Its type: `Task`, `Choice`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether the group may end with it.
    pub ends: bool,
    /// The states that may follow; the one that follows without a condition first.
    pub transitions: Vec<Transition>,
    /// The branches or the iteration inside it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inside: Vec<Inside>,
}

/// One way from a state to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Transition {
    /// The field that names the state: `Next`, `Default`, `Choices[0]/Next`, `Catch[0]/Next`.
    pub field: String,
    /// The state that follows.
    pub to: String,
    /// When: a condition as the document writes it, or the errors that are caught.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

/// A group of states inside a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inside {
    /// The field: `Branches[0]`, `ItemProcessor`.
    pub field: String,
    /// Its states.
    #[serde(flatten)]
    pub outline: Outline,
}

impl Definition {
    /// The document's states and where each leads.
    pub fn outline(&self) -> Outline {
        let document: Value = serde_json::from_str(self.text()).unwrap_or_default();
        outline(&document)
    }
}

fn outline(group: &Value) -> Outline {
    let start_at = group.get("StartAt").and_then(Value::as_str);
    let start_at = start_at.unwrap_or_default();
    let mut seen = BTreeSet::from([start_at]);
    let mut open = VecDeque::from([start_at]);
    let mut states = Vec::new();
    while let Some(name) = open.pop_front() {
        let Some(state) = group.get("States").and_then(|states| states.get(name)) else {
            continue;
        };
        let targets = graph::edges(state).into_iter().map(|edge| edge.target);
        open.extend(targets.filter(|target| seen.insert(target)));
        states.push(of_state(name, state));
    }
    Outline {
        start_at: start_at.to_owned(),
        states,
    }
}

fn of_state(name: &str, state: &Value) -> StateOutline {
    let kind = state.get("Type").and_then(Value::as_str);
    let transitions = graph::edges(state).into_iter().map(|edge| Transition {
        when: edge.item.map(condition),
        field: edge.field,
        to: edge.target.to_owned(),
    });
    let inside = walk::groups(state)
        .into_iter()
        .map(|(field, group)| Inside {
            field,
            outline: outline(group),
        });
    StateOutline {
        name: name.to_owned(),
        kind: kind.unwrap_or_default().to_owned(),
        ends: graph::ends(state),
        transitions: transitions.collect(),
        inside: inside.collect(),
    }
}

/// What a rule has beside its condition.
const BESIDE: &[&str] = &["Assign", "Comment", "Next", "Output"];

/// When a rule or a catcher is taken, as it is written.
fn condition(item: &Value) -> String {
    if let Some(condition) = item.get("Condition").and_then(Value::as_str) {
        return condition.to_owned();
    }
    if let Some(errors) = item.get("ErrorEquals").and_then(Value::as_array) {
        let errors: Vec<&str> = errors.iter().filter_map(Value::as_str).collect();
        return errors.join(", ");
    }
    let fields = item.as_object().into_iter().flatten();
    let rule: Value = fields
        .filter(|(name, _)| !BESIDE.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    rule.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_are_shown_without_what_is_beside_them() {
        let not = json!({ "Not": { "Condition": "c" }, "Next": "A", "Assign": {}, "Comment": "" });
        assert_eq!(condition(&not), r#"{"Not":{"Condition":"c"}}"#);
    }

    #[test]
    fn every_way_is_in_it_with_its_condition() {
        let document = json!({ "QueryLanguage": "JSONata", "StartAt": "Work", "States": {
            "After": { "Type": "Succeed" },
            "Judge": { "Type": "Choice", "Default": "After", "Choices": [
                { "Condition": "{% $n = 7 %}", "Next": "Work" } ] },
            "Work": { "Type": "Parallel", "Next": "Judge",
                "Catch": [{ "ErrorEquals": ["A", "B"], "Next": "After" }],
                "Branches": [{ "StartAt": "In", "States": { "In": { "Type": "Pass", "End": true } } }] },
        } });
        let outline = Definition::parse(&document.to_string()).unwrap().outline();
        let shown = serde_json::to_value(outline).unwrap();
        let inside = json!([{ "field": "Branches[0]", "startAt": "In", "states": [
            { "name": "In", "type": "Pass", "ends": true, "transitions": [] } ] }]);
        let expected = json!({ "startAt": "Work", "states": [
            { "name": "Work", "type": "Parallel", "ends": false, "inside": inside, "transitions": [
                { "field": "Next", "to": "Judge" },
                { "field": "Catch[0]/Next", "to": "After", "when": "A, B" } ] },
            { "name": "Judge", "type": "Choice", "ends": false, "transitions": [
                { "field": "Default", "to": "After" },
                { "field": "Choices[0]/Next", "to": "Work", "when": "{% $n = 7 %}" } ] },
            { "name": "After", "type": "Succeed", "ends": true, "transitions": [] },
        ] });
        assert_eq!(shown, expected);
    }
}
