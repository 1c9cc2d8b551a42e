//! JSON text (RFC 8259), value after value. It takes what serde_json takes, and refuses what it refuses.
//!
//! A reader of our own, so that a value goes from the bytes into an [`Output`](crate::output::Output) with nothing made of
//! it in between.

mod number;

use super::Malformed;
use super::json_scan::{ends, plain_end, push_piece};
use super::order::Key;
use super::source::{Left, Source, Token};
use crate::model::{Kind, is_same};
use crate::output::{Builder, Label};

/// JSON that is being read.
pub(super) struct JsonText<'a> {
    text: &'a str,
    at: usize,
    /// A text whose escapes were resolved, when it goes nowhere else.
    resolved: String,
}

impl<'a> JsonText<'a> {
    pub(super) fn new(body: &'a [u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(body);
        let text = text.map_err(|error| not_json(body, error.valid_up_to()))?;
        Ok(Self {
            text,
            at: 0,
            resolved: String::new(),
        })
    }

    #[cold]
    fn wrong(&self) -> Malformed {
        not_json(self.text.as_bytes(), self.at)
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no white space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = self.byte()?;
            if !matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.peek() != Some(byte) {
            return Err(self.wrong());
        }
        self.at += 1;
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<(), Malformed> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(self.wrong());
        }
        self.at += word.len();
        Ok(())
    }

    /// The text whose quotation mark has been read.
    fn string(&mut self) -> Result<&str, Malformed> {
        let start = self.at;
        self.at = plain_end(self.text.as_bytes(), start);
        match self.byte() {
            Some(b'"') => {
                let end = self.at;
                self.at += 1;
                Ok(self.text.get(start..end).unwrap_or_default())
            }
            Some(b'\\') => {
                let mut resolved = std::mem::take(&mut self.resolved);
                resolved.clear();
                self.escaped(start, &mut resolved)?;
                self.resolved = resolved;
                Ok(&self.resolved)
            }
            _ => Err(self.wrong()),
        }
    }

    /// The text whose quotation mark has been read, as a value.
    #[inline(always)]
    fn text_into(&mut self, out: &mut Builder, label: Label) -> Result<(), Malformed> {
        let start = self.at;
        self.at = plain_end(self.text.as_bytes(), start);
        match self.byte() {
            Some(b'"') => {
                let text = self.text.get(start..self.at);
                self.at += 1;
                out.text(label, text.unwrap_or_default())
            }
            Some(b'\\') => {
                let first = out.texts_end();
                self.escaped(start, out.pieces_mut())?;
                out.text_from(label, first)
            }
            _ => Err(self.wrong()),
        }
    }

    /// Puts a text that began at `start` and has an escape behind what is in `to`.
    #[inline(never)]
    fn escaped(&mut self, start: usize, to: &mut String) -> Result<(), Malformed> {
        let (text, bytes) = (self.text, self.text.as_bytes());
        // What was seen is before `next`, what was copied before `piece`.
        let (mut piece, mut next) = (start, start);
        loop {
            let ends = ends(bytes, next);
            while let Some(end) = ends.next(next) {
                push_piece(to, text, piece, end);
                match (bytes.get(end), bytes.get(end + 1)) {
                    (Some(b'"'), _) => {
                        self.at = end + 1;
                        return Ok(());
                    }
                    // Most that is escaped stands for itself, and is the beginning of the next piece.
                    (Some(b'\\'), Some(b'"' | b'\\' | b'/')) => (piece, next) = (end + 1, end + 2),
                    (Some(b'\\'), _) => {
                        self.at = end + 1;
                        to.push(self.escape()?);
                        (piece, next) = (self.at, self.at);
                    }
                    _ => {
                        self.at = end;
                        return Err(self.wrong());
                    }
                }
            }
            next = next.max(ends.block_end());
        }
    }

    /// What stands behind a backslash and not for itself.
    fn escape(&mut self) -> Result<char, Malformed> {
        let letter = match self.byte() {
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            _ => return Err(self.wrong()),
        };
        self.at += 1;
        Ok(letter)
    }

    /// A character by its number in UTF-16, for which it may take two escapes.
    fn unicode(&mut self) -> Result<char, Malformed> {
        let first = self.hex()?;
        let number = match first {
            0xd800..=0xdbff => {
                self.word("\\u")?;
                match self.hex()? {
                    second @ 0xdc00..=0xdfff => {
                        0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                    }
                    _ => return Err(self.wrong()),
                }
            }
            number => number,
        };
        char::from_u32(number).ok_or_else(|| self.wrong())
    }

    fn hex(&mut self) -> Result<u32, Malformed> {
        let digits = self.text.get(self.at..self.at + 4);
        let digits = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let number = number.ok_or_else(|| self.wrong())?;
        self.at += 4;
        Ok(number)
    }

    /// Whether an open list or map, which ends with `end`, goes on; what separates its parts is behind it then.
    #[inline]
    fn goes_on(&mut self, left: &mut Left, end: u8) -> Result<bool, Malformed> {
        let next = self.peek();
        if next == Some(end) {
            self.at += 1;
            return Ok(false);
        }
        if matches!(left, Left::First) {
            *left = Left::More;
        } else {
            self.expect(b',')?;
        }
        Ok(true)
    }
}

