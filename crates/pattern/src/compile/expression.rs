//! Match expressions: the objects inside a field's list.

use super::{Compiler, Failure};
use crate::address::Block;
use crate::error::Fault;
use crate::fold::Folded;
use crate::json::Token;
use crate::matcher::{Excluded, Matcher};
use crate::number::comparable;
use crate::wildcard::Wildcard;

const EQUALS_IGNORE_CASE: &str = "equals-ignore-case";

impl<'a> Compiler<'a> {
    /// One match expression, from after its opening brace to its closing one.
    pub(super) fn expression(&mut self) -> Result<Matcher, Failure> {
        let Token::Key(name) = self.token()? else {
            return Err(Fault::MatchName.into());
        };
        let matcher = match &*name {
            "exactly" => Matcher::Text(self.string("exact")?),
            "prefix" => self.affix("prefix", "Prefix", Matcher::Prefix, Matcher::PrefixFolded)?,
            "suffix" => self.affix("suffix", "Suffix", Matcher::Suffix, Matcher::SuffixFolded)?,
            EQUALS_IGNORE_CASE => {
                Matcher::EqualsFolded(Folded::new(&self.string(EQUALS_IGNORE_CASE)?))
            }
            "wildcard" => Matcher::Wildcard(Wildcard::parse(&self.string("wildcard")?)?),
            // AWS's message for a wrong type here really says "prefix".
            "cidr" => Matcher::Cidr(Block::parse(&self.string("prefix")?)?),
            "exists" => match self.token()? {
                Token::Bool(true) => Matcher::Present,
                Token::Bool(false) => Matcher::Absent,
                _ => return Err(Fault::Exists.into()),
            },
            "numeric" => return Ok(Matcher::Numeric(self.numeric()?)),
            "anything-but" => return Ok(Matcher::AnythingBut(self.anything_but()?)),
            _ => return Err(Fault::MatchType(name.into_owned()).into()),
        };
        self.end(Fault::OneKey)?;
        Ok(matcher)
    }

    /// The value of `prefix` or `suffix`: a string, or `equals-ignore-case` of one.
    fn affix(
        &mut self,
        name: &'static str,
        title: &'static str,
        plain: fn(String) -> Matcher,
        folded: fn(Folded) -> Matcher,
    ) -> Result<Matcher, Failure> {
        match self.token()? {
            Token::Text(text) => return Ok(plain(text.into_owned())),
            Token::ObjectStart => {}
            _ => return Err(Fault::MustBeString(name).into()),
        }
        match self.token()? {
            Token::Key(inner) if inner == EQUALS_IGNORE_CASE => {}
            Token::Key(inner) => {
                return Err(Fault::InnerUnsupported(name, inner.into_owned()).into());
            }
            _ => return Err(Fault::InnerName(title).into()),
        }
        let text = self.string(EQUALS_IGNORE_CASE)?;
        self.end(Fault::OneKey)?;
        Ok(folded(Folded::new(&text)))
    }

    fn anything_but(&mut self) -> Result<Excluded, Failure> {
        let mut token = self.token()?;
        let mut inner = None;
        if token == Token::ObjectStart {
            let Token::Key(name) = self.token()? else {
                return Err(Fault::InnerName("Anything-But").into());
            };
            inner = Some(
                Inner::named(&name)
                    .ok_or_else(|| Fault::InnerUnsupported("anything-but", name.into_owned()))?,
            );
            token = self.token()?;
        }
        let excluded = match (inner, token) {
            (None, Token::ArrayStart) => self.anything_but_list()?,
            (None, Token::Text(text)) => Excluded::Texts(vec![text.into_owned()]),
            (None, Token::Number(text)) => Excluded::Numbers(vec![number(text)?]),
            (Some(inner), Token::ArrayStart) => {
                let mut texts = Vec::new();
                loop {
                    match self.token()? {
                        Token::ArrayEnd => break,
                        token => texts.push(inner.text(token)?),
                    }
                }
                inner.excluded(&texts)?
            }
            (Some(inner), token @ (Token::Text(_) | Token::Number(_))) => {
                inner.excluded(&[inner.text(token)?])?
            }
            _ => return Err(Fault::AnythingButValue.into()),
        };
        if inner.is_some() {
            self.end(Fault::TooManyElements)?;
        }
        self.end(Fault::TooManyElements)?;
        Ok(excluded)
    }

    fn anything_but_list(&mut self) -> Result<Excluded, Failure> {
        let (mut texts, mut numbers) = (Vec::new(), Vec::new());
        loop {
            match self.token()? {
                Token::ArrayEnd => break,
                Token::Text(text) => texts.push(text.into_owned()),
                Token::Number(text) => numbers.push(number(text)?),
                _ => return Err(Fault::AnythingButMember.into()),
            }
        }
        match (texts.is_empty(), numbers.is_empty()) {
            (false, true) => Ok(Excluded::Texts(texts)),
            (true, false) => Ok(Excluded::Numbers(numbers)),
            _ => Err(Fault::AnythingButMixed.into()),
        }
    }

    fn string(&mut self, name: &'static str) -> Result<String, Failure> {
        match self.token()? {
            Token::Text(text) => Ok(text.into_owned()),
            _ => Err(Fault::MustBeString(name).into()),
        }
    }

