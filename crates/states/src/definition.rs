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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_can_be_shared() {
        fn sharable<T: Send + Sync + Clone>() {}
        sharable::<Definition>();
    }
}
