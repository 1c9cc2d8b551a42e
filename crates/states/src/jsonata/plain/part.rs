//! The values of plain expressions: parts of what was given, and what was made of them.

use super::{GivenUp, Steps};
use crate::limits;
use jsonata_core::functions;
use jsonata_core::value::JValue;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

/// Members above which their places are written down.
const FEW: usize = 12;

/// The largest whole number that a double, which all numbers of JSONata are, tells from its neighbours.
const WHOLE_MAX: u64 = (1 << 53) - 1;

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

/// A list that was made. A sequence of one is that one, a sequence of none is nothing; an array stays what it is.
#[derive(Debug)]
pub(super) struct List<'s> {
    items: Vec<Part<'s>>,
    is_sequence: bool,
    depth: usize,
}

/// The members of an object that was made, each name once.
#[derive(Debug, Default)]
pub(super) struct Members<'s> {
    list: Vec<(Rc<str>, Part<'s>)>,
    /// Where each name is in the list, when there are many.
    places: HashMap<Rc<str>, usize>,
    depth: usize,
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

/// The items of an array.
#[derive(Clone, Copy)]
pub(super) enum Items<'p, 's> {
    Given(&'s [Value]),
    Made(&'p [Part<'s>]),
}

/// The members of an object.
#[derive(Clone, Copy)]
pub(super) enum Fields<'p, 's> {
    Given(&'s Map<String, Value>),
    Made(&'p Members<'s>),
}

impl<'s> Part<'s> {
    pub(super) fn array(items: Vec<Part<'s>>) -> Result<Self, GivenUp> {
        Self::list(items, false)
    }

    pub(super) fn sequence(items: Vec<Part<'s>>) -> Result<Self, GivenUp> {
        Self::list(items, true)
    }

    fn list(items: Vec<Part<'s>>, is_sequence: bool) -> Result<Self, GivenUp> {
        let depth = depth_around(items.iter())?;
        Ok(Part::List(Rc::new(List {
            items,
            is_sequence,
            depth,
        })))
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
        matches!(self, Part::List(list) if list.is_sequence)
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

    pub(super) fn as_number(&self) -> Option<f64> {
        match self.look() {
            Look::Number(number) => Some(number),
            _ => None,
        }
    }

    /// What is left of a sequence when nobody looks at it as one any more.
    pub(super) fn unwrapped(self) -> Self {
        match &self {
            Part::List(list) if list.is_sequence => match list.items.as_slice() {
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

    /// The text that `&` and `$string` make of it.
    pub(super) fn write(&self, text: &mut String, steps: &Steps) -> Result<(), GivenUp> {
        match self.look() {
            Look::Nothing => {}
            Look::Text(own) => {
                steps.take_text(own.len())?;
                text.push_str(own);
            }
            _ => self.write_json(text, steps)?,
        }
        Ok(())
    }

    fn write_json(&self, text: &mut String, steps: &Steps) -> Result<(), GivenUp> {
        steps.take(1)?;
        match self.look() {
            Look::Nothing => return Err(GivenUp),
            Look::Null => text.push_str("null"),
            Look::Bool(flag) => text.push_str(if flag { "true" } else { "false" }),
            Look::Number(number) => {
                match functions::string::string(&JValue::Number(number), None) {
                    Ok(JValue::String(written)) => text.push_str(&written),
                    _ => return Err(GivenUp),
                }
            }
            Look::Text(own) => write_quoted(own, text, steps)?,
            Look::List(items) => {
                text.push('[');
                for (n, item) in items.iter().enumerate() {
                    if n > 0 {
                        text.push(',');
                    }
                    item.write_json(text, steps)?;
                }
                text.push(']');
            }
            Look::Object(fields) => {
                text.push('{');
                for (n, (name, field)) in fields.iter().enumerate() {
                    if n > 0 {
                        text.push(',');
                    }
                    write_quoted(name, text, steps)?;
                    text.push(':');
                    field.write_json(text, steps)?;
                }
                text.push('}');
            }
        }
        Ok(())
    }

    /// As JSON; what was given is not copied when it can stay as it is.
    pub(super) fn into_json(self, steps: &Steps) -> Result<Option<Cow<'s, Value>>, GivenUp> {
        Ok(match self {
            Part::Nothing => None,
            Part::Given(value) => {
                let mut left = steps.left();
                match is_settled(value, limits::PAYLOAD_DEPTH_MAX, &mut left) {
                    true => Some(Cow::Borrowed(value)),
                    false => Some(Cow::Owned(self.to_json(limits::PAYLOAD_DEPTH_MAX, steps)?)),
                }
            }
            made => Some(Cow::Owned(made.to_json(limits::PAYLOAD_DEPTH_MAX, steps)?)),
        })
    }

    fn to_json(&self, levels: usize, steps: &Steps) -> Result<Value, GivenUp> {
        steps.take(1)?;
        let deeper = || levels.checked_sub(1).ok_or(GivenUp);
        Ok(match self.look() {
            Look::Nothing => return Err(GivenUp),
            Look::Null => Value::Null,
            Look::Bool(flag) => Value::Bool(flag),
            Look::Number(number) => {
                serde_json::to_value(JValue::Number(number)).map_err(|_| GivenUp)?
            }
            Look::Text(text) => {
                steps.take_text(text.len())?;
                Value::from(text)
            }
            Look::List(items) => {
                let left = deeper()?;
                let items = items.iter().map(|item| item.to_json(left, steps));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Look::Object(fields) => {
                let left = deeper()?;
                let fields = fields
                    .iter()
                    .map(|(name, field)| Ok((name.to_owned(), field.to_json(left, steps)?)));
                Value::Object(fields.collect::<Result<_, GivenUp>>()?)
            }
        })
    }
}

impl<'s> Members<'s> {
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn position(&self, name: &str) -> Option<usize> {
        match self.list.len() > FEW {
            true => self.places.get(name).copied(),
            false => self.list.iter().position(|(own, _)| **own == *name),
        }
    }

    /// Sets a member; one that is there keeps its place.
    pub(super) fn put(&mut self, name: &str, value: Part<'s>) {
        let place = self.position(name);
        match place.and_then(|place| self.list.get_mut(place)) {
            Some((_, member)) => *member = value,
            None => {
                self.list.push((Rc::from(name), value));
                self.note_places();
            }
        }
    }

    fn note_places(&mut self) {
        let count = self.list.len();
        let noted = if count == FEW + 1 { 0 } else { count - 1 };
        if count > FEW {
            let new = self.list.iter().enumerate().skip(noted);
            self.places
                .extend(new.map(|(place, (name, _))| (Rc::clone(name), place)));
        }
    }

    /// Leaves out the members without a value.
    pub(super) fn without_nothing(self) -> Self {
        match self.list.iter().any(|(_, value)| value.is_nothing()) {
            false => self,
            true => {
                let mut kept = Members::default();
                let defined = self
                    .list
                    .into_iter()
                    .filter(|(_, value)| !value.is_nothing());
                defined.for_each(|(name, value)| kept.put(&name, value));
                kept
            }
        }
    }
}

impl<'p, 's> Items<'p, 's> {
    pub(super) fn len(self) -> usize {
        match self {
            Items::Given(items) => items.len(),
            Items::Made(items) => items.len(),
        }
    }

    pub(super) fn item(self, index: usize) -> Option<Part<'s>> {
        match self {
            Items::Given(items) => items.get(index).map(Part::Given),
            Items::Made(items) => items.get(index).cloned(),
        }
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Part<'s>> + use<'p, 's> {
        (0..self.len()).filter_map(move |index| self.item(index))
    }
}

impl<'p, 's> Fields<'p, 's> {
    pub(super) fn len(self) -> usize {
        match self {
            Fields::Given(members) => members.len(),
            Fields::Made(members) => members.len(),
        }
    }

    pub(super) fn field(self, name: &str) -> Option<Part<'s>> {
        match self {
            Fields::Given(members) => members.get(name).map(Part::Given),
            Fields::Made(members) => members
                .position(name)
                .and_then(|place| members.list.get(place))
                .map(|(_, value)| value.clone()),
        }
    }

    pub(super) fn iter(self) -> impl Iterator<Item = (&'p str, Part<'s>)>
    where
        's: 'p,
    {
        let (given, made) = match self {
            Fields::Given(members) => (Some(members), None),
            Fields::Made(members) => (None, Some(&members.list)),
        };
        let given = given.into_iter().flatten();
        let made = made.into_iter().flatten();
        given
            .map(|(name, value)| (name.as_str(), Part::Given(value)))
            .chain(made.map(|(name, value)| (&**name, value.clone())))
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

/// Whether JSON is what the evaluator would give back for it: its numbers are doubles, written as whole when they are, and
/// it is neither nested too deeply nor too large.
fn is_settled(value: &Value, levels: usize, left: &mut usize) -> bool {
    let cost = match value {
        Value::String(own) => 1 + Steps::of_text(own.len()),
        Value::Object(members) => {
            let names = members.keys().map(|name| Steps::of_text(name.len()));
            1 + names.sum::<usize>()
        }
        _ => 1,
    };
    match left.checked_sub(cost) {
        Some(rest) => *left = rest,
        None => return false,
    }
    let below = levels.checked_sub(1);
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.unsigned_abs() <= WHOLE_MAX,
            None => number.as_f64().is_some_and(|double| double.fract() != 0.0),
        },
        Value::Array(items) => {
            below.is_some_and(|below| items.iter().all(|item| is_settled(item, below, left)))
        }
        Value::Object(members) => below.is_some_and(|below| {
            members
                .values()
                .all(|member| is_settled(member, below, left))
        }),
    }
}

fn write_quoted(own: &str, text: &mut String, steps: &Steps) -> Result<(), GivenUp> {
    steps.take_text(own.len())?;
    text.push_str(&serde_json::to_string(own).map_err(|_| GivenUp)?);
    Ok(())
}
