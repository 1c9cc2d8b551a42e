//! From text to a checked machine.

pub(crate) mod fields;
pub(crate) mod graph;
pub(crate) mod json;
pub(crate) mod machine;
mod names;
pub(crate) mod walk;
