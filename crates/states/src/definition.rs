//! A validated document.

use crate::diagnostic::{Diagnostic, Faults};
use crate::document::machine::{self, Machine};
use crate::resource::Resource;
use crate::states::Kind;
use std::sync::Arc;

/// A document that passed every check. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Definition(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    text: String,
    machine: Machine,
    warnings: Vec<Diagnostic>,
}

/// One call that a document may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskRef<'a> {
    /// The state's name.
    pub name: &'a str,
    /// What it calls.
    pub resource: &'a Resource,
}

/// A call that is made again when it fails with some error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetriedTask<'a> {
    /// The call.
    pub task: TaskRef<'a>,
    /// The state whose `Retry` has it made again: its own, or one that it is inside of.
    pub state: &'a str,
    /// Which entry of that `Retry`, from 0.
    pub retrier: usize,
}

impl Definition {
    /// Checks a document. Either it can run, or every fault it has is returned.
    pub fn parse(text: &str) -> Result<Definition, Vec<Diagnostic>> {
        let mut faults = Faults::default();
        let machine = machine::read(text, &mut faults);
        match (machine, faults.any_error()) {
            (Some(machine), false) => Ok(Definition(Arc::new(Inner {
                text: text.to_owned(),
                machine,
                warnings: faults.into_list(),
            }))),
            _ => Err(faults.into_list()),
        }
    }

    /// The document as it was given.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// What is doubtful about the document but does not stop it.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.0.warnings
    }

    /// Every call the document may make, with the state that makes it: those of
    /// Task states, in branches and iterations too, and those of the ItemReader
    /// and ResultWriter of a Map.
    pub fn tasks(&self) -> impl Iterator<Item = TaskRef<'_>> {
        let mut tasks = Vec::new();
        gather(&self.0.machine, &mut tasks);
        tasks.into_iter()
    }

    /// Every call of a Task state that is made again when it fails with `error`: by the state's own `Retry`, or by that
    /// of a state around it which the error reaches, since that begins everything inside anew.
    pub fn retried(&self, error: &str) -> Vec<RetriedTask<'_>> {
        let mut found = Vec::new();
        gather_retried(&self.0.machine, error, None, &mut found);
        found
    }

    pub(crate) fn machine(&self) -> &Machine {
        &self.0.machine
    }
}

fn gather<'m>(machine: &'m Machine, tasks: &mut Vec<TaskRef<'m>>) {
    for (name, state) in &machine.states {
        match &state.kind {
            Kind::Task(task) => tasks.push(TaskRef {
                name,
                resource: &task.resource,
            }),
            Kind::Map(map) => {
                let calls = map.resources();
                tasks.extend(calls.map(|resource| TaskRef { name, resource }));
            }
            _ => {}
        }
        for inner in state.machines() {
            gather(inner, tasks);
        }
    }
}

/// `outer`: the retrier that an error meets which the states of `machine` let pass.
fn gather_retried<'m>(
    machine: &'m Machine,
    error: &str,
    outer: Option<(&'m str, usize)>,
    found: &mut Vec<RetriedTask<'m>>,
) {
    for (name, state) in &machine.states {
        let ending = state.ending();
        let own = ending.and_then(|ending| ending.retrier_of(error));
        let own = own.map(|retrier| (name.as_str(), retrier));
        let caught = ending.is_some_and(|ending| ending.catches(error));
        let retrier = own.or_else(|| outer.filter(|_| !caught));
        if let (Kind::Task(task), Some((state, retrier))) = (&state.kind, retrier) {
            let resource = &task.resource;
            found.push(RetriedTask {
                task: TaskRef { name, resource },
                state,
                retrier,
            });
        }
        for inner in state.machines() {
            gather_retried(inner, error, retrier, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_can_be_shared() {
        fn sharable<T: Send + Sync + Clone>() {}
        sharable::<Definition>();
    }

    #[test]
    fn what_is_tried_again_is_found_in_states_and_around_them() {
        let task = |retry: &str, catch: &str| {
            format!(
                r#"{{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:ec2:runInstances","Retry":[{retry}],"Catch":[{catch}],"End":true}}"#
            )
        };
        let all = r#"{"ErrorEquals":["States.ALL"]}"#;
        let failed = r#"{"ErrorEquals":["States.TaskFailed"],"MaxAttempts":2}"#;
        let never = r#"{"ErrorEquals":["Gone"],"MaxAttempts":0}"#;
        let catch = r#"{"ErrorEquals":["Gone"],"Next":"T"}"#;
        let found = |inner: String, around: &str| {
            let text = format!(
                r#"{{"StartAt":"P","States":{{"P":{{"Type":"Parallel","End":true,"Retry":[{around}],"Branches":[{{"StartAt":"T","States":{{"T":{inner}}}}}]}}}}}}"#
            );
            let definition = Definition::parse(&text).unwrap();
            let retried = definition.retried("Gone");
            let found = retried.first().map(|r| (r.state.to_owned(), r.retrier));
            assert!(retried.len() < 2);
            found
        };
        let at = |state: &str, retrier| Some((state.to_owned(), retrier));
        assert_eq!(found(task(all, ""), ""), at("T", 0));
        assert_eq!(found(task(failed, ""), ""), at("T", 0));
        assert_eq!(found(task(&format!("{never},{all}"), ""), ""), None);
        assert_eq!(
            found(task(&format!("{failed},{never}"), ""), ""),
            at("T", 0)
        );
        assert_eq!(found(task(never, ""), all), at("P", 0));
        assert_eq!(found(task(never, ""), &format!("{never},{all}")), None);
        assert_eq!(found(task(never, catch), all), None);
        assert_eq!(found(task("", ""), ""), None);
    }
}
