//! The functions that look for a regular expression, which is compiled once and not at each evaluation. What a match is,
//! is the evaluator's to say: these are its functions, given the compiled expression.

use super::functions::{made, one_of_few, replaced_bytes};
use super::members::Members;
use super::part::Part;
use super::{GivenUp, Steps};
use crate::limits;
use jsonata_core::functions::FunctionError;
use jsonata_core::functions::string::{
    RegexMatches, match_regex, replace_regex, substitute_capture_groups,
};
use jsonata_core::value::JValue;
use regex::{Regex, RegexBuilder};
use std::borrow::Cow;
use std::sync::OnceLock;

/// Bytes that a compiled expression, and what it learns while it is used, may have: it is kept as long as its document.
const COMPILED_BYTES_MAX: usize = 1 << 18;

/// A regular expression that is written out.
#[derive(Debug)]
pub(super) struct Pattern {
    text: String,
    compiled: OnceLock<Option<Regex>>,
}

/// What is done with a regular expression.
#[derive(Clone, Copy, Debug)]
pub(super) enum Matching {
    Contains,
    Match,
    Replace,
    Split,
}

impl Pattern {
    /// The flags mean what they mean to the evaluator.
    pub(super) fn new(pattern: &str, flags: &str) -> Self {
        let known: String = "ims".chars().filter(|flag| flags.contains(*flag)).collect();
        let text = match known.as_str() {
            "" => pattern.to_owned(),
            known => format!("(?{known}){pattern}"),
        };
        Pattern {
            text,
            compiled: OnceLock::new(),
        }
    }

    fn regex(&self) -> Result<&Regex, GivenUp> {
        let compile = || {
            let mut builder = RegexBuilder::new(&self.text);
            builder.size_limit(COMPILED_BYTES_MAX);
            builder.dfa_size_limit(COMPILED_BYTES_MAX);
            builder.build().ok()
        };
        self.compiled.get_or_init(compile).as_ref().ok_or(GivenUp)
    }
}

/// The function and how many arguments it may have, the regular expression among them.
pub(super) fn find(name: &str, arguments: usize) -> Option<Matching> {
    let (matching, counts) = match name {
        "contains" => (Matching::Contains, 2..=2),
        "match" => (Matching::Match, 2..=3),
        "replace" => (Matching::Replace, 3..=4),
        "split" => (Matching::Split, 2..=3),
        _ => return None,
    };
    counts.contains(&arguments).then_some(matching)
}

/// What a function makes of its arguments, without the regular expression.
pub(super) fn call<'s>(
    matching: Matching,
    pattern: &Pattern,
    args: &[Part<'s>],
    steps: &Steps,
) -> Result<Part<'s>, GivenUp> {
    let regex = pattern.regex()?;
    let (text, rest) = args.split_first().ok_or(GivenUp)?;
    let text = text.as_text().ok_or(GivenUp)?;
    // Each place may be looked at, and be a match.
    steps.take(text.len())?;
    match (matching, rest) {
        (Matching::Contains, []) => Ok(Part::Bool(regex.is_match(text))),
        (Matching::Match, limit) => {
            let found = match_regex(regex, text, limit_of(limit)?).map_err(|_| GivenUp)?;
            matches(&found)
        }
        (Matching::Replace, [by, limit @ ..]) => {
            replace(regex, text, by.as_text().ok_or(GivenUp)?, limit_of(limit)?)
        }
        (Matching::Split, limit) => {
            let most = limit_of(limit)?.unwrap_or(usize::MAX);
            Part::array(regex.split(text).take(most).map(Part::text).collect())
        }
        _ => Err(GivenUp),
    }
}

/// How many matches count.
fn limit_of(rest: &[Part<'_>]) -> Result<Option<usize>, GivenUp> {
    match rest {
        [] => Ok(None),
        [limit] => one_of_few(limit, limits::JSONATA_SEQUENCE_MAX).map(Some),
        _ => Err(GivenUp),
    }
}

fn replace<'s>(
    regex: &Regex,
    text: &str,
    by: &str,
    limit: Option<usize>,
) -> Result<Part<'s>, GivenUp> {
    replaced_bytes(by.len())?;
    let replaced = replace_regex(RegexMatches::new(regex, text), limit, |found, out| {
        if out.len() > limits::JSONATA_TEXT_BYTES_MAX {
            return Err(FunctionError::RuntimeError(String::new()));
        }
        substitute_capture_groups(out, by, found.text, found.groups.len(), |group| {
            let group = found.groups.get(group).copied().flatten();
            Ok(group.map(Cow::Borrowed))
        })
    });
    made(replaced.map_err(|_| GivenUp)?)
}

/// The matches: objects of a text, a number and a list of texts.
fn matches<'s>(found: &JValue) -> Result<Part<'s>, GivenUp> {
    let found = found.as_array().ok_or(GivenUp)?.iter().map(|found| {
        let mut members = Members::default();
        for (name, value) in found.as_object().ok_or(GivenUp)? {
            members.put(
                name.clone().into(),
                match value {
                    JValue::Array(groups) => {
                        // A group that took no part has no value.
                        let groups = groups.iter().map(|group| match group {
                            JValue::String(_) => Part::of_scalar(group),
                            _ => Err(GivenUp),
                        });
                        Part::array(groups.collect::<Result<_, _>>()?)?
                    }
                    value => Part::of_scalar(value)?,
                },
            );
        }
        Part::object(members)
    });
    Part::sequence(found.collect::<Result<_, _>>()?)
}
