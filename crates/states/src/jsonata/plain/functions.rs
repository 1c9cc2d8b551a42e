//! The functions that plain expressions call. What has rules of its own (what is white space, how a number is rounded) is
//! the evaluator's function of the same name.

use super::members::{Items, Members};
use super::part::{Look, Part};
use super::paths::{field, spread};
use super::sorting::sorted;
use super::texts::textual;
use super::{GivenUp, Steps, dates};
use crate::limits;
use jsonata_core::functions::{FunctionError, numeric};
use jsonata_core::value::JValue;
use std::collections::BTreeSet;

/// Arguments that a function here has at most.
pub(super) const ARGUMENTS_MAX: usize = 4;

/// Names that one object constructor here may write.
pub(super) const NAMES_MAX: usize = 100;

pub(super) type Answer<'s> = Result<Part<'s>, GivenUp>;

macro_rules! functions {
    ($($function:ident $name:literal $least:literal $most:literal,)*) => {
        /// A built-in function.
        #[derive(Clone, Copy, Debug)]
        pub(super) enum Function {
            $($function,)*
        }

        /// The function of this name, when it is called with so many arguments.
        pub(super) fn find(name: &str, arguments: usize) -> Option<Function> {
            let (function, counts) = match name {
                $($name => (Function::$function, $least..=$most),)*
                _ => return None,
            };
            counts.contains(&arguments).then_some(function)
        }
    };
}

functions! {
    Abs "abs" 1 1,
    Append "append" 2 2,
    Average "average" 1 1,
    Base64Decode "base64decode" 1 1,
    Base64Encode "base64encode" 1 1,
    Boolean "boolean" 1 1,
    Ceil "ceil" 1 1,
    Contains "contains" 2 2,
    Count "count" 1 1,
    DecodeUrlComponent "decodeUrlComponent" 1 1,
    Distinct "distinct" 1 1,
    EncodeUrlComponent "encodeUrlComponent" 1 1,
    Exists "exists" 1 1,
    Floor "floor" 1 1,
    FormatBase "formatBase" 1 2,
    FormatInteger "formatInteger" 2 2,
    FormatNumber "formatNumber" 2 2,
    FromMillis "fromMillis" 1 2,
    Join "join" 1 2,
    Keys "keys" 1 1,
    Length "length" 1 1,
    Lookup "lookup" 2 2,
    Lowercase "lowercase" 1 1,
    Max "max" 1 1,
    Merge "merge" 1 1,
    Min "min" 1 1,
    Not "not" 1 1,
    Number "number" 1 1,
    Pad "pad" 2 3,
    Power "power" 2 2,
    Replace "replace" 3 4,
    Reverse "reverse" 1 1,
    Round "round" 1 2,
    Sort "sort" 1 1,
    Split "split" 2 3,
    Sqrt "sqrt" 1 1,
    String "string" 1 1,
    Substring "substring" 2 3,
    SubstringAfter "substringAfter" 2 2,
    SubstringBefore "substringBefore" 2 2,
    Sum "sum" 1 1,
    ToMillis "toMillis" 1 1,
    Trim "trim" 1 1,
    Type "type" 1 1,
    Uppercase "uppercase" 1 1,
    Zip "zip" 1 3,
}

/// What a function makes of its arguments; a sequence is still one.
pub(super) fn call<'s>(function: Function, args: &[Part<'s>], steps: &Steps) -> Answer<'s> {
    let first = args.first().ok_or(GivenUp)?;
    match (function, first.look()) {
        (Function::Count, Look::Nothing) => return Ok(Part::Number(0.0)),
        (Function::Exists, look) => return Ok(Part::Bool(!matches!(look, Look::Nothing))),
        (Function::Not | Function::Append, _) => {}
        // With more arguments, it depends on them.
        (Function::Zip, Look::Nothing) => return Err(GivenUp),
        (_, Look::Nothing) if args.len() == 1 => return Ok(Part::Nothing),
        (_, Look::Nothing) => return Err(GivenUp),
        _ => {}
    }
    let rest = args.get(1..).unwrap_or_default();
    match function {
        Function::Count => Ok(Part::Number(
            first.items().map_or(1, |items| items.len()) as f64
        )),
        Function::Exists => Err(GivenUp),
        Function::Boolean => first.is_true(steps).map(Part::Bool),
        Function::Not if first.is_nothing() => Err(GivenUp),
        Function::Not => first.is_true(steps).map(|flag| Part::Bool(!flag)),
        Function::Append
        | Function::Distinct
        | Function::Keys
        | Function::Lookup
        | Function::Merge
        | Function::Reverse
        | Function::Sort
        | Function::Zip => structural(function, first, rest, steps),
        Function::Type => Ok(Part::text(match first.look() {
            Look::Nothing => return Err(GivenUp),
            Look::Null => "null",
            Look::Bool(_) => "boolean",
            Look::Number(_) => "number",
            Look::Text(_) => "string",
            Look::List(_) => "array",
            Look::Object(_) => "object",
        })),
        Function::FormatInteger | Function::FormatNumber | Function::FromMillis => {
            formatted(function, first, rest)
        }
        Function::Average | Function::Max | Function::Min | Function::Sum => {
            aggregate(function, first, steps)
        }
        Function::Abs
        | Function::Ceil
        | Function::Floor
        | Function::FormatBase
        | Function::Power
        | Function::Round
        | Function::Sqrt => numerical(function, first, rest),
        Function::Number => match first.look() {
            Look::Number(number) => Ok(Part::Number(number)),
            Look::Text(text) => theirs(numeric::number(&JValue::from(text))),
            _ => Err(GivenUp),
        },
        Function::String => match first.as_text() {
            Some(_) => Ok(first.clone()),
            None => {
                let mut text = String::new();
                first.write(&mut text, steps)?;
                made(text)
            }
        },
        Function::Join => join(first, rest, steps),
        _ => textual(function, first.as_text().ok_or(GivenUp)?, rest, steps),
    }
}

