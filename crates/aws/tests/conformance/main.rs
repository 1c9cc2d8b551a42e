//! The protocol cases of the conformance folder (`QUELL_CONFORMANCE`, or `../shared/conformance` beside the
//! workspace), and botocore's recorded XML answers. The runner knows formats, never answers.
//!
//! A case that fails and is not in `exceptions.txt` fails the test; so does an exception that passes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails so"
)]

mod cbor;
mod compare;
mod rows;
mod tally;
mod xml;

use std::path::PathBuf;

use tally::Tally;

fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("QUELL_CONFORMANCE").map(PathBuf::from);
    let beside = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/conformance"
    ));
    let folder = named.unwrap_or(beside);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no conformance cases; set QUELL_CONFORMANCE to their folder");
    None
}

fn run(file: &str, case: impl Fn(&serde_json::Value) -> tally::Outcome) {
    let Some(folder) = folder() else { return };
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let mut tally = Tally::new(file);
    for line in text.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let outcome = case(&row);
        tally.count(row["id"].as_str().unwrap_or("?"), outcome);
    }
    tally.finish();
}

#[test]
fn aws_protocols() {
    run("aws-protocols.jsonl", rows::protocol_case);
}

#[test]
fn aws_protocols_xml() {
    run("aws-protocols-xml.jsonl", rows::recorded_case);
}
