//! Short pieces of text as numbers, and sets of them that say quickly what they do not hold.

const BITS: u32 = 12;

/// The longest piece.
pub(super) const PIECE: usize = 4;

/// A set that holds at least what was put in.
#[derive(Debug)]
pub(super) struct Filter {
    words: Box<[u64; 1 << BITS >> 6]>,
}

impl Filter {
    pub(super) fn new(pieces: impl Iterator<Item = u32>) -> Self {
        let mut filter = Self {
            words: Box::new([0; 1 << BITS >> 6]),
        };
        for piece in pieces {
            let (word, bit) = place(piece);
            if let Some(word) = filter.words.get_mut(word) {
                *word |= bit;
            }
        }
        filter
    }

    /// Whether `piece` may be in it; false means it is not.
    pub(super) fn may_have(&self, piece: u32) -> bool {
        let (word, bit) = place(piece);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }
}

/// The word and the bit of a piece.
fn place(piece: u32) -> (usize, u64) {
    let spread = piece.wrapping_mul(0x9E37_79B1) >> (32 - BITS);
    (
        usize::try_from(spread >> 6).unwrap_or(0),
        1 << (spread & 63),
    )
}

/// Up to four bytes as a number.
pub(super) fn pack<'b>(bytes: impl Iterator<Item = &'b u8>) -> u32 {
    bytes.fold(0, |packed, byte| packed << 8 | u32::from(*byte))
}