/// A text that was made here, if it is one that may be.
pub(super) fn made<'s>(text: String) -> Answer<'s> {
    match text.len() <= limits::JSONATA_TEXT_BYTES_MAX {
        true => Ok(Part::Text(text.into())),
        false => Err(GivenUp),
    }
}

pub(super) fn theirs<'s>(answer: Result<JValue, FunctionError>) -> Answer<'s> {
    Part::of_scalar(&answer.map_err(|_| GivenUp)?)
}

fn structural<'s>(
    function: Function,
    first: &Part<'s>,
    rest: &[Part<'s>],
    steps: &Steps,
) -> Answer<'s> {
    match (function, rest) {
        (Function::Append, [second]) => match (first, second) {
            (Part::Nothing, other) | (other, Part::Nothing) => Ok(other.clone()),
            _ => {
                let mut both = Vec::new();
                spread(first.clone(), &mut both, steps)?;
                spread(second.clone(), &mut both, steps)?;
                Part::array(both)
            }
        },
        (Function::Lookup, [key]) => {
            let found = field(first, key.as_text().ok_or(GivenUp)?, steps)?;
            // What a list has none of is nothing here and an empty list there.
            match found.items().is_some_and(|items| items.len() == 0) {
                true => Err(GivenUp),
                false => Ok(found),
            }
        }
        (Function::Keys, []) => match first.look() {
            Look::Object(fields) => {
                steps.take(fields.len())?;
                let names = fields.iter().map(|(name, _)| Part::text(name));
                Part::sequence(names.collect())
            }
            _ => Err(GivenUp),
        },
        (Function::Merge, []) => merge(first, steps),
        (Function::Reverse, []) => match first.items() {
            Some(items) if items.len() > 1 => {
                let mut all = Vec::new();
                spread(first.clone(), &mut all, steps)?;
                all.reverse();
                Part::array(all)
            }
            Some(_) => Ok(first.clone()),
            None => Err(GivenUp),
        },
        (Function::Distinct, []) => distinct(first, steps),
        (Function::Sort, []) => sorted(first, steps),
        (Function::Zip, rest) => zip(first, rest, steps),
        _ => Err(GivenUp),
    }
}

fn merge<'s>(first: &Part<'s>, steps: &Steps) -> Answer<'s> {
    let mut members = Members::default();
    let mut add = |object: &Part<'s>| match object.look() {
        Look::Object(fields) => {
            steps.take(fields.len())?;
            fields
                .entries()
                .for_each(|(name, value)| members.put(name, value));
            Ok(())
        }
        _ => Err(GivenUp),
    };
    match first.items() {
        Some(objects) => {
            for object in objects.iter() {
                add(&object)?;
            }
        }
        None => add(first)?,
    }
    Part::object(members)
}

fn distinct<'s>(first: &Part<'s>, steps: &Steps) -> Answer<'s> {
    let Some(items) = first.items().filter(|items| items.len() > 1) else {
        return Ok(first.clone());
    };
    let mut kept: Vec<Part<'s>> = Vec::new();
    let mut texts = BTreeSet::new();
    for item in items.iter() {
        steps.take(1)?;
        let is_new = match item.as_text() {
            Some(text) => texts.insert(text.to_owned()),
            None => {
                let mut is_new = true;
                for other in &kept {
                    is_new &= !other.equals(&item, steps)?;
                }
                is_new
            }
        };
        if is_new {
            kept.push(item);
        }
    }
    match first.is_sequence() {
        true => Part::sequence(kept),
        false => Part::array(kept),
    }
}

fn aggregate<'s>(function: Function, first: &Part<'s>, steps: &Steps) -> Answer<'s> {
    let single = [first.clone()];
    let items = first.items().unwrap_or(Items::Made(&single));
    steps.take(items.len())?;
    let numbers = items.iter().map(|item| item.as_number().ok_or(GivenUp));
    let numbers = numbers.collect::<Result<Vec<f64>, _>>()?;
    if numbers.is_empty() {
        return Err(GivenUp);
    }
    let sum: f64 = numbers.iter().fold(0.0, |sum, number| sum + number);
    Part::number(match function {
        Function::Max => numbers.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b)),
        Function::Min => numbers.iter().fold(f64::INFINITY, |a, b| a.min(*b)),
        Function::Average => sum / numbers.len() as f64,
        _ => sum,
    })
}

