//! What an answer says: the output of an operation, as a tree that is read by names.
//!
//! A large answer has a hundred thousand values, so they are kept in two pieces of memory, however many they are: all
//! values in a row, each container before what it holds, and all texts in one string. The names of members are those
//! of the model. Whoever wants to change an answer, or to keep it, takes it as JSON ([`Part::to_json`]).

mod builder;
mod settle;
#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::{Map, Value};

use crate::model::{Service, is_same};

pub(crate) use builder::{Builder, Dialect, Fields, Label};
use builder::{Held, Node};

/// The output of an operation, in the API's own spelling. `'m` is for how long the service's model is there: for ever
/// with those of the [registry](crate::registry).
#[derive(Clone)]
pub struct Output<'m> {
    /// Each container is followed by what it holds: a structure by its members, a list by its items, a map by a key
    /// and a value for each entry. None is empty: the first is the whole.
    nodes: Vec<Node>,
    texts: String,
    /// Whose members the labels of structures are; `None` when there are no structures, only maps.
    service: Option<&'m Service>,
}

/// A value within an [`Output`].
#[derive(Clone, Copy)]
pub struct Part<'a> {
    output: &'a Output<'a>,
    /// The place of its node.
    at: usize,
}

/// An output without members.
impl Default for Output<'_> {
    fn default() -> Self {
        Self::from(&Value::Object(Map::new()))
    }
}

/// What JSON holds, as an output; its objects are maps.
impl From<&Value> for Output<'_> {
    fn from(value: &Value) -> Self {
        let mut builder = Builder::unbounded();
        // Only a text of four gigabytes or more does not fit.
        if builder.json(Label::NONE, value).is_err() {
            return Self::default();
        }
        builder.finish(None)
    }
}

/// Without its content, which may hold what must not be printed.
impl fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").finish_non_exhaustive()
    }
}

/// As [`Output`].
impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part").finish_non_exhaustive()
    }
}

impl<'m> Output<'m> {
    /// The whole.
    pub fn root(&self) -> Part<'_> {
        Part {
            output: self,
            at: 0,
        }
    }

    /// The member `name` of the whole; `None` when it is not there.
    pub fn get(&self, name: &str) -> Option<Part<'_>> {
        self.root().get(name)
    }

    /// What is at a JSON pointer (RFC 6901), such as `/Credentials/Expiration` or `/Reservations/0`.
    pub fn pointer(&self, pointer: &str) -> Option<Part<'_>> {
        self.root().pointer(pointer)
    }

    /// All of it as JSON.
    pub fn to_json(&self) -> Value {
        self.root().to_json()
    }

    /// Cuts the list at a JSON pointer to its first `length` items.
    pub(crate) fn truncate(&mut self, pointer: &str, length: usize) {
        let Some(list) = self.pointer(pointer).filter(|part| part.is_list()) else {
            return;
        };
        let Some(first) = list.items().nth(length) else {
            return;
        };
        let cut = first.at..list.end();
        // Whatever holds the list, and the list itself, begins before it and ends after it.
        for (at, node) in self.nodes.iter_mut().enumerate().take(cut.start) {
            if at + node.size() >= cut.end {
                node.shrink(cut.len());
            }
        }
        self.nodes.drain(cut);
    }
}

