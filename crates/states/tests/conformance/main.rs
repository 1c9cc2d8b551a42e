//! The public conformance rows about Amazon States Language, JSONata and
//! JSONPath. The runner knows formats, never answers; nothing is counted as
//! passed because it was refused.
//!
//! A row that fails and is not in `exceptions.txt` fails the test.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in a test a panic is the failure"
)]

#[path = "../common/mod.rs"]
mod common;

mod compare;
mod documents;
mod executions;
mod jsonata;
mod jsonpath;
mod objects;
mod recording;
mod replay;
mod single_states;
mod tally;

use serde_json::{Value, json};
use std::path::PathBuf;

/// Another copy of the rows, if the test was pointed at one.
#[expect(
    clippy::disallowed_methods,
    reason = "a test may be pointed at another copy of the rows"
)]
fn other_folder() -> Option<PathBuf> {
    std::env::var("QUELL_CONFORMANCE").ok().map(PathBuf::from)
}

/// The text of a file of rows, or a note that it is not here.
fn text(file: &str) -> Option<String> {
    let usual = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/conformance");
    let folder = other_folder().unwrap_or_else(|| PathBuf::from(usual));
    if !folder.is_dir() {
        println!("{file}: the conformance rows are not here; set QUELL_CONFORMANCE");
        return None;
    }
    let path = folder.join(file);
    if !path.is_file() {
        println!("{file}: not in this folder");
        return None;
    }
    Some(std::fs::read_to_string(path).expect("the file can be read"))
}

/// The rows of a file, one JSON object a line.
fn rows(file: &str) -> Vec<Value> {
    let text = text(file).unwrap_or_default();
    text.lines()
        .map(|line| {
            serde_json::from_str(line).unwrap_or_else(|error| {
                assert!(line.contains("\\ud8"), "{error}: {line}");
                json!({ "unreadable": true })
            })
        })
        .collect()
}
