//! The bytes of JSON many at once: where texts end, what their escapes stand for, and digits.

use wide::u8x16;

/// So many bytes are looked at together.
const BLOCK: usize = 64;
/// Of which so many have a register of their own.
const PART: usize = 16;
/// A piece of a text is mostly shorter than this.
const PIECE: usize = 32;

/// Of 16 bytes those, a bit each, that end a text, begin an escape, or may not be in one.
#[inline(always)]
fn ends_of_part(part: [u8; PART]) -> u32 {
    let part = u8x16::new(part);
    let is_control = part.min(u8x16::splat(0x1f)).simd_eq(part);
    let ends = part.simd_eq(u8x16::splat(b'"')) | part.simd_eq(u8x16::splat(b'\\')) | is_control;
    ends.to_bitmask()
}

/// Where the first byte is, from `start` on, that ends a text, begins an escape, or may not be in one.
#[inline]
pub(super) fn plain_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(part) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let ends = ends_of_part(*part);
        if ends != 0 {
            return at + ends.trailing_zeros() as usize;
        }
        at += PART;
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
    let mask = match rest.first_chunk::<BLOCK>() {
        Some(block) => ends_of_block(block),
        None => ends_at_end(rest),
    };
    Ends { start, mask }
}

#[inline(always)]
fn ends_of_block(block: &[u8; BLOCK]) -> u64 {
    let (parts, _) = block.as_chunks::<PART>();
    let ends = parts.iter().rev().map(|part| ends_of_part(*part));
    ends.fold(0, |mask, ends| mask << PART | u64::from(ends))
}

/// The ends of a block that is not whole.
#[cold]
fn ends_at_end(rest: &[u8]) -> u64 {
    let mut block = [0; BLOCK];
    for (to, from) in block.iter_mut().zip(rest) {
        *to = *from;
    }
    ends_of_block(&block)
}

/// The ends in one block.
pub(super) struct Ends {
    start: usize,
    mask: u64,
}

impl Ends {
    /// The first that is at `from` or after it.
    #[inline(always)]
    pub(super) fn next(&self, from: usize) -> Option<usize> {
        let passed = u32::try_from(from - self.start).ok()?;
        let left = self.mask & u64::MAX.checked_shl(passed)?;
        (left != 0).then(|| self.start + left.trailing_zeros() as usize)
    }

    /// Where the next block begins.
    pub(super) fn block_end(&self) -> usize {
        self.start + BLOCK
    }
}

/// Adds `text` from `start` to `end`.
#[inline(always)]
pub(super) fn push_piece(to: &mut String, text: &str, start: usize, end: usize) {
    let length = end - start;
    match text.get(start..start + PIECE) {
        // To copy a length that is known, and to drop what is too much, is quicker than to copy any length.
        Some(longer) if length <= PIECE => {
            let length = to.len() + length;
            to.push_str(longer);
            to.truncate(length);
        }
        _ => to.push_str(text.get(start..end).unwrap_or_default()),
    }
}

/// The digits that eight bytes begin with.
pub(super) struct FirstDigits {
    /// What they are worth.
    pub(super) value: u64,
    pub(super) count: usize,
    /// Ten to the power of `count`.
    pub(super) power: u64,
}

/// The digits that `bytes` begin with.
#[inline]
pub(super) fn first_digits(bytes: [u8; 8]) -> FirstDigits {
    const POWERS: [u64; 9] = [
        1,
        10,
        100,
        1_000,
        10_000,
        100_000,
        1_000_000,
        10_000_000,
        100_000_000,
    ];
    const EACH: u64 = u64::from_le_bytes([1; 8]);
    // Digits become 0 to 9. What is none gets its highest bit; what is behind it, perhaps.
    let ones = u64::from_le_bytes(bytes) ^ (EACH * 0x30);
    let others = (ones.wrapping_add(EACH * 0x76) | ones) & (EACH * 0x80);
    let bits = others.trailing_zeros() & !7;
    // What is no digit is shifted out, and zeros come before the digits.
    let ones = ones.checked_shl(u64::BITS - bits).unwrap_or_default();
    // Neighbours become numbers of two digits, then of four, then of eight.
    let twos = ones.wrapping_mul(10).wrapping_add(ones >> 8);
    let low = (twos & 0x0000_00ff_0000_00ff).wrapping_mul(100 + (1_000_000 << 32));
    let high = (twos >> 16 & 0x0000_00ff_0000_00ff).wrapping_mul(1 + (10_000 << 32));
    let count = (bits / 8) as usize;
    FirstDigits {
        value: low.wrapping_add(high) >> 32,
        count,
        power: POWERS.get(count).copied().unwrap_or_default(),
    }
}
