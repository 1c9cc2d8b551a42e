//! From the text of a pattern to its branches.
//!
//! The compiler reads the text once, token by token, and reports the first fault in the order of the text, as AWS does.

pub(crate) mod complexity;
mod expression;
mod numeric;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::Address;
use crate::error::{Fault, PatternError, Place};
use crate::json::{JsonError, Reader, Token};
use crate::limits::{BRANCHES_MAX, FIELDS_MAX, PATTERN_DEPTH_MAX};
use crate::matcher::Matcher;
use crate::number::comparable;
use crate::pattern::{Branch, Condition, Replaced};

const OR: &str = "$or";

/// Names no field may have inside `$or`: those of the expressions, and those AWS reserves for expressions to come.
const RESERVED_IN_OR: [&str; 25] = [
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "html",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

/// A branch while it is built: a field named again replaces its list.
type Draft = BTreeMap<Arc<str>, Arc<[Matcher]>>;

/// A fault where the reader stands, or a JSON fault where it itself says. Boxed: it is rare and large.
#[derive(Debug)]
enum Failure {
    Fault(Box<Fault>),
    Json(JsonError),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(Box::new(fault))
    }
}

impl From<JsonError> for Failure {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

/// What the text of a pattern says.
pub(crate) struct Compiled {
    pub(crate) branches: Vec<Branch>,
    pub(crate) replaced: Vec<Replaced>,
}

/// Compiles a pattern to its branches.
pub(crate) fn compile(text: &str) -> Result<Compiled, PatternError> {
    let mut compiler = Compiler {
        reader: Reader::new(text, PATTERN_DEPTH_MAX),
        path: Vec::new(),
        value: None,
        replaced: Vec::new(),
    };
    compiler.pattern().map_err(|failure| {
        let (fault, offset) = match failure {
            Failure::Fault(fault) => (*fault, compiler.reader.token_at()),
            Failure::Json(error) => (Fault::Json(error.fault), error.offset),
        };
        PatternError::new(fault, Place::new(text, offset, compiler.json_path()))
    })
}

struct Compiler<'a> {
    reader: Reader<'a>,
    /// The names of the fields around the reader.
    path: Vec<Cow<'a, str>>,
    /// Which value of the innermost field's list, or alternative of its `$or`, the reader is in.
    value: Option<usize>,
    /// The lists that a later one of the same field replaced.
    replaced: Vec<Replaced>,
}

impl<'a> Compiler<'a> {
    fn pattern(&mut self) -> Result<Compiled, Failure> {
        match self.token() {
            Ok(Token::ObjectStart) => {}
            Err(Failure::Json(error)) if !self.reader.is_at_end() => return Err(error.into()),
            _ => return Err(Fault::NotAnObject.into()),
        }
        let mut drafts = Vec::new();
        self.object(&mut drafts, false)?;
        self.token()?;
        let branches: Vec<Branch> = drafts.into_iter().map(finish).collect();
        complexity::check(&branches)?;
        let replaced = std::mem::take(&mut self.replaced);
        Ok(Compiled { branches, replaced })
    }

    /// The members of an object, into every draft.
    fn object(&mut self, drafts: &mut Vec<Draft>, inside_or: bool) -> Result<(), Failure> {
        let mut empty = true;
        while let Token::Key(name) = self.token()? {
            empty = false;
            self.path.push(name.clone());
            if name == OR {
                self.alternatives(drafts)?;
            } else if inside_or && RESERVED_IN_OR.contains(&&*name) {
                return Err(Fault::OrReserved(name.into_owned()).into());
            } else {
                match self.token()? {
                    Token::ObjectStart => self.object(drafts, inside_or)?,
                    Token::ArrayStart => self.field(drafts)?,
                    _ => return Err(Fault::FieldValue(name.into_owned()).into()),
                }
            }
            self.path.pop();
        }
        if empty {
            Err(Fault::EmptyObject.into())
        } else {
            Ok(())
        }
    }

