//! The values of plain expressions: parts of what was given, and what was made of them.

use super::members::{Fields, Items, Members};
use super::{GivenUp, Steps};
use crate::limits;
use jsonata_core::value::JValue;
use serde_json::Value;
use std::borrow::Cow;
use std::rc::Rc;

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Part<'s> {
    /// JSONata's undefined.
    Nothing,
    /// A part of a variable, of the data, or of the expression itself.
    Given(&'s Value),
    Bool(bool),
    Number(f64),
    Text(Rc<str>),
    List(Rc<List<'s>>),
    Object(Rc<Members<'s>>),
}

/// A list that was made. A sequence of one is that one, a sequence of none is nothing; others stay what they are.
#[derive(Debug)]
pub(super) struct List<'s> {
    items: Vec<Part<'s>>,
    kind: Kind,
    depth: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Array,
    Sequence,
    /// A sequence that stays what it is: `path[]`.
    Kept,
}

/// What a value is.
pub(super) enum Look<'p, 's> {
    Nothing,
    Null,
    Bool(bool),
    Number(f64),
    Text(&'p str),
    List(Items<'p, 's>),
    Object(Fields<'p, 's>),
}

impl<'s> Part<'s> {
    pub(super) fn array(items: Vec<Part<'s>>) -> Result<Self, GivenUp> {
        Self::list(items, Kind::Array)
    }

    pub(super) fn sequence(items: Vec<Part<'s>>) -> Result<Self, GivenUp> {
        Self::list(items, Kind::Sequence)
    }

    /// What `path[]` makes of what the path finds.
    pub(super) fn kept(self) -> Result<Self, GivenUp> {
        match self.items() {
            // Whether it found nothing or a list of nothing.
            Some(items) if items.len() == 0 => Err(GivenUp),
            Some(items) => Self::list(items.iter().collect(), Kind::Kept),
            None if self.is_nothing() => Ok(self),
            None => Self::list(vec![self], Kind::Kept),
        }
    }

    /// A path in a step of another has its own rules when it is kept.
    pub(super) fn never_kept(self) -> Result<Self, GivenUp> {
        match self {
            Part::List(list) if list.kind == Kind::Kept => Err(GivenUp),
            other => Ok(other),
        }
    }

    fn list(items: Vec<Part<'s>>, kind: Kind) -> Result<Self, GivenUp> {
        let depth = depth_around(items.iter())?;
        Ok(Part::List(Rc::new(List { items, kind, depth })))
    }

    pub(super) fn object(mut members: Members<'s>) -> Result<Self, GivenUp> {
        members.depth = depth_around(members.list.iter().map(|(_, value)| value))?;
        Ok(Part::Object(Rc::new(members)))
    }

    /// How deep what was made here is nested.
    fn depth(&self) -> usize {
        match self {
            Part::List(list) => list.depth,
            Part::Object(members) => members.depth,
            _ => 0,
        }
    }

    pub(super) fn text(text: &str) -> Self {
        Part::Text(Rc::from(text))
    }

    /// What a function of the evaluator gave back, when it is a text or a number.
    pub(super) fn of_scalar(value: &JValue) -> Result<Self, GivenUp> {
        match value {
            JValue::Undefined => Ok(Part::Nothing),
            JValue::Bool(flag) => Ok(Part::Bool(*flag)),
            JValue::Number(number) => Part::number(*number),
            JValue::String(text) => Ok(Part::Text(Rc::clone(text))),
            _ => Err(GivenUp),
        }
    }

    pub(super) fn number(number: f64) -> Result<Self, GivenUp> {
        match number.is_finite() {
            true => Ok(Part::Number(number)),
            false => Err(GivenUp),
        }
    }

    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Part::Nothing)
    }

    pub(super) fn is_sequence(&self) -> bool {
        matches!(self, Part::List(list) if list.kind != Kind::Array)
    }

    pub(super) fn look(&self) -> Look<'_, 's> {
        match self {
            Part::Nothing => Look::Nothing,
            Part::Bool(flag) => Look::Bool(*flag),
            Part::Number(number) => Look::Number(*number),
            Part::Text(text) => Look::Text(text),
            Part::List(list) => Look::List(Items::Made(&list.items)),
            Part::Object(members) => Look::Object(Fields::Made(members)),
            Part::Given(value) => match value {
                Value::Null => Look::Null,
                Value::Bool(flag) => Look::Bool(*flag),
                Value::Number(number) => Look::Number(number.as_f64().unwrap_or(f64::NAN)),
                Value::String(text) => Look::Text(text),
                Value::Array(items) => Look::List(Items::Given(items)),
                Value::Object(members) => Look::Object(Fields::Given(members)),
            },
        }
    }

    pub(super) fn items(&self) -> Option<Items<'_, 's>> {
        match self.look() {
            Look::List(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self.look() {
            Look::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A text as the name of a member.
    pub(super) fn into_name(self) -> Option<Cow<'s, str>> {
        match self {
            Part::Given(Value::String(text)) => Some(Cow::Borrowed(text)),
            Part::Text(text) => Some(Cow::Owned(text.as_ref().to_owned())),
            _ => None,
        }
    }

    pub(super) fn as_number(&self) -> Option<f64> {
        match self.look() {
            Look::Number(number) => Some(number),
            _ => None,
        }
    }

    /// What is left of a sequence when nobody looks at it as one any more.
    pub(super) fn unwrapped(self) -> Self {
        match &self {
            Part::List(list) if list.kind == Kind::Sequence => match list.items.as_slice() {
                [] => Part::Nothing,
                [only] => only.clone(),
                _ => self,
            },
            _ => self,
        }
    }

    /// `boolean()` of JSONata; nothing is false.
    pub(super) fn is_true(&self, steps: &Steps) -> Result<bool, GivenUp> {
        Ok(match self.look() {
            Look::Nothing | Look::Null => false,
            Look::Bool(flag) => flag,
            Look::Number(number) => number != 0.0,
            Look::Text(text) => !text.is_empty(),
            Look::Object(fields) => fields.len() > 0,
            Look::List(items) => {
                steps.take(items.len())?;
                for item in items.iter() {
                    if item.is_true(steps)? {
                        return Ok(true);
                    }
                }
                false
            }
        })
    }

    /// Whether both hold the same, however they came to be.
    pub(super) fn equals(&self, other: &Self, steps: &Steps) -> Result<bool, GivenUp> {
        steps.take(1)?;
        Ok(match (self.look(), other.look()) {
            (Look::Null, Look::Null) => true,
            (Look::Bool(a), Look::Bool(b)) => a == b,
            (Look::Number(a), Look::Number(b)) => a == b,
            (Look::Text(a), Look::Text(b)) => a == b,
            (Look::List(a), Look::List(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                for (a, b) in a.iter().zip(b.iter()) {
                    if !a.equals(&b, steps)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Look::Object(a), Look::Object(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                for (name, a) in a.iter() {
                    match b.field(name) {
                        Some(b) if a.equals(&b, steps)? => {}
                        _ => return Ok(false),
                    }
                }
                true
            }
            _ => false,
        })
    }
}

/// The depth of what holds these. What is nested more deeply than an answer may be is not made: looking at it recurses.
fn depth_around<'p, 's: 'p>(parts: impl Iterator<Item = &'p Part<'s>>) -> Result<usize, GivenUp> {
    let depth = 1 + parts.map(Part::depth).max().unwrap_or(0);
    match depth <= limits::PAYLOAD_DEPTH_MAX {
        true => Ok(depth),
        false => Err(GivenUp),
    }
}
