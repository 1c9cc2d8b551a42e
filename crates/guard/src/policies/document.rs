//! A policy document, read. What is not understood is an error: nothing is concluded from half a policy.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::condition::Conditions;
use super::pattern::{Form, Pattern};

/// The longest document that is read. A bucket's policy has at most 20,480 bytes, all others less; the comparison takes
/// time by the square of it.
pub const DOCUMENT_BYTES_MAX: usize = 24 * 1024;
/// So many statements, patterns and principals at most in all: what fits in a document is less.
const ITEMS_MAX: usize = 4_096;
/// An ARN has at most 2,048 characters.
const PATTERN_CHARS_MAX: usize = 2_048;

/// Why a policy cannot be read, in words for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies, whatever allows.
    Deny,
}

/// What a statement names of a kind: these, or all but these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Names<T> {
    Only(Vec<T>),
    AllBut(Vec<T>),
}

/// Whom a statement is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    /// `AWS`, `Service`, `Federated`, `CanonicalUser`; `*` for everyone.
    pub(super) kind: String,
    pub(super) id: String,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its name, or its place in the policy.
    pub(super) name: String,
    /// What it does.
    pub effect: Effect,
    /// `None` in a policy of an identity: whoever has it.
    pub(super) principals: Option<Names<Identity>>,
    pub(super) actions: Names<Pattern>,
    /// `None` in a trust policy: the role itself.
    pub(super) resources: Option<Names<Pattern>>,
    pub(super) conditions: Conditions,
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its statements, in order.
    pub statements: Vec<Statement>,
}

fn no(text: impl Into<String>) -> Unreadable {
    Unreadable(text.into())
}

impl Document {
    /// Reads a policy from its text.
    ///
    /// # Errors
    /// [`Unreadable`] when it is no policy, is too long, or says something that is not understood.
    pub fn of_text(text: &str) -> Result<Self, Unreadable> {
        if text.len() > DOCUMENT_BYTES_MAX {
            return Err(no(format!(
                "a policy has at most {DOCUMENT_BYTES_MAX} bytes"
            )));
        }
        let value: Value = serde_json::from_str(text).map_err(|e| no(format!("no JSON: {e}")))?;
        Self::of_checked(&value)
    }

    /// Reads a policy from its JSON.
    ///
    /// # Errors
    /// As [`Document::of_text`].
    pub fn of(value: &Value) -> Result<Self, Unreadable> {
        Self::of_text(&value.to_string())
    }

    fn of_checked(value: &Value) -> Result<Self, Unreadable> {
        let fields = object(value, "the policy")?;
        only(fields, &["Version", "Id", "Statement"])?;
        // Before 2012 there were no variables: the text was meant to the letter.
        let variables = match fields.get("Version").map(Value::as_str) {
            Some(Some("2012-10-17")) => true,
            None | Some(Some("2008-10-17")) => false,
            Some(_) => return Err(no("the policy's Version is not known")),
        };
        let statements = match fields.get("Statement") {
            Some(Value::Array(statements)) => statements.iter().collect(),
            Some(one @ Value::Object(_)) => vec![one],
            _ => return Err(no("the policy has no statements")),
        };
        if statements.len() > ITEMS_MAX {
            return Err(no("the policy has too many statements"));
        }
        let read = |(at, value)| statement(at, value, variables);
        let statements: Result<_, _> = statements.into_iter().enumerate().map(read).collect();
        Ok(Self {
            statements: statements?,
        })
    }

    /// Whether some statement denies.
    pub fn denies(&self) -> bool {
        self.statements.iter().any(|s| s.effect == Effect::Deny)
    }
}

fn statement(at: usize, value: &Value, variables: bool) -> Result<Statement, Unreadable> {
    let fields = object(value, "a statement")?;
    only(
        fields,
        &[
            "Sid",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ],
    )?;
    let effect = match fields.get("Effect").and_then(Value::as_str) {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        _ => return Err(no("a statement's Effect is neither Allow nor Deny")),
    };
    let conditions = match fields.get("Condition") {
        None => Conditions::default(),
        Some(block) => Conditions::of(object(block, "a Condition")?, variables)?,
    };
    let sid = fields
        .get("Sid")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let actions = patterns(fields, "Action", Form::Action)?;
    Ok(Statement {
        name: match sid {
            "" => format!("statement {}", at + 1),
            sid => format!("statement «{}»", sid.chars().take(64).collect::<String>()),
        },
        effect,
        principals: either(fields, "Principal", identities)?,
        actions: actions.ok_or_else(|| no("a statement has no Action"))?,
        resources: patterns(fields, "Resource", Form::Resource { variables })?,
        conditions,
    })
}

