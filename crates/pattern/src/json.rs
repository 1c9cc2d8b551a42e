//! A JSON tokenizer that keeps what a tree would lose: the text of numbers, repeated keys, and where each token stood.
//!
//! It hands out one token at a time and keeps open containers in a list of its own, so hostile nesting costs memory
//! only up to the limit given and never stack. The grammar is RFC 8259.

use std::borrow::Cow;

/// One JSON token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token<'a> {
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    Key(Cow<'a, str>),
    Text(Cow<'a, str>),
    Number(&'a str),
    Bool(bool),
    Null,
    /// Nothing but white space follows the root value.
    End,
}

/// What is wrong with a JSON text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonFault {
    /// A character that cannot stand here.
    #[error("Unexpected character ('{found}' (code {})): was expecting {expected}", u32::from(*.found))]
    Unexpected {
        /// The character.
        found: char,
        /// What could have stood here.
        expected: &'static str,
    },
    /// `]` where `}` is due, or the reverse.
    #[error("Unexpected close marker '{found}': expected '{expected}'")]
    CloseMarker {
        /// The marker found.
        found: char,
        /// The marker that would close what is open.
        expected: char,
    },
    /// The text stops in the middle of a value.
    #[error("Unexpected end-of-input: was expecting {expected}")]
    EndOfInput {
        /// What is missing.
        expected: &'static str,
    },
    /// A backslash sequence JSON does not have.
    #[error("Unrecognized character escape")]
    Escape,
    /// A control character inside a string, which JSON wants escaped.
    #[error(
        "Illegal unquoted character (code {code}): has to be escaped using backslash to be included in string value"
    )]
    Control {
        /// The character's code.
        code: u8,
    },
    /// More containers inside one another than allowed.
    #[error("Document nesting depth exceeds the maximum allowed ({max})")]
    TooDeep {
        /// The limit.
        max: usize,
    },
    /// The bytes are not UTF-8.
    #[error("Invalid UTF-8")]
    Encoding,
}

/// What is wrong with a JSON text, and at which byte.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault} (byte {offset})")]
pub struct JsonError {
    /// What is wrong.
    pub fault: JsonFault,
    /// The byte at which it is, from 0.
    pub offset: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Open {
    Object,
    Array,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Expect {
    Value,
    ValueOrArrayEnd,
    Key,
    KeyOrObjectEnd,
    CommaOrEnd,
    Nothing,
}

/// Reads tokens from a JSON text.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    token_at: usize,
    open: Vec<Open>,
    expect: Expect,
    depth_max: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `text` that refuses more than `depth_max` open containers.
    pub(crate) fn new(text: &'a str, depth_max: usize) -> Self {
        Self {
            text,
            at: 0,
            token_at: 0,
            open: Vec::new(),
            expect: Expect::Value,
            depth_max,
        }
    }

    /// The byte at which the last token began.
    pub(crate) fn token_at(&self) -> usize {
        self.token_at
    }

    /// Whether nothing is left to read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// The next token; after the root value [`Token::End`], for ever.
    pub(crate) fn next(&mut self) -> Result<Token<'a>, JsonError> {
        self.skip_space();
        self.token_at = self.at;
        match self.expect {
            Expect::Value => self.value(),
            Expect::ValueOrArrayEnd if self.peek() == Some(b']') => self.close(b']'),
            Expect::ValueOrArrayEnd => self.value(),
            Expect::KeyOrObjectEnd if self.peek() == Some(b'}') => self.close(b'}'),
            Expect::KeyOrObjectEnd | Expect::Key => self.key(),
            Expect::CommaOrEnd => self.after_value(),
            Expect::Nothing if self.at == self.text.len() => Ok(Token::End),
            Expect::Nothing => Err(self.unexpected("the end of the document")),
        }
    }

