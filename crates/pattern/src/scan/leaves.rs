//! The values an event has for the fields that patterns name.

use crate::event::{Choice, Scalar};
use crate::limits::{CHOICES_MAX, FIELDS_MAX, STEPS_MAX};
use crate::number::comparable;

/// No leaf, no element.
pub(crate) const NONE: u32 = u32::MAX;

/// What a leaf is, as its first byte tells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// A string that stands in the event as it is.
    Text,
    /// A string that was unescaped, in [`Leaves::unescaped`].
    Unescaped,
    Number,
    Bool(bool),
    Null,
}

/// A scalar of a field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leaf {
    pub(crate) field: u32,
    pub(crate) kind: Kind,
    start: u32,
    end: u32,
    /// The array element it lies in, or [`NONE`].
    element: u32,
    /// The next leaf of the same field.
    next: u32,
}

#[derive(Debug, Clone, Copy)]
struct Element {
    parent: u32,
    depth: u32,
    choice: Choice,
}

/// What an event has for one field; meaningful when it bears the number of the event.
#[derive(Debug, Clone, Copy, Default)]
struct Field {
    event: u32,
    first: u32,
    last: u32,
    /// Whether a leaf lies in an array element, or outside of all.
    inside: bool,
    outside: bool,
}

/// All leaves of an event, in the order of the text, and by field. It takes memory in proportion to the longest event
/// read and to the number of fields.
#[derive(Debug, Default)]
pub(crate) struct Leaves {
    event: u32,
    fields: Vec<Field>,
    leaves: Vec<Leaf>,
    /// The fields the event has.
    present: Vec<u32>,
    elements: Vec<Element>,
    unescaped: String,
    /// How many choices of elements the leaves make together.
    choices: usize,
    /// How many values the reader went over. Tests hold it to its bound.
    pub(crate) steps: usize,
}

impl Leaves {
    /// Forgets the last event.
    pub(crate) fn begin(&mut self, fields: usize) {
        self.leaves.clear();
        self.present.clear();
        self.elements.clear();
        self.unescaped.clear();
        self.choices = 0;
        self.steps = 0;
        if self.fields.len() < fields {
            self.fields.resize(fields, Field::default());
        }
        self.event = self.event.wrapping_add(1);
        if self.event == 0 {
            self.fields.fill(Field::default());
            self.event = 1;
        }
    }

    /// Keeps a leaf.
    pub(crate) fn push(&mut self, field: u32, kind: Kind, start: usize, end: usize, element: u32) {
        let at = index(self.leaves.len());
        let Some(seen) = usize::try_from(field)
            .ok()
            .and_then(|f| self.fields.get_mut(f))
        else {
            return;
        };
        if seen.event == self.event {
            let last = usize::try_from(seen.last).ok();
            if let Some(last) = last.and_then(|last| self.leaves.get_mut(last)) {
                last.next = at;
            }
        } else {
            *seen = Field {
                event: self.event,
                first: at,
                ..Field::default()
            };
            self.present.push(field);
        }
        seen.last = at;
        seen.inside |= element != NONE;
        seen.outside |= element == NONE;
        if element != NONE {
            let depth = get(&self.elements, element).map_or(0, |element| element.depth);
            self.choices += usize::try_from(depth).unwrap_or(usize::MAX);
        }
        self.leaves.push(Leaf {
            field,
            kind,
            start: index(start),
            end: index(end),
            element,
            next: NONE,
        });
    }

    /// Keeps a string that had escapes.
    pub(crate) fn push_unescaped(&mut self, field: u32, text: &str, element: u32) {
        let start = self.unescaped.len();
        self.unescaped.push_str(text);
        let end = self.unescaped.len();
        self.push(field, Kind::Unescaped, start, end, element);
    }

    /// A new element of an array, inside `parent`.
    pub(crate) fn element(&mut self, parent: u32, choice: Choice) -> u32 {
        let at = index(self.elements.len());
        let depth = get(&self.elements, parent).map_or(1, |parent| parent.depth + 1);
        self.elements.push(Element {
            parent,
            depth,
            choice,
        });
        at
    }

    /// The leaves, in the order of the text.
    pub(crate) fn all(&self) -> &[Leaf] {
        &self.leaves
    }

    /// The fields the event has.
    pub(crate) fn present(&self) -> &[u32] {
        &self.present
    }

    /// Whether the event has `field`.
    pub(crate) fn has(&self, field: u32) -> bool {
        self.seen(field).is_some()
    }

    /// Whether it has `field` outside of all array elements.
    pub(crate) fn has_outside(&self, field: u32) -> bool {
        self.seen(field).is_some_and(|seen| seen.outside)
    }

    /// Whether it has `field` in an array element.
    pub(crate) fn has_inside(&self, field: u32) -> bool {
        self.seen(field).is_some_and(|seen| seen.inside)
    }

    /// Whether no pattern can come near [`CHOICES_MAX`] or [`STEPS_MAX`] as long as its values choose nothing of each
    /// other.
    pub(crate) fn is_small(&self) -> bool {
        self.choices <= CHOICES_MAX / 2 && self.leaves.len() <= STEPS_MAX / 2 - 2 * FIELDS_MAX
    }

    fn seen(&self, field: u32) -> Option<&Field> {
        get(&self.fields, field).filter(|seen| seen.event == self.event)
    }
}

impl Leaf {
    /// The innermost array element that is an object or array and holds it.
    pub(crate) fn element(&self) -> Option<u32> {
        (self.element != NONE).then_some(self.element)
    }
}

/// An event with its leaves.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'e> {
    pub(crate) text: &'e str,
    pub(crate) leaves: &'e Leaves,
}

impl<'e> Seen<'e> {
    /// The leaves of `field`.
    pub(crate) fn of(self, field: u32) -> impl Iterator<Item = &'e Leaf> {
        let first = self.leaves.seen(field).map_or(NONE, |seen| seen.first);
        let leaf = move |at| get(&self.leaves.leaves, at);
        std::iter::successors(leaf(first), move |last| leaf(last.next))
    }

    /// The text of a leaf: of a string without its quotes.
    pub(crate) fn text(self, leaf: &Leaf) -> &'e str {
        let (start, end) = (usize::try_from(leaf.start), usize::try_from(leaf.end));
        let text = match leaf.kind {
            Kind::Unescaped => &self.leaves.unescaped,
            _ => self.text,
        };
        text.get(start.unwrap_or(0)..end.unwrap_or(0))
            .unwrap_or_default()
    }

    /// The value of a leaf.
    pub(crate) fn value(self, leaf: &Leaf) -> Scalar<'e> {
        let text = self.text(leaf);
        match leaf.kind {
            Kind::Text | Kind::Unescaped => Scalar::Text(text),
            Kind::Number => Scalar::Number(text, comparable(text)),
            Kind::Bool(value) => Scalar::Bool(value),
            Kind::Null => Scalar::Null,
        }
    }

    /// The array elements that `element` is and lies in, outermost first.
    pub(crate) fn choices(self, element: u32) -> Vec<Choice> {
        let at = |element| get(&self.leaves.elements, element);
        let outwards = std::iter::successors(at(element), |inner| at(inner.parent));
        let mut choices: Vec<Choice> = outwards.map(|element| element.choice).collect();
        choices.reverse();
        choices
    }
}

fn get<T>(all: &[T], at: u32) -> Option<&T> {
    all.get(usize::try_from(at).ok()?)
}

/// A place as a number; events are shorter than 4 GiB, so it always is one.
fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(NONE)
}
