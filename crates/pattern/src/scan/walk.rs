//! The walk over an event from token to token.

use super::blocks::{BLOCK, end_of};
use super::digits::Digits;
use super::leaves::{Kind, Leaves, NONE};
use super::marks::Marks;
use super::names::Key;
use super::numbers::{self, Passed};
use super::paths::{OFF, Paths};
use crate::event::Choice;
use crate::json::{Reader, Token};
use crate::limits::EVENT_DEPTH_MAX;

/// How far to read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Extent {
    /// To the end, for a name may come again.
    Whole,
    /// To where every name that is asked for has come.
    Needed,
}

/// What is open, from the outside inwards.
#[derive(Debug, Default)]
pub(super) struct Stacks {
    /// What the innermost of them lies in, and before all what the event lies in, which is nothing.
    outer: Vec<Open>,
    /// Inside the innermost, what nobody asks for: whether it is an object.
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
    /// How many names are asked for in it that did not come yet, when it is an object.
    missing: u32,
}

pub(super) struct Walker<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    marks: &'a mut Marks,
    /// The block of the next quote, and the quotes in it that come.
    block: usize,
    quotes: u64,
    digits: Digits,
    paths: &'a Paths,
    extent: Extent,
    stacks: &'a mut Stacks,
    /// The innermost that is open.
    open: Open,
    /// How many of those that are open may have more that is asked for.
    unfinished: usize,
    leaves: &'a mut Leaves,
    arrays: u32,
    /// Where the next value goes: the node it stands under, or [`OFF`].
    node: u32,
    /// The array element it lies in.
    element: u32,
    /// Its own place in an array.
    place: Option<Choice>,
}

impl<'a> Walker<'a> {
    /// A walk over `text`. All of it is checked if all is read, apart from what is wrong inside strings.
    pub(super) fn new(
        text: &'a str,
        paths: &'a Paths,
        extent: Extent,
        marks: &'a mut Marks,
        stacks: &'a mut Stacks,
        leaves: &'a mut Leaves,
    ) -> Self {
        stacks.outer.clear();
        stacks.skipped.clear();
        let bytes = text.as_bytes();
        let quotes = marks.at(0, bytes).map_or(0, |mark| mark.quotes);
        Self {
            text,
            bytes,
            at: 0,
            marks,
            block: 0,
            quotes,
            digits: Digits::new(),
            paths,
            extent,
            stacks,
            open: Open {
                node: OFF,
                element: NONE,
                array: None,
                missing: 0,
            },
            unfinished: 0,
            leaves,
            arrays: 0,
            node: paths.root(),
            element: NONE,
            place: None,
        }
    }

