//! The intrinsic functions, one function each.

use crate::jsonata::digest;
use crate::limits::{INTRINSIC_CHARS_MAX, INTRINSIC_ITEMS_MAX};
use crate::random::Random;
use serde_json::{Number, Value};
use std::fmt::Write as _;

type Answer = Result<Value, String>;

macro_rules! functions {
    ($($name:ident $least:literal $most:expr),* $(,)?) => {
        /// An intrinsic function.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Function {
            $($name,)*
        }

        impl Function {
            /// The function called `States.<name>`.
            pub(super) fn named(name: &str) -> Option<Function> {
                match name.strip_prefix("States.")? {
                    "UUID" => Some(Function::Uuid),
                    "Uuid" => None,
                    $(stringify!($name) => Some(Function::$name),)*
                    _ => None,
                }
            }

            /// Whether it takes this many arguments.
            pub(super) fn takes(self, count: usize) -> bool {
                match self {
                    $(Function::$name => ($least..=$most).contains(&count),)*
                }
            }
        }
    };
}

functions!(
    Array 0 usize::MAX,
    ArrayContains 2 2,
    ArrayGetItem 2 2,
    ArrayLength 1 1,
    ArrayPartition 2 2,
    ArrayRange 3 3,
    ArrayUnique 1 1,
    Base64Decode 1 1,
    Base64Encode 1 1,
    Format 1 usize::MAX,
    Hash 2 2,
    JsonMerge 3 3,
    JsonToString 1 1,
    MathAdd 2 2,
    MathRandom 2 3,
    StringSplit 2 2,
    StringToJson 1 1,
    Uuid 0 0,
);

/// Calls a function; an error says what is wrong with the arguments.
pub(super) fn call(function: Function, arguments: &[Value], random: &Random) -> Answer {
    match (function, arguments) {
        (Function::Array, items) => Ok(Value::Array(items.to_vec())),
        (Function::ArrayContains, [list, item]) => {
            let found = items(list)?.iter().any(|other| equal(other, item));
            Ok(Value::Bool(found))
        }
        (Function::ArrayGetItem, [list, index]) => {
            let at = usize::try_from(integer(index)?).ok();
            at.and_then(|at| list.as_array()?.get(at).cloned())
                .ok_or_else(|| format!("there is no item {index}"))
        }
        (Function::ArrayLength, [list]) => Ok(Value::from(items(list)?.len())),
        (Function::ArrayPartition, [list, size]) => partition(list, size),
        (Function::ArrayRange, [first, last, step]) => range(first, last, step),
        (Function::ArrayUnique, [list]) => unique(list),
        (Function::Base64Decode, [text]) => decode(short_text(text)?),
        (Function::Base64Encode, [text]) => Ok(encode(short_text(text)?.as_bytes()).into()),
        (Function::Format, [template, values @ ..]) => format(text(template)?, values),
        (Function::Hash, [data, algorithm]) => hash(data, text(algorithm)?),
        (Function::JsonMerge, [left, right, deep]) => merge(left, right, deep),
        (Function::JsonToString, [value]) => Ok(value.to_string().into()),
        (Function::MathAdd, [a, b]) => add(a, b),
        (Function::MathRandom, [first, last]) => draw(first, last, random),
        (Function::MathRandom, [first, last, seed]) => {
            let seed = integer(seed)?;
            draw(first, last, &Random::new(seed.cast_unsigned()))
        }
        (Function::StringSplit, [whole, separators]) => split(text(whole)?, text(separators)?),
        (Function::StringToJson, [json]) => match text(json)? {
            blank if blank.trim().is_empty() => Ok(Value::Null),
            json => serde_json::from_str(json).map_err(|error| error.to_string()),
        },
        (Function::Uuid, []) => Ok(random.uuid().into()),
        _ => Err("it was given the wrong number of arguments".to_owned()),
    }
}

fn items(value: &Value) -> Result<&Vec<Value>, String> {
    value
        .as_array()
        .ok_or_else(|| format!("expected an array, but was: {value}"))
}

fn text(value: &Value) -> Result<&str, String> {
    value
        .as_str()
        .ok_or_else(|| format!("expected a string, but was: {value}"))
}

fn short_text(value: &Value) -> Result<&str, String> {
    let text = text(value)?;
    if text.chars().count() > INTRINSIC_CHARS_MAX {
        return Err(format!("more than {INTRINSIC_CHARS_MAX} characters"));
    }
    Ok(text)
}

/// Step Functions rounds numbers to the nearest integer.
fn integer(value: &Value) -> Result<i64, String> {
    value
        .as_i64()
        .or_else(|| value.as_f64().map(|number| number.round() as i64))
        .ok_or_else(|| format!("expected a number, but was: {value}"))
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        _ => left == right,
    }
}

fn partition(list: &Value, size: &Value) -> Answer {
    let size = usize::try_from(integer(size)?).unwrap_or(0);
    if size == 0 {
        return Err("the size of a chunk must be positive".to_owned());
    }
    let chunks = items(list)?.chunks(size);
    Ok(Value::Array(
        chunks.map(|chunk| Value::Array(chunk.to_vec())).collect(),
    ))
}

