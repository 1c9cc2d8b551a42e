//! Arrays that hold nothing but plain numbers and such arrays, checked 64 bytes at a time.
//!
//! Where nobody asks for the values there is nothing to keep, and the grammar of such an array is one of neighbours: what
//! may come is told by the byte before, and, over space, by the bracket, comma or number before. So each rule is a few
//! operations on 64 bits, one for each byte.
//!
//! Exponents, words, strings and objects are left to the walk, which goes on from the last place where a value begins.

use super::blocks::{BLOCK, Block, end_of, last};

/// How far an array was passed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Passed {
    /// To after its closing bracket.
    Whole(usize),
    /// To a place where a value must begin, maybe after spaces. So many arrays are open there.
    Part { at: usize, depth: usize },
}

/// The classes of 64 bytes, a bit for each byte.
#[derive(Debug, Clone, Copy)]
struct Classes {
    digits: u64,
    zeros: u64,
    minuses: u64,
    dots: u64,
    commas: u64,
    opens: u64,
    closes: u64,
    spaces: u64,
}

/// What a block must know of those before: one or zero, for its first byte.
#[derive(Debug)]
struct Before {
    /// It follows a byte of this class.
    digit: u64,
    minus: u64,
    dot: u64,
    /// It follows a zero that begins a number.
    zero: u64,
    /// It follows a digit after a dot.
    fraction: u64,
    /// A value begins here, after spaces: a comma or an opening bracket came last.
    begins: u64,
    /// As `begins`, after a comma.
    after_comma: u64,
}

/// A block in which a value begins, and how many arrays are open before it.
#[derive(Debug, Clone, Copy)]
struct Place {
    block: usize,
    depth: u32,
}

/// Passes the array that begins at `start` if no more than `depth_max` arrays are open in it; `None` when it is no JSON.
/// Adds to `steps` one for each block.
pub(super) fn pass(
    bytes: &[u8],
    start: usize,
    depth_max: u32,
    steps: &mut usize,
) -> Option<Passed> {
    let text = Text::new(bytes, start)?;
    let mut before = Before::default();
    let mut depth = 0;
    let mut place = None;
    for block in text.first..=text.blocks.len() {
        *steps += 1;
        let here = Place { block, depth };
        let classes = Classes::of(text.block(block));
        let others = classes.others();
        let is_too_deep = depth + classes.opens.count_ones() > depth_max;
        let end = end_of(classes.opens, classes.closes, &mut depth);
        let end = end.filter(|end| others & up_to(*end) == 0);
        if is_too_deep {
            return text.stop(here, 0, before, place);
        }
        if others != 0 && end.is_none() {
            return text.stop(here, below_first(others), before, place);
        }
        if let Some(end) = end {
            before.check(&classes.kept(up_to(end)))?;
            return Some(Passed::Whole(block * BLOCK + end + 1));
        }
        before.check(&classes)?;
        if classes.begin() != 0 {
            place = Some(here);
        }
    }
    None
}

/// A text whose first block begins with spaces in place of what is before the array, and whose last ends with spaces.
struct Text<'t> {
    blocks: &'t [[u8; BLOCK]],
    start: usize,
    first: usize,
    first_block: [u8; BLOCK],
    last_block: [u8; BLOCK],
}

impl<'t> Text<'t> {
    fn new(bytes: &'t [u8], start: usize) -> Option<Self> {
        let (blocks, rest) = bytes.as_chunks();
        let last_block = last(rest);
        let first = start / BLOCK;
        let mut first_block = *blocks.get(first).unwrap_or(&last_block);
        first_block.get_mut(..start % BLOCK)?.fill(b' ');
        Some(Self {
            blocks,
            start,
            first,
            first_block,
            last_block,
        })
    }

    #[inline(always)]
    fn block(&self, at: usize) -> Block<'_> {
        if at == self.first {
            return Block(&self.first_block);
        }
        Block(self.blocks.get(at).unwrap_or(&self.last_block))
    }

    /// Stops in a block of which only the bytes of `known` count, at the last place where a value begins: here, or in the block
    /// that had one last.
    #[cold]
    fn stop(
        &self,
        here: Place,
        known: u64,
        mut before: Before,
        place: Option<Place>,
    ) -> Option<Passed> {
        let classes = Classes::of(self.block(here.block)).kept(known);
        if let Some(bit) = classes.begin().checked_ilog2() {
            before.check(&classes.kept(up_to(usize::try_from(bit).ok()?)))?;
            return here.last(classes);
        }
        match place {
            Some(place) => place.last(Classes::of(self.block(place.block))),
            None => Some(Passed::Part {
                at: self.start,
                depth: 0,
            }),
        }
    }
}

impl Classes {
    #[inline(always)]
    fn of(block: Block<'_>) -> Self {
        let mut classes = Self {
            digits: block.digits(),
            zeros: block.is(b'0'),
            minuses: block.is(b'-'),
            dots: block.is(b'.'),
            commas: block.is(b','),
            opens: block.is(b'['),
            closes: block.is(b']'),
            spaces: block.is(b' '),
        };
        // Most have no other space.
        if classes.others() != 0 {
            classes.spaces |= block.breaks();
        }
        classes
    }