    /// The closing brace of an expression, or `otherwise`.
    pub(super) fn end(&mut self, otherwise: Fault) -> Result<(), Failure> {
        if self.token()? == Token::ObjectEnd {
            Ok(())
        } else {
            Err(otherwise.into())
        }
    }
}

/// The number `text` names.
pub(super) fn number(text: &str) -> Result<f64, Fault> {
    comparable(text).ok_or_else(|| Fault::Incomparable(text.to_owned()))
}

/// What `anything-but` may hold besides values.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Inner {
    Prefix,
    Suffix,
    Folded,
    Wildcard,
}

impl Inner {
    fn named(name: &str) -> Option<Self> {
        match name {
            "prefix" => Some(Self::Prefix),
            "suffix" => Some(Self::Suffix),
            EQUALS_IGNORE_CASE => Some(Self::Folded),
            "wildcard" => Some(Self::Wildcard),
            _ => None,
        }
    }

    fn text(self, token: Token<'_>) -> Result<String, Fault> {
        match (token, self) {
            (Token::Text(text), Self::Prefix | Self::Suffix) if text.is_empty() => {
                Err(Fault::EmptyAffix)
            }
            (Token::Text(text), _) => Ok(text.into_owned()),
            (_, Self::Prefix | Self::Suffix) => Err(Fault::MustBeString("prefix/suffix")),
            (_, Self::Folded) => Err(Fault::AnythingButIgnoreCase),
            (_, Self::Wildcard) => Err(Fault::MustBeString("wildcard")),
        }
    }

    fn excluded(self, texts: &[String]) -> Result<Excluded, Fault> {
        Ok(match self {
            Self::Prefix => Excluded::Prefixes(texts.to_vec()),
            Self::Suffix => Excluded::Suffixes(texts.to_vec()),
            Self::Folded => Excluded::Folded(texts.iter().map(|text| Folded::new(text)).collect()),
            Self::Wildcard => Excluded::Wildcards(
                texts
                    .iter()
                    .map(|text| Wildcard::parse(text))
                    .collect::<Result<_, _>>()?,
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::pattern::Pattern;

    fn said(expression: &str) -> String {
        match Pattern::parse(&format!(r#"{{"a": [{expression}]}}"#)) {
            Ok(_) => "valid".to_owned(),
            Err(error) => error.fault().to_string(),
        }
    }

    #[test]
    fn every_expression_is_read() {
        for expression in [
            r#"{"exactly": "x"}"#,
            r#"{"prefix": ""}"#,
            r#"{"prefix": {"equals-ignore-case": "x"}}"#,
            r#"{"suffix": {"equals-ignore-case": "x"}}"#,
            r#"{"wildcard": "a*"}"#,
            r#"{"cidr": "10.0.0.0/8"}"#,
            r#"{"exists": false}"#,
            r#"{"anything-but": [1, 2]}"#,
            r#"{"anything-but": {"prefix": ["a"]}}"#,
            r#"{"anything-but": {"equals-ignore-case": ""}}"#,
            r#"{"anything-but": {"wildcard": ["*a", "b*"]}}"#,
        ] {
            assert_eq!(said(expression), "valid", "{expression}");
        }
    }

    #[test]
    fn every_fault_has_its_words() {
        for (expression, words) in [
            ("{}", "Match expression name not found"),
            (r#"{"PREFIX": "x"}"#, "Unrecognized match type PREFIX"),
            (
                r#"{"prefix": ["x"]}"#,
                "prefix match pattern must be a string",
            ),
            (r#"{"prefix": {}}"#, "Prefix expression name not found"),
            (
                r#"{"suffix": {"prefix": "x"}}"#,
                "Unsupported suffix pattern: prefix",
            ),
            (
                r#"{"suffix": {"equals-ignore-case": "x", "y": 1}}"#,
                "Only one key allowed in match expression",
            ),
            (r#"{"cidr": 1}"#, "prefix match pattern must be a string"),
            (
                r#"{"exists": "true"}"#,
                "exists match pattern must be either true or false.",
            ),
            (
                r#"{"anything-but": {}}"#,
                "Anything-But expression name not found",
            ),
            (
                r#"{"anything-but": {"numeric": 1}}"#,
                "Unsupported anything-but pattern: numeric",
            ),
            (
                r#"{"anything-but": true}"#,
                "Value of anything-but must be an array or single string/number value.",
            ),
            (
                r#"{"anything-but": [null]}"#,
                "Inside anything but list, start|null|boolean is not supported.",
            ),
            (
                r#"{"anything-but": []}"#,
                "Inside anything but list, either all values are number or string, mixed type is not supported",
            ),
            (
                r#"{"anything-but": {"suffix": ["x", ""]}}"#,
                "Null prefix/suffix not allowed",
            ),
            (
                r#"{"anything-but": {"prefix": "x"}, "y": 1}"#,
                "Too many elements in numeric expression",
            ),
            (
                r#"{"anything-but": 1e400}"#,
                "Cannot compare number : 1e400",
            ),
        ] {
            assert_eq!(said(expression), words, "{expression}");
        }
    }
}
