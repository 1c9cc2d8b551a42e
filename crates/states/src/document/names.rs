//! The names of states: each once in the whole document, wherever it is nested.

use crate::diagnostic::{DiagnosticCode, Faults};
use serde_json::Value;
use std::collections::BTreeSet;

/// Notes every name that an earlier state has.
pub(super) fn check(document: &Value, faults: &mut Faults) {
    walk(document, "", &mut BTreeSet::new(), faults);
}

/// Looks at one group of states, then at the groups inside its states.
fn walk<'v>(group: &'v Value, at: &str, seen: &mut BTreeSet<&'v str>, faults: &mut Faults) {
    let states = group.get("States").and_then(Value::as_object);
    for (name, _) in states.into_iter().flatten() {
        if !seen.insert(name) {
            faults.error(
                DiagnosticCode::DuplicateStateName,
                format!("{at}/States/{name}"),
                format!("The state name '{name}' appears more than once"),
            );
        }
    }
    for (name, state) in states.into_iter().flatten() {
        let at = format!("{at}/States/{name}");
        for field in ["ItemProcessor", "Iterator"] {
            if let Some(inner) = state.get(field) {
                walk(inner, &format!("{at}/{field}"), seen, faults);
            }
        }
        let branches = state.get("Branches").and_then(Value::as_array);
        for (n, branch) in branches.into_iter().flatten().enumerate() {
            walk(branch, &format!("{at}/Branches[{n}]"), seen, faults);
        }
    }
}