    /// Those of the bytes in `mask`.
    #[inline(always)]
    fn kept(self, mask: u64) -> Self {
        Self {
            digits: self.digits & mask,
            zeros: self.zeros & mask,
            minuses: self.minuses & mask,
            dots: self.dots & mask,
            commas: self.commas & mask,
            opens: self.opens & mask,
            closes: self.closes & mask,
            spaces: self.spaces & mask,
        }
    }

    /// All other bytes.
    #[inline(always)]
    fn others(&self) -> u64 {
        !(self.in_numbers() | self.commas | self.opens | self.closes | self.spaces)
    }

    #[inline(always)]
    fn in_numbers(&self) -> u64 {
        self.digits | self.minuses | self.dots
    }

    /// After which a value begins.
    #[inline(always)]
    fn begin(&self) -> u64 {
        self.commas | self.opens
    }
}

impl Default for Before {
    /// Before an array, which is itself a value.
    fn default() -> Self {
        Self {
            digit: 0,
            minus: 0,
            dot: 0,
            zero: 0,
            fraction: 0,
            begins: 1,
            after_comma: 0,
        }
    }
}

impl Before {
    /// Checks a block, and goes on to the next; `None` when it is no JSON.
    #[inline(always)]
    fn check(&mut self, block: &Classes) -> Option<()> {
        let digits = block.digits;
        let after_digit = next(digits, &mut self.digit);
        let after_minus = next(block.minuses, &mut self.minus);
        let after_dot = next(block.dots, &mut self.dot);
        let after_number = after_digit | after_minus | after_dot;
        // A run of digits to whose start one is added becomes a bit behind its end.
        let (sum, goes_on) = digits.overflowing_add(after_dot & digits | self.fraction);
        self.fraction = u64::from(goes_on);
        let after_fraction = sum & !digits;
        let first_zeros = block.zeros & !after_digit & !after_dot;
        let after_first_zero = next(first_zeros, &mut self.zero);
        let begins = after_spaces(block.begin(), block.spaces, &mut self.begins);
        let after_comma = after_spaces(block.commas, block.spaces, &mut self.after_comma);
        let values = block.in_numbers() & !after_number | block.opens;
        let wrong = (after_minus | after_dot) & !digits
            | block.dots & !after_digit
            | block.dots & after_fraction
            | digits & after_first_zero
            | block.minuses & after_number
            | values & !begins
            | block.commas & begins
            | block.closes & after_comma;
        (wrong == 0).then_some(())
    }
}

impl Place {
    /// The last place in this block where a value begins.
    fn last(self, classes: Classes) -> Option<Passed> {
        let bit = usize::try_from(classes.begin().checked_ilog2()?).ok()?;
        let below = (1 << bit) - 1;
        let count = |brackets: u64| (brackets & below).count_ones();
        let depth = self.depth + count(classes.opens) - count(classes.closes);
        // An array is itself a value.
        let is_comma = classes.commas >> bit & 1 == 1;
        Some(Passed::Part {
            at: self.block * BLOCK + bit + usize::from(is_comma),
            depth: usize::try_from(depth).ok()?,
        })
    }
}

/// The bytes after those of `mask`.
#[inline(always)]
fn next(mask: u64, carry: &mut u64) -> u64 {
    let after = mask << 1 | *carry;
    *carry = mask >> 63;
    after
}

/// The first bytes that are no spaces after those of `mask`.
#[inline(always)]
fn after_spaces(mask: u64, spaces: u64, carry: &mut u64) -> u64 {
    let after = mask << 1 | *carry;
    let (sum, goes_on) = spaces.overflowing_add(after & spaces);
    *carry = mask >> 63 | u64::from(goes_on);
    (after | sum) & !spaces
}

/// All bits below the lowest one of `mask`.
fn below_first(mask: u64) -> u64 {
    (mask & mask.wrapping_neg()).wrapping_sub(1)
}

