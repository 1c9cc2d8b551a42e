//! How an [`Output`] is made: value after value, in the order in which they come.

use serde_json::Value;
use time::OffsetDateTime;

use super::{Output, settle};
use crate::model::{Service, View};
use crate::protocol::{Budget, Malformed};
use crate::scalar::push_time;

/// Which member of its structure a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Label(pub(crate) u16);

impl Label {
    /// It is not the member of a structure.
    pub(crate) const NONE: Self = Self(u16::MAX);

    /// Its bit among those of the first 64 members.
    #[inline]
    fn bit(self) -> Option<u64> {
        1_u64.checked_shl(self.0.into())
    }
}

/// A value: 16 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) label: Label,
    pub(super) held: Held,
}

/// Numbers are bytes, so that nothing in it is aligned to more than four. A container's `size` counts its own node and
/// all that it holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Held {
    Null,
    Bool(bool),
    Integer([u8; 8]),
    /// An integer beyond 2⁶³.
    Unsigned([u8; 8]),
    Float([u8; 8]),
    Text {
        start: u32,
        length: u32,
    },
    List {
        size: u32,
    },
    /// Keys and values by turns.
    Map {
        size: u32,
    },
    /// `shape` is its index in the model.
    Structure {
        shape: u32,
        size: u32,
    },
}

impl Node {
    /// How many nodes it is, itself and all that it holds.
    #[inline]
    pub(super) fn size(&self) -> usize {
        match self.held {
            Held::List { size } | Held::Map { size } | Held::Structure { size, .. } => {
                size as usize
            }
            _ => 1,
        }
    }

    #[inline]
    pub(super) fn set_size(&mut self, nodes: usize) {
        if let Held::List { size } | Held::Map { size } | Held::Structure { size, .. } =
            &mut self.held
        {
            *size = u32::try_from(nodes).unwrap_or(u32::MAX);
        }
    }

    /// It holds so many nodes less.
    pub(super) fn shrink(&mut self, nodes: usize) {
        self.set_size(self.size().saturating_sub(nodes));
    }
}

/// What it means that a member comes more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// The last one holds, and null is none: JSON and what goes its way.
    Json,
    /// The parts of a flattened list or map follow each other; of anything else the first holds.
    Xml,
}

/// An output that is being made.
pub(crate) struct Builder {
    nodes: Vec<Node>,
    texts: String,
    /// The members that the open structures have so far and that are not in their `seen`.
    labels: Vec<Label>,
    budget: Budget,
}

/// A structure whose members are coming.
pub(crate) struct Fields {
    at: usize,
    /// The first 64 members, a bit each, that have come. Few structures have more.
    seen: u64,
    first_label: usize,
    has_repeats: bool,
}

/// How far an output had come.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    nodes: usize,
    texts: usize,
}

impl Builder {
    /// For an answer of so many bytes, of which one in `bytes_per_value` begins a value.
    pub(crate) fn new(bytes: usize, bytes_per_value: usize) -> Self {
        Self {
            nodes: Vec::with_capacity(bytes / bytes_per_value + 8),
            texts: String::with_capacity(bytes / 8 * 5),
            labels: Vec::new(),
            budget: Budget::new(),
        }
    }

    /// For what is in memory already.
    pub(super) fn unbounded() -> Self {
        Self {
            budget: Budget::unbounded(),
            ..Self::new(0, 1)
        }
    }