impl Source for JsonText<'_> {
    #[inline]
    fn next(&mut self) -> Result<Token<'_>, Malformed> {
        let first = self.peek();
        match first {
            Some(b'"') => {
                self.at += 1;
                self.string().map(Token::Text)
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'{') => {
                self.at += 1;
                Ok(Token::Map(Left::First))
            }
            Some(b'[') => {
                self.at += 1;
                Ok(Token::List(Left::First))
            }
            Some(b't') => self.word("true").map(|()| Token::Bool(true)),
            Some(b'f') => self.word("false").map(|()| Token::Bool(false)),
            Some(b'n') => self.word("null").map(|()| Token::Null),
            _ => Err(self.wrong()),
        }
    }

    #[inline]
    fn has_item(&mut self, left: &mut Left) -> Result<bool, Malformed> {
        self.goes_on(left, b']')
    }

    #[inline]
    fn key(&mut self, left: &mut Left) -> Result<Option<&str>, Malformed> {
        if !self.goes_on(left, b'}')? {
            return Ok(None);
        }
        self.expect(b'"')?;
        let start = self.at;
        let end = plain_end(self.text.as_bytes(), start);
        self.at = end;
        if self.byte() == Some(b'"') {
            self.at += 1;
            self.expect(b':')?;
            return Ok(self.text.get(start..end));
        }
        self.at = start;
        self.string()?;
        self.expect(b':')?;
        Ok(Some(&self.resolved))
    }

    #[inline(always)]
    fn key_is(&mut self, left: &mut Left, key: &Key) -> bool {
        let key = match left {
            Left::First => key.first(),
            _ => key.next(),
        };
        let end = self.at + key.len();
        let found = self.text.as_bytes().get(self.at..end);
        let is_it = found.is_some_and(|found| is_same(found, key));
        if is_it {
            *left = Left::More;
            self.at = end;
        }
        is_it
    }

    #[inline(always)]
    fn scalar(&mut self, kind: Kind, out: &mut Builder, label: Label) -> Result<bool, Malformed> {
        match (kind, self.peek()) {
            (Kind::String | Kind::Blob, Some(b'"')) => {
                self.at += 1;
                self.text_into(out, label)?;
            }
            (Kind::Integer, Some(b'0'..=b'9')) => {
                let start = self.at;
                let whole = self.whole()?;
                let (Some(whole), None | Some(b',' | b']' | b'}')) = (whole, self.byte()) else {
                    self.at = start;
                    return Ok(false);
                };
                out.unsigned(label, whole)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn end(mut self) -> Result<(), Malformed> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.wrong()),
        }
    }
}

fn not_json(text: &[u8], at: usize) -> Malformed {
    let before = text.get(..at).unwrap_or(text);
    let mut lines = before.rsplit(|byte| *byte == b'\n');
    let column = lines.next().map_or(0, <[u8]>::len) + 1;
    let line = lines.count() + 1;
    Malformed::new(format!("not JSON at line {line}, column {column}"))
}

#[cfg(test)]
mod tests {
    use super::super::bounds::VALUES_MAX;
    use super::super::json::parse;
    use super::super::rpc_v2_cbor::tests::any_json;
    use super::super::tests::answer;
    use proptest::prelude::*;
    use serde_json::Value;

    /// What it reads is what serde_json reads, and neither reads what the other does not.
    fn same(text: &[u8]) {
        let ours = parse(text).ok().map(|read| read.to_json());
        let theirs = serde_json::from_slice::<Value>(text).ok();
        let shown = String::from_utf8_lossy(text);
        assert_eq!(ours, theirs, "{shown}");
    }

