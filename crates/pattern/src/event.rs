//! Events: the leaves of a JSON object, by the names on the way to them and the array elements they lie in.

use std::collections::BTreeMap;

use crate::error::EventError;
use crate::json::{JsonError, JsonFault, Reader, Token};
use crate::limits::EVENT_DEPTH_MAX;
use crate::number::comparable;

/// An event, parsed once and matched against any number of patterns.
///
/// Arrays add no name: every element's leaves stand under the array's own name, each with the element it lies in.
/// Shared names and elements are stored once, so an event takes memory in proportion to its text.
#[derive(Debug, Clone)]
pub struct Event {
    names: Vec<Name>,
    elements: Vec<Element>,
}

#[derive(Debug, Clone, Default)]
struct Name {
    children: BTreeMap<Box<str>, u32>,
    leaves: Vec<Leaf>,
}

/// A scalar, and the innermost array element that is an object or array and holds it.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    pub(crate) value: Value,
    pub(crate) element: Option<u32>,
}

#[derive(Debug, Clone)]
struct Element {
    parent: Option<u32>,
    choice: Choice,
}

/// Element `index` of array `array`. Arrays are numbered in the order of the text, outer before inner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Choice {
    pub(crate) array: u32,
    pub(crate) index: u32,
}

/// A scalar.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(Box<str>),
    Number { text: Box<str>, value: Option<f64> },
    Bool(bool),
    Null,
}

/// A scalar that is looked at where it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scalar<'a> {
    Text(&'a str),
    /// Its text, and its value when a 64-bit float holds it.
    Number(&'a str, Option<f64>),
    Bool(bool),
    Null,
}

impl Value {
    pub(crate) fn scalar(&self) -> Scalar<'_> {
        match self {
            Self::Text(text) => Scalar::Text(text),
            Self::Number { text, value } => Scalar::Number(text, *value),
            Self::Bool(value) => Scalar::Bool(*value),
            Self::Null => Scalar::Null,
        }
    }
}

impl Event {
    /// Parses an event.
    ///
    /// # Errors
    ///
    /// When the bytes are not UTF-8, not JSON (RFC 8259), not an object, or nested deeper than
    /// [`crate::EVENT_DEPTH_MAX`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EventError> {
        Builder::new(text(bytes)?).build()
    }

    /// The leaves whose names, joined by dots, are `path`.
    pub(crate) fn leaves(&self, path: &str) -> Vec<&Leaf> {
        let mut found = Vec::new();
        let mut pending = vec![(0, path)];
        while let Some((name, path)) = pending.pop() {
            let Some(name) = self.name(name) else {
                continue;
            };
            let child = |key: &str| name.children.get(key).copied();
            if let Some(end) = child(path).and_then(|child| self.name(child)) {
                found.extend(&end.leaves);
            }
            // A name may itself contain dots.
            for (dot, _) in path.match_indices('.') {
                let (key, rest) = (
                    path.get(..dot).unwrap_or_default(),
                    path.get(dot + 1..).unwrap_or_default(),
                );
                pending.extend(child(key).map(|child| (child, rest)));
            }
        }
        found
    }

    /// The array elements that `element` is and lies in, outermost first.
    pub(crate) fn choices(&self, element: Option<u32>) -> Vec<Choice> {
        let mut choices = Vec::new();
        let mut next = element;
        while let Some(element) = next.and_then(|at| self.elements.get(usize::try_from(at).ok()?)) {
            choices.push(element.choice);
            next = element.parent;
        }
        choices.reverse();
        choices
    }

    fn name(&self, at: u32) -> Option<&Name> {
        self.names.get(usize::try_from(at).ok()?)
    }
}

/// The text of an event, without the byte order mark it may begin with.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, JsonError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // The quick check does not say where the fault is.
    simdutf8::basic::from_utf8(bytes).map_err(|_| JsonError {
        fault: JsonFault::Encoding,
        offset: std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len),
    })
}

/// What is open while an event is read.
enum Open {
    /// An object whose members' names are children of `name`.
    Object { name: u32, element: Option<u32> },
    /// An array whose elements stand under `name`.
    Array {
        name: u32,
        element: Option<u32>,
        array: u32,
        next: u32,
    },
}

struct Builder<'a> {
    reader: Reader<'a>,
    names: Vec<Name>,
    elements: Vec<Element>,
    arrays: u32,
    open: Vec<Open>,
}

