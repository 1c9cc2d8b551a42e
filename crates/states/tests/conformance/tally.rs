//! Counting, against the list of known exceptions.

use crate::other_folder;
use serde_json::Value;
use std::collections::BTreeMap;

/// `id => reason` lines.
const EXCEPTIONS: &str = include_str!("exceptions.txt");

/// What became of one row.
pub(crate) enum Verdict {
    Pass,
    Fail(String),
    Skip(&'static str),
}

impl From<Result<(), String>> for Verdict {
    fn from(outcome: Result<(), String>) -> Verdict {
        match outcome {
            Ok(()) => Verdict::Pass,
            Err(why) => Verdict::Fail(why),
        }
    }
}

/// What became of the rows of one file, or of one kind of them.
#[derive(Default)]
pub(crate) struct Report {
    passed: usize,
    failed: Vec<(String, String)>,
    skipped: BTreeMap<String, usize>,
}

impl Report {
    /// Checks the rows, prints what became of them, and fails when one did.
    pub(crate) fn run(name: &str, rows: &[Value], check: impl Fn(&Value) -> Verdict) {
        let mut report = Report::default();
        for row in rows {
            let id = row["id"].as_str().unwrap_or_default().to_owned();
            let verdict = match row["unreadable"] == true {
                true => Verdict::Skip("holds half a surrogate pair, which is no Unicode text"),
                false => check(row),
            };
            match verdict {
                Verdict::Pass => report.passed += 1,
                Verdict::Skip(why) => report.skip(why.to_owned()),
                Verdict::Fail(why) => match exception(&id) {
                    Some(reason) => report.skip(format!("known: {reason}")),
                    None => report.failed.push((id, why)),
                },
            }
        }
        report.print(name);
        assert!(report.failed.is_empty(), "failed: {:#?}", report.failed);
        let usual = !rows.is_empty() && other_folder().is_none();
        assert!(!usual || report.passed > 0, "{name}: nothing ran");
    }

    fn skip(&mut self, why: String) {
        *self.skipped.entry(why).or_default() += 1;
    }

    fn print(&self, name: &str) {
        let skipped: usize = self.skipped.values().sum();
        println!(
            "{name}: passed {}, failed {}, skipped {skipped}",
            self.passed,
            self.failed.len()
        );
        for (why, count) in &self.skipped {
            println!("    skipped {count}: {why}");
        }
        for (id, why) in &self.failed {
            println!("    FAILED {id}: {why}");
        }
    }
}

/// Why a row is known to differ.
fn exception(id: &str) -> Option<&'static str> {
    EXCEPTIONS
        .lines()
        .filter_map(|line| line.split_once(" => "))
        .find(|(known, _)| *known == id)
        .map(|(_, reason)| reason)
}
