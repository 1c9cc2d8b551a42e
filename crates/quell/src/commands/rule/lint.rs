//! `quell rule lint`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use quell_aws::registry;
use quell_detect::{Calls, Warning};
use quell_model::Diagnostic;
use serde_json::{Value, json};

use super::records::rules;
use super::{Failure, Global};
use crate::output::safe;

/// Warn of rules that can never fire or fire for almost everything
///
/// Checked are: names of calls that no service has (from the service models, and a list of events that are no calls),
/// fields that no CloudTrail record has, conditions that contradict themselves, and rules without a call's name. Exit
/// code 1 when a rule does not load. Event patterns have `quell pattern lint`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  quell rule lint content/detections
  quell rule lint my-rule.yml --strict --output json")]
pub struct Lint {
    /// Sigma rules (.yml), or folders of them
    #[arg(required = true)]
    rules: Vec<PathBuf>,
    /// Exit code 1 when there are warnings
    #[arg(long)]
    strict: bool,
}

/// The calls of the built-in service models.
struct Models;

impl Calls for Models {
    fn calls(&self, source: &str) -> Option<BTreeSet<String>> {
        let wanted = source.strip_suffix(".amazonaws.com")?;
        let models = registry::SERVICES
            .iter()
            .filter_map(|name| registry::service(name).ok());
        // Several models are of one service for CloudTrail (elb and elbv2, ses and sesv2).
        let mut out = BTreeSet::new();
        for model in models.filter(|model| source_of(model.signing_name()) == wanted) {
            out.extend(model.operations.keys().cloned());
        }
        (!out.is_empty()).then_some(out)
    }
}

/// What CloudTrail calls a service, where it is not the name in signatures.
fn source_of(signing: &str) -> &str {
    match signing {
        "aws-marketplace" => "marketplace",
        other => other,
    }
}

impl Lint {
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let (mut found, mut faults): (Vec<(String, Warning)>, Vec<Diagnostic>) =
            (Vec::new(), Vec::new());
        let mut count = 0;
        for path in &self.rules {
            for (_, file) in rules(path)? {
                count += 1;
                match file.lint(&Models) {
                    Ok(warnings) => {
                        found.extend(warnings.into_iter().map(|w| (file.path.clone(), w)))
                    }
                    Err(mut more) => faults.append(&mut more),
                }
            }
        }
        let warning = |(file, w): &(String, Warning)| json!({"file": file, "kind": w.kind, "selection": w.selection, "message": w.message, "help": w.help});
        let warnings: Vec<Value> = found.iter().map(warning).collect();
        let value = json!({"rules": count, "warnings": warnings, "faults": faults});
        global.output.print(&value, |_| {
            let kind = |w: &Warning| {
                serde_json::to_value(w.kind)
                    .ok()
                    .and_then(|v| Some(v.as_str()?.to_owned()))
                    .unwrap_or_default()
            };
            let line = |(file, w): &(String, Warning)| {
                let place = if w.selection.is_empty() {
                    String::new()
                } else {
                    format!(" in «{}»", w.selection)
                };
                let help = w
                    .help
                    .as_ref()
                    .map(|help| format!(" ({help})"))
                    .unwrap_or_default();
                safe(&format!("{file}: {}{place}: {}{help}", kind(w), w.message))
            };
            let mut out: Vec<String> = faults
                .iter()
                .map(|fault| safe(&fault.to_string()))
                .collect();
            out.extend(found.iter().map(line));
            out.push(format!(
                "{count} rule(s), {} warning(s), {} fault(s)",
                found.len(),
                faults.len()
            ));
            out.join("\n")
        });
        match (faults.len(), found.len()) {
            (0, 0) => Ok(()),
            (0, _) if !self.strict => Ok(()),
            (0, warnings) => Err(Failure::Check(format!("{warnings} warning(s)"))),
            (faults, _) => Err(Failure::Check(format!("{faults} fault(s)"))),
        }
    }
}
