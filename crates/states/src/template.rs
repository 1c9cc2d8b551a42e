//! A JSON value with `{% %}` expressions in it.

use crate::diagnostic::{DiagnosticCode, Faults};
use crate::failure::Failure;
use crate::jsonata::{Expression, Scope};
use serde_json::{Map, Value};

/// A field that may hold expressions at any depth.
#[derive(Clone, Debug)]
pub(crate) enum Template {
    Literal(Value),
    Expression(Expression),
    Array(Vec<Template>),
    Object(Vec<(String, Template)>),
}

impl Template {
    /// Reads a value, parsing every expression in it.
    pub(crate) fn read(value: &Value, at: &str, faults: &mut Faults) -> Template {
        match value {
            Value::String(text) => match read_expression(text, at, faults) {
                Some(expression) => Template::Expression(expression),
                None => Template::Literal(value.clone()),
            },
            Value::Array(items) => Template::Array(
                items
                    .iter()
                    .enumerate()
                    .map(|(n, item)| Template::read(item, &format!("{at}[{n}]"), faults))
                    .collect(),
            ),
            Value::Object(fields) => Template::Object(
                fields
                    .iter()
                    .map(|(name, field)| {
                        let field = Template::read(field, &format!("{at}/{name}"), faults);
                        (name.clone(), field)
                    })
                    .collect(),
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) => Template::Literal(value.clone()),
        }
    }

    /// Evaluates every expression; `field` is where errors point: `Output/name`.
    pub(crate) fn evaluate(&self, field: &str, scope: &Scope<'_>) -> Result<Value, Failure> {
        match self {
            Template::Literal(value) => Ok(value.clone()),
            Template::Expression(expression) => evaluate(expression, field, scope),
            Template::Array(items) => items
                .iter()
                .enumerate()
                .map(|(n, item)| item.evaluate(&format!("{field}[{n}]"), scope))
                .collect::<Result<Vec<Value>, Failure>>()
                .map(Value::Array),
            Template::Object(fields) => fields
                .iter()
                .map(|(name, value)| {
                    let value = value.evaluate(&format!("{field}/{name}"), scope)?;
                    Ok((name.clone(), value))
                })
                .collect::<Result<Map<String, Value>, Failure>>()
                .map(Value::Object),
        }
    }
}

/// Evaluates one expression; undefined is a failure, since JSON has no such value.
pub(crate) fn evaluate(
    expression: &Expression,
    field: &str,
    scope: &Scope<'_>,
) -> Result<Value, Failure> {
    let subject = || {
        let source = expression.source();
        format!("The JSONata expression '{source}' specified for the field '{field}'")
    };
    match scope.evaluate(expression) {
        Ok(Some(value)) => Ok(value.into_owned()),
        Ok(None) => Err(Failure::evaluation(
            field,
            format!("{} returned nothing (undefined).", subject()),
        )),
        Err(error) => Err(Failure::evaluation(
            field,
            format!("{} threw an error during evaluation. {error}", subject()),
        )),
    }
}

/// The failure of an expression whose value has the wrong type.
pub(crate) fn wrong_type(
    expression: &Expression,
    field: &str,
    expected: &str,
    value: &Value,
) -> Failure {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    Failure::evaluation(
        field,
        format!(
            "The JSONata expression '{}' specified for the field '{field}' returned an unexpected result type. Expected '{expected}', but was '{found}' for value: {value}",
            expression.source()
        ),
    )
}

/// Parses a string that is an expression; `None` when it is plain text, or when
/// it is faulty and that has been noted.
pub(crate) fn read_expression(text: &str, at: &str, faults: &mut Faults) -> Option<Expression> {
    let Some(source) = text
        .strip_prefix("{%")
        .and_then(|rest| rest.strip_suffix("%}"))
    else {
        note_half_expression(text, at, faults);
        return None;
    };
    match Expression::parse(source) {
        Ok(expression) if expression.calls_eval() => {
            faults.schema_help(
                at,
                "The JSONata function $eval is not available",
                "Use $parse to read JSON text.",
            );
            None
        }
        Ok(expression) => {
            if expression.reads_document() {
                faults.warning(
                    DiagnosticCode::SchemaValidationFailed,
                    at,
                    "The JSONata expression uses '$', '$$' or a bare field name at its top, which is undefined",
                    "Begin with $states.input, or with a variable.",
                );
            }
            Some(expression)
        }
        Err(error) => {
            faults.schema(
                at,
                format!("The JSONata expression does not parse: {error}"),
            );
            None
        }
    }
}

/// Text that is almost an expression is a mistake. With space around it, Step
/// Functions takes it for plain text, so it is a warning only.
fn note_half_expression(text: &str, at: &str, faults: &mut Faults) {
    let help = "Write \"{% <expression> %}\", with nothing before or after it.";
    let trimmed = text.trim();
    if text.starts_with("{%") || text.ends_with("%}") {
        faults.schema_help(
            at,
            "A JSONata expression must begin with '{%' and end with '%}'",
            help,
        );
    } else if trimmed.starts_with("{%") && trimmed.ends_with("%}") {
        faults.warning(
            DiagnosticCode::NotEvaluated,
            at,
            "The text looks like a JSONata expression but is not evaluated",
            help,
        );
    }
}
