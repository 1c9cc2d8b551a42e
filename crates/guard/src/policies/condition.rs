//! Conditions of statements, and when one holds only where another does.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::document::Unreadable;

/// One operator on one key. All of a statement's have to hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Clause {
    /// In lower case, as AWS compares it.
    operator: String,
    /// In lower case, as AWS compares it.
    key: String,
    /// Any of them will do; for an operator that negates, none of them may be.
    values: BTreeSet<String>,
    /// Whether a variable in a value is one. Texts of two policies of different versions do not say the same.
    variables: bool,
}

/// All that has to hold for a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conditions(Vec<Clause>);

impl Conditions {
    pub(super) fn of(block: &Map<String, Value>, variables: bool) -> Result<Self, Unreadable> {
        let mut clauses = Vec::new();
        for (operator, keys) in block {
            let Some(keys) = keys.as_object() else {
                return Err(Unreadable(format!("the operator «{operator}» has no keys")));
            };
            for (key, values) in keys {
                let values = values_of(values)
                    .ok_or_else(|| Unreadable(format!("«{key}» has a value that is no text")))?;
                let has_variable = values.iter().any(|value| value.contains("${"));
                clauses.push(Clause {
                    operator: operator.to_lowercase(),
                    key: key.to_lowercase(),
                    values,
                    variables: variables && has_variable,
                });
            }
        }
        clauses.sort();
        Ok(Self(clauses))
    }

    /// Whether nothing has to hold.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether these surely hold only where `other` holds.
    pub(super) fn imply(&self, other: &Self) -> bool {
        let is_implied = |wanted: &Clause| self.0.iter().any(|clause| clause.implies(wanted));
        other.0.iter().all(is_implied)
    }
}

impl Clause {
    fn implies(&self, other: &Self) -> bool {
        let is_comparable = self.operator == other.operator
            && self.key == other.key
            && self.variables == other.variables
            && !self.values.is_empty()
            && !other.values.is_empty();
        is_comparable
            && match negates(&self.operator) {
                true => other.values.is_subset(&self.values),
                false => self.values.is_subset(&other.values),
            }
    }
}

/// `StringNotEquals`, `ArnNotLike`, `NotIpAddress`, with whatever stands before and after: none of the values may be.
fn negates(operator: &str) -> bool {
    let plain = operator.rsplit(':').next().unwrap_or(operator);
    plain.contains("not")
}

/// A value or a list of values, as texts.
fn values_of(values: &Value) -> Option<BTreeSet<String>> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    match values {
        Value::Array(items) => items.iter().map(text).collect(),
        one => text(one).map(|one| BTreeSet::from([one])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(block: &Value) -> Conditions {
        Conditions::of(block.as_object().unwrap(), true).unwrap()
    }

    #[test]
    fn what_is_stricter_implies_what_is_looser_and_never_the_other_way() {
        let none = json!({});
        let one = json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}});
        let two = json!({"StringEquals": {"aws:principalorgid": ["o-1", "o-2"]}});
        let both = json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}, "Bool": {"aws:MultiFactorAuthPresent": true}});
        let not_one = json!({"StringNotEquals": {"aws:PrincipalAccount": "1"}});
        let not_two = json!({"StringNotEquals": {"aws:PrincipalAccount": ["1", "2"]}});
        for (strict, loose) in [
            (&one, &none),
            (&one, &two),
            (&both, &one),
            (&not_two, &not_one),
        ] {
            assert!(of(strict).imply(&of(loose)), "{strict} {loose}");
            assert!(!of(loose).imply(&of(strict)), "{strict} {loose}");
        }
        let if_exists = json!({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}});
        assert!(!of(&if_exists).imply(&of(&one)));
        let nothing = json!({"StringEquals": {"aws:PrincipalOrgID": []}});
        assert!(!of(&nothing).imply(&of(&one)) && !of(&one).imply(&of(&nothing)));
        let variable = json!({"StringEquals": {"aws:username": "${aws:PrincipalTag/x}"}});
        let literal = Conditions::of(variable.as_object().unwrap(), false).unwrap();
        assert!(of(&variable).imply(&of(&variable)) && !of(&variable).imply(&literal));
    }
}