impl<'a> Part<'a> {
    #[inline]
    fn node(self) -> Option<&'a Node> {
        self.output.nodes.get(self.at)
    }

    #[inline]
    fn held(self) -> Held {
        self.node().map_or(Held::Null, |node| node.held)
    }

    /// The place after its last node.
    #[inline]
    fn end(self) -> usize {
        self.at + self.node().map_or(1, Node::size)
    }

    #[inline]
    fn span(self, start: u32, length: u32) -> &'a str {
        let (start, length) = (start as usize, length as usize);
        let span = self.output.texts.get(start..start.saturating_add(length));
        span.unwrap_or_default()
    }

    /// The text, when it is text: also times (RFC 3339), blobs (base64) and what JSON has no number for (`NaN`).
    #[inline]
    pub fn as_str(self) -> Option<&'a str> {
        match self.held() {
            Held::Text { start, length } => Some(self.span(start, length)),
            _ => None,
        }
    }

    /// The integer, when it is one that fits.
    #[inline]
    pub fn as_i64(self) -> Option<i64> {
        match self.held() {
            Held::Integer(bytes) => Some(i64::from_ne_bytes(bytes)),
            Held::Unsigned(bytes) => i64::try_from(u64::from_ne_bytes(bytes)).ok(),
            _ => None,
        }
    }

    /// The number, when it is one. Of integers beyond 2⁵³ the nearest.
    #[expect(clippy::cast_precision_loss, reason = "as serde_json has it")]
    pub fn as_f64(self) -> Option<f64> {
        match self.held() {
            Held::Integer(bytes) => Some(i64::from_ne_bytes(bytes) as f64),
            Held::Unsigned(bytes) => Some(u64::from_ne_bytes(bytes) as f64),
            Held::Float(bytes) => Some(f64::from_ne_bytes(bytes)),
            _ => None,
        }
    }

    /// Whether it is `true`, when it is that or `false`.
    pub fn as_bool(self) -> Option<bool> {
        match self.held() {
            Held::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// Whether it is null. Only items of lists, and what is within documents, can be.
    pub fn is_null(self) -> bool {
        matches!(self.held(), Held::Null)
    }

    /// Whether it is a structure or a map.
    pub fn is_map(self) -> bool {
        matches!(self.held(), Held::Structure { .. } | Held::Map { .. })
    }

    /// Whether it is a list.
    pub fn is_list(self) -> bool {
        matches!(self.held(), Held::List { .. })
    }

    /// The items of a list; none of anything else.
    pub fn items(self) -> impl Iterator<Item = Part<'a>> {
        self.parts().filter(move |_| self.is_list())
    }

    /// The members of a structure, or the entries of a map, with their names, as they came; none of anything else.
    pub fn members(self) -> impl Iterator<Item = (&'a str, Part<'a>)> {
        let name_of = self.name_of();
        let is_map = matches!(self.held(), Held::Map { .. });
        let mut parts = self.parts();
        std::iter::from_fn(move || {
            let part = parts.next()?;
            if is_map {
                return Some((part.as_str()?, parts.next()?));
            }
            Some((name_of.as_ref()?(part.node()?.label.0)?, part))
        })
    }

    /// The names of the members that a structure may have.
    #[inline]
    fn name_of(self) -> Option<impl Fn(u16) -> Option<&'a str>> {
        match self.held() {
            Held::Structure { shape, .. } => Some(self.output.service?.member_names(shape)),
            _ => None,
        }
    }

    /// The member of a structure, or the entry of a map, of that name.
    pub fn get(self, name: &str) -> Option<Part<'a>> {
        let is_it = |key: &str| is_same(key.as_bytes(), name.as_bytes());
        let Some(name_of) = self.name_of() else {
            return self
                .members()
                .find(|(key, _)| is_it(key))
                .map(|(_, part)| part);
        };
        let (output, end) = (self.output, self.end());
        let mut at = self.at + 1;
        while at < end {
            let node = output.nodes.get(at)?;
            if name_of(node.label.0).is_some_and(is_it) {
                return Some(Part { output, at });
            }
            at += node.size();
        }
        None
    }

    /// What is at a JSON pointer within it.
    pub fn pointer(self, pointer: &str) -> Option<Part<'a>> {
        if pointer.is_empty() {
            return Some(self);
        }
        let mut steps = pointer.strip_prefix('/')?.split('/');
        steps.try_fold(self, |part, step| {
            if part.is_list() {
                part.items().nth(step.parse().ok()?)
            } else if step.contains('~') {
                part.get(&step.replace("~1", "/").replace("~0", "~"))
            } else {
                part.get(step)
            }
        })
    }

    /// It as JSON.
    pub fn to_json(self) -> Value {
        match self.held() {
            Held::Null => Value::Null,
            Held::Bool(value) => value.into(),
            Held::Integer(bytes) => i64::from_ne_bytes(bytes).into(),
            Held::Unsigned(bytes) => u64::from_ne_bytes(bytes).into(),
            Held::Float(bytes) => f64::from_ne_bytes(bytes).into(),
            Held::Text { start, length } => self.span(start, length).into(),
            Held::List { .. } => self.items().map(Part::to_json).collect(),
            Held::Structure { .. } | Held::Map { .. } => {
                let members = self.members();
                members
                    .map(|(name, part)| (name.to_owned(), part.to_json()))
                    .collect()
            }
        }
    }

    /// The values that a container holds, keys among them.
    #[inline]
    fn parts(self) -> impl Iterator<Item = Part<'a>> + use<'a> {
        let (output, mut at, end) = (self.output, self.at + 1, self.end());
        std::iter::from_fn(move || {
            let part = Part { output, at };
            at = part.end();
            (part.at < end).then_some(part)
        })
    }
}
