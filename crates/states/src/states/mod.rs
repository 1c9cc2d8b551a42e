//! The state types: one file each, with what it reads and what it does.

mod catch;
mod choice;
mod ending;
mod fail;
pub(crate) mod map;
mod parallel;
mod pass;
mod retry;
mod rule;
mod succeed;
pub(crate) mod task;
mod wait;

use crate::diagnostic::Faults;
use crate::document::fields::{Fields, Transition};
use crate::document::machine::Machine;
use crate::failure::Failure;
use crate::history::HistoryEventType;
use crate::jsonpath::{Payload, Shape};
use crate::run::{Flow, Run};
use crate::template::Template;
use crate::thread::Visit;
use ending::Ending;

/// One state of a machine.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) kind: Kind,
}

/// What a state is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Choice(choice::Choice),
    Fail(fail::Fail),
    Map(Box<map::Map>),
    Parallel(Box<parallel::Parallel>),
    Pass(pass::Pass),
    Succeed(succeed::Succeed),
    Task(Box<task::Task>),
    Wait(wait::Wait),
}

/// How a state hands over to what follows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exit<'a> {
    pub(crate) event: HistoryEventType,
    pub(crate) assign: Option<&'a Template>,
    pub(crate) output: Option<&'a Template>,
    pub(crate) transition: &'a Transition,
    /// Where errors of these fields point, such as `Choices[0]/`.
    pub(crate) prefix: &'a str,
}

impl<'a> Exit<'a> {
    /// By the state's own fields.
    pub(crate) fn new(
        event: HistoryEventType,
        assign: Option<&'a Template>,
        output: Option<&'a Template>,
        transition: &'a Transition,
    ) -> Self {
        Self {
            event,
            assign,
            output,
            transition,
            prefix: "",
        }
    }
}

/// How a state in JSONPath mode hands over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShapedExit<'a> {
    pub(crate) event: HistoryEventType,
    pub(crate) shape: &'a Shape,
    pub(crate) assign: Option<&'a Payload>,
    pub(crate) transition: &'a Transition,
}

impl<'a> ShapedExit<'a> {
    /// By the state's own fields.
    pub(crate) fn new(
        event: HistoryEventType,
        shape: &'a Shape,
        transition: &'a Transition,
    ) -> Self {
        Self {
            event,
            shape,
            assign: shape.assign.as_ref(),
            transition,
        }
    }
}

impl State {
    /// Reads the state at `fields`; what is wrong with it is in `faults`.
    pub(crate) fn read(fields: Fields<'_>, faults: &mut Faults) -> Option<State> {
        fields.require(&["Type"], faults);
        let kind = match fields.text("Type", faults)? {
            "Choice" => choice::Choice::read(&fields, faults).map(Kind::Choice),
            "Map" => map::Map::read(&fields, faults).map(|map| Kind::Map(Box::new(map))),
            "Parallel" => parallel::Parallel::read(&fields, faults)
                .map(|parallel| Kind::Parallel(Box::new(parallel))),
            "Fail" => Some(Kind::Fail(fail::Fail::read(&fields, faults))),
            "Pass" => Some(Kind::Pass(pass::Pass::read(&fields, faults))),
            "Succeed" => Some(Kind::Succeed(succeed::Succeed::read(&fields, faults))),
            "Task" => task::Task::read(&fields, faults).map(|task| Kind::Task(Box::new(task))),
            "Wait" => wait::Wait::read(&fields, faults).map(Kind::Wait),
            kind => {
                faults.schema(
                    fields.at("Type"),
                    format!(
                        "'{kind}' is not a state type. Allowed values: [Task, Pass, Choice, Wait, Succeed, Fail, Parallel, Map]"
                    ),
                );
                return None;
            }
        };
        fields.finish(faults);
        kind.map(|kind| State { kind })
    }

    /// Begins a visit; its first history event is written.
    pub(crate) fn enter(&self, run: &mut Run<'_>, visit: Visit) -> Flow {
        let (outcome, visit) = match &self.kind {
            Kind::Choice(choice) => (choice.run(run, &visit), visit),
            Kind::Fail(fail) => (fail.run(run, &visit), visit),
            Kind::Pass(pass) => (pass.run(run, &visit), visit),
            Kind::Succeed(succeed) => (succeed.run(run, &visit), visit),
            Kind::Wait(wait) => (wait.run(run, &visit), visit),
            Kind::Map(map) => return map.attempt(run, visit),
            Kind::Parallel(parallel) => return parallel.attempt(run, visit),
            Kind::Task(task) => return task.attempt(run, visit),
        };
        outcome.unwrap_or_else(|failure: Failure| run.fail(&visit, failure))
    }

    /// Whether states of this type can have a Retry.
    pub(crate) fn retries(&self) -> bool {
        self.ending().is_some()
    }

    /// The event that enters a state of this type.
    pub(crate) fn entered(&self) -> HistoryEventType {
        match &self.kind {
            Kind::Choice(_) => HistoryEventType::ChoiceStateEntered,
            Kind::Fail(_) => HistoryEventType::FailStateEntered,
            Kind::Map(_) => HistoryEventType::MapStateEntered,
            Kind::Parallel(_) => HistoryEventType::ParallelStateEntered,
            Kind::Pass(_) => HistoryEventType::PassStateEntered,
            Kind::Succeed(_) => HistoryEventType::SucceedStateEntered,
            Kind::Task(_) => HistoryEventType::TaskStateEntered,
            Kind::Wait(_) => HistoryEventType::WaitStateEntered,
        }
    }

    /// The states inside it: those of a branch, or those of every iteration.
    pub(crate) fn inner(&self, index: usize) -> Option<&Machine> {
        match &self.kind {
            Kind::Parallel(parallel) => parallel.branch(index),
            Kind::Map(map) => Some(map.processor()),
            _ => None,
        }
    }

    /// How it ends, where it can have a Retry.
    pub(crate) fn ending(&self) -> Option<&Ending> {
        match &self.kind {
            Kind::Map(map) => Some(map.ending()),
            Kind::Parallel(parallel) => Some(parallel.ending()),
            Kind::Task(task) => Some(task.ending()),
            _ => None,
        }
    }

    /// Every group of states inside it.
    pub(crate) fn machines(&self) -> &[Machine] {
        match &self.kind {
            Kind::Parallel(parallel) => parallel.branches(),
            Kind::Map(map) => std::slice::from_ref(map.processor()),
            _ => &[],
        }
    }

    /// Goes on when the timer of a Wait state fires.
    pub(crate) fn wake(&self, run: &mut Run<'_>, visit: Visit) -> Flow {
        match &self.kind {
            Kind::Wait(wait) => wait
                .wake(run, &visit)
                .unwrap_or_else(|failure| run.fail(&visit, failure)),
            _ => run.fail(&visit, run.mismatch(&visit.state)),
        }
    }
}