    /// `$or`: every draft so far goes on once for each alternative.
    fn alternatives(&mut self, drafts: &mut Vec<Draft>) -> Result<(), Failure> {
        if self.token()? != Token::ArrayStart {
            return Err(Fault::OrForm.into());
        }
        let before = std::mem::take(drafts);
        let mut count = 0;
        loop {
            match self.token()? {
                Token::ArrayEnd if count < 2 => return Err(Fault::OrFew.into()),
                Token::ArrayEnd => return Ok(()),
                Token::ObjectStart => {
                    let mut alternative = before.clone();
                    self.object(&mut alternative, true)?;
                    drafts.append(&mut alternative);
                }
                _ => return Err(Fault::OrMember.into()),
            }
            if drafts.len() > BRANCHES_MAX {
                return Err(Fault::TooManyBranches { max: BRANCHES_MAX }.into());
            }
            count += 1;
        }
    }

    /// The list of a field, into every draft.
    fn field(&mut self, drafts: &mut Vec<Draft>) -> Result<(), Failure> {
        let mut matchers = Vec::new();
        loop {
            self.value = Some(matchers.len());
            let matcher = match self.token()? {
                Token::ArrayEnd => break,
                Token::ObjectStart => self.expression()?,
                Token::Text(text) => match Address::parse(&text) {
                    Some(address) => Matcher::Address(address),
                    None => Matcher::Text(text.into_owned()),
                },
                Token::Number(text) => Matcher::Number {
                    text: text.to_owned(),
                    value: comparable(text),
                },
                Token::Bool(value) => Matcher::Bool(value),
                Token::Null => Matcher::Null,
                _ => return Err(Fault::MatchValue.into()),
            };
            matchers.push(matcher);
        }
        self.value = None;
        if matchers.is_empty() {
            return Err(Fault::EmptyArray.into());
        }
        self.store(drafts, matchers.into())
    }

    fn store(&mut self, drafts: &mut Vec<Draft>, matchers: Arc<[Matcher]>) -> Result<(), Failure> {
        let names: Vec<&str> = self
            .path
            .iter()
            .map(AsRef::as_ref)
            .filter(|name| *name != OR)
            .collect();
        let path: Arc<str> = names.join(".").into();
        if drafts.is_empty() {
            drafts.push(Draft::new());
        }
        for draft in drafts {
            let before = draft.insert(Arc::clone(&path), Arc::clone(&matchers));
            if let Some(first) = before.filter(|first| *first != matchers) {
                let replaced = Replaced {
                    path: Arc::clone(&path),
                    first,
                    last: Arc::clone(&matchers),
                };
                if !self.replaced.contains(&replaced) && self.replaced.len() < BRANCHES_MAX {
                    self.replaced.push(replaced);
                }
            }
            if draft.len() > FIELDS_MAX {
                return Err(Fault::TooManyFields { max: FIELDS_MAX }.into());
            }
        }
        Ok(())
    }

    fn token(&mut self) -> Result<Token<'a>, Failure> {
        Ok(self.reader.next()?)
    }

    fn json_path(&self) -> String {
        let value = self.value.map(|at| format!("[{at}]")).unwrap_or_default();
        let names: String = self.path.iter().map(|name| format!(".{name}")).collect();
        format!("${names}{value}")
    }
}

