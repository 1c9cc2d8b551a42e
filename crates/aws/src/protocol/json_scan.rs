//! The bytes of JSON many at once: where texts end, what their escapes stand for, and digits.

use wide::u8x16;

/// So many bytes are looked at together.
const BLOCK: usize = 32;
const HALF: usize = BLOCK / 2;

/// Of 16 bytes those, a bit each, that end a text, begin an escape, or may not be in one.
#[inline(always)]
fn ends_of_half(half: [u8; HALF]) -> u32 {
    let half = u8x16::new(half);
    let is_control = half.min(u8x16::splat(0x1f)).simd_eq(half);
    let ends = half.simd_eq(u8x16::splat(b'"')) | half.simd_eq(u8x16::splat(b'\\')) | is_control;
    ends.to_bitmask()
}

/// Where the first byte is, from `start` on, that ends a text, begins an escape, or may not be in one.
#[inline]
pub(super) fn plain_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(half) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let ends = ends_of_half(*half);
        if ends != 0 {
            return at + ends.trailing_zeros() as usize;
        }
        at += HALF;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
    at + end.unwrap_or(rest.len())
}

/// The ends, as [`plain_end`] has them, in the block that begins at `start`. Behind the last byte all are ends.
#[inline(always)]
pub(super) fn ends(bytes: &[u8], start: usize) -> Ends {
    let rest = bytes.get(start..).unwrap_or_default();
    let halves = rest.split_first_chunk();
    let mask = match halves.and_then(|(first, rest)| Some((first, rest.first_chunk()?))) {
        Some((first, second)) => ends_of_half(*first) | ends_of_half(*second) << HALF,
        None => ends_at_end(rest),
    };
    Ends { start, mask }
}

/// The ends of a block that is not whole.
#[cold]
fn ends_at_end(rest: &[u8]) -> u32 {
    let mut halves = [[0; HALF]; 2];
    for (to, from) in halves.as_flattened_mut().iter_mut().zip(rest) {
        *to = *from;
    }
    let [first, second] = halves.map(ends_of_half);
    first | second << HALF
}

/// The ends in one block.
pub(super) struct Ends {
    start: usize,
    mask: u32,
}

impl Ends {
    /// The first that is at `from` or after it.
    #[inline(always)]
    pub(super) fn next(&self, from: usize) -> Option<usize> {
        let passed = u32::try_from(from - self.start).ok()?;
        let left = self.mask & u32::MAX.checked_shl(passed)?;
        (left != 0).then(|| self.start + left.trailing_zeros() as usize)
    }

    /// Where the next block begins.
    pub(super) fn block_end(&self) -> usize {
        self.start + BLOCK
    }
}

/// A text that is put together from pieces, each of a block or less.
#[derive(Default)]
pub(super) struct Pieces {
    /// Longer than what is in it, so that a whole block can be copied where only its beginning counts.
    room: Vec<u8>,
    length: usize,
}

impl Pieces {
    pub(super) fn clear(&mut self) {
        self.length = 0;
    }

    /// Adds `bytes` from `start` to `end`.
    #[inline(always)]
    pub(super) fn push(&mut self, bytes: &[u8], start: usize, end: usize) {
        let from = bytes.get(start..).and_then(<[u8]>::first_chunk::<BLOCK>);
        let to = self.room.get_mut(self.length..);
        let to = to.and_then(<[u8]>::first_chunk_mut::<BLOCK>);
        match (from, to) {
            (Some(from), Some(to)) if end - start <= BLOCK => {
                *to = *from;
                self.length += end - start;
            }
            _ => self.push_exactly(bytes.get(start..end).unwrap_or_default()),
        }
    }

    /// Adds a piece of any length, and makes room for as much again.
    #[cold]
    fn push_exactly(&mut self, piece: &[u8]) {
        self.room.truncate(self.length);
        self.room.extend_from_slice(piece);
        self.length = self.room.len();
        self.room.resize(2 * self.length + 4 * BLOCK, 0);
    }

    #[inline]
    pub(super) fn push_letter(&mut self, letter: char) {
        let mut utf8 = [0; BLOCK];
        let length = letter.encode_utf8(&mut utf8).len();
        self.push(&utf8, 0, length);
    }

    /// All of it; `None` when it is not UTF-8.
    #[inline]
    pub(super) fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(self.room.get(..self.length)?).ok()
    }
}

/// What eight digits are worth; `None` when not all are digits.
#[inline]
pub(super) fn eight_digits(digits: [u8; 8]) -> Option<u64> {
    const ZEROS: u64 = u64::from_le_bytes(*b"00000000");
    const UPPER: u64 = ZEROS / 3 * 0xf;
    let digits = u64::from_le_bytes(digits);
    // The upper half of a digit is 3, and stays so when 6 is added.
    let above_nine = digits.wrapping_add(ZEROS / 0x30 * 6);
    if (digits & UPPER) != ZEROS || (above_nine & UPPER) != ZEROS {
        return None;
    }
    // Neighbours become numbers of two digits, then of four, then of eight.
    let ones = digits - ZEROS;
    let twos = ones.wrapping_mul(10) + (ones >> 8);
    let low = (twos & 0x0000_00ff_0000_00ff).wrapping_mul(100 + (1_000_000 << 32));
    let high = (twos >> 16 & 0x0000_00ff_0000_00ff).wrapping_mul(1 + (10_000 << 32));
    Some(low.wrapping_add(high) >> 32)
}
