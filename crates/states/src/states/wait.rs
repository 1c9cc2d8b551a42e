//! Wait: goes on after a number of seconds, or at a time.

use super::{Exit, ShapedExit};
use crate::clock::parse_timestamp;
use crate::diagnostic::Faults;
use crate::document::fields::{Fields, Seconds, Transition};
use crate::failure::{Failure, RUNTIME};
use crate::history::HistoryEventType;
use crate::jsonata::Expression;
use crate::jsonpath::{Query, Shape, ShapeFields, View};
use crate::run::{Flow, Run};
use crate::template::{self, Template, read_expression};
use crate::thread::{Awaiting, Visit};
use serde_json::Value;

#[derive(Clone, Debug)]
pub(crate) struct Wait {
    until: Until,
    data: Data,
    transition: Transition,
}

#[derive(Clone, Debug)]
enum Data {
    Jsonata {
        assign: Option<Template>,
        output: Option<Template>,
    },
    JsonPath {
        shape: Box<Shape>,
    },
}

#[derive(Clone, Debug)]
enum Until {
    After(Seconds),
    At(i64),
    AtComputed(Expression),
    AtPath(Query),
}

impl Wait {
    pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Option<Wait> {
        let data = if fields.in_jsonpath() {
            let has = ShapeFields {
                assign: true,
                ..ShapeFields::default()
            };
            Data::JsonPath {
                shape: Box::new(Shape::read(fields, has, faults)),
            }
        } else {
            Data::Jsonata {
                assign: fields.assign(faults),
                output: fields.template("Output", faults),
            }
        };
        let transition = fields.transition(faults);
        if fields.in_jsonpath() {
            return Some(Wait {
                until: read_until(fields, faults)?,
                data,
                transition,
            });
        }
        let seconds = fields.value("Seconds").is_some();
        let until = match (seconds, fields.text("Timestamp", faults)) {
            (true, None) => fields.seconds("Seconds", 0, faults).map(Until::After),
            (false, Some(text)) => read_timestamp(text, &fields.at("Timestamp"), faults),
            (both, _) => {
                let fault = if both {
                    "A Wait state may have only one of 'Seconds' and 'Timestamp'"
                } else {
                    "A Wait state needs one of these fields: [Seconds, Timestamp]"
                };
                faults.schema(fields.place(), fault);
                None
            }
        };
        Some(Wait {
            until: until?,
            data,
            transition,
        })
    }

    pub(super) fn run(&self, run: &mut Run<'_>, visit: &Visit) -> Result<Flow, Failure> {
        if let Data::JsonPath { shape } = &self.data {
            let due = self.due_by_path(run, visit, shape)?;
            let timer = run.set_timer(due);
            return Ok(run.pause(visit.clone(), Awaiting::Wait { timer }));
        }
        let scope = run.scope(visit).finish();
        let due = match &self.until {
            Until::After(seconds) => {
                let seconds = seconds.evaluate("Seconds", 0, &scope)?;
                run.now().millis.saturating_add_unsigned(seconds * 1000)
            }
            Until::At(due) => *due,
            Until::AtPath(query) => return Err(misplaced(query)),
            Until::AtComputed(expression) => {
                let value = template::evaluate(expression, "Timestamp", &scope)?;
                let text = match &value {
                    Value::String(text) => text.as_str(),
                    _ => {
                        return Err(template::wrong_type(
                            expression,
                            "Timestamp",
                            "string",
                            &value,
                        ));
                    }
                };
                parse_timestamp(text).ok_or_else(|| unreadable(text))?
            }
        };
        drop(scope);
        let timer = run.set_timer(due);
        Ok(run.pause(visit.clone(), Awaiting::Wait { timer }))
    }

    pub(super) fn wake(&self, run: &mut Run<'_>, visit: &Visit) -> Result<Flow, Failure> {
        let event = HistoryEventType::WaitStateExited;
        match &self.data {
            Data::Jsonata { assign, output } => {
                let exit = Exit::new(event, assign.as_ref(), output.as_ref(), &self.transition);
                let left = exit.evaluate(&run.scope(visit).finish(), &visit.input)?;
                run.leave(visit, exit, left)
            }
            Data::JsonPath { shape } => {
                let input = run.shaped_input(visit, shape, None)?;
                let exit = ShapedExit::new(event, shape, &self.transition);
                run.leave_shaped(visit, exit, input)
            }
        }
    }

    fn due_by_path(&self, run: &Run<'_>, visit: &Visit, shape: &Shape) -> Result<i64, Failure> {
        let input = run.shaped_input(visit, shape, None)?;
        let context = run.context(visit, None);
        let view = run.view(visit, &context).on(&input);
        let now = run.now().millis;
        match &self.until {
            Until::After(Seconds::Fixed(seconds)) => {
                Ok(now.saturating_add_unsigned(seconds * 1000))
            }
            Until::After(Seconds::Path(query)) => {
                let seconds = seconds_at(query, "SecondsPath", 0, &view)?;
                Ok(now.saturating_add_unsigned(seconds * 1000))
            }
            Until::After(Seconds::Computed(expression)) | Until::AtComputed(expression) => {
                Err(Failure::interpreter(
                    RUNTIME,
                    format!("'{}' is JSONata in a JSONPath state", expression.source()),
                ))
            }
            Until::At(due) => within_reach(*due, now),
            Until::AtPath(query) => {
                let text = referenced(query, "TimestampPath", &view)?;
                let due = text.as_str().and_then(parse_timestamp).ok_or_else(|| {
                    Failure::interpreter(
                        RUNTIME,
                        format!(
                            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: {} == {}",
                            query.text(),
                            plain(&text)
                        ),
                    )
                })?;
                within_reach(due, now)
            }
        }
    }
}

