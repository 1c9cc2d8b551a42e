//! The calls of S3 that a distributed Map makes itself.

use crate::diagnostic::Faults;
use crate::document::fields::Fields;
use crate::resource::{Pattern, Resource};
use crate::seen::Form;
use serde_json::Value;

/// Reads `Resource`, which must be one of these actions of S3, in any partition.
pub(super) fn read_action(
    fields: &Fields<'_>,
    actions: &[&'static str],
    faults: &mut Faults,
) -> Option<&'static str> {
    let resource = fields.text("Resource", faults)?;
    let found = actions.iter().find(|action| is_s3(resource, action));
    if found.is_none() {
        let known: Vec<String> = actions
            .iter()
            .map(|action| format!("arn:aws:states:::s3:{action}"))
            .collect();
        faults.schema(
            fields.at("Resource"),
            format!("Value is not valid. Allowed values: [{}]", known.join(", ")),
        );
    }
    found.copied()
}

/// Reads what the call is given, which must be there.
pub(super) fn read_arguments(fields: &Fields<'_>, faults: &mut Faults) -> Option<Form> {
    let name = match fields.in_jsonpath() {
        true => "Parameters",
        false => "Arguments",
    };
    let form = Form::read(fields, name, faults);
    if form.is_none() {
        fields.require(&[name], faults);
    }
    form
}

fn is_s3(resource: &str, action: &str) -> bool {
    let call = resource.strip_prefix("arn:aws").and_then(|rest| {
        let (partition, call) = rest.split_once(':')?;
        (partition.is_empty() || partition.starts_with('-')).then_some(call)
    });
    call.and_then(|call| call.strip_prefix("states:::s3:")) == Some(action)
}

/// The call behind an action, in the form that every runner knows.
pub(super) fn call(action: &str) -> Resource {
    Resource::AwsSdk {
        service: "s3".to_owned(),
        action: action.to_owned(),
        pattern: Pattern::RequestResponse,
    }
}

/// A member that is text.
pub(super) fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_told_apart() {
        assert!(is_s3("arn:aws:states:::s3:getObject", "getObject"));
        assert!(is_s3("arn:aws-us-gov:states:::s3:getObject", "getObject"));
        for other in [
            "arn:aws:states:::s3:putObject",
            "arn:awsx:states:::s3:getObject",
            "s3:getObject",
            "",
        ] {
            assert!(!is_s3(other, "getObject"), "{other}");
        }
    }
}
