//! From text to a checked machine.

pub(crate) mod fields;
mod graph;
mod json;
pub(crate) mod machine;
mod names;
