//! Walking a value along the steps of a path.

use super::path::Step;
use crate::limits::PATH_VALUES_MAX;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// What a definite step selects.
pub(super) fn one<'v>(value: &'v Value, step: &Step) -> Option<Cow<'v, Value>> {
    match (step, value) {
        (Step::Child(name), Value::Object(fields)) => fields.get(name).map(Cow::Borrowed),
        (Step::Index(index), _) => at(value, *index).map(Cow::Borrowed),
        (Step::Children(names), Value::Object(fields)) => {
            let mut chosen = Map::new();
            for name in names {
                chosen.insert(name.clone(), fields.get(name)?.clone());
            }
            Some(Cow::Owned(Value::Object(chosen)))
        }
        (Step::Length, Value::Array(items)) => Some(Cow::Owned(Value::from(items.len()))),
        (Step::Length, Value::Object(fields)) => Some(Cow::Owned(Value::from(fields.len()))),
        (Step::Length, Value::String(text)) => Some(Cow::Owned(Value::from(text.chars().count()))),
        _ => None,
    }
}

/// Everything the steps select, in order, unless it is too much; `root` is `$`
/// inside filters.
pub(super) fn all<'v>(root: &'v Value, value: &'v Value, steps: &[Step]) -> Option<Vec<&'v Value>> {
    let mut found = vec![value];
    for step in steps {
        let mut next = Vec::new();
        for value in found {
            next.extend(children(root, value, step));
            if next.len() > PATH_VALUES_MAX {
                return None;
            }
        }
        found = next;
    }
    Some(found)
}

fn children<'v>(root: &'v Value, value: &'v Value, step: &Step) -> Vec<&'v Value> {
    match step {
        Step::Child(name) => value.get(name).into_iter().collect(),
        Step::Children(names) => names.iter().filter_map(|name| value.get(name)).collect(),
        Step::Index(index) => at(value, *index).into_iter().collect(),
        Step::Indexes(indexes) => indexes
            .iter()
            .filter_map(|index| at(value, *index))
            .collect(),
        Step::Slice(from, to, by) => slice(value, *from, *to, *by),
        Step::Wildcard => below(value).collect(),
        Step::Filter(filter) => match value {
            Value::Array(items) => items
                .iter()
                .filter(|item| filter.holds(root, item))
                .collect(),
            Value::Object(_) if filter.holds(root, value) => vec![value],
            _ => Vec::new(),
        },
        Step::Descend => {
            let mut found = Vec::new();
            descend(value, &mut found);
            found
        }
        Step::Length => Vec::new(),
    }
}

fn below(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(fields) => Box::new(fields.values()),
        _ => Box::new(std::iter::empty()),
    }
}

fn descend<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    found.push(value);
    for child in below(value) {
        descend(child, found);
    }
}

fn at(value: &Value, index: i64) -> Option<&Value> {
    let items = value.as_array()?;
    items.get(position(index, items.len())?)
}

fn position(index: i64, length: usize) -> Option<usize> {
    let at = match usize::try_from(index) {
        Ok(at) => at,
        Err(_) => length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
    };
    (at < length).then_some(at)
}

fn slice(value: &Value, from: Option<i64>, to: Option<i64>, by: i64) -> Vec<&Value> {
    let Value::Array(items) = value else {
        return Vec::new();
    };
    let bound = |index: i64| match usize::try_from(index) {
        Ok(at) => at.min(items.len()),
        Err(_) => items
            .len()
            .saturating_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let (from, to) = (from.map_or(0, bound), to.map_or(items.len(), bound));
    items
        .iter()
        .take(to)
        .skip(from)
        .step_by(usize::try_from(by).unwrap_or(1).max(1))
        .collect()
}
