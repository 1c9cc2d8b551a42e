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

/// Runs the cases of `dir`; with `only`, prints the row of that file alone, and with `show`, so many failures.
///
/// # Errors
/// Which runner failed.
pub fn run(dir: &Path, only: Option<&str>, show: usize) -> Result<(), String> {
    let dir = dir
        .canonicalize()
        .map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut seen = BTreeSet::new();
    let mut failed = Vec::new();
    for (package, target) in RUNNERS {
        let mut shown = 0;
        let out = Command::new("cargo")
            .args(["test", "--quiet", "--package", package])
            .args(*target)
            .args(["--", "--nocapture", "--test-threads=1"])
            .env("QUELL_CONFORMANCE", &dir)
            .output()
            .map_err(|e| format!("cargo: {e}"))?;
        let text = String::from_utf8_lossy(&out.stdout).into_owned()
            + &String::from_utf8_lossy(&out.stderr);
        for line in text.lines().map(|l| l.trim_start_matches('.')) {
            let row = line
                .split_once(": passed")
                .and_then(|(name, _)| name.split(',').next());
            match row {
                Some(file) => {
                    if has_failures(line) {
                        failed.push(*package);
                    }
                    seen.insert(file.trim().to_owned());
                    if only.is_none_or(|only| only == file.trim()) {
                        println!("{line}");
                    }
                }
                None if !out.status.success() && shown < show && !line.is_empty() => {
                    println!("  {line}");
                    shown += 1;
                }
                None => {}
            }
        }
        if !out.status.success() {
            failed.push(*package);
        }
        failed.dedup();
    }
    for file in unseen(&dir, &seen)? {
        println!("{file}: no runner yet");
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("failed: {}", failed.join(", "))),
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
    fn a_row_with_a_failure_is_one() {
        assert!(has_failures("a.jsonl: passed 454, failed 14, skipped 34"));
        assert!(!has_failures(
            "a.jsonl, history: passed 2, failed 0, skipped 1 (why)"
        ));
    }
}
