//! The fuzz targets' bodies over their seeds and over mutations of them: every finding is read or named, and nothing panics.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails so"
)]

#[path = "../../../fuzz/src/mutations.rs"]
mod mutations;
#[path = "../../../fuzz/src/normalize.rs"]
mod normalize;

const MUTATIONS: usize = 3_000;

#[test]
fn guardduty() {
    mutations::run("normalize_guardduty", MUTATIONS, normalize::guardduty);
}

#[test]
fn asff() {
    mutations::run("normalize_asff", MUTATIONS, normalize::asff);
}

#[test]
fn ocsf_v2() {
    mutations::run("normalize_ocsf_v2", MUTATIONS, normalize::ocsf_v2);
}

#[test]
fn other_findings() {
    mutations::run("normalize_findings", MUTATIONS, normalize::other_findings);
}
