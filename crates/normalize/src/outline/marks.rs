//! A text 64 bytes at a time, one bit for each byte: where its strings begin and end.
//!
//! The method is that of simdjson (Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019).

use wide::u8x16;

const BLOCK: usize = 64;
const EVEN: u64 = 0x5555_5555_5555_5555;

/// The marks of the block that a walk has come to.
pub(super) struct Marks<'t> {
    blocks: &'t [[u8; BLOCK]],
    rest: &'t [u8],
    /// The blocks that were looked at.
    looked_at: usize,
    /// The quotes of this block that are not escaped and that the walk has not come to.
    quotes: u64,
    /// Its backslashes and control characters.
    odd: u64,
    /// The byte before it was a backslash that escapes its first.
    escape: bool,
}

impl<'t> Marks<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        let (blocks, rest) = text.as_chunks();
        Self {
            blocks,
            rest,
            looked_at: 0,
            quotes: 0,
            odd: 0,
            escape: false,
        }
    }

    /// The string that begins at the next quote: where the quote is that ends it, and whether a backslash or a control character
    /// stands in it. `None` when it does not end.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Option<(usize, bool)> {
        while self.quotes == 0 {
            self.next_block()?;
        }
        let begin = self.quotes & self.quotes.wrapping_neg();
        self.quotes ^= begin;
        let (mut before, mut odd) = (0, self.odd & !(begin | begin.wrapping_sub(1)));
        while self.quotes == 0 {
            before |= odd;
            self.next_block()?;
            odd = self.odd;
        }
        let end = self.quotes & self.quotes.wrapping_neg();
        self.quotes ^= end;
        let is_odd = before | (odd & end.wrapping_sub(1)) != 0;
        let bit = usize::try_from(end.trailing_zeros()).ok()?;
        Some(((self.looked_at - 1) * BLOCK + bit, is_odd))
    }

    #[inline(never)]
    fn next_block(&mut self) -> Option<()> {
        match self.blocks.get(self.looked_at) {
            Some(block) => self.mark(block),
            None if self.looked_at == self.blocks.len() && !self.rest.is_empty() => {
                let mut last = [b' '; BLOCK];
                let parts = last.iter_mut().zip(self.rest);
                parts.for_each(|(to, from)| *to = *from);
                self.mark(&last);
            }
            None => return None,
        }
        self.looked_at += 1;
        Some(())
    }

    #[inline(always)]
    fn mark(&mut self, block: &[u8; BLOCK]) {
        let (parts, _) = block.as_chunks();
        let (mut quotes, mut backslashes, mut controls) = (0, 0, 0);
        // From the end, so that each part is shifted up as the next comes below it.
        for part in parts.iter().rev() {
            let part = u8x16::new(*part);
            let bits = |mask: u8x16| u64::from(mask.to_bitmask());
            quotes = quotes << 16 | bits(part.simd_eq(u8x16::splat(b'"')));
            backslashes = backslashes << 16 | bits(part.simd_eq(u8x16::splat(b'\\')));
            let high = part & u8x16::splat(0xE0);
            controls = controls << 16 | bits(high.simd_eq(u8x16::splat(0)));
        }
        if backslashes != 0 || self.escape {
            quotes &= !escaped(backslashes, &mut self.escape);
        }
        self.quotes = quotes;
        self.odd = backslashes | controls;
    }
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
