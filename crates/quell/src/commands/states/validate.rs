//! `quell states validate`.

use std::path::PathBuf;

use clap::Args;
use quell_states::{Definition, Diagnostic, Severity, lint};
use serde::Serialize;

use super::shown;
use crate::catalog::Models;
use crate::commands::{Failure, Global};
use crate::input::{name, read, refuse_second_stdin};

const EXAMPLES: &str = "\
Examples:
  quell states validate workflow.asl.json
  quell states validate --strict playbooks/*/*.asl.json       exit code 1 for warnings too
  aws stepfunctions describe-state-machine --state-machine-arn ARN \\
    --query definition --output text | quell states validate --output json -

Errors are what Step Functions refuses, with its own codes. Warnings are doubts about a document that
runs: a Choice that takes no branch for some value, a task without a time limit, a secret in plain text,
an aws-sdk action or parameter that the service models do not have.";

/// Say all that is wrong or doubtful in documents; exit code 1 when one cannot run
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Validate {
    /// Files with a document each; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Exit code 1 when there are warnings
    #[arg(long)]
    strict: bool,
}

/// What was found in a file, as ValidateStateMachineDefinition says it.
#[derive(Serialize)]
struct Checked {
    file: String,
    /// `OK`, or `FAIL` when it cannot run.
    result: &'static str,
    diagnostics: Vec<Diagnostic>,
}

impl Validate {
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        refuse_second_stdin(&self.files);
        let mut checked = Vec::new();
        for file in &self.files {
            checked.push(check(name(file), &read(file)?));
        }
        let count = |severity| {
            let all = checked.iter().flat_map(|file| &file.diagnostics);
            all.filter(|found| found.severity == severity).count()
        };
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        let sum = format!("{errors} error(s), {warnings} warning(s)");
        global.output.print(&checked, |checked| {
            let found = checked.iter().flat_map(|file| {
                let found = file.diagnostics.iter();
                found.map(|found| shown(&file.file, found))
            });
            let mut out: Vec<String> = found.collect();
            out.push(format!("{} document(s), {sum}", checked.len()));
            out.join("\n")
        });
        if errors > 0 || (self.strict && warnings > 0) {
            return Err(Failure::Check(sum));
        }
        Ok(())
    }
}

fn check(file: String, text: &str) -> Checked {
    let (result, mut diagnostics) = match Definition::parse(text) {
        Ok(definition) => ("OK", definition.warnings().to_vec()),
        Err(diagnostics) => ("FAIL", diagnostics),
    };
    diagnostics.extend(lint(text, Some(&Models)));
    Checked {
        file,
        result,
        diagnostics,
    }
}
