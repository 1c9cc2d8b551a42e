#![doc = include_str!("../README.md")]

mod address;
mod compile;
mod error;
mod evaluate;
mod event;
mod explain;
mod fold;
mod index;
mod json;
mod limits;
mod lint;
mod matcher;
mod number;
mod pattern;
mod scan;
mod set;
mod transform;
mod wildcard;
mod words;
mod write;

pub use error::{EventError, Fault, PatternError, Place};
pub use event::Event;
pub use explain::{Combination, Explanation, Field, Seen, Stop};
pub use json::{JsonError, JsonFault};
pub use limits::{
    BRANCHES_MAX, CHOICES_MAX, COMPLEXITY_MAX, EVENT_DEPTH_MAX, FIELDS_MAX, INPUT_PATH_CHARS_MAX,
    INPUT_TEMPLATE_CHARS_MAX, INPUT_VARIABLES_MAX, PATTERN_DEPTH_MAX, SEEN_MAX, STEPS_MAX,
};
pub use lint::{Kind, Warning, lint};
pub use pattern::Pattern;
pub use set::{Scratch, Set, Snapshot};
pub use transform::{Context, TransformError, Transformer};
