//! The walk over an event from token to token.

use wide::u8x32;

use super::leaves::{Kind, Leaves, NONE};
use super::paths::{OFF, Paths};
use super::quotes::Quotes;
use crate::event::Choice;
use crate::json::{Reader, Token};
use crate::limits::EVENT_DEPTH_MAX;

/// What is open, from the outside inwards.
#[derive(Debug, Default)]
pub(crate) struct Stacks {
    open: Vec<Open>,
    /// Inside the innermost of these, what nobody asks for: whether it is an object.
    skipped: Vec<bool>,
}

/// An object or array that is open.
#[derive(Debug, Clone, Copy)]
struct Open {
    /// The node its members or elements stand under.
    node: u32,
    /// The array element it is or lies in.
    element: u32,
    /// Its number and the number of its next element, when it is an array.
    array: Option<Choice>,
}

pub(crate) struct Walker<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    quotes: Marks<'a>,
    escapes: bool,
    digits: Digits,
    paths: &'a Paths,
    stacks: &'a mut Stacks,
    leaves: &'a mut Leaves,
    arrays: u32,
    /// Where the next value goes: the node it stands under, or [`OFF`].
    node: u32,
    /// The array element it lies in.
    element: u32,
    /// Its own place in an array.
    place: Option<Choice>,
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
        stacks: &'a mut Stacks,
        leaves: &'a mut Leaves,
    ) -> Self {
        stacks.open.clear();
        stacks.skipped.clear();
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
            // Nothing was looked at: no place is this far.
            digits: Digits {
                start: usize::MAX / 2,
                mask: 0,
            },
            paths,
            stacks,
            leaves,
            arrays: 0,
            node: paths.root(),
            element: NONE,
            place: None,
        }
    }

    /// Walks to the end; `None` when the text is no event.
    pub(crate) fn walk(mut self) -> Option<()> {
        self.skip_space();
        if self.peek() != Some(b'{') {
            return None;
        }
        loop {
            let entered = self.value()?;
            if !entered && !self.find_next_value()? {
                return (self.at == self.bytes.len()).then_some(());
            }
        }
    }

    /// Reads a value. When it is an object or array with anything in it that somebody asks for, only to where that is,
    /// and says so.
    fn value(&mut self) -> Option<bool> {
        self.leaves.steps += 1;
        let byte = self.peek()?;
        match byte {
            b'[' if self.node != OFF => return self.array(),
            b'{' if self.paths.is_inner(self.node) => return self.object(),
            b'[' | b'{' => self.skip()?,
            b'"' => {
                let (start, end) = self.string()?;
                if let Some(field) = self.field() {
                    self.keep_text(field, start, end);
                }
            }
            _ => {
                let start = self.at;
                let kind = self.scalar(byte)?;
                if let Some(field) = self.field() {
                    self.leaves.push(field, kind, start, self.at, self.element);
                }
            }
        }
        Some(false)
    }

    /// Goes from after a value to the next one, past as many closing brackets as there are; says whether there is one.
    fn find_next_value(&mut self) -> Option<bool> {
        loop {
            self.skip_space();
            let Some(open) = self.stacks.open.last().copied() else {
                return Some(false);
            };
            match (self.peek()?, open.array) {
                (b',', array) => {
                    self.at += 1;
                    self.skip_space();
                    if array.is_some() {
                        self.next_element()?;
                    } else {
                        self.member(open.node, open.element)?;
                    }
                    return Some(true);
                }
                (b'}', None) | (b']', Some(_)) => {
                    self.at += 1;
                    self.stacks.open.pop();
                }
                _ => return None,
            }
        }
    }

    fn object(&mut self) -> Option<bool> {
        let (node, element) = (self.node, self.enter());
        self.open(Open {
            node,
            element,
            array: None,
        })?;
        if self.peek()? == b'}' {
            return Some(false);
        }
        self.member(node, element)?;
        Some(true)
    }

    fn array(&mut self) -> Option<bool> {
        let (node, element) = (self.node, self.enter());
        let first = Choice {
            array: self.arrays,
            index: 0,
        };
        self.arrays += 1;
        self.open(Open {
            node,
            element,
            array: Some(first),
        })?;
        if self.peek()? == b']' {
            return Some(false);
        }
        self.next_element()?;
        Some(true)
    }

    fn open(&mut self, open: Open) -> Option<()> {
        if self.stacks.open.len() >= EVENT_DEPTH_MAX {
            return None;
        }
        self.stacks.open.push(open);
        self.at += 1;
        self.skip_space();
        Some(())
    }

    /// The element an object or array opens: scalars directly in an array belong to the element around the array.
    fn enter(&mut self) -> u32 {
        match self.place {
            Some(choice) => self.leaves.element(self.element, choice),
            None => self.element,
        }
    }

    /// Reads a key of an object at `node`, in `element`, to where its value is.
    fn member(&mut self, node: u32, element: u32) -> Option<()> {
        let (start, end) = self.key()?;
        self.node = self.child(node, start, end);
        self.element = element;
        self.place = None;
        Some(())
    }

    fn next_element(&mut self) -> Option<()> {
        let open = self.stacks.open.last_mut()?;
        let place = open.array?;
        open.array = Some(Choice {
            index: place.index + 1,
            ..place
        });
        self.node = open.node;
        self.element = open.element;
        self.place = Some(place);
        Some(())
    }

    /// Steps over an object or array that nobody asks for.
    fn skip(&mut self) -> Option<()> {
        loop {
            self.leaves.steps += 1;
            let byte = self.peek()?;
            match byte {
                b'"' => drop(self.string()?),
                b'{' | b'[' => {
                    if self.skip_into(byte == b'{')? {
                        continue;
                    }
                }
                _ => drop(self.scalar(byte)?),
            }
            if !self.skip_to_next_value()? {
                return Some(());
            }
        }
    }

    fn skip_into(&mut self, is_object: bool) -> Option<bool> {
        if self.stacks.open.len() + self.stacks.skipped.len() >= EVENT_DEPTH_MAX {
            return None;
        }
        self.stacks.skipped.push(is_object);
        self.at += 1;
        self.skip_space();
        match (self.peek()?, is_object) {
            (b'}', true) | (b']', false) => return Some(false),
            (_, true) => drop(self.key()?),
            (_, false) => {}
        }
        Some(true)
    }

    fn skip_to_next_value(&mut self) -> Option<bool> {
        while let Some(is_object) = self.stacks.skipped.last().copied() {
            self.skip_space();
            let byte = self.peek()?;
            self.at += 1;
            match (byte, is_object) {
                (b',', _) => {
                    self.skip_space();
                    if is_object {
                        self.key()?;
                    }
                    return Some(true);
                }
                (b'}', true) | (b']', false) => drop(self.stacks.skipped.pop()),
                _ => return None,
            }
        }
        Some(false)
    }

    /// Steps over a key and its colon; gives where its inside begins and ends.
    fn key(&mut self) -> Option<(usize, usize)> {
        if self.peek()? != b'"' {
            return None;
        }
        let key = self.string()?;
        self.skip_space();
        if self.peek()? != b':' {
            return None;
        }
        self.at += 1;
        self.skip_space();
        Some(key)
    }

    fn field(&self) -> Option<u32> {
        if self.node == OFF {
            return None;
        }
        self.paths.field(self.node)
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

    fn keep_text(&mut self, field: u32, start: usize, end: usize) {
        let raw = self.bytes.get(start..end).unwrap_or_default();
        if self.escapes && raw.contains(&b'\\') {
            let text = self.unescape(start, end, str::to_owned);
            let text = text.unwrap_or_default();
            self.leaves.push_unescaped(field, &text, self.element);
        } else {
            self.leaves
                .push(field, Kind::Text, start, end, self.element);
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

    /// Steps over a scalar that is no string and begins with `byte`.
    fn scalar(&mut self, byte: u8) -> Option<Kind> {
        match byte {
            b't' => self.word(b"true", Kind::Bool(true)),
            b'f' => self.word(b"false", Kind::Bool(false)),
            b'n' => self.word(b"null", Kind::Null),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Option<Kind> {
        let rest = self.bytes.get(self.at..)?;
        self.at += word.len();
        rest.starts_with(word).then_some(kind)
    }

    fn number(&mut self) -> Option<Kind> {
        let bytes = self.bytes;
        let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
        let mut digits = |at| self.digits.after(at, bytes);
        let mut at = self.at + usize::from(byte(self.at) == b'-');
        at = if byte(at) == b'0' {
            at + 1
        } else {
            digits(at)?
        };
        if byte(at) == b'.' {
            at = digits(at + 1)?;
        }
        if byte(at) | 0x20 == b'e' {
            let signed = matches!(byte(at + 1), b'+' | b'-');
            at = digits(at + 1 + usize::from(signed))?;
        }
        self.at = at;
        Some(Kind::Number)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(byte) = self.peek()
            && byte <= b' '
            && matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
        {
            self.at += 1;
        }
    }
}

/// Which of 32 bytes are digits: enough for most numbers at one look.
struct Digits {
    start: usize,
    mask: u32,
}

impl Digits {
    const WIDTH: usize = 32;

    /// The place after the digits that begin at `start`, of which there must be one.
    fn after(&mut self, start: usize, bytes: &[u8]) -> Option<usize> {
        let mut at = start;
        loop {
            let mut ahead = at.wrapping_sub(self.start);
            if ahead >= Self::WIDTH {
                self.look(at, bytes);
                ahead = 0;
            }
            let digits = usize::try_from((self.mask >> ahead).trailing_ones()).ok()?;
            at += digits;
            if ahead + digits < Self::WIDTH {
                return (at > start).then_some(at);
            }
        }
    }

    fn look(&mut self, at: usize, bytes: &[u8]) {
        let rest = bytes.get(at..).unwrap_or_default();
        let mut window = [0; Self::WIDTH];
        match rest.first_chunk() {
            Some(full) => window = *full,
            None => window
                .iter_mut()
                .zip(rest)
                .for_each(|(to, from)| *to = *from),
        }
        // The bytes of digits, and only they, are below ten when the code of zero is taken from them.
        let values = u8x32::new(window) - u8x32::splat(b'0');
        self.mask = values.min(u8x32::splat(9)).simd_eq(values).to_bitmask();
        self.start = at;
    }
}