    fn after_value(&mut self) -> Result<Token<'a>, JsonError> {
        let inside = self.open.last().copied();
        match (self.peek(), inside) {
            (Some(marker @ (b']' | b'}')), _) => self.close(marker),
            (Some(b','), Some(Open::Object)) => {
                self.at += 1;
                self.expect = Expect::Key;
                self.next_after_comma()
            }
            (Some(b','), _) => {
                self.at += 1;
                self.expect = Expect::Value;
                self.next_after_comma()
            }
            (_, Some(Open::Object)) => Err(self.unexpected("comma to separate Object entries")),
            _ => Err(self.unexpected("comma to separate Array entries")),
        }
    }

    fn next_after_comma(&mut self) -> Result<Token<'a>, JsonError> {
        self.skip_space();
        self.token_at = self.at;
        if self.expect == Expect::Key {
            self.key()
        } else {
            self.value()
        }
    }

    fn value(&mut self) -> Result<Token<'a>, JsonError> {
        let token = match self.peek() {
            Some(b'{') => return self.push(Open::Object),
            Some(b'[') => return self.push(Open::Array),
            Some(b'"') => Token::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => Token::Number(self.number()?),
            Some(b't') => self.word("true", Token::Bool(true))?,
            Some(b'f') => self.word("false", Token::Bool(false))?,
            Some(b'n') => self.word("null", Token::Null)?,
            _ => return Err(self.unexpected("a valid value")),
        };
        self.end_value();
        Ok(token)
    }

    fn push(&mut self, open: Open) -> Result<Token<'a>, JsonError> {
        if self.open.len() >= self.depth_max {
            return Err(self.fail(JsonFault::TooDeep {
                max: self.depth_max,
            }));
        }
        self.at += 1;
        self.open.push(open);
        Ok(match open {
            Open::Object => {
                self.expect = Expect::KeyOrObjectEnd;
                Token::ObjectStart
            }
            Open::Array => {
                self.expect = Expect::ValueOrArrayEnd;
                Token::ArrayStart
            }
        })
    }

    fn close(&mut self, marker: u8) -> Result<Token<'a>, JsonError> {
        let token = match (marker, self.open.last()) {
            (b'}', Some(Open::Object)) => Token::ObjectEnd,
            (b']', Some(Open::Array)) => Token::ArrayEnd,
            (_, open) => {
                let expected = if open == Some(&Open::Object) {
                    '}'
                } else {
                    ']'
                };
                return Err(self.fail(JsonFault::CloseMarker {
                    found: char::from(marker),
                    expected,
                }));
            }
        };
        self.at += 1;
        self.open.pop();
        self.end_value();
        Ok(token)
    }

    fn end_value(&mut self) {
        self.expect = if self.open.is_empty() {
            Expect::Nothing
        } else {
            Expect::CommaOrEnd
        };
    }

    fn key(&mut self) -> Result<Token<'a>, JsonError> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("double-quote to start field name"));
        }
        let key = self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.unexpected("a colon to separate field name and value"));
        }
        self.at += 1;
        self.expect = Expect::Value;
        Ok(Token::Key(key))
    }

    fn word(&mut self, word: &'static str, token: Token<'a>) -> Result<Token<'a>, JsonError> {
        if !self.rest().starts_with(word) {
            return Err(self.unexpected("a valid value"));
        }
        self.at += word.len();
        Ok(token)
    }

    fn number(&mut self) -> Result<&'a str, JsonError> {
        let start = self.at;
        self.skip_if(b"-");
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.skip_if(b".") {
            self.digits()?;
        }
        if self.skip_if(b"eE") {
            self.skip_if(b"+-");
            self.digits()?;
        }
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            Err(self.unexpected("a digit"))
        } else {
            Ok(())
        }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        self.at += 1;
        let mut whole = Cow::Borrowed("");
        loop {
            let start = self.at;
            let stop = self
                .rest()
                .bytes()
                .position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20);
            self.at += stop.unwrap_or(self.text.len() - start);
            let run = self.text.get(start..self.at).unwrap_or_default();
            if whole.is_empty() {
                whole = Cow::Borrowed(run);
            } else {
                whole.to_mut().push_str(run);
            }
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    let escaped = self.escape()?;
                    whole.to_mut().push(escaped);
                }
                Some(code) => return Err(self.fail(JsonFault::Control { code })),
                None => return Err(self.unexpected("closing quote for a string value")),
            }
        }
        self.at += 1;
        Ok(whole)
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let escape = self.rest().as_bytes().get(1).copied();
        let plain = match escape {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.fail(JsonFault::Escape)),
        };
        self.at += 2;
        Ok(plain)
    }

    /// `\uXXXX`, or two of them that make one character. Half a pair alone becomes U+FFFD.
    fn unicode(&mut self) -> Result<char, JsonError> {
        let first = self.code_unit()?;
        let paired = (0xD800..0xDC00).contains(&first) && self.rest().starts_with("\\u");
        if paired {
            let before = self.at;
            let second = self.code_unit()?;
            if let Some(Ok(whole)) = char::decode_utf16([first, second]).next() {
                return Ok(whole);
            }
            self.at = before;
        }
        Ok(char::from_u32(u32::from(first)).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn code_unit(&mut self) -> Result<u16, JsonError> {
        let digits = self.text.get(self.at + 2..self.at + 6).unwrap_or_default();
        if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(self.fail(JsonFault::Escape));
        }
        self.at += 6;
        u16::from_str_radix(digits, 16).map_err(|_| self.fail(JsonFault::Escape))
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_if(&mut self, any_of: &[u8]) -> bool {
        let found = self.peek().is_some_and(|byte| any_of.contains(&byte));
        self.at += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn unexpected(&self, expected: &'static str) -> JsonError {
        self.fail(match self.rest().chars().next() {
            Some(found) => JsonFault::Unexpected { found, expected },
            None => JsonFault::EndOfInput { expected },
        })
    }

    fn fail(&self, fault: JsonFault) -> JsonError {
        JsonError {
            fault,
            offset: self.at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Result<Vec<Token<'_>>, JsonError> {
        let mut reader = Reader::new(text, 8);
        let mut all = Vec::new();
        loop {
            match reader.next()? {
                Token::End => return Ok(all),
                token => all.push(token),
            }
        }
    }

    #[test]
    fn keeps_number_text_and_repeated_keys() {
        let found = tokens(r#" {"a" : -1.50e+3, "a": [true,null , "x\u00e9\n"]} "#).unwrap();
        let key = || Token::Key("a".into());
        assert_eq!(
            found,
            [
                Token::ObjectStart,
                key(),
                Token::Number("-1.50e+3"),
                key(),
                Token::ArrayStart,
                Token::Bool(true),
                Token::Null,
                Token::Text("xé\n".into()),
                Token::ArrayEnd,
                Token::ObjectEnd
            ]
        );
    }

    #[test]
    fn agrees_with_serde_json_on_what_is_json() {
        let texts = [
            "",
            " ",
            "1",
            "-",
            "-0",
            "01",
            "1.",
            "1.5",
            ".5",
            "1e",
            "1e5",
            "1E-5",
            "1e+",
            "[",
            "]",
            "[]",
            "[,]",
            "[1,]",
            "[1 2]",
            "[1,2]",
            "{",
            "}",
            "{}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":1}",
            "{a:1}",
            "{\"a\":1]",
            "[1}",
            "\"",
            "\"a\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u12é\"",
            "\"\t\"",
            "tru",
            "true",
            "truex",
            "nul",
            "null 1",
            "\"\\ud83d\\ude00\"",
            "é",
            "[[[[[[[[]]]]]]]]",
        ];
        for text in texts {
            let expected = serde_json::from_str::<serde_json::Value>(text).is_ok();
            assert_eq!(tokens(text).is_ok(), expected, "{text}");
        }
    }

    #[test]
    fn joins_surrogates_and_replaces_half_of_a_pair() {
        assert_eq!(
            tokens(r#""\ud83d\ude00""#).unwrap(),
            [Token::Text("😀".into())]
        );
        assert_eq!(
            tokens(r#""\ud83dx\ude00""#).unwrap(),
            [Token::Text("\u{fffd}x\u{fffd}".into())]
        );
        assert_eq!(
            tokens(r#""\ud83d\u0041""#).unwrap(),
            [Token::Text("\u{fffd}A".into())]
        );
    }

    #[test]
    fn refuses_nesting_beyond_the_limit_without_a_deep_stack() {
        let hostile = "[".repeat(1_000_000);
        let error = tokens(&hostile).unwrap_err();
        assert_eq!(
            error,
            JsonError {
                fault: JsonFault::TooDeep { max: 8 },
                offset: 8
            }
        );
    }

    #[test]
    fn says_what_it_expected() {
        let said = |text: &str| tokens(text).unwrap_err().fault.to_string();
        assert_eq!(
            said(r#"["1" "2"]"#),
            "Unexpected character ('\"' (code 34)): was expecting comma to separate Array entries"
        );
        assert_eq!(
            said(r#"{"a":[1}"#),
            "Unexpected close marker '}': expected ']'"
        );
        assert_eq!(
            said(r#"["a"#),
            "Unexpected end-of-input: was expecting closing quote for a string value"
        );
    }
}
