//! Fail: ends the execution badly, with an error name and a cause.

use crate::diagnostic::Faults;
use crate::document::fields::Fields;
use crate::execution::Visit;
use crate::failure::Failure;
use crate::jsonata::Scope;
use crate::run::{Flow, Run};
use crate::template::{Template, wrong_type};
use serde_json::Value;

#[derive(Clone, Debug)]
pub(crate) struct Fail {
    error: Option<Template>,
    cause: Option<Template>,
}

impl Fail {
    pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Fail {
        fields.text("Error", faults);
        fields.text("Cause", faults);
        Fail {
            error: fields.template("Error", faults),
            cause: fields.template("Cause", faults),
        }
    }

    pub(super) fn run(&self, run: &mut Run<'_>, visit: &Visit) -> Result<Flow, Failure> {
        let scope = run.scope(visit).finish();
        let error = text(self.error.as_ref(), "Error", &scope)?;
        let cause = text(self.cause.as_ref(), "Cause", &scope)?;
        Ok(run.end_failed(error, cause))
    }
}

fn text(
    template: Option<&Template>,
    field: &str,
    scope: &Scope,
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
