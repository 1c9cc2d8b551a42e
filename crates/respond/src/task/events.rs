//! `events:putEvents`: an entry that EventBridge refuses fails the task.

use serde_json::{Value, json};

use super::TaskFault;

/// # Errors
/// `EventBridge.FailedEntry`, with what EventBridge says of each entry.
pub(super) fn settle(answer: &Value) -> Result<(), TaskFault> {
    let failed = answer.get("FailedEntryCount").and_then(Value::as_u64);
    if failed.unwrap_or(0) == 0 {
        return Ok(());
    }
    let entries = answer.get("Entries").cloned().unwrap_or_default();
    let cause = json!({"Entries": entries, "FailedEntryCount": failed});
    Err(TaskFault::new("EventBridge.FailedEntry", cause.to_string()))
}
