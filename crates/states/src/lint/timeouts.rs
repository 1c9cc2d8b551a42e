//! Tasks that may wait for ever: Step Functions' own limit is three years.

use crate::diagnostic::{DiagnosticCode, Faults};
use crate::document::walk::Written;
use crate::resource::{Pattern, Resource};
use serde_json::Value;

/// Fields that bound the time of a task.
const BOUNDS: &[&str] = &[
    "TimeoutSeconds",
    "TimeoutSecondsPath",
    "HeartbeatSeconds",
    "HeartbeatSecondsPath",
];

/// `bounded`: the document as a whole has a time limit.
pub(super) fn check(written: Written<'_, '_>, bounded: bool, faults: &mut Faults) {
    let has_bound = BOUNDS.iter().any(|name| written.state.get(*name).is_some());
    if has_bound || (bounded && !waits_for_others(written.state)) {
        return;
    }
    faults.warning(
        DiagnosticCode::MissingTimeout,
        written.at,
        format!("The task '{}' has no time limit", written.name),
        "Write TimeoutSeconds, and HeartbeatSeconds for workers that report.",
    );
}

/// Whether the task ends when someone else says so.
fn waits_for_others(state: &Value) -> bool {
    let resource = state.get("Resource").and_then(Value::as_str);
    match resource.map(str::parse::<Resource>) {
        Some(Ok(Resource::Activity { .. })) => true,
        Some(Ok(resource)) => resource.pattern() != Pattern::RequestResponse,
        _ => false,
    }
}
