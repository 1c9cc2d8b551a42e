//! `InputTemplate`: text in quotes, or JSON, with `<variables>`.

use super::error::TransformError;
use super::tree::Tree;
use crate::json::{Reader, Token};
use crate::limits::{INPUT_TEMPLATE_CHARS_MAX, PATTERN_DEPTH_MAX};
use crate::words::quote;

/// Stands for a variable while a template of JSON is checked.
const MARK: &str = "\u{e000}";

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Literal(String),
    Variable { name: String, in_string: bool },
}

/// What stands for a variable.
pub(super) enum Filling {
    /// A value of the event or the rule; `None` where the event has none.
    Value(Option<Tree>),
    /// An event, which goes into strings as it is.
    Event(Tree),
}

impl Template {
    /// Reads a template; `is_variable` knows the names.
    pub(super) fn parse(
        text: &str,
        is_variable: impl Fn(&str) -> bool,
    ) -> Result<Self, TransformError> {
        if text.is_empty() || text.chars().count() > INPUT_TEMPLATE_CHARS_MAX {
            return Err(TransformError::TemplateLength);
        }
        let is_json = text.trim_start().starts_with(['{', '[']);
        let (mut parts, mut literal) = (Vec::new(), String::new());
        let (mut in_string, mut escaped) = (false, false);
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            if let Some((name, after)) = rest.split_once('>').filter(|_| c == '<') {
                if !is_variable(name) {
                    return Err(TransformError::Placeholder(name.to_owned()));
                }
                parts.push(Part::Literal(std::mem::take(&mut literal)));
                parts.push(Part::Variable {
                    name: name.to_owned(),
                    in_string,
                });
                (rest, escaped) = (after, false);
                continue;
            }
            if c == '"' && !escaped {
                in_string = !in_string;
            } else if !in_string && !is_json && !c.is_whitespace() {
                return Err(TransformError::Quotes);
            }
            escaped = c == '\\' && in_string && !escaped;
            // The JSON passed on is without spaces.
            if in_string || !is_json || !c.is_ascii_whitespace() {
                literal.push(c);
            }
        }
        parts.push(Part::Literal(literal));
        parts.retain(|part| *part != Part::Literal(String::new()));
        let template = Self { parts };
        if is_json {
            template.check_json()?;
        } else if in_string {
            return Err(TransformError::Quotes);
        }
        Ok(template)
    }

    /// Whether the template is JSON, and no variable is in a key of it.
    fn check_json(&self) -> Result<(), TransformError> {
        let sample: String = self
            .parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) => text.as_str(),
                Part::Variable {
                    in_string: true, ..
                } => MARK,
                Part::Variable { .. } => "0",
            })
            .collect();
        let mut reader = Reader::new(&sample, PATTERN_DEPTH_MAX);
        loop {
            match reader.next() {
                Ok(Token::End) => return Ok(()),
                Ok(Token::Key(key)) if key.contains(MARK) => {
                    return Err(TransformError::Key(key.replace(MARK, "<…>")));
                }
                Ok(_) => {}
                Err(error) => return Err(TransformError::Template(error.fault)),
            }
        }
    }

    /// The text with its variables filled in.
    pub(super) fn fill(&self, escape: bool, filling: impl Fn(&str) -> Filling) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Variable { name, in_string } => match filling(name) {
                    Filling::Value(None) if *in_string => {}
                    Filling::Value(None) => out.push_str("\"\""),
                    Filling::Value(Some(tree)) | Filling::Event(tree) if !in_string => {
                        out.push_str(&tree.json());
                    }
                    Filling::Value(Some(tree)) => out.push_str(&in_text(&tree, escape, false)),
                    Filling::Event(tree) => out.push_str(&in_text(&tree, escape, true)),
                },
            }
        }
        out
    }
}

/// A value inside a string. EventBridge does not escape it; of an array or object it leaves out the quotes.
fn in_text(tree: &Tree, escape: bool, keep_quotes: bool) -> String {
    let text = match tree {
        Tree::Text(text) | Tree::Word(text) => text.clone(),
        Tree::Array(_) | Tree::Object(_) if escape || keep_quotes => tree.json(),
        Tree::Array(_) | Tree::Object(_) => tree.json().replace('"', ""),
    };
    if !escape {
        return text;
    }
    let quoted = quote(&text);
    let inner = quoted.strip_prefix('"').and_then(|q| q.strip_suffix('"'));
    inner.unwrap_or_default().to_owned()
}
