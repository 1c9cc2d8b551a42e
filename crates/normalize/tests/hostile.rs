//! The fuzz targets' bodies over their seeds and over mutations of them: no panic, no line lost, and answers in proportion.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails so"
)]

#[path = "../../../fuzz/src/mutations.rs"]
mod mutations;
#[path = "../../../fuzz/src/normalize.rs"]
mod normalize;

const MUTATIONS: usize = 4_000;

#[test]
fn flow() {
    mutations::run("normalize_flow", MUTATIONS, normalize::flow);
}

#[test]
fn parquet() {
    mutations::run("normalize_parquet", 4 * MUTATIONS, normalize::parquet);
}

#[test]
fn dns() {
    mutations::run("normalize_dns", MUTATIONS, normalize::dns);
}

#[test]
fn unpacked() {
    mutations::run("normalize_gunzip", MUTATIONS / 10, normalize::unpacked);
}
