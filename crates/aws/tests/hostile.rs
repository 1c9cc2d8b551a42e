//! The fuzz targets' bodies over their seeds and over mutations of them: no panic, and answers in proportion.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails so"
)]

#[path = "../../../fuzz/src/aws.rs"]
mod aws;
#[path = "../../../fuzz/src/mutations.rs"]
mod mutations;

const MUTATIONS: usize = 4_000;

#[test]
fn json() {
    mutations::run("aws_json", MUTATIONS, aws::json);
}

#[test]
fn xml() {
    mutations::run("aws_xml", MUTATIONS, aws::xml);
}

#[test]
fn query_xml() {
    mutations::run("aws_query_xml", MUTATIONS, aws::query_xml);
}

#[test]
fn cbor() {
    mutations::run("aws_cbor", MUTATIONS, aws::cbor);
}

#[test]
fn event_stream() {
    mutations::run("aws_eventstream", MUTATIONS, aws::event_stream);
}
