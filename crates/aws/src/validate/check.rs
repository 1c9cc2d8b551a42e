//! The walk through parameters, beside their shapes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};

use super::place::{Faults, Place, Step};
use super::{Measure, Problem, limits, nearest};
use crate::model::{Kind, View};
use crate::scalar::parse_time;

pub(super) struct Check {
    faults: Faults,
    null_items: bool,
}

impl Check {
    pub(super) fn new(null_items: bool) -> Self {
        let faults = Faults::default();
        Self { faults, null_items }
    }

    pub(super) fn run(mut self, input: Option<View<'_>>, params: &Value) -> Faults {
        let root = &Place::ROOT;
        match (input, params) {
            (Some(input), params) => self.value(input, params, root),
            (None, Value::Object(members)) => {
                for name in members.keys() {
                    let nearest = None;
                    self.fault(&root.then(Step::Name(name)), Problem::Unknown { nearest });
                }
            }
            (None, Value::Null) => {}
            (None, _) => {
                let wanted = Kind::Structure;
                self.fault(root, Problem::WrongType { wanted });
            }
        }
        self.faults
    }

    fn fault(&mut self, place: &Place<'_>, problem: Problem) {
        self.faults.add(place, problem);
    }

    fn value(&mut self, view: View<'_>, value: &Value, place: &Place<'_>) {
        if place.is_too_deep() {
            return self.fault(place, Problem::TooDeep);
        }
        let problem = match (view.kind(), value) {
            (Kind::Structure, _) if view.is_document() => None,
            (Kind::Structure, Value::Object(members)) => {
                self.structure(view, members, place);
                None
            }
            (Kind::List, Value::Array(items)) => {
                for (index, value) in items.iter().enumerate() {
                    self.item(view.item(), value, &place.then(Step::Index(index)));
                }
                limits::length(view, items.len(), Measure::Items)
            }
            (Kind::Map, Value::Object(entries)) => {
                self.map(view, entries, place);
                limits::length(view, entries.len(), Measure::Items)
            }
            (kind, value) => scalar(view, kind, value),
        };
        if let Some(problem) = problem {
            self.fault(place, problem);
        }
    }

    fn map(&mut self, view: View<'_>, entries: &Map<String, Value>, place: &Place<'_>) {
        for (key, value) in entries {
            let place = &place.then(Step::Name(key));
            let length = key.chars().count();
            let too_short = |key| limits::length(key, length, Measure::Characters);
            if let Some(problem) = view.key().and_then(too_short) {
                self.fault(place, problem);
            }
            self.item(view.value(), value, place);
        }
    }

    fn item(&mut self, view: Option<View<'_>>, value: &Value, place: &Place<'_>) {
        if value.is_null() && self.null_items {
            return;
        }
        if let Some(view) = view {
            self.value(view, value, place);
        }
    }

    /// A member that is `null` counts as not given.
    fn structure(&mut self, view: View<'_>, members: &Map<String, Value>, place: &Place<'_>) {
        for name in view.required() {
            let filled_later = view.member(name).is_some_and(View::is_idempotency_token);
            if members.get(name).is_none_or(Value::is_null) && !filled_later {
                self.fault(&place.then(Step::Name(name)), Problem::Missing);
            }
        }
        for (name, value) in members {
            let place = &place.then(Step::Name(name));
            match view.member(name) {
                Some(member) if !value.is_null() => self.value(member, value, place),
                Some(_) => {}
                None => {
                    let nearest = nearest(name, view.members().map(|(name, _)| name));
                    self.fault(place, Problem::Unknown { nearest });
                }
            }
        }
        if view.is_union() && members.values().filter(|v| !v.is_null()).count() != 1 {
            self.fault(place, Problem::NotOne);
        }
    }
}

/// What is wrong with a value that holds no others.
fn scalar(view: View<'_>, kind: Kind, value: &Value) -> Option<Problem> {
    let wrong_type = Some(Problem::WrongType { wanted: kind });
    match (kind, value) {
        (Kind::String, _) if view.is_json_value() => None,
        (Kind::String, Value::String(given)) => text(view, given),
        (Kind::Boolean, Value::Bool(_)) => None,
        (Kind::Integer, Value::Number(n)) if n.is_i64() || n.is_u64() => limits::value(view, n),
        (Kind::Float, Value::Number(n)) => limits::value(view, n),
        (Kind::Float, Value::String(s)) if is_special(s) => None,
        (Kind::Timestamp, value) if parse_time(value).is_some() => None,
        (Kind::Blob, Value::String(given)) => match BASE64.decode(given) {
            Ok(bytes) => limits::length(view, bytes.len(), Measure::Bytes),
            Err(_) => wrong_type,
        },
        _ => wrong_type,
    }
}

fn text(view: View<'_>, given: &str) -> Option<Problem> {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if view.is_host_label() && !given.chars().all(legal) {
        return Some(Problem::NotHost);
    }
    limits::length(view, given.chars().count(), Measure::Characters)
}

/// What JSON has no number for.
fn is_special(text: &str) -> bool {
    matches!(text, "NaN" | "Infinity" | "-Infinity")
}
