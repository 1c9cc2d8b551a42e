//! Counting, against the list of known exceptions.

use std::collections::BTreeMap;

/// How a case ended.
pub(crate) enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

/// `id: reason` lines.
const EXCEPTIONS: &str = include_str!("exceptions.txt");

pub(crate) struct Tally {
    file: String,
    exceptions: BTreeMap<&'static str, &'static str>,
    passed: usize,
    excepted: usize,
    failed: Vec<String>,
    skipped: BTreeMap<String, usize>,
}

impl Tally {
    pub(crate) fn new(file: &str) -> Self {
        let lines = EXCEPTIONS.lines().filter(|l| !l.starts_with('#'));
        Self {
            file: file.to_owned(),
            exceptions: lines.filter_map(|l| l.split_once(": ")).collect(),
            passed: 0,
            excepted: 0,
            failed: Vec::new(),
            skipped: BTreeMap::new(),
        }
    }

    pub(crate) fn count(&mut self, id: &str, outcome: Outcome) {
        match (outcome, self.exceptions.contains_key(id)) {
            (Outcome::Passed, false) => self.passed += 1,
            (Outcome::Passed, true) => self
                .failed
                .push(format!("{id}: passes, but is an exception")),
            (Outcome::Failed(why), false) => self.failed.push(format!("{id}: {why}")),
            (Outcome::Failed(_), true) => self.excepted += 1,
            (Outcome::Skipped(why), _) => *self.skipped.entry(why).or_default() += 1,
        }
    }

    /// Prints the row, and fails when a case did.
    pub(crate) fn finish(self) {
        let skipped: usize = self.skipped.values().sum();
        println!(
            "{}: passed {}, failed {}, skipped {skipped}",
            self.file,
            self.passed,
            self.failed.len() + self.excepted
        );
        println!("  known exceptions among the failed: {}", self.excepted);
        for (why, count) in &self.skipped {
            println!("  skipped {count}: {why}");
        }
        assert!(
            self.failed.is_empty(),
            "{}\n{}",
            self.file,
            self.failed.join("\n")
        );
        assert!(self.passed > 0, "{} has no case that is run", self.file);
    }
}