    /// What has been made. `service` is the model of all its structures.
    pub(crate) fn finish(mut self, service: Option<&Service>) -> Output<'_> {
        if self.nodes.is_empty() {
            self.nodes.push(Node {
                label: Label::NONE,
                held: Held::Map { size: 1 },
            });
        }
        Output {
            nodes: self.nodes,
            texts: self.texts,
            service,
        }
    }

    /// One value more is read, whether it is kept or not.
    #[inline]
    pub(crate) fn spend(&mut self) -> Result<(), Malformed> {
        self.budget.spend()
    }

    #[inline(always)]
    fn push(&mut self, label: Label, held: Held) -> Result<(), Malformed> {
        self.budget.spend()?;
        self.nodes.push(Node { label, held });
        Ok(())
    }

    pub(crate) fn null(&mut self, label: Label) -> Result<(), Malformed> {
        self.push(label, Held::Null)
    }

    #[inline]
    pub(crate) fn bool(&mut self, label: Label, value: bool) -> Result<(), Malformed> {
        self.push(label, Held::Bool(value))
    }

    #[inline]
    pub(crate) fn integer(&mut self, label: Label, value: i64) -> Result<(), Malformed> {
        self.push(label, Held::Integer(value.to_ne_bytes()))
    }

    #[inline]
    pub(crate) fn unsigned(&mut self, label: Label, value: u64) -> Result<(), Malformed> {
        match i64::try_from(value) {
            Ok(value) => self.integer(label, value),
            Err(_) => self.push(label, Held::Unsigned(value.to_ne_bytes())),
        }
    }

    /// A number; what JSON has no number for is text (`NaN`, `Infinity`, `-Infinity`).
    pub(crate) fn float(&mut self, label: Label, value: f64) -> Result<(), Malformed> {
        if value.is_finite() {
            self.push(label, Held::Float(value.to_ne_bytes()))
        } else if value.is_nan() {
            self.text(label, "NaN")
        } else if value > 0.0 {
            self.text(label, "Infinity")
        } else {
            self.text(label, "-Infinity")
        }
    }

    /// A time, in the form that answers have.
    pub(crate) fn time(&mut self, label: Label, time: OffsetDateTime) -> Result<(), Malformed> {
        let start = self.texts.len();
        push_time(&mut self.texts, time);
        self.text_from(label, start)
    }

    #[inline]
    pub(crate) fn text(&mut self, label: Label, text: &str) -> Result<(), Malformed> {
        let start = self.texts.len();
        self.texts.push_str(text);
        self.text_from(label, start)
    }

    /// Where the next text will begin.
    pub(crate) fn texts_end(&self) -> usize {
        self.texts.len()
    }

    /// A piece of a text that [`text_from`](Self::text_from) will end, or [`take_text`](Self::take_text).
    #[inline]
    pub(crate) fn push_piece(&mut self, piece: &str) {
        self.texts.push_str(piece);
    }

    /// Behind what is in it, more pieces of a text may be put.
    #[inline]
    pub(crate) fn pieces_mut(&mut self) -> &mut String {
        &mut self.texts
    }

    /// The pieces from `start` on.
    pub(crate) fn pieces(&self, start: usize) -> &str {
        self.texts.get(start..).unwrap_or_default()
    }

    /// Forgets the pieces from `start` on.
    pub(crate) fn drop_pieces(&mut self, start: usize) {
        self.texts.truncate(start);
    }

    /// The pieces from `start` on are a text.
    #[inline]
    pub(crate) fn text_from(&mut self, label: Label, start: usize) -> Result<(), Malformed> {
        let held = self.held_from(start)?;
        self.push(label, held)
    }

    #[inline]
    fn held_from(&self, start: usize) -> Result<Held, Malformed> {
        let length = self.texts.len() - start;
        match (u32::try_from(start), u32::try_from(length)) {
            (Ok(start), Ok(length)) => Ok(Held::Text { start, length }),
            _ => Err(Malformed::new("the answer has more than 4 GB of text")),
        }
    }

    /// The key of a map's next entry.
    #[inline]
    pub(crate) fn key(&mut self, key: &str) -> Result<(), Malformed> {
        let start = self.texts.len();
        self.texts.push_str(key);
        let held = self.held_from(start)?;
        self.nodes.push(Node {
            label: Label::NONE,
            held,
        });
        Ok(())
    }

    /// Makes the pieces from `start` on the key that was pushed at `mark`.
    pub(crate) fn set_key(&mut self, mark: Mark, start: usize) -> Result<(), Malformed> {
        let held = self.held_from(start)?;
        if let Some(node) = self.nodes.get_mut(mark.nodes) {
            node.held = held;
        }
        Ok(())
    }

    /// How far it has come.
    #[inline]
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            nodes: self.nodes.len(),
            texts: self.texts.len(),
        }
    }

    /// Forgets what came since.
    pub(crate) fn undo(&mut self, mark: Mark) {
        self.nodes.truncate(mark.nodes);
        self.texts.truncate(mark.texts);
    }

    /// Begins a list; its items follow, and then [`end`](Self::end).
    #[inline]
    pub(crate) fn list(&mut self, label: Label) -> Result<Mark, Malformed> {
        let mark = self.mark();
        self.push(label, Held::List { size: 1 })?;
        Ok(mark)
    }

    /// Begins a map; its keys and values follow, and then [`end_map`](Self::end_map).
    pub(crate) fn map(&mut self, label: Label) -> Result<Mark, Malformed> {
        let mark = self.mark();
        self.push(label, Held::Map { size: 1 })?;
        Ok(mark)
    }

    /// Ends a list.
    #[inline]
    pub(crate) fn end(&mut self, mark: Mark) {
        let size = self.nodes.len() - mark.nodes;
        if let Some(node) = self.nodes.get_mut(mark.nodes) {
            node.set_size(size);
        }
    }

    /// Ends a map. Of two entries of one key the last holds; `keeps_null` says whether null is an entry.
    #[inline]
    pub(crate) fn end_map(&mut self, mark: Mark, keeps_null: bool) {
        let is_null = |node: &Node| matches!(node.held, Held::Null);
        let held = self.nodes.get(mark.nodes + 1..).unwrap_or_default();
        // One entry has no other, and needs no more than a look.
        let is_plain = match held {
            [_, value, ..] => value.size() + 1 == held.len() && (keeps_null || !is_null(value)),
            _ => true,
        };
        if !is_plain {
            let mut settled = settle::entries(held, &self.texts, keeps_null);
            self.nodes.truncate(mark.nodes + 1);
            self.nodes.append(&mut settled);
        }
        self.end(mark);
    }

    /// Begins a structure; its members follow, each [`begin`](Self::begin)ning, and then [`close`](Self::close).
    #[inline]
    pub(crate) fn structure(&mut self, label: Label, view: View<'_>) -> Result<Fields, Malformed> {
        let fields = Fields {
            at: self.nodes.len(),
            seen: 0,
            first_label: self.labels.len(),
            has_repeats: false,
        };
        let shape = view.shape_index();
        self.push(label, Held::Structure { shape, size: 1 })?;
        Ok(fields)
    }

    /// A member comes. Whether it is the first of that label.
    #[inline]
    pub(crate) fn begin(&mut self, fields: &mut Fields, label: Label) -> bool {
        let is_first = if let Some(bit) = label.bit() {
            let is_first = fields.seen & bit == 0;
            fields.seen |= bit;
            is_first
        } else {
            let earlier = self.labels.get(fields.first_label..).unwrap_or_default();
            let is_first = !earlier.contains(&label);
            if is_first {
                self.labels.push(label);
            }
            is_first
        };
        fields.has_repeats |= !is_first;
        is_first
    }

    /// The member that began last, the first of its label, did not come after all.
    pub(crate) fn forget(&mut self, fields: &mut Fields, label: Label, mark: Mark) {
        self.undo(mark);
        match label.bit() {
            Some(bit) => fields.seen &= !bit,
            None => drop(self.labels.pop()),
        }
    }

    /// Whether a structure has no members.
    pub(crate) fn has_none(&self, fields: &Fields) -> bool {
        self.nodes.len() == fields.at + 1
    }

    /// Ends a structure.
    #[inline]
    pub(crate) fn close(&mut self, fields: Fields, dialect: Dialect) {
        self.labels.truncate(fields.first_label);
        if fields.has_repeats {
            self.settle(&fields, dialect);
        }
        let size = self.nodes.len() - fields.at;
        if let Some(node) = self.nodes.get_mut(fields.at) {
            node.set_size(size);
        }
    }

    #[cold]
    fn settle(&mut self, fields: &Fields, dialect: Dialect) {
        let members = self.nodes.get(fields.at + 1..).unwrap_or_default();
        let mut settled = settle::members(members, &self.texts, dialect);
        self.nodes.truncate(fields.at + 1);
        self.nodes.append(&mut settled);
    }

    /// Ends a structure which is a union without a member that the model knows, `name` instead.
    pub(crate) fn close_unknown(&mut self, fields: Fields, name: &str) -> Result<(), Malformed> {
        let label = self.nodes.get(fields.at).map(|node| node.label);
        self.labels.truncate(fields.first_label);
        self.nodes.truncate(fields.at);
        let union = self.map(label.unwrap_or(Label::NONE))?;
        self.key("SDK_UNKNOWN_MEMBER")?;
        let unknown = self.map(Label::NONE)?;
        self.key("name")?;
        self.text(Label::NONE, name)?;
        self.end(unknown);
        self.end(union);
        Ok(())
    }

    /// What JSON holds; its objects are maps.
    pub(crate) fn json(&mut self, label: Label, value: &Value) -> Result<(), Malformed> {
        match value {
            Value::Null => self.null(label),
            Value::Bool(value) => self.bool(label, *value),
            Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(value), _) => self.integer(label, value),
                (None, Some(value)) => self.unsigned(label, value),
                (None, None) => self.float(label, number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => self.text(label, text),
            Value::Array(items) => {
                let list = self.list(label)?;
                for item in items {
                    self.json(Label::NONE, item)?;
                }
                self.end(list);
                Ok(())
            }
            Value::Object(members) => {
                let map = self.map(label)?;
                for (key, value) in members {
                    self.key(key)?;
                    self.json(Label::NONE, value)?;
                }
                self.end(map);
                Ok(())
            }
        }
    }
}
