//! A record as rules see it: fields by their paths.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;

use quell_model::plain_name;
use quell_normalize::{Kind, Part, Reading, Top};
use rsigma_eval::{Event, EventValue, JsonEvent};
use serde_json::Value;

/// What lies deeper is not looked at: each level is a stack frame, and CloudTrail's records have some twelve.
const DEPTH_MAX: usize = 128;

/// The field whose versions are put aside.
pub(crate) const EVENT_NAME: &str = "eventName";

/// A record as rules see it.
pub(crate) struct Tree<'t> {
    reading: Reading<'t>,
    /// The whole record parsed, for the rare rule that asks for all texts or for one element of an array.
    whole: OnceCell<JsonEvent<'static>>,
}

/// The path of a field, taken apart.
#[derive(Debug)]
pub(crate) struct Path {
    text: String,
    /// The field of the record that its whole text names, and the one that its first part names.
    whole_top: Option<Top>,
    first_top: Option<Top>,
    /// Where its first part ends, when it has more.
    dot: Option<usize>,
    /// Whether it asks for elements of arrays by number.
    has_index: bool,
}

/// What a record has at a path.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'t> {
    /// Nothing.
    Absent,
    /// One value.
    One(Part<'t>),
    /// Several, or something that [`Event::get_field`] has to make up.
    Several,
}

impl Path {
    pub(crate) fn new(text: &str) -> Self {
        let dot = text.find('.');
        let first = dot.and_then(|dot| text.get(..dot));
        Self {
            whole_top: Top::of(text),
            first_top: first.and_then(Top::of),
            dot,
            has_index: text.contains(['[', '\\']),
            text: text.to_owned(),
        }
    }

    /// The field that is named by the path as a whole.
    fn whole<'t>(&self, record: &Reading<'t>) -> Option<Part<'t>> {
        match self.whole_top {
            Some(top) => record.top(top),
            None => record.body().child(&self.text),
        }
    }

    /// The field that its first part names, and the parts that are left.
    fn first<'t>(&self, record: &Reading<'t>) -> Option<(Part<'t>, &str)> {
        let (first, rest) = self.text.split_at_checked(self.dot?)?;
        let part = match self.first_top {
            Some(top) => record.top(top),
            None => record.body().child(first),
        };
        Some((part?, rest.get(1..)?))
    }
}

impl<'t> Tree<'t> {
    pub(crate) fn new(reading: Reading<'t>) -> Self {
        Self {
            reading,
            whole: OnceCell::new(),
        }
    }

    pub(crate) fn reading(&self) -> &Reading<'t> {
        &self.reading
    }

    /// Whether a field is there, and not null.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.get_field(path).is_some_and(|value| !value.is_null())
    }

    /// What the record has at a path: what [`Event::get_field`] gives, as far as it is one value where it stands.
    pub(crate) fn find(&self, path: &Path) -> Found<'t> {
        if path.has_index {
            return Found::Several;
        }
        if path.dot.is_none() {
            let whole = path.whole(&self.reading);
            return whole.map_or(Found::Absent, |part| self.named(path, part));
        }
        // A key with dots goes before what lies deeper.
        let dotted = self.reading.has_dots().then(|| path.whole(&self.reading));
        if let Some(part) = dotted.flatten() {
            return Found::One(part);
        }
        let Some((mut part, mut rest)) = path.first(&self.reading) else {
            return Found::Absent;
        };
        for _ in 0..DEPTH_MAX {
            let (name, more) = rest.split_once('.').unwrap_or((rest, ""));
            match part.kind() {
                Kind::Object => match part.child(name) {
                    Some(child) if name.len() == rest.len() => return Found::One(child),
                    Some(child) => (part, rest) = (child, more),
                    None => return Found::Absent,
                },
                Kind::Array => return Found::Several,
                _ => return Found::Absent,
            }
        }
        Found::Several
    }

    /// A name with a version is two.
    fn named(&self, path: &Path, part: Part<'t>) -> Found<'t> {
        if path.whole_top == Some(Top::EventName)
            && part
                .string()
                .is_some_and(|name| plain_name(&name) != name.as_ref())
        {
            return Found::Several;
        }
        Found::One(part)
    }

    fn whole(&self) -> &JsonEvent<'static> {
        self.whole.get_or_init(|| {
            // Only a number beyond all floats, or more than 128 levels, fails here: then there are no texts to look at.
            let mut value: Value =
                serde_json::from_str(self.reading.body().raw()).unwrap_or_default();
            if let Some(name) = value.get_mut(EVENT_NAME) {
                *name = both_names(name.take());
            }
            JsonEvent::owned(value)
        })
    }
}

