//! The names of states: each once in the whole document, wherever it is nested.

use super::walk::each_state;
use crate::diagnostic::{DiagnosticCode, Faults};
use serde_json::Value;
use std::collections::BTreeSet;

/// Notes every name that an earlier state has.
pub(super) fn check(document: &Value, faults: &mut Faults) {
    let mut seen = BTreeSet::new();
    each_state(document, &mut |written| {
        if !seen.insert(written.name) {
            faults.error(
                DiagnosticCode::DuplicateStateName,
                written.at,
                format!("The state name '{}' appears more than once", written.name),
            );
        }
    });
}
