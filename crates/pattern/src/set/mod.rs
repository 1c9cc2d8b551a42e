//! Many patterns, matched together.

#[cfg(test)]
mod bounds;
mod part;
mod snapshot;

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::index::Fields;
use crate::pattern::Pattern;
use crate::scan::Paths;
use part::{Entry, Part};
pub use snapshot::{Scratch, Snapshot};

/// How many times more patterns than are new an old part must have to be left as it is.
const PART_RATIO: usize = 8;

/// Named patterns. A name matches when any pattern added under it does.
///
/// The set is for who changes it; [`Set::snapshot`] gives what events are matched against.
///
/// Patterns are compiled in parts, a few large and old ones and some small and new, so that a change costs little in a set
/// that has many already. A removed pattern is struck out, and gone when its part is compiled next.
#[derive(Debug, Clone)]
pub struct Set<N> {
    names: BTreeMap<N, HashMap<Arc<Pattern>, u64, RandomState>>,
    next_id: u64,
    /// Not compiled yet, in the order of their ids.
    new: Vec<Entry<N>>,
    /// From large to small.
    parts: Vec<Part<N>>,
    fields: Fields,
    paths: Arc<Paths>,
}

impl<N: Ord + Clone> Set<N> {
    /// A set without patterns.
    pub fn new() -> Self {
        Self {
            names: BTreeMap::new(),
            next_id: 0,
            new: Vec::new(),
            parts: Vec::new(),
            fields: Fields::default(),
            paths: Arc::new(Paths::new(std::iter::empty())),
        }
    }

    /// Adds a pattern under `name`, beside any already there. The same pattern under the same name counts once.
    pub fn add(&mut self, name: N, pattern: Pattern) {
        let pattern = Arc::new(pattern);
        let id = self.next_id;
        let patterns = self.names.entry(name.clone()).or_default();
        if patterns.contains_key(&pattern) {
            return;
        }
        patterns.insert(Arc::clone(&pattern), id);
        self.next_id += 1;
        self.new.push(Entry { id, name, pattern });
    }

    /// Removes every pattern of `name` and says how many there were.
    pub fn remove<Q: Ord + ?Sized>(&mut self, name: &Q) -> usize
    where
        N: Borrow<Q>,
    {
        let Some(patterns) = self.names.remove(name) else {
            return 0;
        };
        for id in patterns.values() {
            if let Ok(at) = self.new.binary_search_by_key(id, |entry| entry.id) {
                self.new.remove(at);
            } else {
                self.parts.iter_mut().any(|part| part.strike(*id));
            }
        }
        patterns.len()
    }

    /// The set as it is now, for matching. What is added or removed later does not change it.
    ///
    /// It compiles what is new. The time for that grows with the number of new patterns, and on average, over many
    /// changes, with the logarithm of the number of all.
    pub fn snapshot(&mut self) -> Snapshot<N> {
        self.compile();
        let parts = self.parts.iter().map(Part::shared).collect();
        Snapshot::new(Arc::clone(&self.paths), parts)
    }

