//! Numbers, by which of the next 32 bytes are digits: enough for most at one look.

use wide::u8x32;

const WIDTH: usize = 32;

/// The last look.
pub(super) struct Digits {
    start: usize,
    mask: u32,
}

impl Digits {
    pub(super) fn new() -> Self {
        Self {
            // Nothing was looked at: no place is this far.
            start: usize::MAX / 2,
            mask: 0,
        }
    }

    /// The place after the number that begins at `start`; `None` when there is none.
    pub(super) fn number(&mut self, start: usize, bytes: &[u8]) -> Option<usize> {
        let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
        let mut at = start + usize::from(byte(start) == b'-');
        at = if byte(at) == b'0' {
            at + 1
        } else {
            self.after(at, bytes)?
        };
        if byte(at) == b'.' {
            at = self.after(at + 1, bytes)?;
        }
        if byte(at) | 0x20 == b'e' {
            let signed = matches!(byte(at + 1), b'+' | b'-');
            at = self.after(at + 1 + usize::from(signed), bytes)?;
        }
        Some(at)
    }

    /// The place after the digits that begin at `start`, of which there must be one.
    fn after(&mut self, start: usize, bytes: &[u8]) -> Option<usize> {
        let mut at = start;
        loop {
            let mut ahead = at.wrapping_sub(self.start);
            if ahead >= WIDTH {
                self.look(at, bytes);
                ahead = 0;
            }
            let digits = usize::try_from((self.mask >> ahead).trailing_ones()).ok()?;
            at += digits;
            if ahead + digits < WIDTH {
                return (at > start).then_some(at);
            }
        }
    }

    fn look(&mut self, at: usize, bytes: &[u8]) {
        let rest = bytes.get(at..).unwrap_or_default();
        self.start = at;
        self.mask = match rest.first_chunk() {
            Some(full) => digits(*full),
            None => {
                let mut window = [0; WIDTH];
                for (to, from) in window.iter_mut().zip(rest) {
                    *to = *from;
                }
                digits(window)
            }
        };
    }
}

/// Where digits are, a bit each.
#[inline(always)]
fn digits(window: [u8; WIDTH]) -> u32 {
    // The bytes of digits, and only they, are below ten when the code of zero is taken from them.
    let values = u8x32::new(window) - u8x32::splat(b'0');
    values.min(u8x32::splat(9)).simd_eq(values).to_bitmask()
}
