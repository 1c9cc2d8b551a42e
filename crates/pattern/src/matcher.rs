//! One value of a field's list: what it accepts.

use std::hash::{Hash, Hasher};

use crate::address::{Address, Block};
use crate::event::Scalar;
use crate::fold::Folded;
use crate::wildcard::Wildcard;

/// What one member of a field's list asks of a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Matcher {
    /// This string.
    Text(String),
    /// A string that names this address.
    Address(Address),
    /// A number of this value, or of this very text.
    Number {
        text: String,
        value: Option<f64>,
    },
    Bool(bool),
    Null,
    Prefix(String),
    PrefixFolded(Folded),
    Suffix(String),
    SuffixFolded(Folded),
    EqualsFolded(Folded),
    Wildcard(Wildcard),
    Numeric(Range),
    Cidr(Block),
    /// `{"exists": true}`: any value at all.
    Present,
    /// `{"exists": false}`: accepts no value; the evaluator asks for [`Matcher::Absent`] itself.
    Absent,
    AnythingBut(Excluded),
}

/// What `anything-but` excludes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Excluded {
    Texts(Vec<String>),
    Numbers(Vec<f64>),
    Prefixes(Vec<String>),
    Suffixes(Vec<String>),
    Folded(Vec<Folded>),
    Wildcards(Vec<Wildcard>),
}

/// A range of numbers; a bound is a number and whether it belongs to the range.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Range {
    pub(crate) bottom: Option<(f64, bool)>,
    pub(crate) top: Option<(f64, bool)>,
}

impl Range {
    pub(crate) fn contains(&self, number: f64) -> bool {
        let above = self
            .bottom
            .is_none_or(|(bottom, closed)| number > bottom || closed && number == bottom);
        let below = self
            .top
            .is_none_or(|(top, closed)| number < top || closed && number == top);
        above && below
    }
}

impl Matcher {
    /// Whether a field may have `value`.
    pub(crate) fn accepts(&self, value: Scalar<'_>) -> bool {
        match (self, value) {
            (Self::Present, _) => true,
            (Self::AnythingBut(excluded), _) => !excluded.holds(value),
            (_, Scalar::Text(text)) => self.accepts_text(text),
            (
                Self::Number {
                    value: Some(wanted),
                    ..
                },
                Scalar::Number(_, Some(number)),
            ) => *wanted == number,
            (Self::Number { text: wanted, .. }, Scalar::Number(text, _)) => *text == **wanted,
            (Self::Numeric(range), Scalar::Number(_, Some(number))) => range.contains(number),
            (Self::Bool(wanted), Scalar::Bool(value)) => *wanted == value,
            (Self::Null, Scalar::Null) => true,
            _ => false,
        }
    }

    fn accepts_text(&self, text: &str) -> bool {
        match self {
            Self::Text(wanted) => text == wanted,
            Self::Address(wanted) => Address::parse(text).as_ref() == Some(wanted),
            Self::Cidr(block) => {
                Address::parse(text).is_some_and(|address| block.contains(address))
            }
            Self::Prefix(prefix) => text.starts_with(prefix),
            Self::PrefixFolded(prefix) => prefix.strip_prefix(text).is_some(),
            Self::Suffix(suffix) => text.ends_with(suffix),
            Self::SuffixFolded(suffix) => suffix.strip_suffix(text).is_some(),
            Self::EqualsFolded(wanted) => wanted.equals(text),
            Self::Wildcard(wildcard) => wildcard.matches(text),
            _ => false,
        }
    }

    /// The wildcards inside, for the measure of complexity.
    pub(crate) fn wildcards(&self) -> &[Wildcard] {
        match self {
            Self::Wildcard(wildcard) => std::slice::from_ref(wildcard),
            Self::AnythingBut(Excluded::Wildcards(wildcards)) => wildcards,
            _ => &[],
        }
    }
}

impl Excluded {
    fn holds(&self, value: Scalar<'_>) -> bool {
        match (self, value) {
            (Self::Numbers(numbers), Scalar::Number(_, Some(number))) => numbers.contains(&number),
            (_, Scalar::Text(text)) => self.holds_text(text),
            _ => false,
        }
    }

