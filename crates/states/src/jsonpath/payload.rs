//! A JSON value in which fields named `x.$` are computed.

use super::query::{Query, View};
use crate::diagnostic::Faults;
use crate::failure::Failure;
use crate::limits::GATHERED_BYTES_MAX;
use serde_json::{Map, Value};

/// A payload template.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Payload {
    Literal(Value),
    Array(Vec<Payload>),
    Object(Vec<(String, Field)>),
}

/// One field of a template.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Field {
    Fixed(Payload),
    Computed(Query),
}

impl Payload {
    /// Reads a template, parsing every query in it. `at` is the field of the
    /// state, where AWS reports all faults of a template.
    pub(crate) fn read(value: &Value, at: &str, faults: &mut Faults) -> Payload {
        match value {
            Value::Array(items) => Payload::Array(
                items
                    .iter()
                    .map(|item| Payload::read(item, at, faults))
                    .collect(),
            ),
            Value::Object(fields) => {
                note_conflicts(fields, at, faults);
                Payload::Object(
                    fields
                        .iter()
                        .filter_map(|(name, value)| read_field(name, value, at, faults))
                        .collect(),
                )
            }
            _ => Payload::Literal(value.clone()),
        }
    }

    /// Computes every field.
    pub(crate) fn evaluate(&self, view: &View<'_>) -> Result<Value, Failure> {
        self.gather(view, &mut 0)
    }

    fn gather(&self, view: &View<'_>, gathered: &mut usize) -> Result<Value, Failure> {
        match self {
            Payload::Literal(value) => Ok(value.clone()),
            Payload::Array(items) => items
                .iter()
                .map(|item| item.gather(view, gathered))
                .collect::<Result<Vec<Value>, Failure>>()
                .map(Value::Array),
            Payload::Object(fields) => fields
                .iter()
                .map(|(name, field)| {
                    let value = match field {
                        Field::Fixed(payload) => payload.gather(view, gathered)?,
                        Field::Computed(query) => {
                            let value = query.evaluate_for(&format!("{name}.$"), view)?;
                            *gathered += value.to_string().len();
                            if *gathered > GATHERED_BYTES_MAX {
                                return Err(Failure::data_limit(name));
                            }
                            value
                        }
                    };
                    Ok((name.clone(), value))
                })
                .collect::<Result<Map<String, Value>, Failure>>()
                .map(Value::Object),
        }
    }
}

/// `x` and `x.$` side by side would both be `x`.
fn note_conflicts(fields: &Map<String, Value>, at: &str, faults: &mut Faults) {
    for name in fields.keys() {
        if let Some(plain) = name.strip_suffix(".$")
            && fields.contains_key(plain)
        {
            faults.schema(at, format!("The field '{plain}' appears more than once"));
        }
    }
}

fn read_field(name: &str, value: &Value, at: &str, faults: &mut Faults) -> Option<(String, Field)> {
    let Some(plain) = name.strip_suffix(".$") else {
        let payload = Payload::read(value, at, faults);
        return Some((name.to_owned(), Field::Fixed(payload)));
    };
    match value.as_str().and_then(Query::parse) {
        Some(query) => Some((plain.to_owned(), Field::Computed(query))),
        None => {
            faults.schema(
                at,
                format!(
                    "The value for the field '{name}' must be a valid JSONPath or a valid intrinsic function call"
                ),
            );
            None
        }
    }
}
