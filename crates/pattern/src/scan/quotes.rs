//! Where strings begin and end, found 64 bytes at a time.
//!
//! The method is that of simdjson (Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019).

use wide::u8x16;

const BLOCK: usize = 64;
const EVEN: u64 = 0x5555_5555_5555_5555;

/// The quotes of a text that are not escaped, one bit for each byte.
#[derive(Debug, Default)]
pub(crate) struct Quotes {
    words: Vec<u64>,
    escapes: bool,
}

/// What one block hands to the next.
#[derive(Default)]
struct Carry {
    /// The last byte was a backslash that escapes the next.
    escape: bool,
    /// All ones inside a string.
    inside: u64,
}

impl Quotes {
    /// Marks the quotes of `text`. `None` when a string does not end, has a control character, or an escape that JSON
    /// does not have.
    pub(crate) fn mark(&mut self, text: &[u8]) -> Option<()> {
        self.words.clear();
        self.escapes = false;
        let mut carry = Carry::default();
        let (blocks, rest) = text.as_chunks::<BLOCK>();
        for block in blocks {
            self.block(block, text, &mut carry)?;
        }
        let mut last = [b' '; BLOCK];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        self.block(&last, text, &mut carry)?;
        (carry.inside == 0).then_some(())
    }

    /// The marks, 64 bytes a word.
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    /// Whether any string has an escape.
    pub(crate) fn escapes(&self) -> bool {
        self.escapes
    }

    fn block(&mut self, block: &[u8; BLOCK], text: &[u8], carry: &mut Carry) -> Option<()> {
        let classes = Classes::of(block);
        let mut quotes = classes.quotes;
        if classes.backslashes != 0 || carry.escape {
            self.escapes = true;
            let escaped = escaped(classes.backslashes, &mut carry.escape);
            quotes &= !escaped;
            let at = self.words.len() * BLOCK;
            escapes_are_valid(classes.backslashes & !escaped, text, at)?;
        }
        let inside = prefix_xor(quotes) ^ carry.inside;
        // All ones when the highest bit is one.
        carry.inside = 0u64.wrapping_sub(inside >> 63);
        self.words.push(quotes);
        (inside & classes.controls == 0).then_some(())
    }
}

/// Which bytes of a block are of a class, a bit each.
struct Classes {
    quotes: u64,
    backslashes: u64,
    controls: u64,
}

impl Classes {
    fn of(block: &[u8; BLOCK]) -> Self {
        let (parts, _) = block.as_chunks::<16>();
        let mut classes = Self {
            quotes: 0,
            backslashes: 0,
            controls: 0,
        };
        // From the end, so that each part is shifted up as the next comes below it.
        for part in parts.iter().rev() {
            let part = u8x16::new(*part);
            let mask = |found: u8x16| u64::from(found.to_bitmask());
            classes.quotes = classes.quotes << 16 | mask(part.simd_eq(u8x16::splat(b'"')));
            classes.backslashes =
                classes.backslashes << 16 | mask(part.simd_eq(u8x16::splat(b'\\')));
            let high_bits = part & u8x16::splat(0xE0);
            classes.controls = classes.controls << 16 | mask(high_bits.simd_eq(u8x16::splat(0)));
        }
        classes
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

/// Whether each escape that begins at a bit of `starts`, counted from byte `at`, is one of JSON's.
fn escapes_are_valid(mut starts: u64, text: &[u8], at: usize) -> Option<()> {
    while starts != 0 {
        let start = at + usize::try_from(starts.trailing_zeros()).ok()?;
        starts &= starts - 1;
        match text.get(start + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
            b'u' => {
                let digits = text.get(start + 2..start + 6)?;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
            }
            _ => return None,
        }
    }
    Some(())
}

/// Each bit becomes the parity of itself and all bits below: ones from an opening quote to before its closing one.
fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marked(text: &str) -> Option<Vec<usize>> {
        let mut quotes = Quotes::default();
        quotes.mark(text.as_bytes())?;
        let is_marked = |at: &usize| quotes.words[at / 64] >> (at % 64) & 1 == 1;
        Some((0..text.len()).filter(is_marked).collect())
    }

    /// Byte by byte, as the definition says.
    fn slow(text: &str) -> Option<Vec<usize>> {
        let (mut quotes, mut escaped) = (Vec::new(), false);
        for (at, byte) in text.bytes().enumerate() {
            let inside = quotes.len() % 2 == 1;
            if escaped && !b"\"\\/bfnrtu".contains(&byte) || inside && byte < 0x20 {
                return None;
            }
            if escaped && byte == b'u' {
                let digits = text.as_bytes().get(at + 1..at + 5)?;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
            }
            if !escaped && byte == b'"' {
                quotes.push(at);
            }
            escaped = !escaped && byte == b'\\';
        }
        (quotes.len() % 2 == 0 && !escaped).then_some(quotes)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 4_000, ..ProptestConfig::default() })]
        #[test]
        fn marks_what_the_definition_says(
            before in 0..70usize, text in "[\"\\\\un0a ]{0,90}", tail in "[\"\\\\n\u{1}]{0,4}",
        ) {
            let text = format!("{}{text}{tail}", " ".repeat(before));
            prop_assert_eq!(marked(&text), slow(&text), "{}", text);
        }
    }
}
