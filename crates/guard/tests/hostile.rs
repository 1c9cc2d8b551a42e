//! The fuzz target's body over its seeds and over mutations of them: no panic, and no grant out of nothing.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails so"
)]

#[path = "../../../fuzz/src/guard.rs"]
mod guard;
#[path = "../../../fuzz/src/mutations.rs"]
mod mutations;

const MUTATIONS: usize = 10_000;

#[test]
fn policies() {
    mutations::run("guard_policies", MUTATIONS, guard::policies);
}
