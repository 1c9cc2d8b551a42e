//! `quell states`: check Amazon States Language documents, try their states, draw them.

mod graph;
mod mermaid;
mod mock;
mod simulate;
mod trial;
mod validate;

use std::path::Path;

use clap::Subcommand;
use quell_states::{Definition, Diagnostic, Severity};
use serde_json::Value;

use super::{Failure, Global};
use crate::input::{name, read};
use crate::output::safe;

/// Step Functions documents (Amazon States Language): check them, try a state or all, draw them
#[derive(Subcommand)]
pub enum StatesCommand {
    /// Say all that is wrong or doubtful in documents; exit code 1 when one cannot run
    Validate(validate::Validate),
    /// Run one state on an input, its work done by a mock; exit code 1 when the state fails
    Test(trial::Test),
    /// Run a whole document, the work of its tasks done by mocks; exit code 1 when it does not succeed
    Run(simulate::Simulate),
    /// Show the states of a document and where each leads
    Graph(graph::Graph),
}

impl StatesCommand {
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Validate(c) => c.run(global),
            Self::Test(c) => c.run(global),
            Self::Run(c) => c.run(global),
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

/// What there is of named texts, and the output below them.
fn named(texts: &[(&str, Option<&str>)], output: Option<&Value>) -> String {
    let given = texts
        .iter()
        .filter_map(|(name, text)| Some((name, (*text)?)));
    let mut lines: Vec<String> = given
        .map(|(name, text)| format!("{name:<8}{}", safe(text)))
        .collect();
    if let Some(output) = output {
        lines.push("output".to_owned());
        lines.push(serde_json::to_string_pretty(output).unwrap_or_default());
    }
    lines.join("\n")
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
