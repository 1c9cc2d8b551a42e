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

/// One Task state of a document.
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

    /// Every Task state, by name.
    pub fn tasks(&self) -> impl Iterator<Item = TaskRef<'_>> {
        self.0
            .machine
            .states
            .iter()
            .filter_map(|(name, state)| match &state.kind {
                Kind::Task(task) => Some(TaskRef {
                    name,
                    resource: &task.resource,
                }),
                _ => None,
            })
    }

    pub(crate) fn machine(&self) -> &Machine {
        &self.0.machine
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