/// Recorded on AWS: a Wait state waits at most 2^31 - 1 seconds.
fn within_reach(due: i64, now: i64) -> Result<i64, Failure> {
    if due.saturating_sub(now) > i64::from(i32::MAX) * 1000 {
        return Err(Failure::interpreter(
            RUNTIME,
            "Wait state delay is too long.",
        ));
    }
    Ok(due)
}

fn misplaced(query: &Query) -> Failure {
    Failure::interpreter(
        RUNTIME,
        format!("'{}' is a JSONPath in a JSONata state", query.text()),
    )
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn referenced(query: &Query, field: &str, view: &View<'_>) -> Result<Value, Failure> {
    query.find(view)?.ok_or_else(|| {
        Failure::interpreter(
            RUNTIME,
            format!(
                "The {field} parameter does not reference an input value: {}",
                query.text()
            ),
        )
    })
}

/// The number of seconds a path leads to.
fn seconds_at(query: &Query, field: &str, least: u64, view: &View<'_>) -> Result<u64, Failure> {
    let value = referenced(query, field, view)?;
    let fault = match value.as_i64() {
        Some(number) => match u64::try_from(number) {
            Err(_) => "references a negative value",
            Ok(number) if (least..=crate::limits::SECONDS_MAX).contains(&number) => {
                return Ok(number);
            }
            Ok(_) => "references a value out of range",
        },
        None => "cannot be parsed as a long value",
    };
    Err(Failure::interpreter(
        RUNTIME,
        format!(
            "The {field} parameter {fault}: {} == {}",
            query.text(),
            plain(&value)
        ),
    ))
}

fn read_until(fields: &Fields<'_>, faults: &mut Faults) -> Option<Until> {
    const NAMES: [&str; 4] = ["Seconds", "SecondsPath", "Timestamp", "TimestampPath"];
    let written: Vec<&str> = NAMES
        .into_iter()
        .filter(|name| fields.value(name).is_some())
        .collect();
    if written.len() != 1 {
        faults.schema(
            fields.place(),
            format!(
                "A Wait state needs exactly one of these fields: [{}]",
                NAMES.join(", ")
            ),
        );
        return None;
    }
    if fields.value("Timestamp").is_some() {
        let text = fields.text("Timestamp", faults)?;
        let due = parse_timestamp(text);
        if due.is_none() {
            faults.schema(
                fields.at("Timestamp"),
                "String does not match RFC3339 timestamp",
            );
        }
        return due.map(Until::At);
    }
    if fields.value("TimestampPath").is_some() {
        return fields.path("TimestampPath", faults).map(Until::AtPath);
    }
    fields
        .seconds_or_path("Seconds", "SecondsPath", 0, faults)
        .map(Until::After)
}

fn read_timestamp(text: &str, at: &str, faults: &mut Faults) -> Option<Until> {
    if text.starts_with("{%") || text.ends_with("%}") {
        return read_expression(text, at, faults).map(Until::AtComputed);
    }
    let due = parse_timestamp(text);
    if due.is_none() {
        faults.schema(at, "String does not match RFC3339 timestamp");
    }
    due.map(Until::At)
}

fn unreadable(text: &str) -> Failure {
    Failure::unfit(
        "Timestamp",
        format!(
            "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: {text}"
        ),
    )
}

impl Seconds {
    /// The number of seconds in a JSONPath state.
    pub(super) fn evaluate_path(&self, least: u64, view: &View<'_>) -> Result<u64, Failure> {
        match self {
            Seconds::Fixed(seconds) => Ok(*seconds),
            Seconds::Path(query) => {
                let value = query.evaluate(view)?;
                let number = value
                    .as_u64()
                    .filter(|number| (least..=crate::limits::SECONDS_MAX).contains(number));
                number.ok_or_else(|| {
                    Failure::interpreter(
                        RUNTIME,
                        format!(
                            "The value at '{}' must be an integer from {least} to {}, but was: {value}",
                            query.text(),
                            crate::limits::SECONDS_MAX
                        ),
                    )
                })
            }
            Seconds::Computed(expression) => Err(Failure::interpreter(
                RUNTIME,
                format!("'{}' is JSONata in a JSONPath state", expression.source()),
            )),
        }
    }

    /// The number of seconds, at least `least`.
    pub(super) fn evaluate(
        &self,
        field: &str,
        least: u64,
        scope: &crate::jsonata::Scope<'_>,
    ) -> Result<u64, Failure> {
        let expression = match self {
            Seconds::Fixed(seconds) => return Ok(*seconds),
            Seconds::Computed(expression) => expression,
            Seconds::Path(query) => return Err(misplaced(query)),
        };
        let value = template::evaluate(expression, field, scope)?;
        let range = least..=crate::limits::SECONDS_MAX;
        match (value.as_u64(), value.as_i64()) {
            (Some(seconds), _) if range.contains(&seconds) => Ok(seconds),
            (None, None) => Err(template::wrong_type(expression, field, "integer", &value)),
            _ => Err(Failure::unfit(
                field,
                format!(
                    "The {field} field must be an integer from {least} to {}, but was: {value}",
                    crate::limits::SECONDS_MAX
                ),
            )),
        }
    }
}
