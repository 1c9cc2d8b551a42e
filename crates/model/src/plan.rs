//! The exact calls a playbook would make, with what should be true afterwards and the way back.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{canonical_json, sha256_hex};

/// One AWS call, by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// The service as botocore names it (`ec2`).
    pub service: String,
    /// The operation as the API names it (`RevokeSecurityGroupIngress`).
    pub operation: String,
    /// The parameters, in the API's own spelling.
    pub params: Value,
}

impl Call {
    /// The call that a Task state with this `Resource` and these `Arguments` makes:
    /// `arn:aws:states:::aws-sdk:ec2:revokeSecurityGroupIngress` is `ec2`, `RevokeSecurityGroupIngress`. `None` for
    /// every other resource, also for an `aws-sdk` task that waits for a token.
    pub fn of_task(resource: &str, arguments: &Value) -> Option<Self> {
        let (partition, task) = resource
            .strip_prefix("arn:")?
            .split_once(":states:::aws-sdk:")?;
        let (service, action) = task.split_once(':')?;
        let initial = action.chars().next().filter(char::is_ascii_lowercase)?;
        let plain = |word: &str| word.bytes().all(|b| b.is_ascii_alphanumeric());
        let sound = partition.starts_with("aws")
            && !partition.contains(':')
            && !service.is_empty()
            && plain(service)
            && plain(action);
        sound.then(|| Self {
            service: service.to_owned(),
            operation: initial.to_ascii_uppercase().to_string() + action.get(1..).unwrap_or(""),
            params: arguments.clone(),
        })
    }
}

/// How far a step reaches, and whether there is a way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Class {
    /// Reads only.
    R0,
    /// Changes, and can be undone exactly.
    R1,
    /// Disrupts what runs; can be undone.
    R2,
    /// Cannot be undone.
    R3,
}

/// A call of a plan, and the calls that take it back. In a playbook's document it is written with the Step
/// Functions resource of the task that makes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlannedCall {
    /// `arn:aws:states:::aws-sdk:ec2:revokeSecurityGroupIngress`.
    pub resource: String,
    /// The task's `Arguments`, exactly.
    pub arguments: Value,
    /// How far it reaches.
    pub class: Class,
    /// What takes it back, first to last; arguments as above.
    #[serde(default)]
    pub undo: Vec<UndoCall>,
}

/// A call that takes another back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UndoCall {
    /// As in [`PlannedCall::resource`].
    pub resource: String,
    /// The task's `Arguments`, exactly.
    pub arguments: Value,
}

/// What a playbook would do, from live state read a moment ago. The guard decides on it; a person approves its hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// The playbook's id.
    pub playbook: String,
    /// The ARN of the one resource it touches.
    pub resource: String,
    /// One line for people.
    pub summary: String,
    /// The changing calls, in order.
    pub calls: Vec<PlannedCall>,
    /// The state of the resource that was read.
    pub before: Value,
    /// The state predicted once the calls have settled: `before`, less the plan, and nothing else.
    pub after: Value,
    /// What else was read and the guard should know.
    #[serde(default)]
    pub facts: Value,
}

impl Plan {
    /// What an approval is bound to: SHA-256 over the canonical plan.
    pub fn hash(&self) -> String {
        sha256_hex(canonical_json(
            &serde_json::to_value(self).unwrap_or_default(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_task_names_its_call_in_every_partition() {
        for partition in ["aws", "aws-cn", "aws-us-gov"] {
            let resource = format!("arn:{partition}:states:::aws-sdk:ec2:describeVpcs");
            let call = Call::of_task(&resource, &json!({"MaxResults": 5})).unwrap();
            assert_eq!(call.service, "ec2");
            assert_eq!(call.operation, "DescribeVpcs");
            assert_eq!(call.params, json!({"MaxResults": 5}));
        }
    }

    #[test]
    fn what_is_not_exactly_such_a_task_is_no_call() {
        for resource in [
            "",
            "ec2:describeVpcs",
            "arn:aws:states:::sqs:sendMessage",
            "arn:aws:states:::aws-sdk:ec2",
            "arn:aws:states:::aws-sdk:ec2:",
            "arn:aws:states:::aws-sdk::describeVpcs",
            "arn:aws:states:::aws-sdk:ec2:DescribeVpcs",
            "arn:aws:states:::aws-sdk:ec2:describeVpcs:1",
            "arn:aws:states:::aws-sdk:ec2:describeVpcs.waitForTaskToken",
            "arn:aws:states:us-east-1::aws-sdk:ec2:describeVpcs",
            "arn:aws:x:states:::aws-sdk:ec2:describeVpcs",
            "arn:other:states:::aws-sdk:ec2:describeVpcs",
        ] {
            assert_eq!(Call::of_task(resource, &Value::Null), None, "{resource}");
        }
    }
}
