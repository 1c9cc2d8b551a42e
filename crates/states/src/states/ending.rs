//! How a Task, Parallel or Map state ends: with its result shaped and its
//! variables assigned, or with Retry, then Catch.

use super::{Exit, ShapedExit, catch, retry};
use crate::diagnostic::Faults;
use crate::document::fields::{Fields, Transition};
use crate::failure::Failure;
use crate::history::HistoryEventType;
use crate::jsonpath::{Shape, ShapeFields};
use crate::run::{Flow, Run};
use crate::template::Template;
use crate::thread::{Awaiting, Visit};
use serde_json::{Map, Value, json};

/// The fields that a state ends by.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    data: Data,
    retriers: Vec<retry::Retrier>,
    catchers: Vec<catch::Catcher>,
    transition: Transition,
    events: Events,
}

/// The events that end a state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Events {
    /// Written when a failure is final; a Task has none.
    pub(crate) failed: Option<HistoryEventType>,
    pub(crate) exited: HistoryEventType,
}

#[derive(Clone, Debug)]
enum Data {
    Jsonata {
        assign: Option<Template>,
        output: Option<Template>,
    },
    JsonPath(Box<Shape>),
}

impl Ending {
    /// Reads the fields of a state; `parameters` says whether it has that field
    /// to shape its input with.
    pub(super) fn read(
        fields: &Fields<'_>,
        parameters: bool,
        events: Events,
        faults: &mut Faults,
    ) -> Ending {
        let has = ShapeFields {
            parameters,
            result_selector: true,
            result_path: true,
            assign: true,
        };
        let data = match fields.in_jsonpath() {
            true => Data::JsonPath(Box::new(Shape::read(fields, has, faults))),
            false => Data::Jsonata {
                assign: fields.assign(faults),
                output: fields.template("Output", faults),
            },
        };
        Ending {
            data,
            retriers: retry::read(fields, faults),
            catchers: catch::read(fields, faults),
            transition: fields.transition(faults),
            events,
        }
    }

    /// What shapes the data in JSONPath mode.
    pub(super) fn shape(&self) -> Option<&Shape> {
        match &self.data {
            Data::JsonPath(shape) => Some(shape),
            Data::Jsonata { .. } => None,
        }
    }

    /// Leaves the state with its result.
    pub(crate) fn succeed(&self, run: &mut Run<'_>, visit: Visit, result: Value) -> Flow {
        match self.leave(run, &visit, result) {
            Ok(flow) => flow,
            Err(failure) => self.fail(run, visit, failure, Awaiting::Redrive),
        }
    }

    fn leave(&self, run: &mut Run<'_>, visit: &Visit, result: Value) -> Result<Flow, Failure> {
        let event = self.events.exited;
        match &self.data {
            Data::Jsonata { assign, output } => {
                let exit = Exit::new(event, assign.as_ref(), output.as_ref(), &self.transition);
                let left = exit.evaluate(&run.scope(visit).result(&result).finish(), &result)?;
                run.leave(visit, exit, left)
            }
            Data::JsonPath(shape) => {
                let exit = ShapedExit::new(event, shape, &self.transition);
                run.leave_shaped(visit, exit, result)
            }
        }
    }

    /// Tries again, goes to a catcher, or fails the thread. What is `left` for a
    /// redrive when the thread fails is the state itself, or its children.
    pub(crate) fn fail(
        &self,
        run: &mut Run<'_>,
        mut visit: Visit,
        failure: Failure,
        left: Awaiting,
    ) -> Flow {
        let failure = run.note_failure(&visit, failure);
        if let Some(millis) = self.retry(run, &failure, &mut visit) {
            run.disown();
            visit.attempt = visit.attempt.saturating_add(1);
            let timer = run.set_timer_after(millis);
            return run.pause(visit, Awaiting::Retry { timer });
        }
        if let Some(kind) = self.events.failed
            && !failure.is_the_states_own_runtime()
        {
            run.note(kind, Map::new());
        }
        match catch::find(&self.catchers, failure.name()) {
            Some((n, catcher)) => {
                run.disown();
                self.caught(run, &visit, &failure, n, catcher)
            }
            None => run.give_up(visit, left, failure),
        }
    }

    /// Milliseconds until the next attempt, if there is one; it is counted in the
    /// visit.
    fn retry(&self, run: &Run<'_>, failure: &Failure, visit: &mut Visit) -> Option<u64> {
        let used = &mut visit.retries;
        retry::decide(&self.retriers, failure.name(), used, run.random())
    }

    /// The retrier that tries the state again for an error, by its place in `Retry`.
    pub(crate) fn retrier_of(&self, error: &str) -> Option<usize> {
        retry::retrier_of(&self.retriers, error)
    }

    /// Whether a catcher takes an error that is not tried again.
    pub(crate) fn catches(&self, error: &str) -> bool {
        self.catchers.iter().any(|catcher| catcher.covers(error))
    }

    /// What a visit notes when every retrier was used so often.
    pub(crate) fn used_up(&self, times: u64) -> Vec<u64> {
        vec![times; self.retriers.len()]
    }

    fn caught(
        &self,
        run: &mut Run<'_>,
        visit: &Visit,
        failure: &Failure,
        n: usize,
        catcher: &catch::Catcher,
    ) -> Flow {
        let event = self.events.exited;
        let error_output = json!({
            "Error": failure.name(),
            "Cause": failure.cause.clone().unwrap_or_default(),
        });
        let left = match &catcher.data {
            catch::Data::Jsonata { assign, output } => {
                let prefix = format!("Catch[{n}]/");
                let exit = Exit {
                    event,
                    assign: assign.as_ref(),
                    output: output.as_ref(),
                    transition: &catcher.transition,
                    prefix: &prefix,
                };
                let scope = run.scope(visit).error_output(&error_output).finish();
                let left = exit.evaluate(&scope, &error_output);
                drop(scope);
                left.and_then(|left| run.leave(visit, exit, left))
            }
            catch::Data::JsonPath {
                assign,
                result_path,
            } => run.leave_caught(
                visit,
                event,
                (assign.as_ref(), result_path.as_ref()),
                error_output,
                &catcher.transition,
            ),
        };
        left.unwrap_or_else(|failure| run.fail(visit, failure))
    }
}
