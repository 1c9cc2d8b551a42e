//! The fuzz targets' bodies over their seeds and over mutations of them: no panic, and one answer of all forms.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails so"
)]

#[path = "../../../fuzz/src/detect.rs"]
mod detect;
#[path = "../../../fuzz/src/mutations.rs"]
mod mutations;

const MUTATIONS: usize = 3_000;

#[test]
fn sigma() {
    mutations::run("detect_sigma", MUTATIONS, detect::sigma);
}

#[test]
fn cloudtrail() {
    mutations::run("detect_cloudtrail", MUTATIONS, detect::cloudtrail);
}
