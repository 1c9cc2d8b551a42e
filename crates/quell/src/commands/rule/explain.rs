//! `quell rule explain`.

use std::path::PathBuf;

use clap::Args;
use quell_detect::{Clause, Explanation};
use serde_json::{Value, json};

use super::records::{only_records, rule, rules};
use super::{Failure, Global};
use crate::output::table;

/// Say, field by field, why a rule matched a record or what stopped it; exit code 1 when one does not match
#[derive(Args)]
#[command(after_help = "\
Examples:
  quell rule explain content/detections/aws/cloudtrail/logging-stopped.yml record.json
  quell rule explain my-rule.yml - < record.json")]
pub struct Explain {
    /// A Sigma rule (.yml) or an event pattern (.pattern.json)
    rule: PathBuf,
    /// The file with the record, or several; - is standard input
    #[arg(default_value = "-")]
    record: PathBuf,
}

impl Explain {
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let files = rules(&self.rule)?;
        let [(_, file)] = files.as_slice() else {
            return Err(Failure::Usage(
                "name one rule, not a folder of them".to_owned(),
            ));
        };
        let rule = rule(file)?;
        let explained: Vec<Explanation> = only_records(&self.record)?
            .iter()
            .map(|record| rule.explain(record))
            .collect();
        let value: Vec<Value> = explained
            .iter()
            .zip(1..)
            .map(
                |(e, record)| json!({"record": record, "matches": e.matches, "clauses": e.clauses}),
            )
            .collect();
        global.output.print(&value, |_| {
            let shown: Vec<String> = explained.iter().zip(1..).map(|(e, n)| text(n, e)).collect();
            shown.join("\n\n")
        });
        match explained.iter().filter(|e| !e.matches).count() {
            0 => Ok(()),
            n => Err(Failure::Check(format!(
                "{n} of {} record(s) do not match",
                explained.len()
            ))),
        }
    }
}

/// What a record has is shown so far: a policy document can be long.
const FOUND_CHARS_MAX: usize = 80;

fn text(record: usize, explanation: &Explanation) -> String {
    let row = |clause: &Clause| {
        let selection = match clause.alternative {
            0 => clause.selection.clone(),
            n => format!("{} ({n})", clause.selection),
        };
        let selection = if clause.negated {
            format!("not {selection}")
        } else {
            selection
        };
        let found = clause
            .found
            .as_ref()
            .map(Value::to_string)
            .unwrap_or_default();
        let mut short: String = found.chars().take(FOUND_CHARS_MAX).collect();
        if short.len() < found.len() {
            short.push('…');
        }
        let verdict = if clause.matches {
            "matches"
        } else {
            clause.stop.as_str()
        };
        vec![
            selection,
            clause.field.clone(),
            clause.wanted.clone(),
            short,
            verdict.to_owned(),
        ]
    };
    let word = if explanation.matches {
        "matches"
    } else {
        "does not match"
    };
    let fields = table(
        &["selection", "field", "wanted", "found", "verdict"],
        explanation.clauses.iter().map(row),
    );
    format!("record {record} {word}\n{fields}")
}
