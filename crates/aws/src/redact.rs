//! Some services quote a parameter in their refusal. Those that the model calls sensitive are struck out.

use serde_json::Value;

use crate::model::View;

/// What stands in their place.
const HIDDEN: &str = "«hidden»";
/// Shorter values are left: they are parts of ordinary words, and no secret.
const CHARACTERS_MIN: usize = 4;

/// `text` without the sensitive values of `params`, which have been validated against `input`.
pub(crate) fn redact(text: String, input: Option<View<'_>>, params: &Value) -> String {
    let Some(input) = input else { return text };
    let mut values = Vec::new();
    collect(input, params, false, &mut values);
    // Of two values one may be a part of the other.
    values.sort_by_key(|value: &&str| std::cmp::Reverse(value.len()));
    values
        .into_iter()
        .fold(text, |text, value| text.replace(value, HIDDEN))
}

fn collect<'v>(view: View<'_>, value: &'v Value, is_inside: bool, values: &mut Vec<&'v str>) {
    let is_sensitive = is_inside || view.is_sensitive();
    match value {
        Value::String(text) if is_sensitive && text.chars().count() >= CHARACTERS_MIN => {
            values.push(text);
        }
        Value::Array(items) => {
            let Some(item) = view.item() else { return };
            for value in items {
                collect(item, value, is_sensitive, values);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                if let Some(member) = view.member(name).or_else(|| view.value()) {
                    collect(member, value, is_sensitive, values);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn redacted(operation: &str, params: &Value, text: &str) -> String {
        let (model, operation) = crate::registry::operation("iam", operation).unwrap();
        let input = operation.input.as_ref().map(|input| model.view(input));
        redact(text.to_owned(), input, params)
    }

    #[test]
    fn what_the_model_calls_sensitive_is_struck_out_and_nothing_else() {
        let params =
            json!({"UserName": "ann", "OldPassword": "hunter2", "NewPassword": "hunter22"});
        assert_eq!(
            redacted(
                "ChangePassword",
                &params,
                "ann: 'hunter22', not hunter2, fails"
            ),
            "ann: '«hidden»', not «hidden», fails"
        );
        let params = json!({"UserName": "longname", "Password": "a"});
        let text = "longname has a password";
        assert_eq!(redacted("CreateLoginProfile", &params, text), text);
    }
}
