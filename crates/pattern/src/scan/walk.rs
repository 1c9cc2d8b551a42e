//! The walk over an event from token to token.

use super::leaves::{Kind, Leaves, NONE};
use super::paths::{OFF, Paths};
use super::quotes::Quotes;
use crate::event::Choice;
use crate::json::{Reader, Token};
use crate::limits::EVENT_DEPTH_MAX;

/// An object or array that is open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Open {
    /// The node its members or elements stand under, or [`OFF`].
    node: u32,
    /// The array element it is or lies in.
    element: u32,
    /// Its number and the number of its next element, when it is an array.
    array: Option<Choice>,
}

/// Where a value goes.
#[derive(Clone, Copy)]
struct Slot {
    node: u32,
    element: u32,
    /// Its own place in an array.
    place: Option<Choice>,
}

pub(crate) struct Walker<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    quotes: Marks<'a>,
    escapes: bool,
    paths: &'a Paths,
    open: &'a mut Vec<Open>,
    leaves: &'a mut Leaves,
    arrays: u32,
}

/// The marked quotes, one after the other.
struct Marks<'a> {
    words: &'a [u64],
    at: usize,
    bits: u64,
}

impl Marks<'_> {
    fn next(&mut self) -> Option<usize> {
        while self.bits == 0 {
            self.at += 1;
            self.bits = *self.words.get(self.at)?;
        }
        let bit = self.bits.trailing_zeros();
        self.bits &= self.bits - 1;
        Some(self.at * 64 + usize::try_from(bit).ok()?)
    }
}