fn numerical<'s>(function: Function, first: &Part<'s>, rest: &[Part<'s>]) -> Answer<'s> {
    let number = first.as_number().ok_or(GivenUp)?;
    let second = match rest {
        [] => None,
        [second, ..] => Some(second.as_number().ok_or(GivenUp)?),
    };
    theirs(match (function, second) {
        (Function::Abs, None) => numeric::abs(number),
        (Function::Ceil, None) => numeric::ceil(number),
        (Function::Floor, None) => numeric::floor(number),
        (Function::FormatBase, None) => numeric::format_base(number, None),
        (Function::FormatBase, Some(base)) if base.fract() == 0.0 => {
            numeric::format_base(number, Some(base as i64))
        }
        (Function::Sqrt, None) => numeric::sqrt(number),
        (Function::Power, Some(exponent)) => numeric::power(number, exponent),
        (Function::Round, digits) => numeric::round(number, digits.map(|digits| digits as i32)),
        _ => return Err(GivenUp),
    })
}

/// A number as a text, by a picture.
fn formatted<'s>(function: Function, first: &Part<'s>, rest: &[Part<'s>]) -> Answer<'s> {
    let number = first.as_number().ok_or(GivenUp)?;
    let picture = match rest {
        [] => None,
        [picture] => Some(picture.as_text().ok_or(GivenUp)?),
        _ => return Err(GivenUp),
    };
    match (function, picture) {
        (Function::FromMillis, None) => made(dates::text(number)?),
        (Function::FromMillis, Some(picture)) => made(dates::text_by(number, picture)?),
        (_, Some(picture)) if picture.len() > limits::JSONATA_SMALL_BYTES_MAX => Err(GivenUp),
        (Function::FormatNumber, Some(picture)) => {
            theirs(numeric::format_number(number, picture, None))
        }
        (Function::FormatInteger, Some(picture)) => {
            made(digits(one_of_few(first, u32::MAX as usize)?, picture)?)
        }
        _ => Err(GivenUp),
    }
}

/// A whole number by a picture of digits: `000`, `###0`, `#,##0`.
fn digits(whole: usize, picture: &str) -> Result<String, GivenUp> {
    let places = picture.replace(',', "");
    let least = places.trim_start_matches('#').len();
    // Each group has three digits, if there are groups.
    let mut groups = picture.rsplit(',');
    let is_even = groups
        .by_ref()
        .take(picture.matches(',').count())
        .all(|group| group.len() == 3);
    let first = groups.next().unwrap_or_default();
    let known = places
        .trim_start_matches('#')
        .bytes()
        .all(|byte| byte == b'0');
    if !known || least == 0 || !is_even || first.is_empty() {
        return Err(GivenUp);
    }
    let digits = format!("{whole:0least$}");
    if !picture.contains(',') {
        return Ok(digits);
    }
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    Ok(text)
}

/// The n-th of each list together.
fn zip<'s>(first: &Part<'s>, rest: &[Part<'s>], steps: &Steps) -> Answer<'s> {
    let lists = std::iter::once(first).chain(rest);
    let lists = lists.map(|list| list.items().ok_or(GivenUp));
    let lists = lists.collect::<Result<Vec<_>, _>>()?;
    let shortest = lists.iter().map(|list| list.len()).min().unwrap_or(0);
    steps.take(shortest * (1 + lists.len()))?;
    let row = |n| Part::array(lists.iter().filter_map(|list| list.item(n)).collect());
    Part::array((0..shortest).map(row).collect::<Result<_, _>>()?)
}

/// A whole number that is no less than nothing and no more than `most`.
pub(super) fn one_of_few(part: &Part<'_>, most: usize) -> Result<usize, GivenUp> {
    let number = part.as_number().ok_or(GivenUp)?;
    match number.fract() == 0.0 && number >= 0.0 && number <= most as f64 {
        true => Ok(number as usize),
        false => Err(GivenUp),
    }
}

/// What a part of a text is replaced by is small.
pub(super) fn replaced_bytes(bytes: usize) -> Result<(), GivenUp> {
    match bytes <= limits::JSONATA_SMALL_BYTES_MAX {
        true => Ok(()),
        false => Err(GivenUp),
    }
}

fn join<'s>(first: &Part<'s>, rest: &[Part<'s>], steps: &Steps) -> Answer<'s> {
    let between = match rest {
        [] => "",
        [between, ..] => between.as_text().ok_or(GivenUp)?,
    };
    let Some(items) = first.items() else {
        return first.as_text().map(|_| first.clone()).ok_or(GivenUp);
    };
    // What is put between many texts is small.
    if between.len() > limits::JSONATA_SMALL_BYTES_MAX {
        return Err(GivenUp);
    }
    let mut text = String::new();
    for (n, item) in items.iter().enumerate() {
        let item = item.as_text().map(str::to_owned).ok_or(GivenUp)?;
        steps.take_text(item.len() + between.len())?;
        steps.take(1)?;
        if n > 0 {
            text.push_str(between);
        }
        text.push_str(&item);
    }
    made(text)
}
