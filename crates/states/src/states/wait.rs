//! Wait: goes on after a number of seconds, or at a time.

use super::Exit;
use crate::clock::parse_timestamp;
use crate::diagnostic::Faults;
use crate::document::fields::{Fields, Seconds, Transition};
use crate::execution::{Awaiting, Visit};
use crate::failure::Failure;
use crate::history::HistoryEventType;
use crate::jsonata::Expression;
use crate::run::{Flow, Run};
use crate::template::{self, Template, read_expression};
use serde_json::Value;

#[derive(Clone, Debug)]
pub(crate) struct Wait {
    until: Until,
    assign: Option<Template>,
    output: Option<Template>,
    transition: Transition,
}

#[derive(Clone, Debug)]
enum Until {
    After(Seconds),
    At(i64),
    AtComputed(Expression),
}

impl Wait {
    pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Option<Wait> {
        let assign = fields.assign(faults);
        let output = fields.template("Output", faults);
        let transition = fields.transition(faults);
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
            assign,
            output,
            transition,
        })
    }

    pub(super) fn run(&self, run: &mut Run<'_>, visit: &Visit) -> Result<Flow, Failure> {
        let scope = run.scope(visit).finish();
        let due = match &self.until {
            Until::After(seconds) => {
                let seconds = seconds.evaluate("Seconds", 0, &scope)?;
                run.now().millis.saturating_add_unsigned(seconds * 1000)
            }
            Until::At(due) => *due,
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
        let timer = run.set_timer(due);
        Ok(run.pause(visit.clone(), Awaiting::Wait { timer }))
    }

    pub(super) fn wake(&self, run: &mut Run<'_>, visit: &Visit) -> Result<Flow, Failure> {
        let scope = run.scope(visit).finish();
        let exit = Exit {
            event: HistoryEventType::WaitStateExited,
            assign: self.assign.as_ref(),
            output: self.output.as_ref(),
            transition: &self.transition,
            prefix: "",
        };
        run.leave(visit, exit, &scope, &visit.input)
    }
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
    /// The number of seconds, at least `least`.
    pub(super) fn evaluate(
        &self,
        field: &str,
        least: u64,
        scope: &crate::jsonata::Scope,
    ) -> Result<u64, Failure> {
        let expression = match self {
            Seconds::Fixed(seconds) => return Ok(*seconds),
            Seconds::Computed(expression) => expression,
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
