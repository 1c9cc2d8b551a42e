//! Pass: shapes data and goes on.

use super::Exit;
use crate::diagnostic::Faults;
use crate::document::fields::{Fields, Transition};
use crate::execution::Visit;
use crate::failure::Failure;
use crate::history::HistoryEventType;
use crate::run::{Flow, Run};
use crate::template::Template;

#[derive(Clone, Debug)]
pub(crate) struct Pass {
    assign: Option<Template>,
    output: Option<Template>,
    transition: Transition,
}

impl Pass {
    pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Pass {
        Pass {
            assign: fields.assign(faults),
            output: fields.template("Output", faults),
            transition: fields.transition(faults),
        }
    }

    pub(super) fn run(&self, run: &mut Run<'_>, visit: &Visit) -> Result<Flow, Failure> {
        let scope = run.scope(visit).finish();
        let exit = Exit {
            event: HistoryEventType::PassStateExited,
            assign: self.assign.as_ref(),
            output: self.output.as_ref(),
            transition: &self.transition,
            prefix: "",
        };
        run.leave(visit, exit, &scope, &visit.input)
    }
}
