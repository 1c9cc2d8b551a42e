//! Fields that both query languages have, each in its own way of writing.

use crate::diagnostic::Faults;
use crate::document::fields::Fields;
use crate::failure::{Failure, RUNTIME};
use crate::jsonata::{Expression, Scope};
use crate::jsonpath::{Payload, Query, View};
use crate::template::{self, Template};
use serde_json::Value;

/// What a field can see, in the language of its state.
#[derive(Clone, Copy)]
pub(crate) enum Seen<'v> {
    Jsonata(&'v Scope<'v>),
    Paths(View<'v>),
}

/// A value with computed parts: `Arguments` or `Parameters` and their like.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    Jsonata(Template),
    Paths(Payload),
}

impl Form {
    /// Reads the field `name`.
    pub(crate) fn read(
        fields: &Fields<'_>,
        name: &'static str,
        faults: &mut Faults,
    ) -> Option<Form> {
        match fields.in_jsonpath() {
            true => fields.payload(name, faults).map(Form::Paths),
            false => fields.template(name, faults).map(Form::Jsonata),
        }
    }

    /// Its value; `field` is where errors point.
    pub(crate) fn evaluate(&self, field: &str, seen: Seen<'_>) -> Result<Value, Failure> {
        match (self, seen) {
            (Form::Jsonata(template), Seen::Jsonata(scope)) => template.evaluate(field, scope),
            (Form::Paths(payload), Seen::Paths(view)) => payload.evaluate(&view),
            _ => Err(misplaced(field)),
        }
    }
}

/// A number that is written down, computed, or found by a path.
#[derive(Clone, Debug)]
pub(crate) struct Amount {
    name: &'static str,
    kind: AmountKind,
    bounds: Bounds,
    source: Source,
}

/// What kind of number a field takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum AmountKind {
    Integer,
    Float,
}

/// The numbers a field takes, and what Step Functions says of others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) least: f64,
    pub(crate) most: f64,
    pub(crate) fault: &'static str,
}

#[derive(Clone, Debug)]
enum Source {
    Fixed(f64),
    Computed(Expression),
    Path(Query),
}

impl Amount {
    /// Reads the field `name`, or in JSONPath mode the path in `path_name`.
    pub(crate) fn read(
        fields: &Fields<'_>,
        (name, path_name): (&'static str, &'static str),
        kind: AmountKind,
        bounds: Bounds,
        faults: &mut Faults,
    ) -> Option<Amount> {
        let path = match fields.in_jsonpath() {
            true => fields.path(path_name, faults),
            false => None,
        };
        let source = match (fields.value(name), path) {
            (Some(_), Some(_)) => {
                faults.schema(
                    fields.place(),
                    format!("A state may have only one of '{name}' and '{path_name}'"),
                );
                return None;
            }
            (None, path) => Source::Path(path?),
            (Some(Value::String(text)), None) if !fields.in_jsonpath() => {
                Source::Computed(fields.expression(name, text, faults)?)
            }
            (Some(value), None) => {
                Source::Fixed(read_number(fields, name, kind, bounds, value, faults)?)
            }
        };
        Some(Amount {
            name,
            kind,
            bounds,
            source,
        })
    }

    /// The number.
    pub(crate) fn evaluate(&self, seen: Seen<'_>) -> Result<f64, Failure> {
        let name = self.name;
        let (value, computed) = match (&self.source, seen) {
            (Source::Fixed(number), _) => return Ok(*number),
            (Source::Computed(expression), Seen::Jsonata(scope)) => {
                (self.computed(expression, scope)?, true)
            }
            (Source::Path(query), Seen::Paths(view)) => {
                let value = self.find(query, &view)?;
                let number = self.number(&value);
                (number.ok_or_else(|| self.unfit(query, &value))?, false)
            }
            _ => return Err(misplaced(name)),
        };
        let fault = self.bounds.fault;
        match (
            (self.bounds.least..=self.bounds.most).contains(&value),
            computed,
        ) {
            (true, _) => Ok(value),
            (false, true) => Err(Failure::unfit(name, fault)),
            (false, false) => Err(Failure::interpreter(RUNTIME, fault)),
        }
    }

    fn computed(&self, expression: &Expression, scope: &Scope<'_>) -> Result<f64, Failure> {
        let value = template::evaluate(expression, self.name, scope)?;
        let wanted = match self.kind {
            AmountKind::Integer => "integer",
            AmountKind::Float => "number",
        };
        self.number(&value)
            .ok_or_else(|| template::wrong_type(expression, self.name, wanted, &value))
    }

    /// The number, where it counts something.
    pub(crate) fn count(&self, seen: Seen<'_>) -> Result<u64, Failure> {
        Ok(self.evaluate(seen)? as u64)
    }

    fn number(&self, value: &Value) -> Option<f64> {
        let number = value.as_f64()?;
        (self.kind == AmountKind::Float || number.fract() == 0.0).then_some(number)
    }

    fn find(&self, query: &Query, view: &View<'_>) -> Result<Value, Failure> {
        query.find(view)?.ok_or_else(|| {
            Failure::interpreter(
                RUNTIME,
                format!(
                    "The {}Path parameter does not reference an input value: {}",
                    self.name,
                    query.text()
                ),
            )
        })
    }

    fn unfit(&self, query: &Query, value: &Value) -> Failure {
        let shown = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let kind = match self.kind {
            AmountKind::Integer => "integer",
            AmountKind::Float => "float",
        };
        Failure::interpreter(
            RUNTIME,
            format!(
                "The {}Path field refers to value \"{shown}\" which is not a valid {kind}: {}",
                self.name,
                query.text()
            ),
        )
    }
}

fn read_number(
    fields: &Fields<'_>,
    name: &'static str,
    kind: AmountKind,
    bounds: Bounds,
    value: &Value,
    faults: &mut Faults,
) -> Option<f64> {
    let number = match kind {
        AmountKind::Integer => value.as_i64().map(|number| number as f64),
        AmountKind::Float => value.as_f64(),
    };
    let fits = number.filter(|number| (bounds.least..=bounds.most).contains(number));
    if fits.is_none() {
        faults.schema(fields.at(name), bounds.fault);
    }
    fits
}

/// The failure of a field that is not in its state's language: a fault of ours.
fn misplaced(field: &str) -> Failure {
    Failure::interpreter(
        RUNTIME,
        format!("'{field}' is not in the language of its state"),
    )
}
