//! A text 64 bytes at a time: which bytes are what, one bit for each byte.
//!
//! The method is that of simdjson (Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019).

use wide::u8x16;

pub(super) const BLOCK: usize = 64;
const EVEN: u64 = 0x5555_5555_5555_5555;

/// 64 bytes of a text.
#[derive(Clone, Copy)]
pub(super) struct Block<'t>(pub(super) &'t [u8; BLOCK]);

/// What is left of a text after its last whole block, with spaces behind it.
pub(super) fn last(rest: &[u8]) -> [u8; BLOCK] {
    let mut bytes = [b' '; BLOCK];
    for (to, from) in bytes.iter_mut().zip(rest) {
        *to = *from;
    }
    bytes
}

impl Block<'_> {
    /// Where `byte` is.
    #[inline(always)]
    pub(super) fn is(self, byte: u8) -> u64 {
        self.mask(|part| part.simd_eq(u8x16::splat(byte)))
    }

    /// Where `byte` is, or that byte without its bit of `0x20`.
    #[inline(always)]
    pub(super) fn is_either(self, byte: u8) -> u64 {
        let either = u8x16::splat(0x20);
        self.mask(|part| (part | either).simd_eq(u8x16::splat(byte)))
    }

    /// Where control characters are.
    #[inline(always)]
    pub(super) fn controls(self) -> u64 {
        self.mask(|part| (part & u8x16::splat(0xE0)).simd_eq(u8x16::splat(0)))
    }

    /// Where digits are.
    #[inline(always)]
    pub(super) fn digits(self) -> u64 {
        // The bytes of digits, and only they, are below ten when the code of zero is taken from them.
        self.mask(|part| {
            let values = part - u8x16::splat(b'0');
            values.min(u8x16::splat(9)).simd_eq(values)
        })
    }

    /// Where tabs and the ends of lines are.
    #[inline(always)]
    pub(super) fn breaks(self) -> u64 {
        self.mask(|part| {
            let is = |byte| part.simd_eq(u8x16::splat(byte));
            is(b'\n') | is(b'\r') | is(b'\t')
        })
    }

    #[inline(always)]
    fn mask(self, test: impl Fn(u8x16) -> u8x16) -> u64 {
        let (parts, _) = self.0.as_chunks();
        // From the end, so that each part is shifted up as the next comes below it.
        parts.iter().rev().fold(0, |mask, part| {
            mask << 16 | u64::from(test(u8x16::new(*part)).to_bitmask())
        })
    }
}

/// Strings that go on from block to block.
#[derive(Debug, Default)]
pub(super) struct Strings {
    /// The last byte was a backslash that escapes the next.
    escape: bool,
    /// All ones inside a string.
    inside: u64,
}

/// The strings of a block.
pub(super) struct Found {
    /// The quotes that are not escaped.
    pub(super) quotes: u64,
    /// From each opening quote to before its closing one.
    pub(super) inside: u64,
    /// The backslashes that are not escaped.
    pub(super) escapes: u64,
}

impl Strings {
    /// The strings of the next block.
    #[inline(always)]
    pub(super) fn next(&mut self, block: Block<'_>) -> Found {
        let (mut quotes, backslashes) = (block.is(b'"'), block.is(b'\\'));
        let mut escapes = 0;
        if backslashes != 0 || self.escape {
            let escaped = escaped(backslashes, &mut self.escape);
            quotes &= !escaped;
            escapes = backslashes & !escaped;
        }
        let inside = prefix_xor(quotes) ^ self.inside;
        // All ones when the highest bit is one.
        self.inside = 0u64.wrapping_sub(inside >> 63);
        Found {
            quotes,
            inside,
            escapes,
        }
    }

    /// Whether a string has not ended.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.inside != 0
    }
}

/// The place in a block of the bracket that closes what is open, of which `depth` lie in one another; else `depth` is
/// made what it is after the block.
pub(super) fn end_of(opens: u64, closes: u64, depth: &mut u32) -> Option<usize> {
    if closes.count_ones() < *depth {
        *depth = *depth + opens.count_ones() - closes.count_ones();
        return None;
    }
    let mut brackets = opens | closes;
    while brackets != 0 {
        let bit = brackets.trailing_zeros();
        brackets &= brackets - 1;
        if opens >> bit & 1 == 1 {
            *depth += 1;
            continue;
        }
        *depth -= 1;
        if *depth == 0 {
            return usize::try_from(bit).ok();
        }
    }
    None
}

/// The bytes that a backslash escapes: those after an odd run of them.
fn escaped(backslashes: u64, escape: &mut bool) -> u64 {
    let carried = u64::from(*escape);
    let backslashes = backslashes & !carried;
    let follows = backslashes << 1 | carried;
    let odd_starts = backslashes & !EVEN & !follows;
    let (on_even, overflow) = odd_starts.overflowing_add(backslashes);
    *escape = overflow;
    (EVEN ^ (on_even << 1)) & follows
}

/// Each bit becomes the parity of itself and all bits below: ones from an opening quote to before its closing one.
fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}
