//! Texts that stand anywhere in a value, found by one short piece of each.

use super::postings::{Keys, Posting, Postings, Target};

/// The longest piece looked for.
const GRAM: usize = 4;
const FILTER_BITS: u32 = 12;

/// Pieces of one to four bytes. A longer text is looked for by its first piece of four that the fewest others have.
#[derive(Debug)]
pub(crate) struct Grams {
    /// By length less one.
    lengths: [Option<Pieces>; GRAM],
}

/// The pieces of one length.
#[derive(Debug)]
struct Pieces {
    length: usize,
    keys: Keys<u32>,
    /// A bit for each of the pieces, at a place made of it: most places of a value are dismissed by it alone.
    filter: Box<[u64]>,
}

impl Grams {
    pub(crate) fn new(texts: &[(&[u8], Target)], postings: &mut Postings) -> Option<Self> {
        if texts.is_empty() {
            return None;
        }
        let mut crowds: std::collections::HashMap<u32, usize> = std::collections::HashMap::new();
        for piece in texts.iter().flat_map(|(text, _)| text.windows(GRAM)) {
            *crowds.entry(pack(piece)).or_default() += 1;
        }
        let mut pairs: [Vec<(u32, Target)>; GRAM] = Default::default();
        for (text, target) in texts {
            let length = text.len().min(GRAM);
            let rarest = text
                .windows(length.max(1))
                .map(pack)
                .min_by_key(|piece| crowds.get(piece));
            if let (Some(piece), Some(pairs)) = (rarest, pairs.get_mut(length.wrapping_sub(1))) {
                pairs.push((piece, *target));
            }
        }
        let mut length = 0;
        let lengths = pairs.map(|pairs| {
            length += 1;
            (!pairs.is_empty()).then(|| Pieces::new(length, pairs, postings))
        });
        Some(Self { lengths })
    }

    /// Gives the list of each piece that `text` has, as often as it has it.
    pub(crate) fn find(&self, text: &[u8], mut each: impl FnMut(Posting)) {
        for pieces in self.lengths.iter().flatten() {
            for piece in text.windows(pieces.length) {
                if let Some(posting) = pieces.get(pack(piece)) {
                    each(posting);
                }
            }
        }
    }
}

impl Pieces {
    fn new(length: usize, pairs: Vec<(u32, Target)>, postings: &mut Postings) -> Self {
        let keys = postings.keys(pairs);
        let mut filter = vec![0; 1 << FILTER_BITS >> 6].into_boxed_slice();
        for piece in keys.keys() {
            let (word, bit) = place(*piece);
            if let Some(word) = filter.get_mut(word) {
                *word |= bit;
            }
        }
        Self {
            length,
            keys,
            filter,
        }
    }

    fn get(&self, piece: u32) -> Option<Posting> {
        let (word, bit) = place(piece);
        if self.filter.get(word)? & bit == 0 {
            return None;
        }
        self.keys.get(&piece).copied()
    }
}

fn pack(piece: &[u8]) -> u32 {
    piece
        .iter()
        .fold(0, |packed, byte| packed << 8 | u32::from(*byte))
}

/// The word and the bit of a piece in a filter.
fn place(piece: u32) -> (usize, u64) {
    let spread = piece.wrapping_mul(0x9E37_79B1) >> (32 - FILTER_BITS);
    (
        usize::try_from(spread >> 6).unwrap_or(0),
        1 << (spread & 63),
    )
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
