//! Detections: Sigma rules and EventBridge event patterns, from records to findings. Pure.
//!
//! A record is matched in two steps. One look at its bytes finds the few detections that could match
//! (`candidates`); their conditions then decide (`condition`), on a record that is read only where a rule asks (`tree`).

mod candidates;
mod condition;
mod content;
pub mod correlation;
mod engine;
mod envelope;
mod explain;
mod limits;
mod lint;
mod meaning;
mod memory;
mod rule;
mod sigma;
mod source;
mod tree;

#[cfg(test)]
mod engine_tests;

pub use content::{DetectionFile, Language};
pub use correlation::About;
pub use engine::{Detection, Engine, Said, Scratch};
pub use explain::{Clause, Explanation};
pub use lint::{Calls, Warning, WarningKind};
pub use memory::{Keeping, Stateful, Until};
pub use source::{Source, source};
