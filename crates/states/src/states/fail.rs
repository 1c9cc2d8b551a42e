//! Fail: ends the execution badly, with an error name and a cause.

use crate::diagnostic::Faults;
use crate::document::fields::Fields;
use crate::failure::Failure;
use crate::jsonata::Scope;
use crate::jsonpath::Query;
use crate::run::{Flow, Run};
use crate::template::{Template, wrong_type};
use crate::thread::{Awaiting, Visit};
use serde_json::Value;

#[derive(Clone, Debug)]
pub(crate) enum Fail {
    Jsonata {
        error: Option<Template>,
        cause: Option<Template>,
    },
    JsonPath {
        error: Option<Text>,
        cause: Option<Text>,
    },
}

/// A text in JSONPath mode, with the field that computes it.
#[derive(Clone, Debug)]
pub(crate) enum Text {
    Fixed(String),
    Computed(&'static str, Query),
}

impl Fail {
    pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Fail {
        if fields.in_jsonpath() {
            return Fail::JsonPath {
                error: Text::read(fields, "Error", "ErrorPath", faults),
                cause: Text::read(fields, "Cause", "CausePath", faults),
            };
        }
        fields.text("Error", faults);
        fields.text("Cause", faults);
        Fail::Jsonata {
            error: fields.template("Error", faults),
            cause: fields.template("Cause", faults),
        }
    }

    pub(super) fn run(&self, run: &mut Run<'_>, visit: &Visit) -> Result<Flow, Failure> {
        let (error, cause) = match self {
            Fail::Jsonata { error, cause } => {
                let scope = run.scope(visit).finish();
                (
                    text(error.as_ref(), "Error", &scope)?,
                    text(cause.as_ref(), "Cause", &scope)?,
                )
            }
            Fail::JsonPath { error, cause } => (
                Text::evaluate(error.as_ref(), run, visit)?,
                Text::evaluate(cause.as_ref(), run, visit)?,
            ),
        };
        let failure = Failure::passed_on(error, cause);
        Ok(run.give_up(visit.clone(), Awaiting::Redrive, failure))
    }
}

impl Text {
    fn read(
        fields: &Fields<'_>,
        name: &'static str,
        path_name: &'static str,
        faults: &mut Faults,
    ) -> Option<Text> {
        let fixed = fields.text(name, faults);
        let query = fields.query(path_name, faults);
        if fixed.is_some() && query.is_some() {
            faults.schema(
                fields.place(),
                format!("A Fail state may have only one of '{name}' and '{path_name}'"),
            );
        }
        match query {
            Some(query) => Some(Text::Computed(path_name, query)),
            None => fixed.map(|text| Text::Fixed(text.to_owned())),
        }
    }

    fn evaluate(
        text: Option<&Text>,
        run: &Run<'_>,
        visit: &Visit,
    ) -> Result<Option<String>, Failure> {
        let (field, query) = match text {
            None => return Ok(None),
            Some(Text::Fixed(text)) => return Ok(Some(text.clone())),
            Some(Text::Computed(field, query)) => (field, query),
        };
        let context = run.context(visit, None);
        Ok(Some(
            match query.evaluate_for(field, &run.view(visit, &context))? {
                Value::String(text) => text,
                other => other.to_string(),
            },
        ))
    }
}

fn text(
    template: Option<&Template>,
    field: &str,
    scope: &Scope<'_>,
) -> Result<Option<String>, Failure> {
    let Some(template) = template else {
        return Ok(None);
    };
    match (template.evaluate(field, scope)?, template) {
        (Value::String(text), _) => Ok(Some(text)),
        (value, Template::Expression(expression)) => {
            Err(wrong_type(expression, field, "string", &value))
        }
        (value, _) => Ok(Some(value.to_string())),
    }
}
