//! The functions of texts.

use super::functions::{Answer, Function, made, one_of_few, replaced_bytes, theirs};
use super::part::Part;
use super::{GivenUp, Steps, dates};
use crate::limits;
use jsonata_core::functions::{encoding, string};

/// What a function makes of a text.
pub(super) fn textual<'s>(
    function: Function,
    text: &str,
    rest: &[Part<'s>],
    steps: &Steps,
) -> Answer<'s> {
    steps.take_text(text.len())?;
    let number = |part: &Part<'s>| part.as_number().map(|number| number as i64).ok_or(GivenUp);
    match (function, rest) {
        (Function::Base64Decode, []) => theirs(encoding::base64decode(text)),
        (Function::Base64Encode, []) => theirs(encoding::base64encode(text)),
        (Function::DecodeUrlComponent, []) => theirs(encoding::decode_url_component(text)),
        (Function::EncodeUrlComponent, []) => theirs(encoding::encode_url_component(text)),
        (Function::ToMillis, []) => dates::millis(text).map(Part::Number),
        (Function::Length, []) => theirs(string::length(text)),
        (Function::Lowercase, []) => theirs(string::lowercase(text)),
        (Function::Trim, []) => theirs(string::trim(text)),
        (Function::Uppercase, []) => theirs(string::uppercase(text)),
        (Function::Substring, [start]) => theirs(string::substring(text, number(start)?, None)),
        (Function::Substring, [start, length]) => theirs(string::substring(
            text,
            number(start)?,
            Some(number(length)?),
        )),
        (Function::Pad, [width, with @ ..]) => pad(text, width, with, steps),
        (Function::Replace, [what, by, limit @ ..]) => replace(text, what, by, limit),
        (Function::Split, [between, limit]) => {
            let most = one_of_few(limit, limits::JSONATA_SEQUENCE_MAX)?;
            split(text, between.as_text().ok_or(GivenUp)?, most, steps)
        }
        (_, [other]) => {
            let other = other.as_text().ok_or(GivenUp)?;
            match function {
                Function::Contains => Ok(Part::Bool(text.contains(other))),
                Function::SubstringAfter => theirs(string::substring_after(text, other)),
                Function::SubstringBefore => theirs(string::substring_before(text, other)),
                Function::Split => split(text, other, usize::MAX, steps),
                _ => Err(GivenUp),
            }
        }
        _ => Err(GivenUp),
    }
}

fn split<'s>(text: &str, between: &str, most: usize, steps: &Steps) -> Answer<'s> {
    if between.is_empty() {
        return Err(GivenUp);
    }
    steps.take(text.len())?;
    Part::array(text.split(between).take(most).map(Part::text).collect())
}

fn pad<'s>(text: &str, width: &Part<'s>, with: &[Part<'s>], steps: &Steps) -> Answer<'s> {
    let width = width.as_number().ok_or(GivenUp)?.trunc();
    let with = match with {
        [] => " ",
        [with, ..] => with.as_text().ok_or(GivenUp)?,
    };
    if with.is_empty() || width.abs() > limits::JSONATA_SMALL_BYTES_MAX as f64 {
        return Err(GivenUp);
    }
    let missing = (width.abs() as usize).saturating_sub(text.chars().count());
    steps.take(missing)?;
    let filling: String = with.chars().cycle().take(missing).collect();
    made(match width < 0.0 {
        true => filling + text,
        false => text.to_owned() + &filling,
    })
}

fn replace<'s>(text: &str, what: &Part<'s>, by: &Part<'s>, limit: &[Part<'s>]) -> Answer<'s> {
    let what = what.as_text().filter(|what| !what.is_empty());
    let (what, by) = (what.ok_or(GivenUp)?, by.as_text().ok_or(GivenUp)?);
    replaced_bytes(by.len())?;
    let most = match limit {
        [] => usize::MAX,
        [limit, ..] => one_of_few(limit, limits::JSONATA_SEQUENCE_MAX)?,
    };
    if text.matches(what).take(most).count() * by.len() > limits::JSONATA_TEXT_BYTES_MAX {
        return Err(GivenUp);
    }
    made(text.replacen(what, by, most))
}
