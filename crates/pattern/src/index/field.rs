//! What the values of one field lead to: for each value, the conditions that accept it.

use super::affixes::{Affixes, End};
use super::filter::Filter;
use super::grams::Grams;
use super::postings::{Keys, Posting, Postings, Target};
use super::ranges::Ranges;
use crate::address::Address;
use crate::fold::fold_into;
use crate::matcher::{Matcher, Range, bits};
use crate::number::{Glance, comparable, glance, is_exact, nearest};
use crate::scan::Kind;

/// Told of each list of conditions that a value leads to. A list may be told more than once.
pub(crate) trait Hits {
    fn hit(&mut self, posting: Posting);
    /// Whether a value of the event led to this list before.
    fn was_hit(&self, posting: Posting) -> bool;
    /// A buffer to fold text in.
    fn buffer(&mut self) -> String;
    fn give_back(&mut self, buffer: String);
}

/// The index of one field. Each part is there only if a condition needs it.
#[derive(Debug)]
pub(crate) struct FieldIndex {
    texts: Keys<Box<str>>,
    numbers: Keys<u64>,
    /// Numbers that no 64-bit float holds, by their text.
    number_texts: Keys<Box<str>>,
    bools: Keys<bool>,
    null: Option<Posting>,
    addresses: Keys<Address>,
    blocks: Blocks,
    prefixes: Option<Affixes>,
    suffixes: Option<Affixes>,
    folded: Option<Box<FoldedIndex>>,
    ranges: Option<Ranges>,
    grams: Option<Grams>,
}

/// What is compared without regard to case, by folded text.
#[derive(Debug)]
struct FoldedIndex {
    /// Those of ASCII, which accept nothing but ASCII.
    ascii: Keys<Box<str>>,
    /// What the lengths and ends of these are, if there is nothing else: most texts need not be folded to be dismissed.
    only: Option<Filter>,
    texts: Keys<Box<str>>,
    prefixes: Option<Affixes>,
    suffixes: Option<Affixes>,
}

/// CIDR blocks, by their lowest address and the number of bits that count.
#[derive(Debug)]
struct Blocks {
    keys: Keys<(Address, u32)>,
    lengths: Vec<u32>,
}

