//! Succeed: ends the execution well.

use super::Exit;
use crate::diagnostic::Faults;
use crate::document::fields::{Fields, Transition};
use crate::execution::Visit;
use crate::failure::Failure;
use crate::history::HistoryEventType;
use crate::run::{Flow, Run};
use crate::template::Template;

#[derive(Clone, Debug)]
pub(crate) struct Succeed {
    output: Option<Template>,
}

impl Succeed {
    pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Succeed {
        Succeed {
            output: fields.template("Output", faults),
        }
    }

    pub(super) fn run(&self, run: &mut Run<'_>, visit: &Visit) -> Result<Flow, Failure> {
        let scope = run.scope(visit).finish();
        let exit = Exit {
            event: HistoryEventType::SucceedStateExited,
            assign: None,
            output: self.output.as_ref(),
            transition: &Transition::End,
            prefix: "",
        };
        run.leave(visit, exit, &scope, &visit.input)
    }
}
