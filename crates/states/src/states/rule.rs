//! The rules of a Choice state in JSONPath mode: comparisons, And, Or, Not.

use crate::clock::parse_timestamp;
use crate::diagnostic::Faults;
use crate::document::fields::Fields;
use crate::failure::{Failure, RUNTIME};
use crate::jsonpath::{Query, View};
use serde_json::Value;
use std::cmp::Ordering;

/// A condition.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Test(Query, Test, Operand),
}

#[derive(Clone, Debug)]
pub(super) enum Operand {
    Literal(Value),
    Path(Query),
}

/// What an operator asks of its two values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Test {
    Boolean,
    Numeric(Order),
    Text(Order),
    Timestamp(Order),
    Matches,
    Is(Is),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Is {
    Boolean,
    Null,
    Numeric,
    Present,
    Text,
    Timestamp,
}

/// The operators that also exist with `Path` at their end.
const COMPARISONS: &[(&str, &str, Test)] = &[
    ("BooleanEquals", "BooleanEqualsPath", Test::Boolean),
    (
        "NumericEquals",
        "NumericEqualsPath",
        Test::Numeric(Order::Equal),
    ),
    (
        "NumericLessThan",
        "NumericLessThanPath",
        Test::Numeric(Order::Less),
    ),
    (
        "NumericLessThanEquals",
        "NumericLessThanEqualsPath",
        Test::Numeric(Order::LessOrEqual),
    ),
    (
        "NumericGreaterThan",
        "NumericGreaterThanPath",
        Test::Numeric(Order::Greater),
    ),
    (
        "NumericGreaterThanEquals",
        "NumericGreaterThanEqualsPath",
        Test::Numeric(Order::GreaterOrEqual),
    ),
    ("StringEquals", "StringEqualsPath", Test::Text(Order::Equal)),
    (
        "StringLessThan",
        "StringLessThanPath",
        Test::Text(Order::Less),
    ),
    (
        "StringLessThanEquals",
        "StringLessThanEqualsPath",
        Test::Text(Order::LessOrEqual),
    ),
    (
        "StringGreaterThan",
        "StringGreaterThanPath",
        Test::Text(Order::Greater),
    ),
    (
        "StringGreaterThanEquals",
        "StringGreaterThanEqualsPath",
        Test::Text(Order::GreaterOrEqual),
    ),
    (
        "TimestampEquals",
        "TimestampEqualsPath",
        Test::Timestamp(Order::Equal),
    ),
    (
        "TimestampLessThan",
        "TimestampLessThanPath",
        Test::Timestamp(Order::Less),
    ),
    (
        "TimestampLessThanEquals",
        "TimestampLessThanEqualsPath",
        Test::Timestamp(Order::LessOrEqual),
    ),
    (
        "TimestampGreaterThan",
        "TimestampGreaterThanPath",
        Test::Timestamp(Order::Greater),
    ),
    (
        "TimestampGreaterThanEquals",
        "TimestampGreaterThanEqualsPath",
        Test::Timestamp(Order::GreaterOrEqual),
    ),
];

const OTHERS: &[(&str, Test)] = &[
    ("StringMatches", Test::Matches),
    ("IsBoolean", Test::Is(Is::Boolean)),
    ("IsNull", Test::Is(Is::Null)),
    ("IsNumeric", Test::Is(Is::Numeric)),
    ("IsPresent", Test::Is(Is::Present)),
    ("IsString", Test::Is(Is::Text)),
    ("IsTimestamp", Test::Is(Is::Timestamp)),
];

impl Condition {
    /// Reads the condition written in a rule.
    pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Option<Condition> {
        let mut found = Vec::new();
        if let Some(all) = read_list(fields, "And", faults) {
            found.push(all.map(Condition::All));
        }
        if let Some(any) = read_list(fields, "Or", faults) {
            found.push(any.map(Condition::Any));
        }
        if let Some(inner) = fields.value("Not") {
            found.push(
                read_inner(fields, inner, &fields.at("Not"), faults)
                    .map(|inner| Condition::Not(Box::new(inner))),
            );
        }
        let variable = fields.value("Variable").is_some();
        if variable || found.is_empty() {
            fields.require(&["Variable"], faults);
            let variable = fields.path("Variable", faults);
            found.push(read_test(fields, variable, faults));
        }
        if found.len() > 1 {
            faults.schema(
                fields.place(),
                "A rule may have only one of 'Variable', 'And', 'Or' and 'Not'",
            );
        }
        found.pop().flatten()
    }

