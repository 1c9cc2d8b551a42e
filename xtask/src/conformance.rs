//! `cargo xtask conformance DIR`: every crate's conformance test on a folder of cases, and a row for each file.
//!
//! The crates' own tests know how to run a case; this only points them at the folder and gathers their rows.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// The crates with a test target that runs cases, and the name of that target (`None`: unit tests by name).
const RUNNERS: &[(&str, &[&str])] = &[
    ("quell-pattern", &["--test", "conformance"]),
    ("quell-states", &["--test", "conformance"]),
    ("quell-aws", &["--test", "conformance"]),
    ("quell-server", &["--lib", "sigv4"]),
];

/// Runs the cases of `dir`; with `only`, the row of that file alone is printed and counts. Of a runner that fails, `show`
/// lines of what it says are printed.
///
/// # Errors
/// Which runner failed, or that no runner has a row for `only`.
pub fn run(dir: &Path, only: Option<&str>, show: usize) -> Result<(), String> {
    let dir = dir
        .canonicalize()
        .map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut seen = BTreeSet::new();
    let mut failed = Vec::new();
    for (package, target) in RUNNERS {
        let (text, is_fine) = output_of(package, target, &dir)?;
        let told = Told::of(&text);
        let wanted = |file: &str| only.is_none_or(|only| only == file);
        let rows: Vec<_> = told.rows.iter().filter(|row| wanted(row.file)).collect();
        for row in &rows {
            println!("{}", row.text);
            row.notes.iter().for_each(|note| println!("{note}"));
        }
        let is_failed = rows.iter().any(|row| has_failures(row.text));
        // Whether it is the wanted file that fails, the process does not say; its row does.
        if is_failed || (!is_fine && only.is_none()) {
            failed.push(*package);
            let others = told.others.iter().take(show);
            others.for_each(|line| println!("  {line}"));
        }
        seen.extend(rows.iter().map(|row| row.file.to_owned()));
    }
    match only {
        Some(only) if !seen.contains(only) => return Err(format!("{only}: no runner has a row")),
        Some(_) => {}
        None => {
            for file in unseen(&dir, &seen)? {
                println!("{file}: no runner yet");
            }
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("failed: {}", failed.join(", "))),
    }
}

/// What the runner of a crate says, and whether it ended well.
fn output_of(package: &str, target: &[&str], dir: &Path) -> Result<(String, bool), String> {
    let out = Command::new("cargo")
        .args(["test", "--quiet", "--package", package])
        .args(target)
        .args(["--", "--nocapture", "--test-threads=1"])
        .env("QUELL_CONFORMANCE", dir)
        .output()
        .map_err(|e| format!("cargo: {e}"))?;
    let text = [out.stdout, out.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok((text.concat(), out.status.success()))
}

/// What a runner said: the rows, and everything else.
#[derive(Default)]
struct Told<'a> {
    rows: Vec<Row<'a>>,
    others: Vec<&'a str>,
}

/// A row of a file, with the indented lines below it: the reasons of what was skipped.
struct Row<'a> {
    file: &'a str,
    text: &'a str,
    notes: Vec<&'a str>,
}

impl<'a> Told<'a> {
    fn of(text: &'a str) -> Self {
        let mut told = Self::default();
        let mut is_below_row = false;
        for text in text.lines().map(|line| line.trim_start_matches('.')) {
            let name = text.split_once(": passed").map(|(name, _)| name);
            let file = name.and_then(|name| name.split(',').next());
            is_below_row = file.is_some() || (is_below_row && text.starts_with("  "));
            match (file.map(str::trim), told.rows.last_mut()) {
                (Some(file), _) => told.rows.push(Row {
                    file,
                    text,
                    notes: Vec::new(),
                }),
                (None, Some(row)) if is_below_row => row.notes.push(text),
                _ if text.is_empty() => {}
                _ => told.others.push(text),
            }
        }
        told
    }
}

/// Whether a row says that something failed. A crate's own test lets its listed exceptions pass; this does not.
fn has_failures(row: &str) -> bool {
    let count = row
        .split_once("failed ")
        .map(|(_, rest)| rest.split(',').next().unwrap_or_default());
    count.is_some_and(|n| n.trim() != "0")
}

/// Files of cases that no runner gave a row for: said, so that nobody takes silence for success.
fn unseen(dir: &Path, seen: &BTreeSet<String>) -> Result<BTreeSet<String>, String> {
    let entries = std::fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let names = entries.filter_map(|e| e.ok()?.file_name().into_string().ok());
    let cases = names.filter(|n| n.ends_with(".jsonl") || n.ends_with("-cts.json"));
    Ok(cases.filter(|n| !seen.contains(n)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_from_the_rest() {
        let told = Told::of(
            "running\n..a.jsonl: passed 1, failed 0\n  skipped 3: why\nb.jsonl, signing: passed 2, failed 0\n\n  at x",
        );
        let files: Vec<&str> = told.rows.iter().map(|row| row.file).collect();
        assert_eq!(files, ["a.jsonl", "b.jsonl"]);
        assert_eq!(told.rows[0].text, "a.jsonl: passed 1, failed 0");
        assert_eq!(told.rows[0].notes, ["  skipped 3: why"]);
        assert_eq!(told.others, ["running", "  at x"]);
    }

    #[test]
    fn a_row_with_a_failure_is_one() {
        assert!(has_failures("a.jsonl: passed 454, failed 14, skipped 34"));
        assert!(!has_failures(
            "a.jsonl, history: passed 2, failed 0, skipped 1 (why)"
        ));
    }
}
