//! Values as text and as JSON.

use super::part::{Look, Part};
use super::{GivenUp, Steps};
use crate::limits;
use jsonata_core::functions;
use jsonata_core::value::JValue;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt::Write as _;

/// The largest whole number that a double, which all numbers of JSONata are, tells from its neighbours.
const WHOLE_MAX: u64 = (1 << 53) - 1;

impl<'s> Part<'s> {
    /// The text that `&` and `$string` make of it.
    pub(super) fn write(&self, text: &mut String, steps: &Steps) -> Result<(), GivenUp> {
        match self.look() {
            Look::Nothing => {}
            Look::Text(own) => {
                steps.take_text(own.len())?;
                text.push_str(own);
            }
            _ => self.write_json(text, steps)?,
        }
        Ok(())
    }

    fn write_json(&self, text: &mut String, steps: &Steps) -> Result<(), GivenUp> {
        steps.take(1)?;
        match self.look() {
            Look::Nothing => return Err(GivenUp),
            Look::Null => text.push_str("null"),
            Look::Bool(flag) => text.push_str(if flag { "true" } else { "false" }),
            Look::Number(number) => match as_whole(number) {
                // Writing into a text does not fail.
                Some(whole) => write!(text, "{whole}").map_err(|_| GivenUp)?,
                None => match functions::string::string(&JValue::Number(number), None) {
                    Ok(JValue::String(written)) => text.push_str(&written),
                    _ => return Err(GivenUp),
                },
            },
            Look::Text(own) => write_quoted(own, text, steps)?,
            Look::List(items) => {
                text.push('[');
                for (n, item) in items.iter().enumerate() {
                    if n > 0 {
                        text.push(',');
                    }
                    item.write_json(text, steps)?;
                }
                text.push(']');
            }
            Look::Object(fields) => {
                text.push('{');
                for (n, (name, field)) in fields.iter().enumerate() {
                    if n > 0 {
                        text.push(',');
                    }
                    write_quoted(name, text, steps)?;
                    text.push(':');
                    field.write_json(text, steps)?;
                }
                text.push('}');
            }
        }
        Ok(())
    }

    /// As JSON; what was given is not copied when it can stay as it is.
    pub(super) fn into_json(self, steps: &Steps) -> Result<Option<Cow<'s, Value>>, GivenUp> {
        Ok(match self {
            Part::Nothing => None,
            Part::Given(value) => {
                let mut left = steps.left();
                match is_settled(value, limits::PAYLOAD_DEPTH_MAX, &mut left) {
                    true => Some(Cow::Borrowed(value)),
                    false => Some(Cow::Owned(self.to_json(limits::PAYLOAD_DEPTH_MAX, steps)?)),
                }
            }
            made => Some(Cow::Owned(made.to_json(limits::PAYLOAD_DEPTH_MAX, steps)?)),
        })
    }

    fn to_json(&self, levels: usize, steps: &Steps) -> Result<Value, GivenUp> {
        steps.take(1)?;
        let deeper = || levels.checked_sub(1).ok_or(GivenUp);
        Ok(match self.look() {
            Look::Nothing => return Err(GivenUp),
            Look::Null => Value::Null,
            Look::Bool(flag) => Value::Bool(flag),
            Look::Number(number) => match as_whole(number) {
                Some(whole) => Value::from(whole),
                None => serde_json::to_value(JValue::Number(number)).map_err(|_| GivenUp)?,
            },
            Look::Text(text) => {
                steps.take_text(text.len())?;
                Value::from(text)
            }
            Look::List(items) => {
                let left = deeper()?;
                let mut made = Vec::with_capacity(items.len());
                for item in items.iter() {
                    made.push(item.to_json(left, steps)?);
                }
                Value::Array(made)
            }
            Look::Object(fields) => {
                let left = deeper()?;
                let mut made = Map::with_capacity(fields.len());
                for (name, field) in fields.iter() {
                    made.insert(name.to_owned(), field.to_json(left, steps)?);
                }
                Value::Object(made)
            }
        })
    }
}

/// A number that is whole, when a double tells it from its neighbours.
fn as_whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= WHOLE_MAX as f64).then_some(number as i64)
}

/// Whether JSON is what the evaluator would give back for it: its numbers are doubles, written as whole when they are, and
/// it is neither nested too deeply nor too large.
fn is_settled(value: &Value, levels: usize, left: &mut usize) -> bool {
    let cost = match value {
        Value::String(own) => 1 + Steps::of_text(own.len()),
        Value::Object(members) => {
            let names = members.keys().map(|name| Steps::of_text(name.len()));
            1 + names.sum::<usize>()
        }
        _ => 1,
    };
    match left.checked_sub(cost) {
        Some(rest) => *left = rest,
        None => return false,
    }
    let below = levels.checked_sub(1);
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.unsigned_abs() <= WHOLE_MAX,
            None => number.as_f64().is_some_and(|double| double.fract() != 0.0),
        },
        Value::Array(items) => {
            below.is_some_and(|below| items.iter().all(|item| is_settled(item, below, left)))
        }
        Value::Object(members) => below.is_some_and(|below| {
            members
                .values()
                .all(|member| is_settled(member, below, left))
        }),
    }
}

fn write_quoted(own: &str, text: &mut String, steps: &Steps) -> Result<(), GivenUp> {
    steps.take_text(own.len())?;
    text.push_str(&serde_json::to_string(own).map_err(|_| GivenUp)?);
    Ok(())
}