fn patterns(
    fields: &Map<String, Value>,
    name: &str,
    form: Form,
) -> Result<Option<Names<Pattern>>, Unreadable> {
    let read = |value: &Value| {
        let texts = texts(value)?;
        if texts.iter().any(|text| text.len() > PATTERN_CHARS_MAX) {
            return Err(no(format!(
                "a statement has a {name} of more than {PATTERN_CHARS_MAX} bytes"
            )));
        }
        Ok(texts.iter().map(|text| Pattern::of(text, form)).collect())
    };
    either(fields, name, read)
}

/// What stands under a name or under its negation, not both.
fn either<T>(
    fields: &Map<String, Value>,
    name: &str,
    read: impl Fn(&Value) -> Result<Vec<T>, Unreadable>,
) -> Result<Option<Names<T>>, Unreadable> {
    match (fields.get(name), fields.get(&format!("Not{name}"))) {
        (None, None) => Ok(None),
        (Some(value), None) => Ok(Some(Names::Only(read(value)?))),
        (None, Some(value)) => Ok(Some(Names::AllBut(read(value)?))),
        (Some(_), Some(_)) => Err(no(format!("a statement has both {name} and Not{name}"))),
    }
}

fn identities(value: &Value) -> Result<Vec<Identity>, Unreadable> {
    let everyone = Identity {
        kind: "*".to_owned(),
        id: "*".to_owned(),
    };
    if value.as_str() == Some("*") {
        return Ok(vec![everyone]);
    }
    let mut found = BTreeSet::new();
    for (kind, ids) in object(value, "a Principal")? {
        for id in texts(ids)? {
            let id = match is_account(&id) && kind == "AWS" {
                true => format!("arn:aws:iam::{id}:root"),
                false => id,
            };
            found.insert(Identity {
                kind: kind.clone(),
                id,
            });
        }
    }
    Ok(found.into_iter().collect())
}

fn is_account(id: &str) -> bool {
    id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit())
}

fn texts(value: &Value) -> Result<Vec<String>, Unreadable> {
    let items = match value {
        Value::Array(items) if items.len() <= ITEMS_MAX => items.iter().collect(),
        Value::Array(_) => return Err(no("a list in the policy is too long")),
        one => vec![one],
    };
    let text = |item: &Value| item.as_str().map(str::to_owned);
    let texts: Option<Vec<_>> = items.into_iter().map(text).collect();
    texts.ok_or_else(|| no("a statement names something that is no text"))
}

fn object<'a>(value: &'a Value, what: &str) -> Result<&'a Map<String, Value>, Unreadable> {
    value
        .as_object()
        .ok_or_else(|| no(format!("{what} is no object")))
}

fn only(fields: &Map<String, Value>, known: &[&str]) -> Result<(), Unreadable> {
    match fields.keys().find(|key| !known.contains(&key.as_str())) {
        Some(stranger) => Err(no(format!("the policy has an element «{stranger}»"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_understood_is_an_error() {
        let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let with = |name: &str, value: Value| {
            let mut statement = statement.clone();
            statement[name] = value;
            json!({"Version": "2012-10-17", "Statement": statement})
        };
        assert!(Document::of(&json!({"Statement": statement})).is_ok());
        assert!(Document::of(&json!({"Version": "2012-10-17", "Statement": []})).is_ok());
        for bad in [
            json!("text"),
            json!({"Version": "2012-10-17"}),
            json!({"Version": "2030-01-01", "Statement": []}),
            json!({"Statement": [], "Extra": 1}),
            with("effect", json!("Deny")),
            with("Effect", json!("allow")),
            with("NotAction", json!("iam:*")),
            with("Action", json!([1])),
            with("Action", json!(null)),
            with("Condition", json!({"StringEquals": "x"})),
            with("Condition", json!({"StringEquals": {"k": {"a": 1}}})),
            with("Principal", json!(["*"])),
            json!({"Statement": {"Effect": "Allow", "Resource": "*"}}),
        ] {
            assert!(Document::of(&bad).is_err(), "{bad}");
        }
        let long = format!(
            "{{\"Statement\":[],\"Id\":\"{}\"}}",
            "x".repeat(DOCUMENT_BYTES_MAX)
        );
        assert!(Document::of_text(&long).is_err());
    }

    #[test]
    fn an_account_is_its_root_and_a_single_value_a_list_of_one() {
        let of = |principal: Value, statements: fn(Value) -> Value| {
            let one =
                json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
            Document::of(&json!({"Version": "2012-10-17", "Statement": statements(one)})).unwrap()
        };
        assert_eq!(
            of(json!({"AWS": "444455556666"}), |one| one),
            of(
                json!({"AWS": ["arn:aws:iam::444455556666:root"]}),
                |one| json!([one])
            ),
        );
    }
}
