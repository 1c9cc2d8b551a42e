//! `quell states`: check Amazon States Language documents, try their states, draw them.

mod graph;
mod mermaid;
mod trial;
mod validate;

use std::path::Path;

use clap::Subcommand;
use quell_states::{Definition, Diagnostic, Severity};

use super::{Failure, Global};
use crate::input::{name, read};
use crate::output::safe;

/// Step Functions documents (Amazon States Language): check them, try one state, draw them
#[derive(Subcommand)]
pub enum StatesCommand {
    /// Say all that is wrong or doubtful in documents; exit code 1 when one cannot run
    Validate(validate::Validate),
    /// Run one state on an input, its work done by a mock; exit code 1 when the state fails
    Test(trial::Test),
    /// Show the states of a document and where each leads
    Graph(graph::Graph),
}

impl StatesCommand {
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Validate(c) => c.run(global),
            Self::Test(c) => c.run(global),
            Self::Graph(c) => c.run(global),
        }
    }
}

/// A document that can run.
fn load(file: &Path) -> Result<Definition, Failure> {
    let parsed = Definition::parse(&read(file)?);
    parsed.map_err(|diagnostics| {
        let errors = diagnostics
            .iter()
            .filter(|found| found.severity == Severity::Error);
        let shown: Vec<String> = errors.map(|found| shown(&name(file), found)).collect();
        Failure::Setup(shown.join("\n"))
    })
}

/// A diagnostic, for people: the file and the place, what is wrong, and the mend below it.
fn shown(file: &str, found: &Diagnostic) -> String {
    let severity = match found.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let place = match found.location.as_str() {
        "" => "/",
        place => place,
    };
    let text = format!("{file}: {severity} at {place}: {} ", found.message);
    let mut out = safe(text.trim_end()) + &format!(" [{}]", found.code);
    if let Some(help) = &found.help {
        out.push_str(&format!("\n  {}", safe(help)));
    }
    out
}