/// All bits up to `bit`.
fn up_to(bit: usize) -> u64 {
    u64::MAX >> (BLOCK - 1 - bit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    const DEPTH_MAX: u32 = 100;

    fn passed(text: &str, start: usize) -> Option<Passed> {
        pass(text.as_bytes(), start, DEPTH_MAX, &mut 0)
    }

    /// Where the JSON value ends that begins at `start`, if it is one.
    fn end(text: &str, start: usize) -> Option<usize> {
        let rest = text.get(start..)?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let value = values.next()?;
        value.ok().map(|_| start + values.byte_offset())
    }

    /// What is said of the array that begins at `start` is what another parser says.
    fn agrees(text: &str, start: usize) -> Result<Option<Passed>, TestCaseError> {
        let (said, expected) = (passed(text, start), end(text, start));
        match said {
            None => prop_assert_eq!(expected, None, "{:?}", text),
            Some(Passed::Whole(end)) => prop_assert_eq!(Some(end), expected, "{:?}", text),
            Some(Passed::Part { at, depth }) => {
                let known = text.get(start..at).unwrap_or_default();
                let closed = format!("{known}0{}", "]".repeat(depth));
                prop_assert_eq!(
                    end(&closed, 0),
                    Some(closed.len()),
                    "{:?} of {:?}",
                    closed,
                    text
                );
                let others = |byte: char| !"[],-.0123456789 \n\r\t".contains(byte);
                prop_assert!(text.contains(others), "{:?}", text);
            }
        }
        Ok(said)
    }

    /// Arrays of numbers, as they are written.
    fn array() -> impl Strategy<Value = String> {
        let number = "-?(0|[1-9][0-9]{0,19})(\\.[0-9]{1,20})?";
        let space = "[ ]{0,2}|\n {0,9}|\t\r\n";
        let leaf = (space, number, space).prop_map(|(a, b, c)| format!("{a}{b}{c}"));
        let list = move |inner: BoxedStrategy<String>| {
            (prop::collection::vec(inner, 0..7), space)
                .prop_map(|(all, space)| format!("{space}[{space}{}]{space}", all.join(",")))
                .boxed()
        };
        leaf.boxed()
            .prop_recursive(4, 64, 7, list)
            .prop_map(|text| format!("[{text}]"))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]
        /// As it is, and with a byte taken out, put in or changed.
        #[test]
        fn agrees_on_arrays_and_what_is_near_them(
            before in 0..70usize, text in array(), after in "[ ,\\]}]{0,70}", place in any::<prop::sample::Index>(),
            byte in "[\\[\\],.\\-+0-9eE \\n\"{}:t\0\u{b}\u{1f}x]",
        ) {
            let text = format!("{}{text}{after}", " ".repeat(before));
            prop_assert!(matches!(agrees(&text, before)?, Some(Passed::Whole(_))), "{:?}", text);
            let at = before + 1 + place.index(text.len() - before);
            let (start, end) = (text.get(..at).unwrap_or(&text), text.get(at..).unwrap_or_default());
            agrees(&format!("{start}{byte}{end}"), before)?;
            agrees(&format!("{start}{byte}{}", end.get(1..).unwrap_or_default()), before)?;
            agrees(&format!("{start}{}", end.get(1..).unwrap_or_default()), before)?;
            agrees(start, before)?;
        }

        #[test]
        fn agrees_on_any_text(before in 0..70usize, text in "[\\[\\],.\\-01 \n]{0,12}") {
            agrees(&format!("{}[{text}]", " ".repeat(before)), before)?;
            agrees(&format!("{}[0{text}]", " ".repeat(before)), before)?;
        }
    }

    #[test]
    fn what_is_no_number_is_refused_wherever_it_stands() {
        for wrong in [
            "01", "-01", "00", "1.", "1.]", "-", "--1", "1-", "1-1", "-.5", ".5", ".", "1..2",
            "1.2.3", "1 2", "1 .5", "1. 5", "- 1", "", "1,", ",1", "1,,2", "[", "[]1", "[][]",
            "1[]", "[1]]", "0.0 0", "-0.-0", "1.5-",
        ] {
            for at in 0..=2 * BLOCK {
                let text = format!("[{}1, {wrong}, 2.5]", " ".repeat(at));
                assert_eq!(
                    end(&text, 0).filter(|end| *end == text.len()),
                    None,
                    "{text:?}"
                );
                let said = passed(&text, 0);
                assert!(said.is_none_or(|said| said == Passed::Whole(text.len() - 6) && wrong == "[1]]"), "{text:?} {said:?}");
            }
        }
    }

    #[test]
    fn what_others_must_read_is_left_to_them_wherever_it_stands() {
        for other in [
            "1e5", "1.5E-7", "+1", "true", "\"\"", "{}", "\0", "\u{b}", "é", "1x",
        ] {
            for at in 0..=2 * BLOCK {
                let text = format!("[[{}1, {other}], 2]", " ".repeat(at));
                let place = text.find(',').unwrap() + 1;
                assert_eq!(
                    passed(&text, 0),
                    Some(Passed::Part {
                        at: place,
                        depth: 2
                    }),
                    "{text:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_cut_off_is_refused_at_each_byte() {
        let text = format!("[{}]", ["[ -122.4123456789, 0.0 ]"; 12].join(", "));
        assert_eq!(passed(&text, 0), Some(Passed::Whole(text.len())));
        for end in 1..text.len() {
            assert_eq!(passed(&text[..end], 0), None, "{end}");
        }
    }

    #[test]
    fn what_is_too_deep_is_left_to_the_walk() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(passed(&nested(100), 0), Some(Passed::Whole(201)));
        let refused = passed(&nested(101), 0);
        assert_eq!(
            refused,
            Some(Passed::Part { at: 63, depth: 63 }),
            "the last place of the block before"
        );
    }
}