/// The pairs of key and target that an index is made of.
#[derive(Default)]
pub(crate) struct Draft<'m> {
    texts: Vec<(Box<str>, Target)>,
    numbers: Vec<(u64, Target)>,
    number_texts: Vec<(Box<str>, Target)>,
    bools: Vec<(bool, Target)>,
    nulls: Vec<((), Target)>,
    addresses: Vec<(Address, Target)>,
    blocks: Vec<((Address, u32), Target)>,
    prefixes: Vec<(Box<[u8]>, Target)>,
    suffixes: Vec<(Box<[u8]>, Target)>,
    folded_ascii: Vec<(Box<str>, Target)>,
    folded_texts: Vec<(Box<str>, Target)>,
    folded_prefixes: Vec<(Box<[u8]>, Target)>,
    folded_suffixes: Vec<(Box<[u8]>, Target)>,
    ranges: Vec<(&'m Range, Target)>,
    grams: Vec<(&'m [u8], Target)>,
}

impl<'m> Draft<'m> {
    /// Adds the key of `matcher`. `certain` is its target when having the key is enough, `check` when it is not.
    /// Matchers that need no value, or accept all but a few, have no key.
    pub(crate) fn add(
        &mut self,
        matcher: &'m Matcher,
        certain: Target,
        check: impl FnOnce() -> Target,
    ) {
        let folded = |text: &str| {
            let mut folded = String::new();
            fold_into(text, &mut folded);
            folded
        };
        match matcher {
            Matcher::Text(text) => self.texts.push((text.as_str().into(), certain)),
            Matcher::Number {
                value: Some(value), ..
            } => self.numbers.push((bits(*value), certain)),
            Matcher::Number { text, value: None } => {
                self.number_texts.push((text.as_str().into(), certain));
            }
            Matcher::Bool(value) => self.bools.push((*value, certain)),
            Matcher::Null => self.nulls.push(((), certain)),
            Matcher::Address(address) => self.addresses.push((*address, certain)),
            Matcher::Cidr(block) => {
                let key = (block.lowest(), block.mask_bits());
                self.blocks.push((key, certain));
            }
            Matcher::Prefix(text) => self.prefixes.push((text.as_bytes().into(), certain)),
            Matcher::Suffix(text) => self.suffixes.push((text.as_bytes().into(), certain)),
            Matcher::Numeric(range) => self.ranges.push((range, certain)),
            Matcher::EqualsFolded(text) => {
                let key = folded(&text.text()).into();
                if text.is_ascii() {
                    self.folded_ascii.push((key, certain));
                } else {
                    self.folded_texts.push((key, check()));
                }
            }
            Matcher::PrefixFolded(text) => {
                let key = folded(&text.text()).into_bytes();
                self.folded_prefixes.push((key.into(), check()));
            }
            Matcher::SuffixFolded(text) => {
                let key = folded(&text.text()).into_bytes();
                self.folded_suffixes.push((key.into(), check()));
            }
            Matcher::Wildcard(wildcard) => self.wildcard(wildcard.pieces(), certain, check),
            Matcher::Present | Matcher::Absent | Matcher::AnythingBut(_) => {}
        }
    }

    /// A wildcard is found by its longest piece: at the start, at the end, or anywhere between.
    fn wildcard(&mut self, pieces: &'m [String], certain: Target, check: impl FnOnce() -> Target) {
        let (first, last, middle) = match pieces {
            [] => return,
            [whole] => return self.texts.push((whole.as_str().into(), certain)),
            [first, middle @ .., last] => (first.as_bytes(), last.as_bytes(), middle),
        };
        let longest = middle.iter().max_by_key(|piece| piece.len());
        let inside = longest.map_or(&[][..], |piece| piece.as_bytes());
        if inside.len() > first.len().max(last.len()) {
            self.grams.push((inside, check()));
        } else if last.len() >= first.len() {
            self.suffixes.push((last.into(), check()));
        } else {
            self.prefixes.push((first.into(), check()));
        }
    }

    pub(crate) fn finish(self, postings: &mut Postings) -> FieldIndex {
        FieldIndex {
            texts: postings.keys(self.texts),
            numbers: postings.keys(self.numbers),
            number_texts: postings.keys(self.number_texts),
            bools: postings.keys(self.bools),
            null: postings
                .group(self.nulls)
                .first()
                .map(|(_, posting)| *posting),
            addresses: postings.keys(self.addresses),
            blocks: Blocks::new(self.blocks, postings),
            prefixes: Affixes::new(End::Start, self.prefixes, postings),
            suffixes: Affixes::new(End::End, self.suffixes, postings),
            folded: FoldedIndex::new(
                self.folded_ascii,
                self.folded_texts,
                self.folded_prefixes,
                self.folded_suffixes,
                postings,
            ),
            ranges: Ranges::new(&self.ranges, postings),
            grams: Grams::new(&self.grams, postings),
        }
    }
}

impl FieldIndex {
    /// Tells `hits` what a leaf of this kind and text leads to.
    pub(crate) fn find(&self, kind: Kind, text: &str, hits: &mut impl Hits) {
        match kind {
            Kind::Text | Kind::Unescaped => self.text(text, hits),
            Kind::Number => self.number(text, hits),
            Kind::Bool(value) => told(self.bools.get(&value), hits),
            Kind::Null => told(self.null.as_ref(), hits),
        }
    }

    fn number(&self, text: &str, hits: &mut impl Hits) {
        // What is listed by its text is not comparable by value, so it is not this number otherwise.
        told(self.number_texts.get(text), hits);
        if !self.numbers.is_empty()
            && let Some(number) = nearest(text)
            && let Some(posting) = self.numbers.get(&bits(number))
            && is_exact(text, number)
        {
            hits.hit(*posting);
        }
        if let Some(ranges) = &self.ranges {
            in_ranges(ranges, text, hits);
        }
    }

    fn text(&self, text: &str, hits: &mut impl Hits) {
        told(self.texts.get(text), hits);
        for affixes in [&self.prefixes, &self.suffixes].into_iter().flatten() {
            affixes.find(text.as_bytes(), |posting| hits.hit(posting));
        }
        if let Some(grams) = &self.grams {
            grams.find(text.as_bytes(), |posting| hits.hit(posting));
        }
        if let Some(folded) = &self.folded {
            folded.find(text, hits);
        }
        if !self.addresses.is_empty() || !self.blocks.lengths.is_empty() {
            self.address(text, hits);
        }
    }

    fn address(&self, text: &str, hits: &mut impl Hits) {
        let Some(address) = Address::parse(text) else {
            return;
        };
        told(self.addresses.get(&address), hits);
        for bits in &self.blocks.lengths {
            told(self.blocks.keys.get(&(address.masked(*bits), *bits)), hits);
        }
    }
}

/// Tells `hits` of the ranges that hold the number `text` names. It is read only if a range may hold it that no other
/// number of the event was in: most are told by a look to be in none, or in the same as their neighbours.
fn in_ranges(ranges: &Ranges, text: &str, hits: &mut impl Hits) {
    let glance = glance(text);
    let mut exact = matches!(glance, Glance::Exact(_)).then_some(true);
    let mut each = |posting| {
        if !hits.was_hit(posting) && *exact.get_or_insert_with(|| comparable(text).is_some()) {
            hits.hit(posting);
        }
    };
    let is_found = match glance {
        Glance::Inexact => true,
        Glance::Exact(number) => {
            ranges.find(number, &mut each);
            true
        }
        Glance::Between(low, high) => ranges.find_between(low, high, &mut each),
        Glance::Nothing => false,
    };
    if !is_found && let Some(number) = nearest(text) {
        ranges.find(number, each);
    }
}

fn told(posting: Option<&Posting>, hits: &mut impl Hits) {
    if let Some(posting) = posting {
        hits.hit(*posting);
    }
}

impl FoldedIndex {
    fn new(
        ascii: Vec<(Box<str>, Target)>,
        texts: Vec<(Box<str>, Target)>,
        prefixes: Vec<(Box<[u8]>, Target)>,
        suffixes: Vec<(Box<[u8]>, Target)>,
        postings: &mut Postings,
    ) -> Option<Box<Self>> {
        if ascii.is_empty() && texts.is_empty() && prefixes.is_empty() && suffixes.is_empty() {
            return None;
        }
        let is_only = texts.is_empty() && prefixes.is_empty() && suffixes.is_empty();
        let ends = || ascii.iter().map(|(text, _)| folded_ends(text));
        Some(Box::new(Self {
            only: is_only.then(|| Filter::new(ends())),
            ascii: postings.keys(ascii),
            texts: postings.keys(texts),
            prefixes: Affixes::new(End::Start, prefixes, postings),
            suffixes: Affixes::new(End::End, suffixes, postings),
        }))
    }

    fn find(&self, text: &str, hits: &mut impl Hits) {
        if let Some(only) = &self.only
            && !only.may_have(folded_ends(text))
        {
            return;
        }
        let mut folded = hits.buffer();
        fold_into(text, &mut folded);
        if text.is_ascii() {
            told(self.ascii.get(folded.as_str()), hits);
        }
        told(self.texts.get(folded.as_str()), hits);
        for affixes in [&self.prefixes, &self.suffixes].into_iter().flatten() {
            affixes.find(folded.as_bytes(), |posting| hits.hit(posting));
        }
        hits.give_back(folded);
    }
}

/// The length of a text, its first and its last byte: the same for all texts of ASCII that fold to the same.
fn folded_ends(text: &str) -> u32 {
    let ends = text.as_bytes().first().zip(text.as_bytes().last());
    let ends = ends.map_or(0, |(first, last)| {
        u32::from(first.to_ascii_lowercase()) << 8 | u32::from(last.to_ascii_lowercase())
    });
    u32::try_from(text.len() % 0x1_0000).unwrap_or(0) << 16 | ends
}

impl Blocks {
    fn new(pairs: Vec<((Address, u32), Target)>, postings: &mut Postings) -> Self {
        let keys = postings.keys(pairs);
        let mut lengths: Vec<u32> = keys.keys().map(|(_, bits)| *bits).collect();
        lengths.sort_unstable();
        lengths.dedup();
        Self { keys, lengths }
    }
}
