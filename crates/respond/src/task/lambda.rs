//! Lambda functions, by `lambda:invoke` or by their ARN: a function that failed is a task that failed.

use serde_json::Value;

use super::TaskFault;

/// Makes the payload JSON, where it is.
///
/// # Errors
/// What the function failed with.
pub(super) fn settle(answer: &mut Value) -> Result<(), TaskFault> {
    let failed = answer.get("FunctionError").is_some_and(|e| !e.is_null());
    let Some(payload) = answer.get_mut("Payload") else {
        return if failed {
            Err(fault(&Value::Null))
        } else {
            Ok(())
        };
    };
    if let Value::String(text) = payload
        && let Ok(parsed) = serde_json::from_str(text)
    {
        *payload = parsed;
    }
    if failed { Err(fault(payload)) } else { Ok(()) }
}

/// What the function returned.
///
/// # Errors
/// What the function failed with.
pub(super) fn returned(answer: &mut Value) -> Result<Value, TaskFault> {
    settle(answer)?;
    Ok(answer
        .get_mut("Payload")
        .map(Value::take)
        .unwrap_or_default())
}

/// A function fails with the type and the whole of its error. One that was killed or ran out of time has no type.
fn fault(payload: &Value) -> TaskFault {
    let text = match payload {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match payload.get("errorType").and_then(Value::as_str) {
        Some(error) => TaskFault::new(error, text),
        None => TaskFault::new(
            "Lambda.Unknown",
            format!(
                "The cause could not be determined because Lambda did not return an error type. Returned payload: {text}"
            ),
        ),
    }
}
