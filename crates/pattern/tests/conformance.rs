//! Runs the public conformance cases for event patterns against this crate.

#[path = "conformance/runner.rs"]
mod runner;

use std::path::PathBuf;

const FILES: [&str; 3] = [
    "event-patterns-aws-validated.jsonl",
    "event-patterns-ruler.jsonl",
    "event-patterns-ruler-multi.jsonl",
];

#[test]
fn conforms() {
    let beside = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/conformance"
    ));
    let folder = std::env::var_os("QUELL_CONFORMANCE").map_or(beside, PathBuf::from);
    let exceptions = runner::exceptions(include_str!("exceptions.txt"));
    let mut failures = Vec::new();
    for file in FILES {
        let Ok(text) = std::fs::read_to_string(folder.join(file)) else {
            println!("{file}: not there, not run");
            continue;
        };
        let report = runner::run_file(&text, &exceptions);
        let (passed, failed, skipped) = (report.passed, report.failures.len(), &report.skipped);
        println!(
            "{file}: passed {passed}, failed {failed}, skipped {}",
            skipped.len()
        );
        skipped
            .iter()
            .for_each(|(id, reason)| println!("  skipped {id}: {reason}"));
        failures.extend(report.failures);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
