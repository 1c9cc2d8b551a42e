//! Simple conditions on one variable, read from the rules of a Choice in either
//! query language, and tried on sample values.

use serde_json::Value;

/// A value to try.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sample {
    Number(f64),
    Bool(bool),
}

/// A condition that says something about one variable only.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    Compare(Comparison, f64),
    Is(bool),
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Comparison {
    Equals,
    Differs,
    Less,
    LessOrEquals,
    Greater,
    GreaterOrEquals,
}

use Comparison::{Differs, Equals, Greater, GreaterOrEquals, Less, LessOrEquals};

/// Operators of JSONata, the longer first.
const OPERATORS: &[(&str, Comparison)] = &[
    (">=", GreaterOrEquals),
    ("<=", LessOrEquals),
    ("!=", Differs),
    (">", Greater),
    ("<", Less),
    ("=", Equals),
];

const OPERATOR_FIELDS: &[(&str, Comparison)] = &[
    ("NumericEquals", Equals),
    ("NumericLessThan", Less),
    ("NumericLessThanEquals", LessOrEquals),
    ("NumericGreaterThan", Greater),
    ("NumericGreaterThanEquals", GreaterOrEquals),
];

impl Condition {
    /// Reads a rule, with the variable it is about. `None`: it is not simple.
    pub(super) fn read(rule: &Value) -> Option<(String, Condition)> {
        if let Some(text) = rule.get("Condition").and_then(Value::as_str) {
            return read_jsonata(text);
        }
        for (name, all) in [("And", true), ("Or", false)] {
            if let Some(rules) = rule.get(name).and_then(Value::as_array) {
                return read_list(rules, all);
            }
        }
        if let Some(inner) = rule.get("Not") {
            let (variable, condition) = Condition::read(inner)?;
            return Some((variable, Condition::Not(Box::new(condition))));
        }
        let variable = rule.get("Variable")?.as_str()?.to_owned();
        if let Some(value) = rule.get("BooleanEquals") {
            return Some((variable, Condition::Is(value.as_bool()?)));
        }
        let (comparison, value) = OPERATOR_FIELDS
            .iter()
            .find_map(|(name, comparison)| Some((*comparison, rule.get(*name)?)))?;
        Some((variable, Condition::Compare(comparison, value.as_f64()?)))
    }

    /// Whether it holds for a value; a value of another kind fits no comparison.
    pub(super) fn holds(&self, sample: Sample) -> bool {
        match (self, sample) {
            (Condition::And(all), _) => all.iter().all(|inner| inner.holds(sample)),
            (Condition::Or(any), _) => any.iter().any(|inner| inner.holds(sample)),
            (Condition::Not(inner), _) => !inner.holds(sample),
            (Condition::Is(wanted), Sample::Bool(value)) => *wanted == value,
            (Condition::Compare(comparison, bound), Sample::Number(value)) => {
                comparison.holds(value, *bound)
            }
            _ => false,
        }
    }

    /// The numbers it compares with, and whether it asks for a Boolean.
    pub(super) fn bounds(&self, numbers: &mut Vec<f64>, booleans: &mut bool) {
        match self {
            Condition::Compare(_, bound) => numbers.push(*bound),
            Condition::Is(_) => *booleans = true,
            Condition::And(inner) | Condition::Or(inner) => {
                for condition in inner {
                    condition.bounds(numbers, booleans);
                }
            }
            Condition::Not(inner) => inner.bounds(numbers, booleans),
        }
    }
}

impl Comparison {
    fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Equals => value == bound,
            Differs => value != bound,
            Less => value < bound,
            LessOrEquals => value <= bound,
            Greater => value > bound,
            GreaterOrEquals => value >= bound,
        }
    }
}

fn read_list(rules: &[Value], all: bool) -> Option<(String, Condition)> {
    let read: Vec<(String, Condition)> =
        rules.iter().map(Condition::read).collect::<Option<_>>()?;
    let variable = read.first()?.0.clone();
    if read.iter().any(|(other, _)| *other != variable) {
        return None;
    }
    let conditions = read.into_iter().map(|(_, condition)| condition).collect();
    Some((
        variable,
        match all {
            true => Condition::And(conditions),
            false => Condition::Or(conditions),
        },
    ))
}

/// `{% $states.input.severity > 7 %}`, with `and` or `or` between such.
fn read_jsonata(text: &str) -> Option<(String, Condition)> {
    let source = text.strip_prefix("{%")?.strip_suffix("%}")?.trim();
    for (word, all) in [(" or ", false), (" and ", true)] {
        if source.contains(word) {
            let parts = source.split(word).map(read_jsonata_part);
            let read: Vec<(String, Condition)> = parts.collect::<Option<_>>()?;
            let variable = read.first()?.0.clone();
            let same = read.iter().all(|(other, _)| *other == variable);
            let conditions = read.into_iter().map(|(_, condition)| condition).collect();
            let condition = match all {
                true => Condition::And(conditions),
                false => Condition::Or(conditions),
            };
            return same.then_some((variable, condition));
        }
    }
    read_jsonata_part(source)
}

fn read_jsonata_part(source: &str) -> Option<(String, Condition)> {
    let source = source.trim();
    let is_path = |text: &str| {
        text.starts_with('$')
            && text
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '$' | '_' | '.'))
    };
    let found = OPERATORS
        .iter()
        .find_map(|(sign, comparison)| Some((source.split_once(sign)?, *comparison)));
    let Some(((left, right), comparison)) = found else {
        return is_path(source).then(|| (source.to_owned(), Condition::Is(true)));
    };
    let (left, right) = (left.trim(), right.trim());
    if !is_path(left) {
        return None;
    }
    let condition = match (right, comparison) {
        ("true", Equals) => Condition::Is(true),
        ("false", Equals) => Condition::Is(false),
        _ => Condition::Compare(comparison, right.parse().ok()?),
    };
    Some((left.to_owned(), condition))
}
