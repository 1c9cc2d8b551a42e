//! Catch: where an error leads when retries are used up.

use super::retry::read_errors;
use crate::diagnostic::Faults;
use crate::document::fields::{Fields, Transition};
use crate::failure::covers;
use crate::jsonpath::{Payload, ResultPath};
use crate::template::Template;
use serde_json::Value;

#[derive(Clone, Debug)]
pub(crate) struct Catcher {
    errors: Vec<String>,
    pub(super) transition: Transition,
    pub(super) data: Data,
}

/// What a catcher makes of the error.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    Jsonata {
        assign: Option<Template>,
        output: Option<Template>,
    },
    JsonPath {
        assign: Option<Payload>,
        result_path: Option<ResultPath>,
    },
}

/// Reads the `Catch` list of a state.
pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Vec<Catcher> {
    let Some(Value::Array(items)) = fields.value("Catch") else {
        if fields.value("Catch").is_some() {
            faults.schema(fields.at("Catch"), "Expected value of type Array");
        }
        return Vec::new();
    };
    items
        .iter()
        .enumerate()
        .filter_map(|(n, item)| {
            let at = format!("{}[{n}]", fields.at("Catch"));
            let fields = fields.within(item, &at, faults)?;
            Some(Catcher::read(fields, n + 1 == items.len(), faults))
        })
        .collect()
}

impl Catcher {
    /// Whether it is for this error.
    pub(super) fn covers(&self, error: &str) -> bool {
        self.errors.iter().any(|name| covers(name, error))
    }

    fn read(fields: Fields<'_>, last: bool, faults: &mut Faults) -> Catcher {
        let errors = read_errors(&fields, last, faults);
        fields.require(&["Next"], faults);
        fields.text("Comment", faults);
        let next = fields.text("Next", faults).unwrap_or_default();
        let catcher = Catcher {
            errors,
            transition: Transition::Next(next.to_owned()),
            data: if fields.in_jsonpath() {
                Data::JsonPath {
                    assign: fields.assign_payload(faults),
                    result_path: fields.result_path(faults),
                }
            } else {
                Data::Jsonata {
                    assign: fields.assign(faults),
                    output: fields.template("Output", faults),
                }
            },
        };
        fields.finish(faults);
        catcher
    }
}

/// The first catcher that covers an error, with its position.
pub(super) fn find<'a>(catchers: &'a [Catcher], error: &str) -> Option<(usize, &'a Catcher)> {
    catchers
        .iter()
        .enumerate()
        .find(|(_, catcher)| catcher.errors.iter().any(|name| covers(name, error)))
}