/// A name with its version stands beside the name without it, so that a rule may write either.
pub(crate) fn both_names(name: Value) -> Value {
    match name.as_str().map(plain_name) {
        Some(plain) if Some(plain) != name.as_str() => {
            let plain = Value::from(plain);
            Value::Array(vec![name, plain])
        }
        _ => name,
    }
}

impl Event for Tree<'_> {
    fn get_field(&self, path: &str) -> Option<EventValue<'_>> {
        if path.contains(['[', '\\']) {
            return self.whole().get_field(path);
        }
        if let Some(part) = self.reading.field(path) {
            return Some(match (path, part.string()) {
                (EVENT_NAME, Some(name)) => names(name),
                _ => value(part, DEPTH_MAX),
            });
        }
        let (first, rest) = path.split_once('.')?;
        let mut found = Vec::new();
        // An array or a scalar at the root has no fields.
        let first = self.reading.field(first)?;
        collect(first, Some(rest), DEPTH_MAX, &mut found);
        match found.len() {
            0 | 1 => found.pop(),
            _ => Some(EventValue::Array(found)),
        }
    }

    fn any_string_value(&self, pred: &dyn Fn(&str) -> bool) -> bool {
        self.whole().any_string_value(pred)
    }

    fn all_string_values(&self) -> Vec<Cow<'_, str>> {
        self.whole().all_string_values()
    }

    fn to_json(&self) -> Value {
        self.whole().to_json()
    }
}

fn names(name: Cow<'_, str>) -> EventValue<'_> {
    let text = |text| EventValue::Str(text);
    let plain = plain_name(&name);
    if plain.len() == name.len() {
        return text(name);
    }
    let plain = Cow::Owned(plain.to_owned());
    EventValue::Array(vec![text(name), text(plain)])
}

/// The values at the end of a path, through the elements of every array on the way.
fn collect<'t>(part: Part<'t>, path: Option<&str>, depth: usize, found: &mut Vec<EventValue<'t>>) {
    let Some(left) = depth.checked_sub(1) else {
        return;
    };
    let Some(path) = path else {
        found.push(value(part, depth));
        return;
    };
    match part.kind() {
        Kind::Array => part
            .inner()
            .for_each(|item| collect(item, Some(path), left, found)),
        Kind::Object => {
            let (first, rest) = match path.split_once('.') {
                Some((first, rest)) => (first, Some(rest)),
                None => (path, None),
            };
            if let Some(child) = part.child(first) {
                collect(child, rest, left, found);
            }
        }
        _ => {}
    }
}

/// A part as the evaluator takes it.
pub(crate) fn value(part: Part<'_>, depth: usize) -> EventValue<'_> {
    let Some(left) = depth.checked_sub(1) else {
        return EventValue::Null;
    };
    match part.kind() {
        // Half a surrogate pair is no text.
        Kind::Text | Kind::Escaped => part.string().map_or(EventValue::Null, EventValue::Str),
        Kind::True => EventValue::Bool(true),
        Kind::False => EventValue::Bool(false),
        Kind::Null => EventValue::Null,
        Kind::Number => number(part.raw()),
        Kind::Array => EventValue::Array(part.inner().map(|item| value(item, left)).collect()),
        Kind::Object => {
            // Of a key that stands there twice, the last.
            let members = part.inner().filter_map(|m| Some((m.key()?, m)));
            let last: BTreeMap<Cow<'_, str>, Part<'_>> = members.collect();
            let of = last.into_iter();
            EventValue::Map(of.map(|(key, part)| (key, value(part, left))).collect())
        }
    }
}

/// A number: whole when 64 bits hold it, else a float.
fn number(text: &str) -> EventValue<'static> {
    match text.parse::<i64>() {
        // JSON has a negative zero, and whole numbers do not.
        Ok(0) if text.starts_with('-') => EventValue::Float(-0.0),
        Ok(whole) => EventValue::Int(whole),
        Err(_) => text.parse().map_or(EventValue::Null, EventValue::Float),
    }
}
