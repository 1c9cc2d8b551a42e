//! The condition of a `[?( )]` step.

use super::cursor::Cursor;
use super::path::{Path, Root};
use super::select;
use serde_json::Value;
use std::cmp::Ordering;

/// Parentheses and negations one filter may nest.
const NESTING_MAX: u32 = 32;

/// A parsed condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filter {
    Any(Vec<Filter>),
    All(Vec<Filter>),
    Not(Box<Filter>),
    Exists(Path),
    Compare(Operand, Operator, Operand),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    Path(Path),
    Literal(Value),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Filter {
    /// Reads a condition as far as it goes.
    pub(super) fn read(cursor: &mut Cursor<'_>, depth: u32) -> Option<Filter> {
        let mut any = vec![Filter::read_all(cursor, depth)?];
        while cursor.eat_spaced("||") {
            any.push(Filter::read_all(cursor, depth)?);
        }
        Some(Filter::Any(any))
    }

    fn read_all(cursor: &mut Cursor<'_>, depth: u32) -> Option<Filter> {
        let mut all = vec![Filter::read_term(cursor, depth)?];
        while cursor.eat_spaced("&&") {
            all.push(Filter::read_term(cursor, depth)?);
        }
        Some(Filter::All(all))
    }

    fn read_term(cursor: &mut Cursor<'_>, depth: u32) -> Option<Filter> {
        if depth > NESTING_MAX {
            return None;
        }
        if cursor.eat_spaced("!") {
            let term = Filter::read_term(cursor, depth + 1)?;
            return Some(Filter::Not(Box::new(term)));
        }
        if cursor.eat("(") {
            let inner = Filter::read(cursor, depth + 1)?;
            cursor.expect(")")?;
            return Some(inner);
        }
        let left = Operand::read(cursor)?;
        match (Operator::read(cursor), left) {
            (Some(operator), left) => Some(Filter::Compare(left, operator, Operand::read(cursor)?)),
            (None, Operand::Path(path)) => Some(Filter::Exists(path)),
            (None, Operand::Literal(_)) => None,
        }
    }

    pub(super) fn holds(&self, root: &Value, item: &Value) -> bool {
        match self {
            Filter::Any(filters) => filters.iter().any(|filter| filter.holds(root, item)),
            Filter::All(filters) => filters.iter().all(|filter| filter.holds(root, item)),
            Filter::Not(filter) => !filter.holds(root, item),
            Filter::Exists(path) => found(path, root, item).is_some(),
            Filter::Compare(left, operator, right) => {
                operator.holds(left.value(root, item), right.value(root, item))
            }
        }
    }
}

fn found(path: &Path, root: &Value, item: &Value) -> Option<Value> {
    let base = match path.root {
        Root::Item => item,
        Root::Input => root,
        Root::Context | Root::Variable(_) => return None,
    };
    if path.is_definite() {
        return path.select(base).ok();
    }
    let all = select::all(base, base, &path.steps)?;
    (!all.is_empty()).then(|| Value::Array(all.into_iter().cloned().collect()))
}

impl Operand {
    fn read(cursor: &mut Cursor<'_>) -> Option<Operand> {
        cursor.skip_space();
        match cursor.peek()? {
            '@' | '$' => Path::read(cursor).map(Operand::Path),
            '\'' | '"' => cursor.quoted().map(|text| Operand::Literal(text.into())),
            _ => cursor.plain_literal().map(Operand::Literal),
        }
    }

    fn value(&self, root: &Value, item: &Value) -> Option<Value> {
        match self {
            Operand::Path(path) => found(path, root, item),
            Operand::Literal(value) => Some(value.clone()),
        }
    }
}

impl Operator {
    fn read(cursor: &mut Cursor<'_>) -> Option<Operator> {
        cursor.skip_space();
        [
            ("==", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ]
        .into_iter()
        .find_map(|(token, operator)| cursor.eat(token).then_some(operator))
    }

    fn holds(self, left: Option<Value>, right: Option<Value>) -> bool {
        let order = match (&left, &right) {
            (Some(Value::Number(a)), Some(Value::Number(b))) => a.as_f64().partial_cmp(&b.as_f64()),
            (Some(Value::String(a)), Some(Value::String(b))) => Some(a.cmp(b)),
            _ => (left == right).then_some(Ordering::Equal),
        };
        let comparable = left.is_some() && right.is_some();
        match self {
            Operator::Equal => order == Some(Ordering::Equal),
            Operator::NotEqual => order != Some(Ordering::Equal),
            Operator::Less => comparable && order == Some(Ordering::Less),
            Operator::Greater => comparable && order == Some(Ordering::Greater),
            Operator::LessOrEqual => comparable && order.is_some_and(Ordering::is_le),
            Operator::GreaterOrEqual => comparable && order.is_some_and(Ordering::is_ge),
        }
    }
}
