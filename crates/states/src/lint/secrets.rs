//! Secrets in plain text: a document is stored, shown and copied.

use crate::diagnostic::{DiagnosticCode, Faults};
use serde_json::Value;

/// Ends of field names whose text is a secret, small and without `-` and `_`.
const SECRET_NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "secretkey",
    "secretaccesskey",
    "apikey",
    "apitoken",
    "accesstoken",
    "authtoken",
    "bearertoken",
    "privatekey",
];

/// Beginnings of texts that are keys, and their least length.
const KEY_FORMS: &[(&str, usize)] = &[
    ("AKIA", 20),
    ("ASIA", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("ghp_", 30),
    ("github_pat_", 30),
    ("sk_live_", 20),
];

/// Looks at every text of a document.
pub(super) fn check(value: &Value, at: &str, faults: &mut Faults) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let at = format!("{at}/{name}");
                match field {
                    Value::String(text) if is_secret(name, text) => faults.warning(
                        DiagnosticCode::PlainSecret,
                        at,
                        "The text looks like a secret",
                        "Keep it in Secrets Manager, and read it in a task of its own or in the code that needs it.",
                    ),
                    _ => check(field, &at, faults),
                }
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                check(item, &format!("{at}[{n}]"), faults);
            }
        }
        Value::String(text) if is_key(text) => faults.warning(
            DiagnosticCode::PlainSecret,
            at,
            "The text looks like a secret",
            "Keep it in Secrets Manager, and read it in a task of its own or in the code that needs it.",
        ),
        _ => {}
    }
}

fn is_secret(name: &str, text: &str) -> bool {
    is_key(text) || (names_secret(name) && is_literal(name, text))
}

fn names_secret(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(|c| !matches!(c, '-' | '_'))
        .flat_map(char::to_lowercase)
        .collect();
    SECRET_NAMES.iter().any(|secret| plain.ends_with(secret))
}

/// Neither computed, nor the name or ARN of where the secret is kept.
fn is_literal(name: &str, text: &str) -> bool {
    !name.ends_with(".$")
        && !text.is_empty()
        && !["{%", "$", "arn:", "{{resolve:"]
            .iter()
            .any(|start| text.starts_with(start))
}

fn is_key(text: &str) -> bool {
    if text.contains("PRIVATE KEY-----") {
        return true;
    }
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'));
    words.into_iter().any(|word| {
        KEY_FORMS
            .iter()
            .any(|(start, least)| word.len() >= *least && word.starts_with(start))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_from_references() {
        for (name, text, secret) in [
            ("Password", "hunter2", true),
            ("db_password", "x", true),
            ("SecretAccessKey", "abc", true),
            ("Header", "Bearer xoxb-123456789012345678", true),
            ("Note", "key AKIAIOSFODNN7EXAMPLE", true),
            ("Pem", "-----BEGIN RSA PRIVATE KEY-----\n…", true),
            ("Password", "{% $secret %}", false),
            ("Password.$", "$.password", false),
            ("Password", "{{resolve:secretsmanager:x}}", false),
            (
                "ClientSecret",
                "arn:aws:secretsmanager:us-east-1:1:secret:x",
                false,
            ),
            ("SecretId", "prod/db", false),
            ("TaskToken", "abc", false),
            ("Comment", "asks for the password", false),
        ] {
            assert_eq!(is_secret(name, text), secret, "{name}: {text}");
        }
    }
}
