//! Activities: work that is offered until somebody comes and takes it.

use quell_model::Call;
use serde_json::Value;

/// Something for whoever works on an activity. It ends when that one presents the token it was given with it.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivityTask {
    call: Call,
}

impl ActivityTask {
    pub(super) fn of(call: Call) -> Self {
        Self { call }
    }

    /// The call by which it is declared and permitted.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// The activity's ARN.
    pub fn activity(&self) -> &str {
        let arn = self.call.params.get("ActivityArn");
        arn.and_then(Value::as_str).unwrap_or_default()
    }

    /// What the worker is given, as JSON text.
    pub fn input(&self) -> String {
        self.call
            .params
            .get("Input")
            .unwrap_or(&Value::Null)
            .to_string()
    }
}
