//! Prefixes, or suffixes: all that a text has, by one search.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::RandomState;

use super::filter::{Filter, PIECE, pack};
use super::postings::{Posting, Postings, Target};

/// Texts in their order, each with the longest other that it begins with. For suffixes all texts are read backwards.
#[derive(Debug)]
pub(crate) struct Affixes {
    end: End,
    entries: Vec<Entry>,
    /// How many bytes of every affix are its piece.
    width: usize,
    filter: Filter,
    /// By piece: where the entries with it begin and end.
    groups: HashMap<u32, Range<usize>, RandomState>,
}

/// Which end of a text counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum End {
    Start,
    End,
}

#[derive(Debug)]
struct Entry {
    text: Box<[u8]>,
    posting: Posting,
    parent: Option<u32>,
}

impl Affixes {
    pub(crate) fn new(
        end: End,
        pairs: Vec<(Box<[u8]>, Target)>,
        postings: &mut Postings,
    ) -> Option<Self> {
        if pairs.is_empty() {
            return None;
        }
        let mut groups = postings.group(pairs);
        groups.sort_unstable_by(|(a, _), (b, _)| end.compare(a, b));
        let lengths = groups.iter().map(|(text, _)| text.len());
        let width = lengths.min().unwrap_or(0).min(PIECE);
        let mut all = Self {
            end,
            entries: Vec::with_capacity(groups.len()),
            width,
            filter: Filter::new(groups.iter().map(|(text, _)| end.piece(text, width))),
            groups: HashMap::default(),
        };
        for (text, posting) in groups {
            let at = all.entries.len();
            let parent = all.longest(0..at, &text);
            let group = all.groups.entry(end.piece(&text, width));
            group.or_insert(at..at).end = at + 1;
            all.entries.push(Entry {
                text,
                posting,
                parent,
            });
        }
        Some(all)
    }

    /// Gives the list of each affix that `text` has.
    pub(crate) fn find(&self, text: &[u8], mut each: impl FnMut(Posting)) {
        let piece = self.end.piece(text, self.width);
        if text.len() < self.width || !self.filter.may_have(piece) {
            return;
        }
        let Some(group) = self.groups.get(&piece) else {
            return;
        };
        let mut next = self.longest(group.clone(), text);
        while let Some(entry) = next.and_then(|at| self.entry(at)) {
            each(entry.posting);
            next = entry.parent;
        }
    }

    /// The longest affix that `text` has, if it has any among these entries.
    ///
    /// The last entry that is not above `text` begins with every affix of `text`, for what lies between an affix of it
    /// and itself begins with that affix. So all of them are that entry and those it goes back to. What it shares with
    /// `text` is found once; the rest is counting.
    fn longest(&self, among: Range<usize>, text: &[u8]) -> Option<u32> {
        let start = among.start;
        let entries = self.entries.get(among)?;
        let not_above = |entry: &Entry| self.end.compare(&entry.text, text) != Ordering::Greater;
        let last = entries.partition_point(not_above).checked_sub(1)?;
        let shared = self.end.shared(&entries.get(last)?.text, text);
        let mut next = u32::try_from(start + last).ok();
        while let Some(entry) = next.and_then(|at| self.entry(at)) {
            if entry.text.len() <= shared {
                return next;
            }
            next = entry.parent;
        }
        None
    }

    fn entry(&self, at: u32) -> Option<&Entry> {
        self.entries.get(usize::try_from(at).ok()?)
    }
}

impl End {
    /// The first `width` bytes from this end.
    fn piece(self, text: &[u8], width: usize) -> u32 {
        let whole = match self {
            Self::Start => text.first_chunk().copied().map(u32::from_be_bytes),
            Self::End => text.last_chunk().copied().map(u32::from_le_bytes),
        };
        match (whole, self) {
            (Some(whole), _) => whole.checked_shr(others(width)).unwrap_or(0),
            (None, Self::Start) => pack(text.iter().take(width)),
            (None, Self::End) => pack(text.iter().rev().take(width)),
        }
    }

    /// How many bytes of `a` and `b` are the same from this end.
    fn shared(self, a: &[u8], b: &[u8]) -> usize {
        let same = |(a, b): &(&u8, &u8)| a == b;
        match self {
            Self::Start => a.iter().zip(b).take_while(same).count(),
            Self::End => a.iter().rev().zip(b.iter().rev()).take_while(same).count(),
        }
    }

    fn compare(self, a: &[u8], b: &[u8]) -> Ordering {
        match self {
            Self::Start => a.cmp(b),
            Self::End => a.iter().rev().cmp(b.iter().rev()),
        }
    }
}

/// How many bits of a piece are not those of its first `width` bytes.
fn others(width: usize) -> u32 {
    u32::try_from(8 * PIECE.saturating_sub(width)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn finds_all_and_only_them(affixes in prop::collection::vec("[ab]{0,4}", 1..12), text in "[ab]{0,6}") {
            for end in [End::Start, End::End] {
                let mut postings = Postings::default();
                let pairs = affixes.iter().zip(0..);
                let pairs = pairs.map(|(a, n)| (a.as_bytes().into(), Target::Certain(n))).collect();
                let all = Affixes::new(end, pairs, &mut postings).unwrap();
                let mut found: Vec<u32> = Vec::new();
                all.find(text.as_bytes(), |posting| found.extend(postings.certain(posting)));
                found.sort_unstable();
                let has = |a: &String| if end == End::Start { text.starts_with(a) } else { text.ends_with(a) };
                let expected: Vec<u32> = affixes.iter().zip(0..).filter(|(a, _)| has(a)).map(|(_, n)| n).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
