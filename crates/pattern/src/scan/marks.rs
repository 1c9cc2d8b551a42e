//! Where the strings of a text are, marked 64 bytes at a time.

use super::blocks::{BLOCK, Block, Found, Strings, last};

/// How many blocks are marked at once: what is next will mostly be wanted too.
const AHEAD: usize = 3;

/// The strings of 64 bytes, one bit for each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    /// The quotes that begin and end strings.
    pub(super) quotes: u64,
    /// From each opening quote to before its closing one.
    inside: u64,
}

/// The marks of a text, from its beginning to where they were made.
#[derive(Debug, Default)]
pub(super) struct Marks {
    marks: Vec<Mark>,
    strings: Strings,
    escapes: bool,
}

impl Marks {
    /// Forgets the last text.
    pub(super) fn begin(&mut self) {
        self.marks.clear();
        self.strings = Strings::default();
        self.escapes = false;
    }

    /// Marks the whole of `text`. `None` when a string does not end, has a control character, or an escape that JSON
    /// does not have.
    pub(super) fn check(&mut self, text: &[u8]) -> Option<()> {
        let (blocks, rest) = text.as_chunks();
        for block in blocks.iter().chain([&last(rest)]) {
            let at = self.marks.len() * BLOCK;
            let found = self.mark(Block(block));
            if found.escapes != 0 {
                escapes_are_valid(found.escapes, text, at)?;
            }
            if found.inside != 0 && found.inside & Block(block).controls() != 0 {
                return None;
            }
        }
        (!self.strings.is_open()).then_some(())
    }

    /// The marks of block `at` of `text`, which are made when they are not there.
    #[inline]
    pub(super) fn at(&mut self, at: usize, text: &[u8]) -> Option<Mark> {
        if at >= self.marks.len() {
            self.mark_to(at, text);
        }
        self.marks.get(at).copied()
    }

    /// The brackets in block `at` of `text`, outside of strings: the opening and the closing ones.
    pub(super) fn brackets(&mut self, at: usize, text: &[u8]) -> Option<(u64, u64)> {
        let outside = !self.at(at, text)?.inside;
        let (blocks, rest) = text.as_chunks();
        let brackets = |block: Block<'_>| {
            (
                block.is_either(b'{') & outside,
                block.is_either(b'}') & outside,
            )
        };
        Some(match blocks.get(at) {
            Some(block) => brackets(Block(block)),
            None => brackets(Block(&last(rest))),
        })
    }

    #[inline(never)]
    fn mark_to(&mut self, at: usize, text: &[u8]) {
        let (blocks, rest) = text.as_chunks();
        for block in blocks.iter().take(at + AHEAD).skip(self.marks.len()) {
            self.mark(Block(block));
        }
        if at >= self.marks.len() && at == blocks.len() {
            self.mark(Block(&last(rest)));
        }
    }

    #[inline(always)]
    fn mark(&mut self, block: Block<'_>) -> Found {
        let found = self.strings.next(block);
        self.escapes |= found.escapes != 0;
        self.marks.push(Mark {
            quotes: found.quotes,
            inside: found.inside,
        });
        found
    }

    /// Whether any string so far has an escape.
    pub(super) fn escapes(&self) -> bool {
        self.escapes
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn checked(text: &str) -> Option<Vec<usize>> {
        let mut marks = Marks::default();
        marks.check(text.as_bytes())?;
        let is_marked = |at: &usize| marks.marks[at / BLOCK].quotes >> (at % BLOCK) & 1 == 1;
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
            prop_assert_eq!(checked(&text), slow(&text), "{}", text);
        }

        #[test]
        fn finds_the_brackets_outside_of_strings(text in "[\"\\\\a\\[\\]{}, ]{0,150}") {
            let (mut marks, mut inside, mut escaped) = (Marks::default(), false, false);
            for (at, byte) in text.bytes().enumerate() {
                let (opens, closes) = marks.brackets(at / BLOCK, text.as_bytes()).unwrap();
                let expected = (!inside && b"[{".contains(&byte), !inside && b"]}".contains(&byte));
                prop_assert_eq!((opens >> (at % BLOCK) & 1 == 1, closes >> (at % BLOCK) & 1 == 1), expected);
                inside ^= byte == b'"' && !escaped;
                escaped = byte == b'\\' && !escaped;
            }
        }
    }
}
