//! Parallel: every branch gets the same input; the result is the list of theirs.

use super::ending::{Ending, Events};
use crate::diagnostic::Faults;
use crate::document::fields::Fields;
use crate::document::machine::{Machine, read_group};
use crate::failure::Failure;
use crate::family::{End, Family, Item};
use crate::history::HistoryEventType as Type;
use crate::run::{Birth, Child, Flow, Outcome, Run};
use crate::template::Template;
use crate::thread::{Awaiting, Visit};
use serde_json::{Map, Value};

#[derive(Clone, Debug)]
pub(crate) struct Parallel {
    branches: Vec<Machine>,
    arguments: Option<Template>,
    ending: Ending,
}

impl Parallel {
    pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Option<Parallel> {
        fields.require(&["Branches"], faults);
        let events = Events {
            failed: Some(Type::ParallelStateFailed),
            exited: Type::ParallelStateExited,
        };
        let arguments = match fields.in_jsonpath() {
            true => None,
            false => fields.template("Arguments", faults),
        };
        let ending = Ending::read(fields, true, events, faults);
        let items = fields.list("Branches", faults)?;
        let branches = items.iter().enumerate().filter_map(|(n, item)| {
            let at = format!("{}[{n}]", fields.at("Branches"));
            let branch = fields.within(item, &at, faults)?;
            branch.text("Comment", faults);
            let group = read_group(&branch, faults);
            branch.finish(faults);
            group
        });
        Some(Parallel {
            branches: branches.collect(),
            arguments,
            ending,
        })
    }

    /// How it ends.
    pub(crate) fn ending(&self) -> &Ending {
        &self.ending
    }

    /// The states of one branch.
    pub(super) fn branch(&self, index: usize) -> Option<&Machine> {
        self.branches.get(index)
    }

    /// Every branch.
    pub(super) fn branches(&self) -> &[Machine] {
        &self.branches
    }

    /// Begins every branch.
    pub(super) fn attempt(&self, run: &mut Run<'_>, visit: Visit) -> Flow {
        let input = match self.input(run, &visit) {
            Ok(input) => input,
            Err(failure) => return self.ending.fail(run, visit, failure, Awaiting::Redrive),
        };
        let started = run.note(Type::ParallelStateStarted, Map::new());
        let items = self.branches.iter().map(|_| Item {
            value: Value::Null,
            key: None,
        });
        let mut family = Family::of(items.collect(), self.branches.len());
        for branch in &self.branches {
            let Some((index, _)) = family.begin(0) else {
                break;
            };
            let item = run.item().cloned();
            run.spawn(Birth {
                index,
                start_at: &branch.start_at,
                input: input.clone(),
                item,
                last_event: started,
                journal: None,
            });
        }
        run.pause(visit, Awaiting::Children(Box::new(family)))
    }

    fn input(&self, run: &Run<'_>, visit: &Visit) -> Result<Value, Failure> {
        let input = match (self.ending.shape(), &self.arguments) {
            (Some(shape), _) => run.shaped_input(visit, shape, None)?,
            (None, Some(arguments)) => {
                arguments.evaluate("Arguments", &run.scope(visit).finish())?
            }
            (None, None) => visit.input.clone(),
        };
        run.within_limit(&input, &visit.state)?;
        Ok(input)
    }

    /// A branch ended.
    pub(crate) fn child_ended(
        &self,
        run: &mut Run<'_>,
        visit: Visit,
        mut family: Box<Family>,
        child: &Child,
        outcome: Outcome,
    ) -> Flow {
        run.follow(child.last_event);
        match outcome {
            Ok(output) => {
                family.end(child.index, End::Succeeded(output));
                if !family.is_done() {
                    return run.pause(visit, Awaiting::Children(family));
                }
                run.note_aside(Type::ParallelStateSucceeded, Map::new());
                self.succeeded(run, visit, &family)
            }
            Err((error, cause)) => {
                run.abort_children(&visit.state, child, false);
                family.stop();
                let failure = Failure::passed_on(error, cause);
                self.ending
                    .fail(run, visit, failure, Awaiting::Children(family))
            }
        }
    }

    fn succeeded(&self, run: &mut Run<'_>, visit: Visit, family: &Family) -> Flow {
        let result = Value::Array(family.results());
        match run.within_limit(&result, &visit.state) {
            Ok(()) => self.ending.succeed(run, visit, result),
            Err(failure) => self.ending.fail(run, visit, failure, Awaiting::Redrive),
        }
    }
}
