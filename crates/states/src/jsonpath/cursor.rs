//! A place in a text, for the small parsers of this folder.

/// Reads a text character by character.
#[derive(Debug)]
pub(super) struct Cursor<'t> {
    rest: &'t str,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Cursor { rest: text }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn advance(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let character = characters.next();
        self.rest = characters.as_str();
        character
    }

    /// Takes `token` if it comes next.
    pub(super) fn eat(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes white space, then `token` if it comes next.
    pub(super) fn eat_spaced(&mut self, token: &str) -> bool {
        self.skip_space();
        self.eat(token)
    }

    /// Takes `token` or fails.
    pub(super) fn expect(&mut self, token: &str) -> Option<()> {
        self.eat_spaced(token).then_some(())
    }

    pub(super) fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes characters as long as `wanted` holds.
    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let end = self
            .rest
            .find(|character| !wanted(character))
            .unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// Takes an integer.
    pub(super) fn integer(&mut self) -> Option<i64> {
        let minus = self.eat("-");
        let digits = self.take_while(|c| c.is_ascii_digit());
        let number: i64 = digits.parse().ok()?;
        Some(if minus { -number } else { number })
    }

    /// Takes quoted text. Recorded on AWS: a backslash escapes the quote and
    /// itself, and stays where it precedes anything else.
    pub(super) fn quoted(&mut self) -> Option<String> {
        let quote = self.advance()?;
        if quote != '\'' && quote != '"' {
            return None;
        }
        let mut text = String::new();
        loop {
            match self.advance()? {
                '\\' => match self.advance()? {
                    escaped if escaped == quote || escaped == '\\' => text.push(escaped),
                    other => text.extend(['\\', other]),
                },
                end if end == quote => return Some(text),
                plain => text.push(plain),
            }
        }
    }

    /// Takes a JSON number, `true`, `false` or `null`.
    pub(super) fn plain_literal(&mut self) -> Option<serde_json::Value> {
        let word = self.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.'));
        let value: serde_json::Value = serde_json::from_str(word).ok()?;
        (!value.is_string()).then_some(value)
    }
}
