//! The names that go on under a node, found by their first bytes.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// How many bytes of a name are compared at once.
const WORD: usize = 16;
const BUCKETS: usize = 64;
/// How many names may share a bucket. With more, which whoever writes patterns can bring about, they are hashed.
const BUCKET_MAX: usize = 4;

/// A name of an event, without its quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key<'t> {
    pub(super) name: &'t [u8],
    /// The text from its first byte on.
    rest: &'t [u8],
}

/// Names, each with its node.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// A bit for each bucket that has names: most names of an event are dismissed by it alone.
    filter: u64,
    found_by: FoundBy,
}

#[derive(Debug, Default)]
enum FoundBy {
    #[default]
    Nothing,
    Bucket(Box<Buckets>),
    Hash(HashMap<Box<[u8]>, u32, RandomState>),
}

#[derive(Debug)]
struct Buckets {
    /// Where the names of each bucket begin.
    starts: [u16; BUCKETS + 1],
    /// In the order of their buckets.
    names: Box<[Named]>,
}

#[derive(Debug)]
struct Named {
    word: u128,
    name: Box<[u8]>,
    node: u32,
}

impl<'t> Key<'t> {
    /// The bytes of `text` from `start` to `end`.
    #[inline(always)]
    pub(super) fn at(text: &'t [u8], start: usize, end: usize) -> Self {
        Self {
            name: text.get(start..end).unwrap_or_default(),
            rest: text.get(start..).unwrap_or_default(),
        }
    }

    pub(super) fn of(name: &'t [u8]) -> Self {
        Self { name, rest: name }
    }

    /// A number below [`BUCKETS`].
    #[inline(always)]
    fn bucket(self) -> usize {
        let ends = self.name.first().zip(self.name.last());
        let ends = ends.map_or(0, |(first, last)| {
            usize::from(*first) * 7 + usize::from(*last) * 3
        });
        (self.name.len() * 5 + ends) % BUCKETS
    }

    /// Its first bytes, and zeros behind them.
    #[inline(always)]
    fn word(self) -> u128 {
        let word = match self.rest.first_chunk() {
            Some(bytes) => u128::from_le_bytes(*bytes),
            None => {
                let mut bytes = [0; WORD];
                for (to, from) in bytes.iter_mut().zip(self.name) {
                    *to = *from;
                }
                u128::from_le_bytes(bytes)
            }
        };
        cut(word, self.name.len())
    }
}

/// The first `len` bytes of `word`.
#[inline(always)]
fn cut(word: u128, len: usize) -> u128 {
    let others = u32::try_from(8 * WORD.saturating_sub(len)).unwrap_or(0);
    word & u128::MAX.checked_shr(others).unwrap_or(0)
}

impl Names {
    pub(super) fn new(nodes: HashMap<Box<[u8]>, u32, RandomState>) -> Self {
        if nodes.is_empty() {
            return Self::default();
        }
        let mut counts = [0; BUCKETS];
        let mut filter = 0;
        for bucket in nodes.keys().map(|name| Key::of(name).bucket()) {
            filter |= 1 << bucket;
            if let Some(count) = counts.get_mut(bucket) {
                *count += 1;
            }
        }
        let found_by = if counts.iter().all(|count| *count <= BUCKET_MAX) {
            FoundBy::Bucket(Box::new(Buckets::new(nodes, &counts)))
        } else {
            FoundBy::Hash(nodes)
        };
        Self { filter, found_by }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        match &self.found_by {
            FoundBy::Nothing => 0,
            FoundBy::Bucket(buckets) => buckets.names.len(),
            FoundBy::Hash(nodes) => nodes.len(),
        }
    }

    /// The node of `key`.
    #[inline(always)]
    pub(super) fn find(&self, key: Key<'_>) -> Option<u32> {
        let bucket = key.bucket();
        if self.filter >> bucket & 1 == 0 {
            return None;
        }
        self.find_in(bucket, key)
    }

    #[inline(never)]
    fn find_in(&self, bucket: usize, key: Key<'_>) -> Option<u32> {
        match &self.found_by {
            FoundBy::Nothing => None,
            FoundBy::Bucket(buckets) => buckets.find(bucket, key),
            FoundBy::Hash(nodes) => nodes.get(key.name).copied(),
        }
    }
}

impl Buckets {
    /// Of `nodes`, of which each bucket has as many as `counts` says.
    fn new(nodes: HashMap<Box<[u8]>, u32, RandomState>, counts: &[usize; BUCKETS]) -> Self {
        let mut names: Vec<Named> = nodes
            .into_iter()
            .map(|(name, node)| Named {
                word: Key::of(&name).word(),
                name,
                node,
            })
            .collect();
        names.sort_unstable_by_key(|named| Key::of(&named.name).bucket());
        let (mut starts, mut start) = ([0; BUCKETS + 1], 0);
        for (to, count) in starts.iter_mut().skip(1).zip(counts) {
            start += count;
            *to = u16::try_from(start).unwrap_or(u16::MAX);
        }
        Self {
            starts,
            names: names.into(),
        }
    }

    #[inline(always)]
    fn find(&self, bucket: usize, key: Key<'_>) -> Option<u32> {
        let (start, end) = (self.starts.get(bucket)?, self.starts.get(bucket + 1)?);
        let names = self.names.get(usize::from(*start)..usize::from(*end))?;
        let (name, word) = (key.name, key.word());
        let is_it = |named: &&Named| {
            word == named.word
                && name.len() == named.name.len()
                && (name.len() <= WORD || *name == *named.name)
        };
        names.iter().find(is_it).map(|named| named.node)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        /// Few names and many, short and long, wherever they stand in a text.
        #[test]
        fn finds_all_and_only_them(
            names in prop::collection::btree_set("[ab\0]{0,3}|[ab]{14,18}|[a-z]{1,2}", 0..400), few in 0..12usize,
            others in prop::collection::vec("[ab\0]{0,3}|[ab]{14,18}|[a-z]{1,2}", 12), before in 0..3usize, after in 0..20usize,
        ) {
            for count in [few, names.len()] {
                let known: Vec<&String> = names.iter().take(count).collect();
                let nodes = known.iter().zip(0..).map(|(name, node)| (name.as_bytes().into(), node)).collect();
                let all = Names::new(nodes);
                prop_assert_eq!(all.len(), known.len());
                for name in names.iter().chain(&others) {
                    let text = format!("{}{name}{}", "b".repeat(before), "a".repeat(after));
                    let expected = known.iter().position(|known| *known == name);
                    let found = all.find(Key::at(text.as_bytes(), before, before + name.len()));
                    prop_assert_eq!(found, expected.and_then(|at| u32::try_from(at).ok()), "{:?}", name);
                }
            }
        }
    }

    #[test]
    fn names_that_all_share_a_bucket_are_hashed() {
        let is_first = |name: &String| Key::of(name.as_bytes()).bucket() == 0;
        let shared: Vec<String> = (0..10_000)
            .map(|n| n.to_string())
            .filter(is_first)
            .collect();
        let nodes = |count| {
            shared
                .iter()
                .take(count)
                .zip(0..)
                .map(|(name, node)| (name.as_bytes().into(), node))
                .collect()
        };
        assert!(matches!(
            Names::new(nodes(BUCKET_MAX)).found_by,
            FoundBy::Bucket(_)
        ));
        assert!(matches!(
            Names::new(nodes(BUCKET_MAX + 1)).found_by,
            FoundBy::Hash(_)
        ));
    }
}
