//! Texts that stand anywhere in a value, found by one short piece of each.

use std::collections::HashMap;

use super::filter::{Filter, PIECE, pack};
use super::postings::{Keys, Posting, Postings, Target};

/// Pieces of one to four bytes. A longer text is looked for by the piece of four that the fewest others have.
#[derive(Debug)]
pub(crate) struct Grams {
    lengths: Vec<Pieces>,
}

/// The pieces of one length.
#[derive(Debug)]
struct Pieces {
    length: usize,
    keys: Keys<u32>,
    filter: Filter,
}

impl Grams {
    pub(crate) fn new(texts: &[(&[u8], Target)], postings: &mut Postings) -> Option<Self> {
        if texts.is_empty() {
            return None;
        }
        let packed = |piece: &[u8]| pack(piece.iter());
        let mut crowds: HashMap<u32, usize> = HashMap::new();
        for piece in texts.iter().flat_map(|(text, _)| text.windows(PIECE)) {
            *crowds.entry(packed(piece)).or_default() += 1;
        }
        let mut lengths = Vec::new();
        for length in 1..=PIECE {
            let of_length = texts
                .iter()
                .filter(|(text, _)| text.len().clamp(1, PIECE) == length);
            let rarest = |(text, target): &(&[u8], Target)| {
                let all = text.windows(length).map(packed);
                Some((all.min_by_key(|piece| crowds.get(piece))?, *target))
            };
            let pairs: Vec<(u32, Target)> = of_length.filter_map(rarest).collect();
            if !pairs.is_empty() {
                let keys = postings.keys(pairs);
                let filter = Filter::new(keys.keys().copied());
                lengths.push(Pieces {
                    length,
                    keys,
                    filter,
                });
            }
        }
        Some(Self { lengths })
    }

    /// Gives the list of each piece that `text` has, as often as it has it.
    pub(crate) fn find(&self, text: &[u8], mut each: impl FnMut(Posting)) {
        for pieces in &self.lengths {
            let mask = u32::MAX >> (32 - 8 * pieces.length);
            let (before, rest) = text.split_at_checked(pieces.length - 1).unwrap_or_default();
            let mut last = pack(before.iter());
            for byte in rest {
                last = (last << 8 | u32::from(*byte)) & mask;
                if pieces.filter.may_have(last)
                    && let Some(posting) = pieces.keys.get(&last)
                {
                    each(*posting);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn finds_at_least_all(texts in prop::collection::vec("[abc]{1,6}", 1..9), text in "[abc]{0,12}") {
            let mut postings = Postings::default();
            let pairs: Vec<_> = texts.iter().zip(0..).map(|(t, n)| (t.as_bytes(), Target::Certain(n))).collect();
            let all = Grams::new(&pairs, &mut postings).unwrap();
            let mut found = Vec::new();
            all.find(text.as_bytes(), |posting| found.extend(postings.certain(posting)));
            for (at, wanted) in texts.iter().enumerate() {
                prop_assert!(!text.contains(wanted) || found.contains(&u32::try_from(at).unwrap()));
            }
        }
    }
}