fn range(first: &Value, last: &Value, step: &Value) -> Answer {
    let (mut at, last, step) = (integer(first)?, integer(last)?, integer(step)?);
    if step == 0 {
        return Err("the step must not be zero".to_owned());
    }
    let mut numbers = Vec::new();
    while (step > 0 && at <= last) || (step < 0 && at >= last) {
        if numbers.len() >= INTRINSIC_ITEMS_MAX {
            return Err(format!("more than {INTRINSIC_ITEMS_MAX} items"));
        }
        numbers.push(Value::from(at));
        at = match at.checked_add(step) {
            Some(next) => next,
            None => break,
        };
    }
    Ok(Value::Array(numbers))
}

fn unique(list: &Value) -> Answer {
    let mut kept: Vec<Value> = Vec::new();
    for item in items(list)? {
        if !kept.iter().any(|other| equal(other, item)) {
            kept.push(item.clone());
        }
    }
    Ok(Value::Array(kept))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |n: usize| u32::from(chunk.get(n).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for n in 0..4usize {
            let index = (bits >> (18 - 6 * n)) & 63;
            text.push(match ALPHABET.get(index as usize) {
                Some(letter) if n <= chunk.len() => char::from(*letter),
                _ => '=',
            });
        }
    }
    text
}

fn decode(text: &str) -> Answer {
    let broken = || "the text is not Base64".to_owned();
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|other| *other == letter);
        let value = value.and_then(|value| u32::try_from(value).ok());
        bits = (bits << 6 | value.ok_or_else(broken)?) & 0x00FF_FFFF;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(((bits >> count) & 0xFF) as u8);
        }
    }
    if count == 6 {
        return Err(broken());
    }
    String::from_utf8(bytes)
        .map(Value::from)
        .map_err(|_| "the bytes are not UTF-8 text".to_owned())
}

fn format(template: &str, values: &[Value]) -> Answer {
    let mut text = String::new();
    let mut values = values.iter();
    let mut characters = template.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some(escaped @ ('\\' | '{' | '}'))) => {
                text.push(*escaped);
                characters.next();
            }
            ('{', Some('}')) => {
                characters.next();
                let value = values.next().ok_or("there are fewer arguments than {}")?;
                write_plainly(value, &mut text);
            }
            ('{' | '}', _) => return Err("the template has a brace without its pair".to_owned()),
            _ => text.push(character),
        }
    }
    match values.next() {
        Some(_) => Err("there are more arguments than {}".to_owned()),
        None => Ok(text.into()),
    }
}

/// Recorded on AWS: values appear as Java prints them, `{Id=1, Names=[a, b]}`.
fn write_plainly(value: &Value, text: &mut String) {
    match value {
        Value::String(plain) => text.push_str(plain),
        Value::Array(items) => {
            text.push('[');
            for (n, item) in items.iter().enumerate() {
                text.push_str(if n > 0 { ", " } else { "" });
                write_plainly(item, text);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            text.push('{');
            for (n, (name, field)) in fields.iter().enumerate() {
                let comma = if n > 0 { ", " } else { "" };
                let _ = write!(text, "{comma}{name}=");
                write_plainly(field, text);
            }
            text.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            let _ = write!(text, "{value}");
        }
    }
}

fn hash(data: &Value, algorithm: &str) -> Answer {
    let data = match data {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    short_text(&Value::from(data.as_str()))?;
    digest::hexadecimal(algorithm, data.as_bytes())
        .map(Value::from)
        .ok_or_else(|| format!("'{algorithm}' is not an algorithm"))
}

fn merge(left: &Value, right: &Value, deep: &Value) -> Answer {
    let (Value::Object(left), Value::Object(right)) = (left, right) else {
        return Err("the first two arguments must be objects".to_owned());
    };
    if deep != &Value::Bool(false) {
        return Err("the third argument must be false: only shallow merging exists".to_owned());
    }
    let mut merged = left.clone();
    merged.extend(right.clone());
    Ok(Value::Object(merged))
}

fn add(a: &Value, b: &Value) -> Answer {
    integer(a)?
        .checked_add(integer(b)?)
        .map(|sum| Value::Number(Number::from(sum)))
        .ok_or_else(|| "the sum is too large".to_owned())
}

/// From `first` up to, but not including, `last`.
fn draw(first: &Value, last: &Value, random: &Random) -> Answer {
    let (first, last) = (integer(first)?, integer(last)?);
    if first >= last {
        return Err("the end must be larger than the start".to_owned());
    }
    let span = i128::from(last) - i128::from(first);
    let offset = i128::from(random.bits()).rem_euclid(span);
    i64::try_from(i128::from(first) + offset)
        .map(Value::from)
        .map_err(|error| error.to_string())
}

/// Every character of `separators` separates; empty parts are left out.
fn split(whole: &str, separators: &str) -> Answer {
    Ok(Value::Array(
        whole
            .split(|c| separators.contains(c))
            .filter(|part| !part.is_empty())
            .map(Value::from)
            .collect(),
    ))
}
