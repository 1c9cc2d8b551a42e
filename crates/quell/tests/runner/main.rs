//! The durable runner, with a small world of its own and the SQLite store: crashes at every point, failures of every
//! task, clocks that jump, tokens, cancelling, fairness.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test says what is wrong by failing"
)]

mod crashing;
mod documents;
mod lab;
mod world;

mod cancels;
mod clocks;
mod failures;
mod fairness;
mod matrix;
mod people;
mod tokens;
