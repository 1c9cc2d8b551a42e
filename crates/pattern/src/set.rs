//! Many patterns, matched together.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use crate::event::Event;
use crate::pattern::Pattern;

/// Named patterns. A name matches when any pattern added under it does.
#[derive(Debug, Clone)]
pub struct Set<N> {
    patterns: BTreeMap<N, Vec<Pattern>>,
}

impl<N: Ord> Set<N> {
    /// A set without patterns.
    pub fn new() -> Self {
        Self {
            patterns: BTreeMap::new(),
        }
    }

    /// Adds a pattern under `name`, beside any already there. The same pattern under the same name counts once.
    pub fn add(&mut self, name: N, pattern: Pattern) {
        let patterns = self.patterns.entry(name).or_default();
        if !patterns.contains(&pattern) {
            patterns.push(pattern);
        }
    }

    /// Removes every pattern of `name` and says how many there were.
    pub fn remove<Q: Ord + ?Sized>(&mut self, name: &Q) -> usize
    where
        N: Borrow<Q>,
    {
        self.patterns
            .remove(name)
            .map_or(0, |patterns| patterns.len())
    }

    /// The names `event` matches, in their order.
    pub fn matching(&self, event: &Event) -> Vec<&N> {
        let matches = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(event));
        self.patterns
            .iter()
            .filter(|(_, patterns)| matches(patterns))
            .map(|(name, _)| name)
            .collect()
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.patterns.len()
    }

    /// Whether there are no patterns.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }
}

impl<N: Ord> Default for Set<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_matches_when_any_of_its_patterns_does_until_it_is_removed() {
        let pattern = |text: &str| Pattern::parse(text).unwrap();
        let event = Event::parse(br#"{"a": 2}"#).unwrap();
        let mut set: Set<&str> = Set::new();
        assert!(set.is_empty() && set.matching(&event).is_empty());
        set.add("two", pattern(r#"{"a": [1]}"#));
        set.add("two", pattern(r#"{"a": [2]}"#));
        set.add("two", pattern(r#"{"a": [2]}"#));
        set.add("also", pattern(r#"{"a": [{"numeric": [">", 1]}]}"#));
        set.add("not", pattern(r#"{"b": [2]}"#));
        assert_eq!(set.matching(&event), [&"also", &"two"]);
        assert_eq!((set.remove("two"), set.remove("two"), set.len()), (2, 0, 2));
        assert_eq!(set.matching(&event), [&"also"]);
    }
}
