//! The fuzz targets' bodies over their seeds and over mutations of them: no panic, and one answer of both forms.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails so"
)]

#[path = "../../../fuzz/src/mutations.rs"]
mod mutations;
#[path = "../../../fuzz/src/pattern.rs"]
mod pattern;

const MUTATIONS: usize = 10_000;

#[test]
fn text() {
    mutations::run("pattern_text", MUTATIONS, pattern::text);
}

#[test]
fn event() {
    mutations::run("pattern_event", MUTATIONS, pattern::event);
}
