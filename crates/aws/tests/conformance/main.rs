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
mod endpoints;
mod rows;
mod signing;
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
    run_as(file, file, case);
}

/// As `run`, with its own name in the row, where another crate runs the same file.
fn run_as(name: &str, file: &str, case: impl Fn(&serde_json::Value) -> tally::Outcome) {
    let Some(folder) = folder() else { return };
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let mut tally = Tally::new(name);
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

#[test]
fn aws_endpoints() {
    let endpoints = endpoints::Endpoints::new();
    run("aws-endpoints.jsonl", |row| endpoints.case(row));
}

#[test]
fn sigv4_suite() {
    run_as(
        "sigv4-suite.jsonl, signing",
        "sigv4-suite.jsonl",
        signing::suite_case,
    );
}

#[test]
fn sigv4() {
    run_as("sigv4.jsonl, signing", "sigv4.jsonl", signing::classic_case);
}
