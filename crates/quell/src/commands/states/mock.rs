//! How the work of states ends, as people say it.

use quell_states::{Execution, MachineRef, Work};
use serde::Deserialize;
use serde_json::Value;

/// How the work of a state ends, as TestState takes it; but the result is JSON, not JSON in a string.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Mock {
    Result(Value),
    ErrorOutput {
        error: String,
        #[serde(default)]
        cause: String,
    },
}

impl From<Mock> for Work {
    fn from(mock: Mock) -> Self {
        match mock {
            Mock::Result(result) => Self::Result(result),
            Mock::ErrorOutput { error, cause } => Self::Error { error, cause },
        }
    }
}

/// An execution of nothing that there is: its ARNs are those of AWS's examples.
pub(super) fn execution(input: Value) -> Execution {
    let machine = MachineRef {
        id: "arn:aws:states:us-east-1:123456789012:stateMachine:test".to_owned(),
        name: "test".to_owned(),
        role_arn: "arn:aws:iam::123456789012:role/test".to_owned(),
        region: "us-east-1".to_owned(),
    };
    let id = "arn:aws:states:us-east-1:123456789012:execution:test:test";
    Execution::new(id, "test", input, machine)
}