impl<'a> Walker<'a> {
    pub(crate) fn new(
        text: &'a str,
        paths: &'a Paths,
        quotes: &'a Quotes,
        open: &'a mut Vec<Open>,
        leaves: &'a mut Leaves,
    ) -> Self {
        let words = quotes.words();
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            quotes: Marks {
                words,
                at: 0,
                bits: words.first().copied().unwrap_or(0),
            },
            escapes: quotes.escapes(),
            paths,
            open,
            leaves,
            arrays: 0,
        }
    }

    /// Walks to the end; `None` when the text is no event.
    pub(crate) fn walk(mut self) -> Option<()> {
        self.skip_space();
        if self.peek() != Some(b'{') {
            return None;
        }
        let mut slot = Slot {
            node: self.paths.root(),
            element: NONE,
            place: None,
        };
        loop {
            if let Some(inner) = self.value(slot)? {
                slot = inner;
                continue;
            }
            match self.after_value()? {
                Some(next) => slot = next,
                None => return (self.at == self.bytes.len()).then_some(()),
            }
        }
    }

    /// Reads a value. When it is an object or array with anything in it, only to where that is, which it gives.
    fn value(&mut self, slot: Slot) -> Option<Option<Slot>> {
        let start = self.at;
        let kind = match self.peek()? {
            b'"' => {
                let (start, end) = self.string()?;
                if slot.node != OFF {
                    self.keep_text(slot, start, end);
                }
                return Some(None);
            }
            b'{' => return self.object(slot),
            b'[' => return self.array(slot),
            b't' => self.word(b"true", Kind::Bool(true))?,
            b'f' => self.word(b"false", Kind::Bool(false))?,
            b'n' => self.word(b"null", Kind::Null)?,
            _ => self.number()?,
        };
        if let Some(field) = self.field(slot) {
            self.leaves.push(field, kind, start, self.at, slot.element);
        }
        Some(None)
    }

    /// What follows a value: the slot of the next, after as many closing brackets as there are, or the end.
    fn after_value(&mut self) -> Option<Option<Slot>> {
        loop {
            self.skip_space();
            let Some(open) = self.open.last() else {
                return Some(None);
            };
            match (self.peek()?, open.array) {
                (b',', None) => {
                    let (node, element) = (open.node, open.element);
                    self.at += 1;
                    self.skip_space();
                    return self.member(node, element).map(Some);
                }
                (b',', Some(_)) => {
                    self.at += 1;
                    self.skip_space();
                    return Some(self.next_element());
                }
                (b'}', None) | (b']', Some(_)) => {
                    self.at += 1;
                    self.open.pop();
                }
                _ => return None,
            }
        }
    }

    fn object(&mut self, slot: Slot) -> Option<Option<Slot>> {
        let (node, element) = if self.paths.is_inner(slot.node) {
            (slot.node, self.enter(slot))
        } else {
            (OFF, NONE)
        };
        self.push(Open {
            node,
            element,
            array: None,
        })?;
        if self.peek()? == b'}' {
            return Some(None);
        }
        self.member(node, element).map(Some)
    }

    fn array(&mut self, slot: Slot) -> Option<Option<Slot>> {
        let element = self.enter(slot);
        self.push(Open {
            node: slot.node,
            element,
            array: Some(Choice {
                array: self.arrays,
                index: 0,
            }),
        })?;
        self.arrays += 1;
        if self.peek()? == b']' {
            return Some(None);
        }
        Some(self.next_element())
    }

    fn push(&mut self, open: Open) -> Option<()> {
        if self.open.len() >= EVENT_DEPTH_MAX {
            return None;
        }
        self.open.push(open);
        self.at += 1;
        self.skip_space();
        Some(())
    }

    /// The element an object or array opens: scalars directly in an array belong to the element around the array.
    fn enter(&mut self, slot: Slot) -> u32 {
        match slot.place {
            Some(choice) if slot.node != OFF => self.leaves.element(slot.element, choice),
            _ => slot.element,
        }
    }

    /// Reads a key and its colon.
    fn member(&mut self, node: u32, element: u32) -> Option<Slot> {
        if self.peek()? != b'"' {
            return None;
        }
        let (start, end) = self.string()?;
        if self.peek() != Some(b':') {
            self.skip_space();
            if self.peek()? != b':' {
                return None;
            }
        }
        self.at += 1;
        self.skip_space();
        let node = if node == OFF {
            OFF
        } else {
            self.child(node, start, end)
        };
        Some(Slot {
            node,
            element,
            place: None,
        })
    }

    fn child(&self, node: u32, start: usize, end: usize) -> u32 {
        let key = self.bytes.get(start..end).unwrap_or_default();
        if self.escapes && key.contains(&b'\\') {
            return self
                .unescape(start, end, |key| self.paths.child(node, key.as_bytes()))
                .unwrap_or(OFF);
        }
        self.paths.child(node, key)
    }

    fn next_element(&mut self) -> Option<Slot> {
        let open = self.open.last_mut()?;
        let place = open.array?;
        open.array = Some(Choice {
            index: place.index + 1,
            ..place
        });
        Some(Slot {
            node: open.node,
            element: open.element,
            place: Some(place),
        })
    }

    fn field(&self, slot: Slot) -> Option<u32> {
        if slot.node == OFF {
            return None;
        }
        self.paths.field(slot.node)
    }

    fn keep_text(&mut self, slot: Slot, start: usize, end: usize) {
        let Some(field) = self.field(slot) else {
            return;
        };
        let raw = self.bytes.get(start..end).unwrap_or_default();
        if self.escapes && raw.contains(&b'\\') {
            let text = self.unescape(start, end, str::to_owned);
            self.leaves
                .push_unescaped(field, &text.unwrap_or_default(), slot.element);
        } else {
            self.leaves
                .push(field, Kind::Text, start, end, slot.element);
        }
    }

    /// Gives the string from `start` to `end` to `then`, with its escapes resolved.
    fn unescape<T>(&self, start: usize, end: usize, then: impl FnOnce(&str) -> T) -> Option<T> {
        let quoted = self.text.get(start - 1..end + 1)?;
        match Reader::new(quoted, 0).next() {
            Ok(Token::Text(text)) => Some(then(&text)),
            _ => None,
        }
    }

    /// Steps over a string; gives where its inside begins and ends.
    fn string(&mut self) -> Option<(usize, usize)> {
        let start = self.quotes.next()? + 1;
        let end = self.quotes.next()?;
        self.at = end + 1;
        Some((start, end))
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Option<Kind> {
        let rest = self.bytes.get(self.at..)?;
        self.at += word.len();
        rest.starts_with(word).then_some(kind)
    }

    fn number(&mut self) -> Option<Kind> {
        self.skip_if(|byte| byte == b'-');
        if !self.skip_if(|byte| byte == b'0') {
            self.digits()?;
        }
        if self.skip_if(|byte| byte == b'.') {
            self.digits()?;
        }
        if self.skip_if(|byte| byte | 0x20 == b'e') {
            self.skip_if(|byte| byte == b'+' || byte == b'-');
            self.digits()?;
        }
        Some(Kind::Number)
    }

    /// Steps over one digit or more, eight at a time.
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(chunk) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk) {
            let digits = leading_digits(u64::from_le_bytes(*chunk));
            self.at += digits;
            if digits < 8 {
                return (self.at > start).then_some(());
            }
        }
        while self.skip_if(|byte| byte.is_ascii_digit()) {}
        (self.at > start).then_some(())
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_if(&mut self, is_it: impl Fn(u8) -> bool) -> bool {
        let found = self.peek().is_some_and(is_it);
        self.at += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }
}

/// How many of eight bytes, from the lowest, are digits.
fn leading_digits(bytes: u64) -> usize {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let values = bytes ^ 0x3030_3030_3030_3030;
    // In each byte the highest bit becomes one unless the value is below ten.
    let others = (((values & !HIGH) + 0x7676_7676_7676_7676) | values) & HIGH;
    usize::try_from(others.trailing_zeros() / 8).unwrap_or(8)
}
