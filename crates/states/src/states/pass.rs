//! Pass: shapes data and goes on.

use super::{Exit, ShapedExit};
use crate::diagnostic::Faults;
use crate::document::fields::{Fields, Transition};
use crate::failure::Failure;
use crate::history::HistoryEventType;
use crate::jsonpath::{Shape, ShapeFields};
use crate::run::{Flow, Run};
use crate::template::Template;
use crate::thread::Visit;
use serde_json::Value;

#[derive(Clone, Debug)]
pub(crate) struct Pass {
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
        result: Option<Value>,
    },
}

impl Pass {
    pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Pass {
        let data = if fields.in_jsonpath() {
            let has = ShapeFields {
                parameters: true,
                result_path: true,
                assign: true,
                ..ShapeFields::default()
            };
            Data::JsonPath {
                shape: Box::new(Shape::read(fields, has, faults)),
                result: fields.value("Result").cloned(),
            }
        } else {
            Data::Jsonata {
                assign: fields.assign(faults),
                output: fields.template("Output", faults),
            }
        };
        Pass {
            data,
            transition: fields.transition(faults),
        }
    }

    pub(super) fn run(&self, run: &mut Run<'_>, visit: &Visit) -> Result<Flow, Failure> {
        let event = HistoryEventType::PassStateExited;
        match &self.data {
            Data::Jsonata { assign, output } => {
                let exit = Exit::new(event, assign.as_ref(), output.as_ref(), &self.transition);
                let left = exit.evaluate(&run.scope(visit).finish(), &visit.input)?;
                run.leave(visit, exit, left)
            }
            Data::JsonPath { shape, result } => {
                let input = run.shaped_input(visit, shape, None)?;
                let exit = ShapedExit::new(event, shape, &self.transition);
                run.leave_shaped(visit, exit, result.clone().unwrap_or(input))
            }
        }
    }
}
