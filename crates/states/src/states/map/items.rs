//! Which items a Map goes through, where no object is read for them.

use super::Map;
use crate::diagnostic::Faults;
use crate::document::fields::Fields;
use crate::failure::{Failure, Origin, QUERY_EVALUATION_ERROR, RUNTIME};
use crate::family::Item;
use crate::jsonpath::Query;
use crate::limits;
use crate::run::Run;
use crate::seen::Seen;
use crate::template::{Template, wrong_type};
use crate::thread::Visit;
use serde_json::Value;

/// `Items`, `ItemsPath`, or the state's input.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// The input of a JSONata state.
    Input,
    /// The effective input of a JSONPath state.
    EffectiveInput,
    Items(Template),
    Path(Query),
}

impl Source {
    pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Source {
        if fields.in_jsonpath() {
            let path = fields.path("ItemsPath", faults);
            return path.map_or(Source::EffectiveInput, Source::Path);
        }
        let items = fields.template("Items", faults);
        if let Some(Template::Literal(_)) = items {
            faults.schema(fields.at("Items"), "Expected value of type Array");
        }
        items.map_or(Source::Input, Source::Items)
    }

    /// The items, in order.
    pub(super) fn items(
        &self,
        run: &Run<'_>,
        visit: &Visit,
        map: &Map,
    ) -> Result<Vec<Item>, Failure> {
        let objects = map.distributed.is_some();
        let value = run.seeing(visit, map.ending.shape(), None, |seen| {
            self.evaluate(seen, visit)
        })?;
        match value {
            Value::Array(_) => {}
            Value::Object(_) if objects && matches!(self, Source::Items(_)) => {}
            other => return Err(self.unfit(&other)),
        }
        let items = listed(value);
        if items.len() > limits::MAP_ITEMS_MAX {
            return Err(Failure::data_limit(&visit.state));
        }
        Ok(items)
    }

    fn evaluate(&self, seen: Seen<'_>, visit: &Visit) -> Result<Value, Failure> {
        match (self, seen) {
            (Source::Items(items), Seen::Jsonata(scope)) => items.evaluate("Items", scope),
            (Source::Path(path), Seen::Paths(view)) => path.evaluate(&view),
            (_, Seen::Paths(view)) => Ok(view.input.clone()),
            (_, Seen::Jsonata(_)) => Ok(visit.input.clone()),
        }
    }

    /// Recorded on AWS, each wording.
    fn unfit(&self, value: &Value) -> Failure {
        match self {
            Source::Items(Template::Expression(expression)) => {
                wrong_type(expression, "Items", "array", value)
            }
            Source::Items(_) => Failure::evaluation("Items", "The Items field must be an array."),
            Source::Input => Failure {
                error: Some(QUERY_EVALUATION_ERROR.to_owned()),
                cause: Some(format!("Map state input must be an array but was: {value}")),
                origin: Origin::Evaluation {
                    location: None,
                    in_expression: true,
                },
            },
            Source::EffectiveInput => not_an_array("$"),
            Source::Path(path) => not_an_array(path.text()),
        }
    }
}

/// The members of an array, or of an object with their names.
pub(super) fn listed(value: Value) -> Vec<Item> {
    match value {
        Value::Array(items) => items
            .into_iter()
            .map(|value| Item { value, key: None })
            .collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, value)| Item {
                value,
                key: Some(key),
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// The path as Step Functions shows it, with one `$` even for the context.
fn not_an_array(path: &str) -> Failure {
    let shown = path.strip_prefix('$').filter(|rest| rest.starts_with('$'));
    Failure::task(
        RUNTIME,
        Some(format!(
            "Reference path \"{}\" must point to array.",
            shown.unwrap_or(path)
        )),
    )
}