    /// Walks as far as there is something to find; `None` when the text is no event.
    pub(super) fn walk(mut self) -> Option<()> {
        self.skip_space();
        if self.peek() != Some(b'{') {
            return None;
        }
        loop {
            let entered = self.value()?;
            if !entered && !self.find_next_value()? {
                let is_read = self.extent == Extent::Needed || self.at == self.bytes.len();
                return is_read.then_some(());
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
            if self.extent == Extent::Needed && !self.leave_finished()? {
                return Some(false);
            }
            self.skip_space();
            if self.stacks.outer.is_empty() {
                return Some(false);
            }
            match (self.peek()?, self.open.array) {
                (b',', array) => {
                    self.at += 1;
                    self.skip_space();
                    if array.is_some() {
                        self.next_element()?;
                    } else if !self.member()? {
                        continue;
                    }
                    return Some(true);
                }
                (b'}', None) | (b']', Some(_)) => {
                    self.at += 1;
                    self.open = self.stacks.outer.pop()?;
                    self.unfinished -= 1;
                }
                _ => return None,
            }
        }
    }

    /// Leaves the objects that have nothing more that is asked for; says whether anything is left.
    fn leave_finished(&mut self) -> Option<bool> {
        while self.unfinished > 0 {
            if self.open.missing > 0 || self.open.array.is_some() {
                return Some(true);
            }
            self.open = self.stacks.outer.pop()?;
            self.skip_to_end()?;
        }
        Some(false)
    }

    fn object(&mut self) -> Option<bool> {
        let (node, element) = (self.node, self.opened());
        self.enter(Open {
            node,
            element,
            array: None,
            missing: self.paths.names(node),
        })?;
        if self.peek()? == b'}' {
            return Some(false);
        }
        self.member()
    }

    fn array(&mut self) -> Option<bool> {
        let (node, element) = (self.node, self.opened());
        let first = Choice {
            array: self.arrays,
            index: 0,
        };
        self.arrays += 1;
        self.enter(Open {
            node,
            element,
            array: Some(first),
            missing: 0,
        })?;
        if self.peek()? == b']' {
            return Some(false);
        }
        self.next_element()?;
        Some(true)
    }

    fn enter(&mut self, open: Open) -> Option<()> {
        if self.stacks.outer.len() >= EVENT_DEPTH_MAX {
            return None;
        }
        self.stacks.outer.push(self.open);
        self.open = open;
        self.unfinished += 1;
        self.at += 1;
        self.skip_space();
        Some(())
    }

    /// The element an object or array opens: scalars directly in an array belong to the element around the array.
    fn opened(&mut self) -> u32 {
        match self.place {
            Some(choice) => self.leaves.element(self.element, choice),
            None => self.element,
        }
    }

    /// Reads a key of the innermost object, to where its value is; with values that are strings, to the next of which that
    /// is not so. Says whether there is one, or the last of them was stepped over, or nothing more is asked for.
    fn member(&mut self) -> Option<bool> {
        self.element = self.open.element;
        self.place = None;
        loop {
            let (start, end) = self.key()?;
            self.node = self.child(self.open.node, start, end);
            if self.node != OFF && self.extent == Extent::Needed {
                self.came()?;
            }
            if self.peek()? != b'"' {
                return Some(true);
            }
            self.leaves.steps += 1;
            let (start, end) = self.string()?;
            if let Some(field) = self.field() {
                self.keep_text(field, start, end);
            }
            if self.open.missing == 0 && self.extent == Extent::Needed || self.peek()? != b',' {
                return Some(false);
            }
            self.at += 1;
            self.skip_space();
        }
    }

    /// A name came that is asked for in the innermost object.
    fn came(&mut self) -> Option<()> {
        self.open.missing = self.open.missing.checked_sub(1)?;
        self.unfinished -= usize::from(self.open.missing == 0);
        Some(())
    }

    fn next_element(&mut self) -> Option<()> {
        let place = self.open.array?;
        self.open.array = Some(Choice {
            index: place.index + 1,
            ..place
        });
        self.node = self.open.node;
        self.element = self.open.element;
        self.place = Some(place);
        Some(())
    }

    /// Steps over an object or array that nobody asks for.
    fn skip(&mut self) -> Option<()> {
        if self.extent == Extent::Needed {
            self.at += 1;
            return self.skip_to_end();
        }
        // What has other things between its numbers is not tried again and again.
        let mut may_be_numbers = true;
        loop {
            self.leaves.steps += 1;
            let byte = self.peek()?;
            match byte {
                b'"' => drop(self.string()?),
                b'[' if may_be_numbers && self.is_at_numbers() => {
                    may_be_numbers = self.pass_numbers()?;
                    if !may_be_numbers {
                        continue;
                    }
                }
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

    /// Whether the array that begins here has a number first, maybe in arrays inside it.
    fn is_at_numbers(&self) -> bool {
        /// So that each bracket costs the same, however many follow.
        const LOOK_MAX: usize = 16;
        let begins = self.bytes.iter().skip(self.at).take(LOOK_MAX);
        let mut begins = begins.skip_while(|byte| matches!(byte, b'[' | b' '));
        begins
            .next()
            .is_some_and(|byte| matches!(byte, b'-' | b'0'..=b'9'))
    }

    /// Steps over an array as long as it has nothing but numbers; says whether that was all of it, or a value of it is
    /// next.
    fn pass_numbers(&mut self) -> Option<bool> {
        let outer = self.stacks.outer.len() + self.stacks.skipped.len();
        let depth_max = u32::try_from(EVENT_DEPTH_MAX.checked_sub(outer)?).ok()?;
        match numbers::pass(self.bytes, self.at, depth_max, &mut self.leaves.steps)? {
            Passed::Whole(end) => {
                self.go_to(end)?;
                Some(true)
            }
            Passed::Part { at, depth } => {
                self.go_to(at)?;
                self.skip_space();
                let skipped = self.stacks.skipped.len() + depth;
                self.stacks.skipped.resize(skipped, false);
                Some(false)
            }
        }
    }

    fn skip_into(&mut self, is_object: bool) -> Option<bool> {
        if self.stacks.outer.len() + self.stacks.skipped.len() >= EVENT_DEPTH_MAX {
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
    #[inline(always)]
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

    /// Goes to after the bracket that closes the innermost object or array, without looking at what is on the way.
    fn skip_to_end(&mut self) -> Option<()> {
        let (mut block, mut depth) = (self.at / BLOCK, 1);
        let mut from = u64::MAX << (self.at % BLOCK);
        loop {
            let (opens, closes) = self.marks.brackets(block, self.bytes)?;
            if let Some(end) = end_of(opens & from, closes & from, &mut depth) {
                return self.go_to(block * BLOCK + end + 1);
            }
            block += 1;
            from = u64::MAX;
        }
    }

    /// Goes on at `at`, which lies outside of strings.
    fn go_to(&mut self, at: usize) -> Option<()> {
        self.at = at;
        self.block = at / BLOCK;
        self.quotes = match self.marks.at(self.block, self.bytes) {
            Some(mark) => mark.quotes & u64::MAX << (at % BLOCK),
            None => 0,
        };
        Some(())
    }

    fn field(&self) -> Option<u32> {
        if self.node == OFF {
            return None;
        }
        self.paths.field(self.node)
    }

    #[inline(always)]
    fn child(&self, node: u32, start: usize, end: usize) -> u32 {
        let key = Key::at(self.bytes, start, end);
        if self.marks.escapes() && key.name.contains(&b'\\') {
            return self
                .unescape(start, end, |key| {
                    self.paths.child(node, Key::of(key.as_bytes()))
                })
                .unwrap_or(OFF);
        }
        self.paths.child(node, key)
    }

    #[inline(always)]
    fn keep_text(&mut self, field: u32, start: usize, end: usize) {
        let raw = self.bytes.get(start..end).unwrap_or_default();
        if self.marks.escapes() && raw.contains(&b'\\') {
            self.keep_unescaped(field, start, end);
        } else {
            self.leaves
                .push(field, Kind::Text, start, end, self.element);
        }
    }

    #[cold]
    fn keep_unescaped(&mut self, field: u32, start: usize, end: usize) {
        let text = self.unescape(start, end, str::to_owned);
        let text = text.unwrap_or_default();
        self.leaves.push_unescaped(field, &text, self.element);
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
    #[inline(always)]
    fn string(&mut self) -> Option<(usize, usize)> {
        self.next_quote()?;
        let (start, end) = (self.at + 1, self.next_quote()?);
        self.at = end + 1;
        Some((start, end))
    }

    #[inline(always)]
    fn next_quote(&mut self) -> Option<usize> {
        if self.quotes == 0 {
            self.find_quotes()?;
        }
        let bit = self.quotes.trailing_zeros();
        self.quotes &= self.quotes - 1;
        Some(self.block * BLOCK + usize::try_from(bit).ok()?)
    }

    /// Goes to the next block that has quotes.
    #[inline(never)]
    fn find_quotes(&mut self) -> Option<()> {
        while self.quotes == 0 {
            self.block += 1;
            self.quotes = self.marks.at(self.block, self.bytes)?.quotes;
        }
        Some(())
    }

    /// Steps over a scalar that is no string and begins with `byte`.
    fn scalar(&mut self, byte: u8) -> Option<Kind> {
        match byte {
            b't' => self.word(b"true", Kind::Bool(true)),
            b'f' => self.word(b"false", Kind::Bool(false)),
            b'n' => self.word(b"null", Kind::Null),
            _ => {
                self.at = self.digits.number(self.at, self.bytes)?;
                Some(Kind::Number)
            }
        }
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Option<Kind> {
        let rest = self.bytes.get(self.at..)?;
        self.at += word.len();
        rest.starts_with(word).then_some(kind)
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