    fn holds_text(&self, text: &str) -> bool {
        match self {
            Self::Texts(texts) => texts.iter().any(|excluded| text == excluded),
            Self::Numbers(_) => false,
            Self::Prefixes(prefixes) => prefixes.iter().any(|prefix| text.starts_with(prefix)),
            Self::Suffixes(suffixes) => suffixes.iter().any(|suffix| text.ends_with(suffix)),
            Self::Folded(texts) => texts.iter().any(|excluded| excluded.equals(text)),
            Self::Wildcards(wildcards) => wildcards.iter().any(|wildcard| wildcard.matches(text)),
        }
    }
}

/// Equal matchers hash alike: a float by its bits, in which `-0.0` is made `0.0`. No float here is `NaN`.
impl Eq for Matcher {}

impl Hash for Matcher {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::Text(text)
            | Self::Number { text, .. }
            | Self::Prefix(text)
            | Self::Suffix(text) => text.hash(state),
            Self::Address(address) => address.hash(state),
            Self::Bool(value) => value.hash(state),
            Self::Null | Self::Present | Self::Absent => {}
            Self::PrefixFolded(text) | Self::SuffixFolded(text) | Self::EqualsFolded(text) => {
                text.hash(state);
            }
            Self::Wildcard(wildcard) => wildcard.hash(state),
            Self::Numeric(Range { bottom, top }) => [bottom, top]
                .map(|end| end.map(|(number, closed)| (bits(number), closed)))
                .hash(state),
            Self::Cidr(block) => block.hash(state),
            Self::AnythingBut(excluded) => excluded.hash(state),
        }
    }
}

impl Hash for Excluded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::Texts(texts) | Self::Prefixes(texts) | Self::Suffixes(texts) => texts.hash(state),
            Self::Numbers(numbers) => numbers.iter().for_each(|n| bits(*n).hash(state)),
            Self::Folded(texts) => texts.hash(state),
            Self::Wildcards(wildcards) => wildcards.hash(state),
        }
    }
}

/// The bits of a number, the same for numbers that are equal.
pub(crate) fn bits(number: f64) -> u64 {
    (number + 0.0).to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::comparable;

    fn text(text: &str) -> Scalar<'_> {
        Scalar::Text(text)
    }

    fn number(text: &str) -> Scalar<'_> {
        Scalar::Number(text, comparable(text))
    }

    #[test]
    fn numbers_equal_by_value_or_by_text() {
        let wanted = |text: &str| Matcher::Number {
            text: text.into(),
            value: comparable(text),
        };
        assert!(wanted("300").accepts(number("3.0e2")));
        assert!(!wanted("300").accepts(text("300")));
        assert!(wanted("1.00000000000000000001").accepts(number("1.00000000000000000001")));
        assert!(!wanted("1").accepts(number("1.00000000000000000001")));
    }

    #[test]
    fn ranges_respect_their_ends() {
        let range = Range {
            bottom: Some((0.0, false)),
            top: Some((5.0, true)),
        };
        let accepted: Vec<bool> = [-1.0, 0.0, 0.1, 5.0, 5.1]
            .map(|number| range.contains(number))
            .into();
        assert_eq!(accepted, [false, false, true, true, false]);
        assert!(!Matcher::Numeric(range).accepts(text("3")));
    }

    #[test]
    fn anything_but_excludes_only_its_own_kind() {
        let but = |excluded| Matcher::AnythingBut(excluded);
        let texts = but(Excluded::Texts(vec!["444".into()]));
        assert!(!texts.accepts(text("444")));
        assert!(
            texts.accepts(number("444"))
                && texts.accepts(Scalar::Null)
                && texts.accepts(Scalar::Bool(true))
        );
        let numbers = but(Excluded::Numbers(vec![444.0]));
        assert!(!numbers.accepts(number("4.44e2")) && numbers.accepts(text("444")));
        assert!(but(Excluded::Prefixes(vec!["1".into()])).accepts(number("12")));
    }

    #[test]
    fn an_address_equals_its_spellings_and_lies_in_its_block() {
        assert!(Matcher::Address(Address::parse("::3").unwrap()).accepts(text("0:0::3")));
        let block = Matcher::Cidr(Block::parse("10.0.0.0/24").unwrap());
        assert!(
            block.accepts(text("10.0.0.255"))
                && !block.accepts(text("10.0.1.0"))
                && !block.accepts(text("x"))
        );
    }
}