    fn compile(&mut self) {
        let mut entries = std::mem::take(&mut self.new);
        for part in self.parts.extract_if(.., |part| part.is_mostly_struck()) {
            entries.extend(part.into_entries());
        }
        if entries.is_empty() {
            return;
        }
        while let Some(part) = self
            .parts
            .pop_if(|part| part.len() < PART_RATIO * entries.len())
        {
            entries.extend(part.into_entries());
        }
        if self.parts.is_empty() {
            // Every pattern is compiled anew, so that fields nobody asks for any more are forgotten.
            self.fields = Fields::default();
        }
        let fields_before = self.fields.len();
        entries.sort_unstable_by_key(|entry| entry.id);
        self.parts.push(Part::new(entries, &mut self.fields));
        if self.parts.len() == 1 || self.fields.len() > fields_before {
            self.paths = Arc::new(Paths::new(self.fields.iter()));
        }
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are no patterns.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

impl<N: Ord + Clone> Default for Set<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    #[test]
    fn a_name_matches_when_any_of_its_patterns_does_until_it_is_removed() {
        let event = br#"{"a": 2}"#;
        let mut scratch = Scratch::new();
        let mut set: Set<&str> = Set::new();
        assert!(
            set.is_empty()
                && set
                    .snapshot()
                    .matching(event, &mut scratch)
                    .unwrap()
                    .is_empty()
        );
        set.add("two", pattern(r#"{"a": [1]}"#));
        set.add("two", pattern(r#"{"a": [2]}"#));
        set.add("two", pattern(r#"{"a": [2]}"#));
        set.add("also", pattern(r#"{"a": [{"numeric": [">", 1]}]}"#));
        set.add("not", pattern(r#"{"b": [2]}"#));
        let before = set.snapshot();
        assert_eq!(
            before.matching(event, &mut scratch).unwrap(),
            [&"also", &"two"]
        );
        assert_eq!((set.remove("two"), set.remove("two"), set.len()), (2, 0, 2));
        assert_eq!(
            set.snapshot().matching(event, &mut scratch).unwrap(),
            [&"also"]
        );
        assert_eq!(
            before.matching(event, &mut scratch).unwrap(),
            [&"also", &"two"],
            "a snapshot stays as it was"
        );
    }

    #[test]
    fn what_one_value_is_refused_for_the_next_may_have() {
        let mut set = Set::new();
        set.add("inside", pattern(r#"{"a": [{"wildcard": "*abcd*x*"}]}"#));
        set.add("end", pattern(r#"{"a": [{"wildcard": "y*abcd"}]}"#));
        set.add(
            "case",
            pattern(r#"{"a": [{"equals-ignore-case": "stra\u00dfe"}]}"#),
        );
        let (snapshot, mut scratch) = (set.snapshot(), Scratch::new());
        let refused = r#""abcd abcd", "xabcd", "strasse""#;
        for (values, names) in [
            (r#""abcdx""#, &["inside"][..]),
            (r#""yabcd", "yabcd""#, &["end"]),
            (r#""STRASSE""#, &["case"]),
            (r#""STRASSE", "y abcd x abcd""#, &["case", "end", "inside"]),
            ("1", &[]),
        ] {
            let event = format!(r#"{{"a": [{refused}, {values}, {refused}]}}"#);
            let found = snapshot.matching(event.as_bytes(), &mut scratch).unwrap();
            assert!(found.into_iter().eq(names), "{values}");
        }
    }

    #[test]
    fn what_is_added_one_by_one_is_kept_in_few_parts() {
        let mut set = Set::new();
        let mut scratch = Scratch::new();
        for n in 0..500 {
            set.add(n, pattern(&format!(r#"{{"a": [{n}], "b{}": [1]}}"#, n % 7)));
            let snapshot = set.snapshot();
            let event = format!(r#"{{"a": [{n}, {}], "b{}": 1}}"#, n / 2, n % 7);
            let found = snapshot.matching(event.as_bytes(), &mut scratch).unwrap();
            assert_eq!(found.last(), Some(&&n));
            assert!(set.parts.len() <= 6, "{}", set.parts.len());
        }
    }

    #[test]
    fn what_is_removed_leaves_room() {
        let mut set = Set::new();
        for n in 0..1_000 {
            set.add(n, pattern(&format!(r#"{{"a": [{n}], "f{n}": [1]}}"#)));
        }
        set.snapshot();
        for n in 0..1_000 {
            set.remove(&n);
            if n % 10 == 0 {
                set.snapshot();
            }
        }
        set.add(1, pattern(r#"{"a": [1]}"#));
        set.snapshot();
        assert_eq!(
            (
                set.parts.iter().map(Part::len).sum::<usize>(),
                set.fields.len()
            ),
            (1, 1)
        );
    }

    #[test]
    fn a_snapshot_is_shared_between_threads() {
        fn shared<T: Send + Sync>(_: &T) {}
        shared(&Set::<String>::new().snapshot());
    }
}
