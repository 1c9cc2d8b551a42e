//! A JSON value that keeps the order of its members and the text of its numbers.

use crate::json::{JsonError, Reader, Token};
use crate::words::quote;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    Text(String),
    /// A number, `true`, `false` or `null`, as it was written.
    Word(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// Reads a value. Of a name given twice the last value counts.
    pub(super) fn parse(text: &str, depth_max: usize) -> Result<Self, JsonError> {
        let mut reader = Reader::new(text, depth_max);
        let mut open: Vec<(Option<String>, Tree)> = Vec::new();
        let mut key = None;
        let mut root = Tree::Word("null".to_owned());
        loop {
            let value = match reader.next()? {
                Token::Key(name) => {
                    key = Some(name.into_owned());
                    continue;
                }
                Token::ObjectStart => {
                    open.push((key.take(), Tree::Object(Vec::new())));
                    continue;
                }
                Token::ArrayStart => {
                    open.push((key.take(), Tree::Array(Vec::new())));
                    continue;
                }
                Token::ObjectEnd | Token::ArrayEnd => {
                    let Some((name, value)) = open.pop() else {
                        continue;
                    };
                    key = name;
                    value
                }
                Token::Text(text) => Tree::Text(text.into_owned()),
                Token::Number(text) => Tree::Word(text.to_owned()),
                Token::Bool(value) => Tree::Word(value.to_string()),
                Token::Null => Tree::Word("null".to_owned()),
                Token::End => return Ok(root),
            };
            match open.last_mut() {
                Some((_, Tree::Array(elements))) => elements.push(value),
                Some((_, Tree::Object(members))) => {
                    let name = key.take().unwrap_or_default();
                    match members.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, old)) => *old = value,
                        None => members.push((name, value)),
                    }
                }
                _ => root = value,
            }
        }
    }

    /// The member of this name.
    pub(super) fn member(&self, name: &str) -> Option<&Tree> {
        let Self::Object(members) = self else {
            return None;
        };
        members
            .iter()
            .find_map(|(known, value)| (known == name).then_some(value))
    }

    /// The value as JSON without spaces.
    pub(super) fn json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(&quote(text)),
            Self::Word(word) => out.push_str(word),
            Self::Array(elements) => {
                out.push('[');
                for (at, element) in elements.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    element.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (at, (name, value)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    out.push_str(&quote(name));
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}