/// Where a value goes: the name it stands under, the element around it, and, in an array, its own place there.
struct Slot {
    name: u32,
    element: Option<u32>,
    place: Option<Choice>,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            reader: Reader::new(text, EVENT_DEPTH_MAX),
            names: vec![Name::default()],
            elements: Vec::new(),
            arrays: 0,
            open: Vec::new(),
        }
    }

    fn build(mut self) -> Result<Event, EventError> {
        if self.reader.next()? != Token::ObjectStart {
            return Err(EventError::NotAnObject);
        }
        self.open.push(Open::Object {
            name: 0,
            element: None,
        });
        let mut slot = None;
        loop {
            match self.reader.next()? {
                Token::End => break,
                Token::ObjectEnd | Token::ArrayEnd => {
                    self.open.pop();
                }
                Token::Key(key) => slot = self.member(&key)?,
                token => {
                    let slot = slot.take().or_else(|| self.next_element());
                    self.value(token, slot.ok_or(EventError::TooLarge)?)?;
                }
            }
        }
        Ok(Event {
            names: self.names,
            elements: self.elements,
        })
    }

    fn value(&mut self, token: Token<'_>, slot: Slot) -> Result<(), EventError> {
        let value = match token {
            Token::ObjectStart => {
                let element = self.enter(&slot)?;
                self.open.push(Open::Object {
                    name: slot.name,
                    element,
                });
                return Ok(());
            }
            Token::ArrayStart => {
                let element = self.enter(&slot)?;
                let array = self.arrays;
                self.arrays = array.checked_add(1).ok_or(EventError::TooLarge)?;
                self.open.push(Open::Array {
                    name: slot.name,
                    element,
                    array,
                    next: 0,
                });
                return Ok(());
            }
            Token::Text(text) => Value::Text(text.into()),
            Token::Number(text) => Value::Number {
                text: text.into(),
                value: comparable(text),
            },
            Token::Bool(value) => Value::Bool(value),
            _ => Value::Null,
        };
        let name = usize::try_from(slot.name)
            .ok()
            .and_then(|at| self.names.get_mut(at));
        name.ok_or(EventError::TooLarge)?.leaves.push(Leaf {
            value,
            element: slot.element,
        });
        Ok(())
    }

    /// The slot of the member `key` of the object now open.
    fn member(&mut self, key: &str) -> Result<Option<Slot>, EventError> {
        let Some(&Open::Object { name, element }) = self.open.last() else {
            return Ok(None);
        };
        let next = u32::try_from(self.names.len()).map_err(|_| EventError::TooLarge)?;
        let parent = usize::try_from(name)
            .ok()
            .and_then(|at| self.names.get_mut(at))
            .ok_or(EventError::TooLarge)?;
        let child = match parent.children.get(key) {
            Some(child) => *child,
            None => {
                parent.children.insert(key.into(), next);
                self.names.push(Name::default());
                next
            }
        };
        Ok(Some(Slot {
            name: child,
            element,
            place: None,
        }))
    }

    /// The slot of the next element of the array now open.
    fn next_element(&mut self) -> Option<Slot> {
        let Some(Open::Array {
            name,
            element,
            array,
            next,
        }) = self.open.last_mut()
        else {
            return None;
        };
        let place = Choice {
            array: *array,
            index: *next,
        };
        *next = next.checked_add(1)?;
        Some(Slot {
            name: *name,
            element: *element,
            place: Some(place),
        })
    }

    /// The element an object or array opens: scalars directly in an array belong to the element around the array.
    fn enter(&mut self, slot: &Slot) -> Result<Option<u32>, EventError> {
        let Some(choice) = slot.place else {
            return Ok(slot.element);
        };
        let at = u32::try_from(self.elements.len()).map_err(|_| EventError::TooLarge)?;
        self.elements.push(Element {
            parent: slot.element,
            choice,
        });
        Ok(Some(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(event: &Event, path: &str) -> Vec<Vec<(u32, u32)>> {
        let pairs = |leaf: &Leaf| {
            event
                .choices(leaf.element)
                .iter()
                .map(|choice| (choice.array, choice.index))
                .collect()
        };
        event.leaves(path).into_iter().map(pairs).collect()
    }

    #[test]
    fn leaves_know_their_elements() {
        let event = Event::parse(br#"{"a": [{"b": [1, [2]]}, {"b": 3}, 4], "c": 5}"#).unwrap();
        assert_eq!(
            choices(&event, "a.b"),
            [vec![(0, 0)], vec![(0, 0), (1, 1)], vec![(0, 1)]]
        );
        assert_eq!(choices(&event, "a"), [vec![]]);
        assert_eq!(choices(&event, "c"), [vec![]]);
        assert!(choices(&event, "a.x").is_empty() && choices(&event, "").is_empty());
    }

    #[test]
    fn dotted_and_repeated_names_are_all_found() {
        let event =
            Event::parse(br#"{"a.b": 1, "a": {"b": 2, "b": 3, "": 4}, "a": {"b": [5]}}"#).unwrap();
        assert_eq!(event.leaves("a.b").len(), 4);
        assert_eq!(event.leaves("a.").len(), 1);
    }

    #[test]
    fn refuses_what_is_no_event() {
        for bytes in [&b"[1]"[..], b"1", b""] {
            assert!(Event::parse(bytes).is_err());
        }
        assert_eq!(Event::parse(b"[]").unwrap_err(), EventError::NotAnObject);
        assert!(matches!(
            Event::parse(b"{\"a\": \"\xff\"}").unwrap_err(),
            EventError::Json(JsonError {
                fault: JsonFault::Encoding,
                offset: 7
            })
        ));
        assert!(
            Event::parse(b"\xef\xbb\xbf{}").is_ok(),
            "a byte order mark is no fault"
        );
    }

    #[test]
    fn hostile_nesting_and_long_names_cost_no_more_than_their_text() {
        let deep = format!("{{\"a\":{}", "[".repeat(1_000_000));
        assert!(matches!(
            Event::parse(deep.as_bytes()).unwrap_err(),
            EventError::Json(_)
        ));
        let levels = EVENT_DEPTH_MAX - 1;
        let allowed = format!("{{\"a\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(
            Event::parse(allowed.as_bytes()).unwrap().leaves("a").len(),
            1
        );
        let members: Vec<String> = (0..50_000).map(|n| format!("\"{n}\":1")).collect();
        let long = format!("{{\"{}\":{{{}}}}}", "k".repeat(500_000), members.join(","));
        assert_eq!(Event::parse(long.as_bytes()).unwrap().names.len(), 50_002);
    }
}
