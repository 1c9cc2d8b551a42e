//! The walk over a JSON text from token to token, which checks it and notes where its values are.

use super::marks::Marks;
use super::{Kind, NODES_MAX, Node};

/// A key: where its inside begins and ends, and whether it has escapes.
#[derive(Clone, Copy, Default)]
struct Key {
    start: u32,
    end: u32,
    is_escaped: bool,
}

/// No object or array is open.
const NONE: u32 = u32::MAX;

pub(super) struct Walk<'t, 'n> {
    bytes: &'t [u8],
    marks: Marks<'t>,
    at: usize,
    nodes: &'n mut Vec<Node>,
    /// The innermost object or array that is open. While it is, its node has the one around it as `next`.
    open: u32,
    is_object: bool,
}

impl<'t, 'n> Walk<'t, 'n> {
    /// A walk over a text of less than 4 GiB.
    pub(super) fn new(bytes: &'t [u8], nodes: &'n mut Vec<Node>) -> Self {
        Self {
            bytes,
            marks: Marks::new(bytes),
            at: 0,
            nodes,
            open: NONE,
            is_object: false,
        }
    }

    /// Walks to the end of the text; `None` when it is not one JSON value, or has too many.
    pub(super) fn walk(mut self) -> Option<()> {
        self.skip_space();
        let mut key = Key::default();
        loop {
            match self.peek()? {
                b'"' => {
                    let text = self.string()?;
                    let kind = if text.is_escaped {
                        Kind::Escaped
                    } else {
                        Kind::Text
                    };
                    self.push(key, kind, text.start, text.end)?;
                }
                b'{' => {
                    self.enter(key, Kind::Object)?;
                    if self.peek()? != b'}' {
                        key = self.key()?;
                        continue;
                    }
                    self.leave()?;
                }
                b'[' => {
                    self.enter(key, Kind::Array)?;
                    if self.peek()? != b']' {
                        key = Key::default();
                        continue;
                    }
                    self.leave()?;
                }
                byte => {
                    let start = self.at;
                    let kind = self.scalar(byte)?;
                    self.push(key, kind, number(start)?, number(self.at)?)?;
                }
            }
            match self.next_value()? {
                Some(next) => key = next,
                None => return (self.at == self.bytes.len()).then_some(()),
            }
        }
    }

    /// Goes from after a value to the next one, past as many closing brackets as there are; gives its key, or `None` when there is no more.
    #[inline(always)]
    fn next_value(&mut self) -> Option<Option<Key>> {
        loop {
            self.skip_space();
            if self.open == NONE {
                return Some(None);
            }
            match (self.peek()?, self.is_object) {
                (b',', true) => {
                    self.at += 1;
                    self.skip_space();
                    return Some(Some(self.key()?));
                }
                (b',', false) => {
                    self.at += 1;
                    self.skip_space();
                    return Some(Some(Key::default()));
                }
                (b'}', true) | (b']', false) => self.leave()?,
                _ => return None,
            }
        }
    }

    fn enter(&mut self, key: Key, kind: Kind) -> Option<()> {
        let node = number(self.nodes.len())?;
        self.push(key, kind, number(self.at)?, 0)?;
        self.node(node)?.next = self.open;
        self.open = node;
        self.is_object = kind == Kind::Object;
        self.at += 1;
        self.skip_space();
        Some(())
    }

    fn leave(&mut self) -> Option<()> {
        self.at += 1;
        let (end, next) = (number(self.at)?, number(self.nodes.len())?);
        let node = self.node(self.open)?;
        node.end = end;
        let outer = std::mem::replace(&mut node.next, next);
        self.open = outer;
        self.is_object = outer != NONE && self.node(outer)?.kind == Kind::Object;
        Some(())
    }

    fn node(&mut self, at: u32) -> Option<&mut Node> {
        self.nodes.get_mut(usize::try_from(at).ok()?)
    }

    #[inline(always)]
    fn push(&mut self, key: Key, kind: Kind, start: u32, end: u32) -> Option<()> {
        let at = self.nodes.len();
        if at >= NODES_MAX {
            return None;
        }
        self.nodes.push(Node {
            key_start: key.start,
            key_end: key.end,
            start,
            end,
            next: number(at + 1)?,
            kind,
            is_key_escaped: key.is_escaped,
        });
        Some(())
    }

    /// Steps over a key and its colon.
    #[inline(always)]
    fn key(&mut self) -> Option<Key> {
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

    /// Steps over a string.
    #[inline(always)]
    fn string(&mut self) -> Option<Key> {
        let start = self.at + 1;
        let (end, is_odd) = self.marks.string()?;
        if is_odd {
            check(self.bytes.get(start..end)?)?;
        }
        self.at = end + 1;
        Some(Key {
            start: number(start)?,
            end: number(end)?,
            is_escaped: is_odd,
        })
    }

    /// Steps over a scalar that is no string and begins with `byte`.
    #[inline(always)]
    fn scalar(&mut self, byte: u8) -> Option<Kind> {
        match byte {
            b't' => self.word(b"true", Kind::True),
            b'f' => self.word(b"false", Kind::False),
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
        self.at += usize::from(self.peek() == Some(b'-'));
        if self.peek()? == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Some(Kind::Number)
    }

    /// Steps over one digit or more.
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline(always)]
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }
}

/// Whether the inside of a string has no control character, and no escape that JSON does not have.
fn check(text: &[u8]) -> Option<()> {
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            0..0x20 => return None,
            b'\\' => match bytes.next()? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                b'u' => {
                    let digits = bytes.as_slice().get(..4)?;
                    digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                }
                _ => return None,
            },
            _ => {}
        }
    }
    Some(())
}

#[inline(always)]
fn number(at: usize) -> Option<u32> {
    u32::try_from(at).ok()
}
