//! Lists of the conditions that a key stands for.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;

/// A list by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Posting(u32);

/// A map from what an event's value has to a list.
pub(crate) type Keys<K> = HashMap<K, Posting, RandomState>;

/// What a key tells of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// The value is accepted.
    Certain(u32),
    /// The check of this number must be made.
    Check(u32),
}

/// All lists, one after the other in one vector. Only the certain targets of a list come before its middle.
#[derive(Debug, Default)]
pub(crate) struct Postings {
    targets: Vec<u32>,
    bounds: Vec<Bounds>,
}

#[derive(Debug, Clone, Copy)]
struct Bounds {
    start: u32,
    middle: u32,
    end: u32,
}

impl Postings {
    /// How many lists there are.
    pub(crate) fn len(&self) -> usize {
        self.bounds.len()
    }

    /// All lists.
    pub(crate) fn all(&self) -> impl Iterator<Item = Posting> {
        (0..number(self.bounds.len())).map(Posting)
    }

    /// Makes a list of each run of equal keys, after sorting.
    pub(crate) fn group<K: Ord>(&mut self, mut pairs: Vec<(K, Target)>) -> Vec<(K, Posting)> {
        pairs.sort_unstable();
        pairs.dedup();
        let mut groups: Vec<(K, Posting)> = Vec::new();
        for (key, target) in pairs {
            if groups.last().is_none_or(|(last, _)| *last != key) {
                let start = number(self.targets.len());
                groups.push((key, Posting(number(self.bounds.len()))));
                self.bounds.push(Bounds {
                    start,
                    middle: start,
                    end: start,
                });
            }
            let (target, is_certain) = match target {
                Target::Certain(condition) => (condition, true),
                Target::Check(check) => (check, false),
            };
            self.targets.push(target);
            if let Some(bounds) = self.bounds.last_mut() {
                bounds.end += 1;
                bounds.middle += u32::from(is_certain);
            }
        }
        groups.shrink_to_fit();
        groups
    }

    /// As [`Postings::group`], as a map.
    pub(crate) fn keys<K: Ord + Hash>(&mut self, pairs: Vec<(K, Target)>) -> Keys<K> {
        self.group(pairs).into_iter().collect()
    }

    /// The conditions that are certain, by their numbers.
    pub(crate) fn certain(&self, posting: Posting) -> &[u32] {
        self.bounds(posting)
            .and_then(|bounds| self.cut(bounds.start, bounds.middle))
            .unwrap_or_default()
    }

    /// The checks to make, by their numbers.
    pub(crate) fn checks(&self, posting: Posting) -> &[u32] {
        self.bounds(posting)
            .and_then(|bounds| self.cut(bounds.middle, bounds.end))
            .unwrap_or_default()
    }

    fn bounds(&self, Posting(at): Posting) -> Option<&Bounds> {
        self.bounds.get(usize::try_from(at).ok()?)
    }

    fn cut(&self, start: u32, end: u32) -> Option<&[u32]> {
        self.targets
            .get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
    }
}

impl Posting {
    /// Its number.
    pub(crate) fn number(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// A place as a number. No set comes near four thousand million of anything.
pub(crate) fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
