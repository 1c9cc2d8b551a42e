//! A part of a set: patterns that were compiled together.

use std::sync::Arc;

use crate::index::{Fields, Index};
use crate::pattern::Pattern;

/// A pattern in a set.
#[derive(Debug, Clone)]
pub(super) struct Entry<N> {
    /// Later patterns have higher ids.
    pub(super) id: u64,
    pub(super) name: N,
    pub(super) pattern: Arc<Pattern>,
}

/// Patterns compiled together. Cheap to clone; what is struck out of one clone stays in the other.
#[derive(Debug)]
pub(super) struct Part<N> {
    compiled: Arc<Compiled<N>>,
    /// A bit for each pattern that was removed.
    struck: Arc<[u64]>,
    struck_count: usize,
}

#[derive(Debug)]
struct Compiled<N> {
    /// In the order of their ids.
    entries: Vec<Entry<N>>,
    index: Index,
}

impl<N> Clone for Part<N> {
    fn clone(&self) -> Self {
        self.shared()
    }
}

impl<N> Part<N> {
    pub(super) fn new(entries: Vec<Entry<N>>, fields: &mut Fields) -> Self {
        let index = Index::new(entries.iter().map(|entry| &*entry.pattern), fields);
        let struck = vec![0; entries.len().div_ceil(64)].into();
        Self {
            compiled: Arc::new(Compiled { entries, index }),
            struck,
            struck_count: 0,
        }
    }

    /// The same part.
    pub(super) fn shared(&self) -> Self {
        Self {
            compiled: Arc::clone(&self.compiled),
            struck: Arc::clone(&self.struck),
            struck_count: self.struck_count,
        }
    }

    /// Strikes out the pattern with this id, if it is here.
    pub(super) fn strike(&mut self, id: u64) -> bool {
        let entries = &self.compiled.entries;
        let Ok(at) = entries.binary_search_by_key(&id, |entry| entry.id) else {
            return false;
        };
        if let Some(word) = Arc::make_mut(&mut self.struck).get_mut(at / 64) {
            *word |= 1 << (at % 64);
            self.struck_count += 1;
        }
        true
    }

    /// How many patterns it was compiled of.
    pub(super) fn len(&self) -> usize {
        self.compiled.entries.len()
    }

    /// Whether half of its patterns or more are struck out.
    pub(super) fn is_mostly_struck(&self) -> bool {
        2 * self.struck_count >= self.len()
    }

    pub(super) fn index(&self) -> &Index {
        &self.compiled.index
    }

    /// The name of a pattern, unless it is struck out.
    pub(super) fn name(&self, at: u32) -> Option<&N> {
        let at = usize::try_from(at).ok()?;
        self.entry(at).map(|entry| &entry.name)
    }

    fn entry(&self, at: usize) -> Option<&Entry<N>> {
        let is_struck = self.struck.get(at / 64)? >> (at % 64) & 1 == 1;
        self.compiled.entries.get(at).filter(|_| !is_struck)
    }
}

impl<N: Clone> Part<N> {
    /// The patterns that are not struck out.
    pub(super) fn into_entries(self) -> Vec<Entry<N>> {
        let entries = 0..self.len();
        entries.filter_map(|at| self.entry(at).cloned()).collect()
    }
}
