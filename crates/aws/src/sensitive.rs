//! What must not be printed: members that the models call sensitive, hidden in answers and in requests for people.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};

use crate::error::AwsError;
use crate::model::{Kind, View};
use crate::registry;

/// What stands in an answer in the place of a sensitive member.
pub const HIDDEN: &str = "(sensitive)";

/// Puts [`HIDDEN`] in the place of everything in an answer of `operation` that its model calls sensitive.
///
/// # Errors
/// [`AwsError::UnknownService`] and [`AwsError::UnknownOperation`]: then nothing was hidden.
pub fn hide_sensitive(service: &str, operation: &str, answer: &mut Value) -> Result<(), AwsError> {
    let (model, operation) = registry::operation(crate::names::sdk_service(service), operation)?;
    if let Some(output) = &operation.output {
        walk(model.view(output), answer, &|_, value| {
            *value = HIDDEN.into();
        });
    }
    Ok(())
}

/// The parameters with asterisks for everything sensitive. What was valid still is, so that they can be written.
pub(crate) fn masked(input: View<'_>, params: &Value) -> Value {
    let mut params = params.clone();
    walk(input, &mut params, &mask);
    params
}

fn walk(view: View<'_>, value: &mut Value, replace: &impl Fn(View<'_>, &mut Value)) {
    let has_sensitive_keys = view.key().is_some_and(View::is_sensitive);
    if value.is_null() {
        return;
    }
    if view.is_sensitive() || has_sensitive_keys {
        return replace(view, value);
    }
    match (view.kind(), value) {
        (Kind::Structure, Value::Object(members)) => {
            for (name, value) in members {
                if let Some(member) = view.member(name) {
                    walk(member, value, replace);
                }
            }
        }
        (Kind::List, Value::Array(items)) => {
            for (value, item) in items.iter_mut().zip(std::iter::repeat(view.item())) {
                item.into_iter().for_each(|item| walk(item, value, replace));
            }
        }
        (Kind::Map, Value::Object(entries)) => {
            for (value, of) in entries.values_mut().zip(std::iter::repeat(view.value())) {
                of.into_iter().for_each(|of| walk(of, value, replace));
            }
        }
        _ => {}
    }
}

/// Masks every scalar at and below a sensitive place.
fn mask(view: View<'_>, value: &mut Value) {
    match (view.kind(), &mut *value) {
        (_, Value::Null) => {}
        (Kind::Structure, Value::Object(members)) => {
            for (name, value) in members {
                if let Some(member) = view.member(name) {
                    mask(member, value);
                }
            }
        }
        (Kind::List, Value::Array(items)) => {
            if let Some(item) = view.item() {
                items.iter_mut().for_each(|value| mask(item, value));
            }
        }
        (Kind::Map, Value::Object(entries)) => *entries = masked_map(view, entries),
        (Kind::Boolean, value) => *value = false.into(),
        (Kind::Integer | Kind::Float, value) => {
            *value = view
                .min()
                .map_or(Value::from(0), |least| least.clone().into());
        }
        (Kind::Timestamp, value) => *value = "1970-01-01T00:00:00Z".into(),
        (Kind::Blob, value) => *value = BASE64.encode(asterisks(view)).into(),
        (_, value) => *value = asterisks(view).into(),
    }
}

fn masked_map(view: View<'_>, entries: &Map<String, Value>) -> Map<String, Value> {
    let hides_keys = view.key().is_some_and(View::is_sensitive);
    let entry = |(number, (key, value)): (usize, (&String, &Value))| {
        let mut value = value.clone();
        if let Some(of) = view.value() {
            mask(of, &mut value);
        }
        let key = if hides_keys {
            format!("********{}", number + 1)
        } else {
            key.clone()
        };
        (key, value)
    };
    entries.iter().enumerate().map(entry).collect()
}

/// As many asterisks as the model allows, eight if it lets us: how long the secret is must not show either.
fn asterisks(view: View<'_>) -> String {
    let limit = |limit: Option<&serde_json::Number>| limit.and_then(serde_json::Number::as_u64);
    let least = limit(view.min()).unwrap_or(0).min(4096);
    let most = limit(view.max()).unwrap_or(u64::MAX);
    let length = usize::try_from(least.max(8).min(most)).unwrap_or(8);
    "*".repeat(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_sensitive_in_an_answer_is_hidden_and_nothing_else() {
        let mut answer = json!({"AccessKey": {"UserName": "u", "AccessKeyId": "AKIA", "SecretAccessKey": "s3cret"}});
        hide_sensitive("iam", "CreateAccessKey", &mut answer).unwrap();
        let wanted = json!({"AccessKey": {"UserName": "u", "AccessKeyId": "AKIA", "SecretAccessKey": HIDDEN}});
        assert_eq!(answer, wanted);

        let mut answer = json!({"Functions": [{"FunctionName": "f", "Environment": {"Variables": {"PASSWORD": "s3cret"}}}]});
        hide_sensitive("lambda", "ListFunctions", &mut answer).unwrap();
        assert_eq!(answer["Functions"][0]["FunctionName"], "f");
        assert!(!answer.to_string().contains("PASSWORD"), "{answer}");
        assert!(!answer.to_string().contains("s3cret"), "{answer}");
        assert!(hide_sensitive("iam", "Nothing", &mut answer).is_err());
    }

    #[test]
    fn masked_parameters_are_still_valid() {
        for (service, operation, params) in [
            (
                "iam",
                "ChangePassword",
                json!({"OldPassword": "s3cret", "NewPassword": "s3cret2"}),
            ),
            (
                "secretsmanager",
                "PutSecretValue",
                json!({"SecretId": "a", "SecretBinary": "czNjcmV0", "SecretString": "s3cret"}),
            ),
            (
                "lambda",
                "UpdateFunctionConfiguration",
                json!({"FunctionName": "f", "Environment": {"Variables": {"s3cret": "s3cret"}}}),
            ),
            (
                "kms",
                "Encrypt",
                json!({"KeyId": "k", "Plaintext": "czNjcmV0"}),
            ),
        ] {
            let (model, operation) = registry::operation(service, operation).unwrap();
            let input = model.view(operation.input.as_ref().unwrap());
            let masked = masked(input, &params);
            assert!(!masked.to_string().contains("s3cret"), "{masked}");
            assert!(!masked.to_string().contains("czNjcmV0"), "{masked}");
            assert_eq!(crate::validate::faults(Some(input), &masked, true), []);
        }
    }
}
