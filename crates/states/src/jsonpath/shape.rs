//! The fields that shape a state's data: InputPath, Parameters, ResultSelector,
//! ResultPath, OutputPath and Assign.

use super::{Payload, Query, ResultPath, View};
use crate::diagnostic::Faults;
use crate::document::fields::Fields;
use crate::failure::Failure;
use serde_json::{Map, Value};

/// The fields of one state, read.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    input_path: Filter,
    parameters: Option<Payload>,
    result_selector: Option<Payload>,
    result_path: Option<ResultPath>,
    output_path: Filter,
    pub(crate) assign: Option<Payload>,
}

/// InputPath or OutputPath.
#[derive(Clone, Debug)]
enum Filter {
    Whole,
    Nothing,
    Query(Query),
}

/// Which of the fields a state type has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ShapeFields {
    pub(crate) parameters: bool,
    pub(crate) result_selector: bool,
    pub(crate) result_path: bool,
    pub(crate) assign: bool,
}

impl Shape {
    pub(crate) fn read(fields: &Fields<'_>, has: ShapeFields, faults: &mut Faults) -> Shape {
        Shape {
            input_path: Filter::read(fields, "InputPath", faults),
            parameters: has
                .parameters
                .then(|| fields.payload("Parameters", faults))
                .flatten(),
            result_selector: has
                .result_selector
                .then(|| fields.payload("ResultSelector", faults))
                .flatten(),
            result_path: has
                .result_path
                .then(|| fields.result_path(faults))
                .flatten(),
            output_path: Filter::read(fields, "OutputPath", faults),
            assign: has.assign.then(|| fields.assign_payload(faults)).flatten(),
        }
    }

    /// The state's effective input: InputPath, then Parameters. `view.input` is
    /// the input as it came.
    pub(crate) fn input(&self, view: &View<'_>) -> Result<Value, Failure> {
        let chosen = self.input_path.apply(view)?;
        match &self.parameters {
            Some(parameters) => parameters.evaluate(&view.on(&chosen)),
            None => Ok(chosen),
        }
    }

    /// What becomes of a result: ResultSelector, then ResultPath, then
    /// OutputPath. `view.input` is the state's input as it came.
    pub(crate) fn output(&self, result: Value, view: &View<'_>) -> Result<Value, Failure> {
        let selected = match &self.result_selector {
            Some(selector) => selector.evaluate(&view.on(&result))?,
            None => result,
        };
        let combined = match &self.result_path {
            Some(path) => path.put(selected, view.input)?,
            None => selected,
        };
        self.output_path.apply(&view.on(&combined))
    }

    /// The variables to assign, with `seen` as `$`.
    pub(crate) fn assigned(
        assign: Option<&Payload>,
        seen: &Value,
        view: &View<'_>,
    ) -> Result<Map<String, Value>, Failure> {
        match assign {
            Some(assign) => match assign.evaluate(&view.on(seen))? {
                Value::Object(variables) => Ok(variables),
                _ => Ok(Map::new()),
            },
            None => Ok(Map::new()),
        }
    }
}

impl Filter {
    fn read(fields: &Fields<'_>, name: &'static str, faults: &mut Faults) -> Filter {
        match fields.value(name) {
            None => Filter::Whole,
            Some(Value::Null) => Filter::Nothing,
            Some(value) => match value.as_str().and_then(Query::parse) {
                Some(query) if !query.is_call() => Filter::Query(query),
                _ => {
                    faults.schema(fields.at(name), "Value is not a Path");
                    Filter::Whole
                }
            },
        }
    }

    fn apply(&self, view: &View<'_>) -> Result<Value, Failure> {
        match self {
            Filter::Whole => Ok(view.input.clone()),
            Filter::Nothing => Ok(Value::Object(Map::new())),
            Filter::Query(query) => query.evaluate(view),
        }
    }
}