/// The conditions of a draft in the order AWS takes fields: by the UTF-16 of their names.
fn finish(draft: Draft) -> Branch {
    let mut branch: Branch = draft
        .into_iter()
        .map(|(path, matchers)| Condition { path, matchers })
        .collect();
    branch.sort_by(|a, b| a.path.encode_utf16().cmp(b.path.encode_utf16()));
    branch
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::JsonFault;
    use crate::pattern::Pattern;

    fn refused(text: &str) -> PatternError {
        Pattern::parse(text).unwrap_err()
    }

    fn paths(text: &str) -> Vec<String> {
        let joined = |branch: &Branch| {
            branch
                .iter()
                .map(|c| &*c.path)
                .collect::<Vec<_>>()
                .join(" ")
        };
        compile(text).unwrap().branches.iter().map(joined).collect()
    }

    #[test]
    fn dotted_names_are_nested_names_and_the_last_of_one_name_wins() {
        assert_eq!(
            paths(r#"{"b": [1], "a": {"b": [1], "c.d": [2]}, "a.b": [3]}"#),
            ["a.b a.c.d b"]
        );
        let pattern = Pattern::parse(r#"{"x": ["y"], "x": ["z"]}"#).unwrap();
        assert!(
            pattern.matches_json(r#"{"x": "z"}"#).unwrap()
                && !pattern.matches_json(r#"{"x": "y"}"#).unwrap()
        );
    }

    #[test]
    fn alternatives_multiply() {
        let text = r#"{"s": [1], "$or": [{"a": [1]}, {"b": [1], "$or": [{"c": [1]}, {"d": [1]}]}], "x": {"$or": [{"e": [1]}, {"f": [1]}]}}"#;
        assert_eq!(
            paths(text),
            [
                "a s x.e",
                "b c s x.e",
                "b d s x.e",
                "a s x.f",
                "b c s x.f",
                "b d s x.f"
            ]
        );
    }

    #[test]
    fn alternatives_are_bounded() {
        let or = |n: usize| {
            let ors: Vec<String> = (0..n)
                .map(|n| format!(r#""f{n}": {{"$or": [{{"a": [1]}}, {{"b": [1]}}]}}"#))
                .collect();
            format!("{{{}}}", ors.join(","))
        };
        assert_eq!(compile(&or(9)).unwrap().branches.len(), 512);
        assert_eq!(
            *refused(&or(40)).fault(),
            Fault::TooManyBranches { max: BRANCHES_MAX }
        );
        let many: Vec<String> = (0..=FIELDS_MAX)
            .map(|n| format!(r#""f{n}": [1]"#))
            .collect();
        assert_eq!(
            *refused(&format!("{{{}}}", many.join(","))).fault(),
            Fault::TooManyFields { max: FIELDS_MAX }
        );
    }

    #[test]
    fn refuses_what_or_may_not_be() {
        assert_eq!(*refused(r#"{"$or": {"a": [1]}}"#).fault(), Fault::OrForm);
        assert_eq!(*refused(r#"{"$or": [{"a": [1]}]}"#).fault(), Fault::OrFew);
        assert_eq!(
            *refused(r#"{"$or": [{"a": [1]}, 1]}"#).fault(),
            Fault::OrMember
        );
        assert_eq!(
            *refused(r#"{"$or": [{"a": [1]}, {"b": {"prefix": ["x"]}}]}"#).fault(),
            Fault::OrReserved("prefix".into())
        );
        assert!(
            Pattern::parse(r#"{"b": {"prefix": ["x"]}}"#).is_ok(),
            "elsewhere the name is free"
        );
    }

    #[test]
    fn says_where() {
        let place = |text| refused(text).place().to_string();
        assert_eq!(
            place("{\"detail\": {\n  \"é\": [1, {\"prefix\": 5}]}}"),
            "line 2, column 23, $.detail.é[1]"
        );
        assert_eq!(place(r#"{"a": [1], "b": {}}"#), "line 1, column 18, $.b");
        assert_eq!(place("{\"a\": [1]} x"), "line 1, column 12, $");
        assert_eq!(place("{\"a\": [1 2]}"), "line 1, column 10, $.a[1]");
        assert_eq!(place(""), "line 1, column 1, $");
    }

    #[test]
    fn refuses_empty_misshapen_and_hostile_patterns() {
        assert_eq!(*refused("[]").fault(), Fault::NotAnObject);
        assert_eq!(*refused(" ").fault(), Fault::NotAnObject);
        assert!(matches!(refused("?").fault(), Fault::Json(_)));
        assert_eq!(*refused("{}").fault(), Fault::EmptyObject);
        assert_eq!(*refused(r#"{"a": []}"#).fault(), Fault::EmptyArray);
        assert_eq!(*refused(r#"{"a": [[1]]}"#).fault(), Fault::MatchValue);
        assert_eq!(
            *refused(r#"{"a": null}"#).fault(),
            Fault::FieldValue("a".into())
        );
        let deep = JsonFault::TooDeep {
            max: PATTERN_DEPTH_MAX,
        };
        assert_eq!(
            *refused(&"{\"a\":".repeat(200_000)).fault(),
            Fault::Json(deep.clone())
        );
        assert_eq!(
            *refused(&"{\"$or\":[".repeat(200_000)).fault(),
            Fault::Json(deep)
        );
    }
}