    /// Whether the condition holds.
    pub(super) fn holds(&self, view: &View<'_>) -> Result<bool, Failure> {
        match self {
            Condition::All(conditions) => {
                for condition in conditions {
                    if !condition.holds(view)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Condition::Any(conditions) => {
                for condition in conditions {
                    if condition.holds(view)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Condition::Not(condition) => Ok(!condition.holds(view)?),
            Condition::Test(variable, test, operand) => {
                let operand = match operand {
                    Operand::Literal(value) => value.clone(),
                    Operand::Path(query) => present(query, view)?,
                };
                match test {
                    Test::Is(Is::Present) => {
                        Ok(operand == Value::Bool(variable.find(view)?.is_some()))
                    }
                    test => Ok(test.holds(&present(variable, view)?, &operand)),
                }
            }
        }
    }
}

fn present(query: &Query, view: &View<'_>) -> Result<Value, Failure> {
    query.find(view)?.ok_or_else(|| {
        Failure::interpreter(
            RUNTIME,
            format!(
                "Invalid path '{}': The choice state's condition path references an invalid value.",
                query.text()
            ),
        )
    })
}

fn read_list(
    fields: &Fields<'_>,
    name: &'static str,
    faults: &mut Faults,
) -> Option<Option<Vec<Condition>>> {
    fields.value(name)?;
    let items = fields.list(name, faults);
    Some(items.map(|items| {
        items
            .iter()
            .enumerate()
            .filter_map(|(n, item)| {
                read_inner(fields, item, &format!("{}[{n}]", fields.at(name)), faults)
            })
            .collect()
    }))
}

fn read_inner(
    outer: &Fields<'_>,
    value: &Value,
    at: &str,
    faults: &mut Faults,
) -> Option<Condition> {
    let fields = outer.within(value, at, faults)?;
    fields.text("Comment", faults);
    let condition = Condition::read(&fields, faults);
    fields.finish(faults);
    condition
}

fn read_test(
    fields: &Fields<'_>,
    variable: Option<Query>,
    faults: &mut Faults,
) -> Option<Condition> {
    let mut found = Vec::new();
    for (name, path_name, test) in COMPARISONS {
        if let Some(value) = fields.value(name) {
            if !test.takes(value) {
                faults.schema(
                    fields.at(name),
                    format!("The operator {name} cannot take {value}"),
                );
            }
            found.push((*test, Some(Operand::Literal(value.clone()))));
        }
        if fields.value(path_name).is_some() {
            found.push((*test, fields.path(path_name, faults).map(Operand::Path)));
        }
    }
    for (name, test) in OTHERS {
        if let Some(value) = fields.value(name) {
            if !test.takes(value) {
                faults.schema(
                    fields.at(name),
                    format!("The operator {name} cannot take {value}"),
                );
            }
            found.push((*test, Some(Operand::Literal(value.clone()))));
        }
    }
    if found.len() != 1 {
        faults.schema(
            fields.place(),
            "A rule needs exactly one comparison operator",
        );
    }
    let (test, operand) = found.pop()?;
    Some(Condition::Test(variable?, test, operand?))
}

impl Test {
    /// Whether the document may write `value` beside this operator.
    fn takes(self, value: &Value) -> bool {
        match self {
            Test::Boolean | Test::Is(_) => value.is_boolean(),
            Test::Numeric(_) => value.is_number(),
            Test::Text(_) | Test::Matches => value.is_string(),
            Test::Timestamp(_) => value.as_str().and_then(parse_timestamp).is_some(),
        }
    }

    /// Values of another type than the operator's never satisfy it.
    fn holds(self, value: &Value, operand: &Value) -> bool {
        match self {
            Test::Boolean => value.is_boolean() && value == operand,
            Test::Numeric(order) => match (value.as_f64(), operand.as_f64()) {
                (Some(a), Some(b)) => order.holds(a.partial_cmp(&b)),
                _ => false,
            },
            Test::Text(order) => match (value.as_str(), operand.as_str()) {
                (Some(a), Some(b)) => order.holds(Some(a.cmp(b))),
                _ => false,
            },
            Test::Timestamp(order) => {
                let moment = |value: &Value| value.as_str().and_then(parse_timestamp);
                match (moment(value), moment(operand)) {
                    (Some(a), Some(b)) => order.holds(Some(a.cmp(&b))),
                    _ => false,
                }
            }
            Test::Matches => match (value.as_str(), operand.as_str()) {
                (Some(text), Some(pattern)) => matches(text, pattern),
                _ => false,
            },
            Test::Is(is) => Value::Bool(is.holds(value)) == *operand,
        }
    }
}

impl Order {
    fn holds(self, order: Option<Ordering>) -> bool {
        order.is_some_and(|order| match self {
            Order::Equal => order.is_eq(),
            Order::Less => order.is_lt(),
            Order::LessOrEqual => order.is_le(),
            Order::Greater => order.is_gt(),
            Order::GreaterOrEqual => order.is_ge(),
        })
    }
}

impl Is {
    fn holds(self, value: &Value) -> bool {
        match self {
            Is::Boolean => value.is_boolean(),
            Is::Null => value.is_null(),
            Is::Numeric => value.is_number(),
            Is::Present => true,
            Is::Text => value.is_string(),
            Is::Timestamp => value.as_str().and_then(parse_timestamp).is_some(),
        }
    }
}

/// `*` stands for any text; `\*` and `\\` for themselves.
fn matches(text: &str, pattern: &str) -> bool {
    let mut parts = vec![String::new()];
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        let plain = match character {
            '*' => {
                parts.push(String::new());
                continue;
            }
            '\\' => characters.next().unwrap_or('\\'),
            plain => plain,
        };
        if let Some(part) = parts.last_mut() {
            part.push(plain);
        }
    }
    let mut parts = parts.iter();
    let (Some(first), last) = (parts.next(), parts.next_back()) else {
        return false;
    };
    let Some(last) = last else {
        return text == first;
    };
    let Some(rest) = text.strip_prefix(first.as_str()) else {
        return false;
    };
    let Some(mut rest) = rest.strip_suffix(last.as_str()) else {
        return false;
    };
    for part in parts {
        match rest.split_once(part.as_str()) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (text, pattern, expected) in [
            ("log-1.txt", "log-*.txt", true),
            ("log-1.tx", "log-*.txt", false),
            ("aba", "ab*ba", false),
            ("a*c", "a\\*c", true),
            ("abc", "a\\*c", false),
            ("a\\b", "a\\\\b", true),
            ("", "*", true),
            ("one two three", "*two*", true),
            ("abc", "abc", true),
            ("xaybz", "x*a*b*z", true),
        ] {
            assert_eq!(matches(text, pattern), expected, "{text} {pattern}");
        }
    }
}
