//! A record, read where it is asked for.
//!
//! A rule asks for a few fields of a record of some forty. Nothing is read before it is asked for; what is asked for again was
//! read already. Texts without escapes are borrowed from the record.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;

use quell_model::plain_name;
use rsigma_eval::{Event, EventValue, JsonEvent};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::Value;
use serde_json::value::RawValue;

/// What lies deeper is not looked at: each level is a stack frame, and CloudTrail's records have some twelve.
const DEPTH_MAX: usize = 128;

/// The field whose versions are put aside.
pub(crate) const EVENT_NAME: &str = "eventName";

/// A record as rules see it.
pub(crate) struct Tree<'a> {
    root: Node<'a>,
    /// The whole record parsed, for the rare rule that asks for all texts or for one element of an array.
    whole: OnceCell<JsonEvent<'static>>,
}

struct Node<'a> {
    text: &'a str,
    inner: OnceCell<Inner<'a>>,
}

enum Inner<'a> {
    Object(Vec<(Text<'a>, Node<'a>)>),
    Array(Vec<Node<'a>>),
    Scalar(Scalar<'a>),
}

#[derive(Clone)]
enum Scalar<'a> {
    Text(Cow<'a, str>),
    Int(i64),
    Float(f64),
    Bool(bool),
    Null,
}

impl<'a> Tree<'a> {
    /// A record by its text, which is valid JSON.
    pub(crate) fn new(record: &'a RawValue) -> Self {
        Self {
            root: Node::new(record.get()),
            whole: OnceCell::new(),
        }
    }

    /// Whether a field is there, and not null.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.get_field(path).is_some_and(|value| !value.is_null())
    }

    fn whole(&self) -> &JsonEvent<'static> {
        self.whole.get_or_init(|| {
            // Only a number beyond all floats, or more than 128 levels, fails here: then there are no texts to look at.
            let mut value: Value = serde_json::from_str(self.root.text).unwrap_or_default();
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
        if let Some(node) = self.root.child(path) {
            return Some(match (path, node.inner()) {
                (EVENT_NAME, Inner::Scalar(Scalar::Text(name))) => names(name),
                _ => node.value(DEPTH_MAX),
            });
        }
        let (first, rest) = path.split_once('.')?;
        let mut found = Vec::new();
        // An array or a scalar at the root has no fields.
        self.root
            .child(first)?
            .collect(Some(rest), DEPTH_MAX, &mut found);
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

fn names(name: &str) -> EventValue<'_> {
    let text = |text| EventValue::Str(Cow::Borrowed(text));
    match plain_name(name) {
        plain if plain == name => text(name),
        plain => EventValue::Array(vec![text(name), text(plain)]),
    }
}

impl<'a> Node<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            inner: OnceCell::new(),
        }
    }

    fn inner(&self) -> &Inner<'a> {
        self.inner.get_or_init(|| {
            let read = match self.text.as_bytes().first() {
                Some(b'{') => read(self.text, Object).map(Inner::Object),
                Some(b'[') => read(self.text, Array).map(Inner::Array),
                Some(b'"') => read(self.text, TextReader).map(|t| Inner::Scalar(Scalar::Text(t.0))),
                _ => Ok(Inner::Scalar(scalar(self.text))),
            };
            // The text was read once already, as a whole; only a lone surrogate can be wrong now.
            read.unwrap_or(Inner::Scalar(Scalar::Null))
        })
    }

    /// The value of a key; the last one when it stands there twice, as for every reader of JSON that keeps one.
    fn child(&self, key: &str) -> Option<&Node<'a>> {
        match self.inner() {
            Inner::Object(fields) => fields
                .iter()
                .rfind(|(name, _)| name.0 == key)
                .map(|(_, node)| node),
            _ => None,
        }
    }

    /// The values at the end of a path, through the elements of every array on the way.
    fn collect<'t>(&'t self, path: Option<&str>, depth: usize, found: &mut Vec<EventValue<'t>>) {
        let Some(left) = depth.checked_sub(1) else {
            return;
        };
        let Some(path) = path else {
            found.push(self.value(depth));
            return;
        };
        match self.inner() {
            Inner::Array(items) => items
                .iter()
                .for_each(|item| item.collect(Some(path), left, found)),
            Inner::Object(_) => {
                let (first, rest) = match path.split_once('.') {
                    Some((first, rest)) => (first, Some(rest)),
                    None => (path, None),
                };
                if let Some(child) = self.child(first) {
                    child.collect(rest, left, found);
                }
            }
            Inner::Scalar(_) => {}
        }
    }

    fn value(&self, depth: usize) -> EventValue<'_> {
        let Some(left) = depth.checked_sub(1) else {
            return EventValue::Null;
        };
        match self.inner() {
            Inner::Scalar(Scalar::Text(text)) => EventValue::Str(Cow::Borrowed(text)),
            Inner::Scalar(Scalar::Int(number)) => EventValue::Int(*number),
            Inner::Scalar(Scalar::Float(number)) => EventValue::Float(*number),
            Inner::Scalar(Scalar::Bool(value)) => EventValue::Bool(*value),
            Inner::Scalar(Scalar::Null) => EventValue::Null,
            Inner::Array(items) => {
                EventValue::Array(items.iter().map(|item| item.value(left)).collect())
            }
            Inner::Object(fields) => {
                // Of a key that stands there twice, the last.
                let again =
                    |at: usize, name: &str| fields.iter().skip(at + 1).any(|(n, _)| n.0 == name);
                let mut map = Vec::with_capacity(fields.len());
                for (at, (name, node)) in fields.iter().enumerate() {
                    if !again(at, &name.0) {
                        map.push((Cow::Borrowed(&*name.0), node.value(left)));
                    }
                }
                EventValue::Map(map)
            }
        }
    }
}

/// `true`, `false`, `null`, or a number: whole when 64 bits hold it, else a float.
fn scalar(text: &str) -> Scalar<'static> {
    match text {
        "true" => Scalar::Bool(true),
        "false" => Scalar::Bool(false),
        "null" => Scalar::Null,
        number => match number.parse::<i64>() {
            // JSON has a negative zero, and whole numbers do not.
            Ok(0) if number.starts_with('-') => Scalar::Float(-0.0),
            Ok(whole) => Scalar::Int(whole),
            Err(_) => number.parse().map_or(Scalar::Null, Scalar::Float),
        },
    }
}

/// Reads a text that is as the visitor expects it: what JSON it is was seen before.
fn read<'a, V: Visitor<'a>>(text: &'a str, visitor: V) -> serde_json::Result<V::Value> {
    serde_json::Deserializer::from_str(text).deserialize_any(visitor)
}

struct Object;

impl<'a> Visitor<'a> for Object {
    type Value = Vec<(Text<'a>, Node<'a>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        // A CloudTrail record has some 25 fields.
        let mut fields = Vec::with_capacity(16);
        while let Some((name, value)) = map.next_entry::<Text<'a>, &'a RawValue>()? {
            fields.push((name, Node::new(value.get())));
        }
        Ok(fields)
    }
}

struct Array;

impl<'a> Visitor<'a> for Array {
    type Value = Vec<Node<'a>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<S: SeqAccess<'a>>(self, mut seq: S) -> Result<Self::Value, S::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element::<&'a RawValue>()? {
            items.push(Node::new(item.get()));
        }
        Ok(items)
    }
}

/// A text, borrowed when it has no escapes. Serde's own `Cow` always copies.
struct Text<'a>(Cow<'a, str>);

struct TextReader;

impl<'a> Visitor<'a> for TextReader {
    type Value = Text<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'a str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextReader)
    }
}
