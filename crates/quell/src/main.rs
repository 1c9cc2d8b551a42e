//! Quell: see `quell --help`.
fn main() {}
