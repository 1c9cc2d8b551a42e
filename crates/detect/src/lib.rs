//! Detections: Sigma rules and EventBridge event patterns, from records to findings. Pure.
//!
//! A record is matched in two steps. Its call finds the few detections that could match (`candidates`); their conditions
//! then decide (`program`), on the record's text (`tree`): what several of them ask is answered once.

mod assess;
pub mod baseline;
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
pub mod network;
mod program;
mod rule;
mod sigma;
mod source;
mod text;
mod tree;

#[cfg(test)]
mod engine_tests;

pub use assess::{Assessed, Came, Matched, about};
pub use content::{DetectionFile, Language};
pub use correlation::About;
pub use engine::{Detection, Engine, Scratch};
pub use explain::{Clause, Explanation};
pub use lint::{Calls, Warning, WarningKind};
pub use memory::{Keeping, Remembers, Stateful, Until};
pub use source::{Source, source};