    #[test]
    fn reads_what_serde_json_reads() {
        for text in [
            r#"{"a": [1, -2, 1.5, 18446744073709551615, null, true, "\u00fc\n"], "b": {}, "b": {"c": []}}"#,
            r#"{"a": 1, "\u0061": 2, "b": null}"#,
            r#" [ "\"\\\/\b\f\n\r\t", "\ud83d\ude00", "😀", false ] "#,
            "[0, -0, -0.0, 1e3, 1E-2, 1.25e+2, 18446744073709551616, -9223372036854775808, -9223372036854775809]",
            "1e400",
            "123456789012345678901234567890",
            "\"1234567\\u00e9\"",
        ] {
            same(text.as_bytes());
        }
    }

    #[test]
    fn refuses_what_serde_json_refuses() {
        for text in [
            "{",
            "[",
            "{} {}",
            "nan",
            "\"\u{1}\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "\"\\u+123\"",
            "\"\\u12",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{\"a\":1,}",
            "{\"a\"}",
            "{a:1}",
            "{\"a\":1 \"b\":2}",
            "tru",
            "truely",
            "nul",
            "\"",
            "\"abc",
            "\u{feff}{}",
            "]",
            "}",
            "[}",
            "1 2",
            "\"12345678\u{7}\"",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
            same(text.as_bytes());
        }
        assert!(parse(b"\"\xff\"").is_err());
        assert_eq!(
            parse(b"{\n \"a\": x}").unwrap_err().to_string(),
            "not JSON at line 2, column 7"
        );
    }

    #[test]
    fn has_limits() {
        let deep = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(deep(100).as_bytes()).is_ok());
        assert_eq!(
            parse(deep(101).as_bytes()).unwrap_err().to_string(),
            "the answer is too deep"
        );
        assert!(parse("[".repeat(1_000_000).as_bytes()).is_err());
        let many = format!("[{}0]", "0,".repeat(VALUES_MAX));
        let refused = parse(many.as_bytes()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!("more than {VALUES_MAX} values")
        );
    }

    proptest! {
        #[test]
        fn any_value_is_read_as_serde_json_reads_it(value in any_json()) {
            same(value.to_string().as_bytes());
            same(serde_json::to_string_pretty(&value).unwrap().as_bytes());
        }

        /// A byte put, taken out or changed anywhere.
        #[test]
        fn broken_text_is_broken_for_both(
            value in any_json(),
            at in any::<prop::sample::Index>(),
            byte in prop::sample::select(&b"\"\\{}[]:,-+.eE0123456789utfn \n\x01\x7f\x80\xff"[..]),
            way in 0..3,
        ) {
            let mut text = value.to_string().into_bytes();
            let at = at.index(text.len());
            match way {
                0 => text.insert(at, byte),
                1 => { text.remove(at); }
                _ => text[at] = byte,
            }
            same(&text);
        }

        /// Escapes, letters of more bytes, and ends, wherever they are among the blocks that are looked at together;
        /// and the same broken off anywhere.
        #[test]
        fn escapes_anywhere_are_read_as_serde_json_reads_them(
            parts in prop::collection::vec(
                (prop::sample::select(&[
                    "", "\\\"", "\\\\", "\\/", "\\n", "\\u00e9", "\\ud83d\\ude00", "é", "😀", "\\\"\\\"", "\\ud800", "\\", "\x7f",
                ][..]), 0..40_usize),
                0..12,
            ),
            cut in any::<prop::sample::Index>(),
        ) {
            let parts: String = parts.iter().map(|(escape, run)| "x".repeat(*run) + escape).collect();
            let text = format!("[\"{parts}\", {{\"{parts}\": \"{parts}\"}}]");
            same(text.as_bytes());
            same(&text.as_bytes()[..1 + cut.index(text.len() - 1)]);

            // By a model, texts go another way.
            let text = format!("{{\"Messages\": [{{\"Body\": \"{parts}\"}}, {{\"Body\":\"é{parts}\"}}]}}");
            let ours = answer("sqs", "ReceiveMessage", &text).ok().map(|read| read.value.to_json());
            prop_assert_eq!(ours, serde_json::from_str::<Value>(&text).ok(), "{}", text);
        }

        #[test]
        fn numbers_of_any_length_are_read_as_serde_json_reads_them(
            number in "-?[0-9]{1,24}(\\.[0-9]{1,9})?(e[0-9])?",
            near_the_end in any::<u64>(),
            other in any::<u8>(),
        ) {
            same(number.as_bytes());
            same(format!("[{number},{near_the_end}]").as_bytes());
            // A byte among eight digits that is none.
            let mut digits = *b"[123456789]";
            digits[1 + usize::from(other) % 9] = other;
            same(&digits);
        }
    }
}
