//! Succeed: ends the execution well.

use super::{Exit, ShapedExit};
use crate::diagnostic::Faults;
use crate::document::fields::{Fields, Transition};
use crate::failure::Failure;
use crate::history::HistoryEventType;
use crate::jsonpath::{Shape, ShapeFields};
use crate::run::{Flow, Run};
use crate::template::Template;
use crate::thread::Visit;

#[derive(Clone, Debug)]
pub(crate) enum Succeed {
    Jsonata { output: Option<Template> },
    JsonPath { shape: Box<Shape> },
}

impl Succeed {
    pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Succeed {
        if fields.in_jsonpath() {
            return Succeed::JsonPath {
                shape: Box::new(Shape::read(fields, ShapeFields::default(), faults)),
            };
        }
        Succeed::Jsonata {
            output: fields.template("Output", faults),
        }
    }

    pub(super) fn run(&self, run: &mut Run<'_>, visit: &Visit) -> Result<Flow, Failure> {
        let event = HistoryEventType::SucceedStateExited;
        match self {
            Succeed::Jsonata { output } => {
                let exit = Exit::new(event, None, output.as_ref(), &Transition::End);
                let left = exit.evaluate(&run.scope(visit).finish(), &visit.input)?;
                run.leave(visit, exit, left)
            }
            Succeed::JsonPath { shape } => {
                let input = run.shaped_input(visit, shape, None)?;
                let exit = ShapedExit {
                    event,
                    shape,
                    assign: None,
                    transition: &Transition::End,
                };
                run.leave_shaped(visit, exit, input)
            }
        }
    }
}
