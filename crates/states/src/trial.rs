//! One state alone, with the result of its work given: what TestState does.

use crate::clock::Moment;
use crate::definition::Definition;
use crate::document::machine::Machine;
use crate::execution::Execution;
use crate::failure::Failure;
use crate::run::{Flow, Run};
use crate::states::map::tolerance_exceeded;
use crate::states::{Kind, State};
use crate::thread::{Awaiting, Paused, ThreadId, Visit};
use serde_json::{Map, Value};

/// What stands in for the world while one state is tried.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trial {
    /// How the work of a Task, Parallel or Map state ends.
    pub work: Option<Work>,
    /// The context object, instead of one made from the execution.
    pub context: Option<Value>,
    /// The variables that states before this one assigned.
    pub variables: Map<String, Value>,
    /// How often each retrier has tried again already.
    pub retries: u64,
    /// How many iterations of a Map failed.
    pub failed_iterations: usize,
}

/// How the work of a state ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// Well, with this result.
    Result(Value),
    /// With an error.
    Error {
        /// The error name.
        error: String,
        /// What it says to a person.
        cause: String,
    },
}

/// What became of a state that was tried.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It ended well.
    Succeeded {
        /// Its output.
        output: Value,
        /// The state that follows, if one does.
        next: Option<String>,
    },
    /// A catcher took its error.
    Caught {
        /// The catcher's output.
        output: Value,
        /// The state that follows.
        next: Option<String>,
    },
    /// It would be tried again.
    Retriable,
    /// It failed.
    Failed {
        /// The error name; a Fail state may leave it out.
        error: Option<String>,
        /// What it says to a person.
        cause: Option<String>,
    },
    /// It waits for work that the trial does not give.
    Waiting,
}

impl Definition {
    /// Runs one state, wherever in the document it is, on the input of
    /// `execution`, which must not have begun. `None`: there is no such state.
    ///
    /// No effect is asked for: a Wait does not wait, a retry is not made, and the
    /// branches or iterations of a state do not run.
    pub fn try_state(
        &self,
        name: &str,
        mut execution: Execution,
        trial: Trial,
        now: Moment,
    ) -> Option<Verdict> {
        let machine = holder(self.machine(), name)?;
        let state = machine.states.get(name)?;
        let input = execution.input().clone();
        if let Some(root) = execution.threads.get_mut(&ThreadId::ROOT) {
            root.variables.clone_from(&trial.variables);
        }
        let mut run = Run::new(execution, machine, now);
        run.context = trial.context.clone();
        run.open();
        let flow = run.enter(name.to_owned(), input);
        let mut caught = false;
        let flow = match run.take_pause() {
            Some(Paused { visit, awaiting }) if !matches!(flow, Flow::Failed { .. }) => {
                caught = !matches!(awaiting, Awaiting::Retry { .. });
                finish(&mut run, state, visit, awaiting, &trial)
            }
            _ => Some(flow),
        };
        let caught = caught && trial.fails();
        Some(match flow {
            None => Verdict::Waiting,
            Some(Flow::Stop) => Verdict::Retriable,
            Some(Flow::Failed { error, cause }) => Verdict::Failed { error, cause },
            Some(Flow::Done(output)) => ended(output, None, caught),
            Some(Flow::Next { state, input }) => ended(input, Some(state), caught),
        })
    }
}

impl Trial {
    /// Whether the work ends with an error.
    fn fails(&self) -> bool {
        self.failed_iterations > 0 || self.is_error()
    }

    fn is_error(&self) -> bool {
        matches!(self.work, Some(Work::Error { .. }))
    }
}

fn ended(output: Value, next: Option<String>, caught: bool) -> Verdict {
    match caught {
        true => Verdict::Caught { output, next },
        false => Verdict::Succeeded { output, next },
    }
}

/// The group of states that has a state of this name.
fn holder<'m>(machine: &'m Machine, name: &str) -> Option<&'m Machine> {
    if machine.states.contains_key(name) {
        return Some(machine);
    }
    let inner = machine.states.values().flat_map(State::machines);
    inner.filter_map(|machine| holder(machine, name)).next()
}

/// Ends what the state waits for as the trial says.
fn finish(
    run: &mut Run<'_>,
    state: &State,
    mut visit: Visit,
    awaiting: Awaiting,
    trial: &Trial,
) -> Option<Flow> {
    if let Some(ending) = state.ending() {
        visit.retries = ending.used_up(trial.retries);
    }
    let ending = match (&state.kind, awaiting) {
        (_, Awaiting::Retry { .. }) => return Some(Flow::Stop),
        (Kind::Wait(_), _) => return Some(state.wake(run, visit)),
        (Kind::Task(task), _) => {
            return Some(match trial.work.clone()? {
                Work::Result(result) => task.succeeded(run, visit, result),
                Work::Error { error, cause } => task.reported(run, visit, error, cause),
            });
        }
        (Kind::Map(map), Awaiting::Children(family))
            if !trial.is_error() && !family.tolerates(trial.failed_iterations) =>
        {
            let failure = tolerance_exceeded();
            return Some(map.ending().fail(run, visit, failure, Awaiting::Redrive));
        }
        _ => state.ending()?,
    };
    Some(match trial.work.clone()? {
        Work::Result(result) => ending.succeed(run, visit, result),
        Work::Error { error, cause } => {
            let failure = Failure::task(error, Some(cause));
            ending.fail(run, visit, failure, Awaiting::Redrive)
        }
    })
}
