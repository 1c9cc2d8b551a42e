#![doc = include_str!("../README.md")]

mod address;
mod compile;
mod error;
mod evaluate;
mod event;
mod fold;
mod json;
mod limits;
mod matcher;
mod number;
mod pattern;
mod set;
mod wildcard;

pub use error::{EventError, Fault, PatternError, Place};
pub use event::Event;
pub use json::{JsonError, JsonFault};
pub use limits::{
    BRANCHES_MAX, CHOICES_MAX, COMPLEXITY_MAX, EVENT_DEPTH_MAX, FIELDS_MAX, PATTERN_DEPTH_MAX,
    STEPS_MAX,
};
pub use pattern::Pattern;
pub use set::Set;
