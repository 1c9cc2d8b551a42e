//! One pattern.

use std::sync::Arc;

use crate::compile;
use crate::error::{EventError, PatternError};
use crate::evaluate;
use crate::event::Event;
use crate::explain::Explanation;
use crate::matcher::Matcher;

/// A compiled event pattern.
///
/// Follows the Amazon EventBridge User Guide ("Comparison operators for use in event patterns") and, where that is
/// silent, what AWS answers and what aws/event-ruler does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    pub(crate) branches: Vec<Branch>,
    pub(crate) replaced: Vec<Replaced>,
}

/// One combination of `$or` alternatives: conditions that must all hold, in the order of their names as UTF-16.
pub(crate) type Branch = Vec<Condition>;

/// A field, and what its value may be: any of these.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Condition {
    pub(crate) path: Arc<str>,
    pub(crate) matchers: Arc<[Matcher]>,
}

/// A list that counts for nothing, because a later one of the same field replaced it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Replaced {
    pub(crate) path: Arc<str>,
    pub(crate) first: Arc<[Matcher]>,
    pub(crate) last: Arc<[Matcher]>,
}

impl Pattern {
    /// Compiles the JSON text of a pattern.
    ///
    /// # Errors
    ///
    /// When EventBridge would refuse the pattern; the error says why in AWS's words, and where.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        compile::compile(text).map(|compiled| Self {
            branches: compiled.branches,
            replaced: compiled.replaced,
        })
    }

    /// Whether `event` matches. An event crafted to pass [`crate::STEPS_MAX`] or
    /// [`crate::CHOICES_MAX`] does not.
    pub fn matches(&self, event: &Event) -> bool {
        self.branches
            .iter()
            .any(|branch| evaluate::holds(branch, event))
    }

    /// Why `event` matches, or what stops it. The verdict is always that of [`Pattern::matches`].
    pub fn explain(&self, event: &Event) -> Explanation {
        Explanation::new(&self.branches, event)
    }

    /// Whether the event with this JSON text matches. To match one event against several patterns, parse it once.
    ///
    /// # Errors
    ///
    /// When [`Event::parse`] fails.
    pub fn matches_json(&self, event_json: &str) -> Result<bool, EventError> {
        Event::parse(event_json.as_bytes()).map(|event| self.matches(&event))
    }
}
