//! Ranges of numbers: all that hold a number, in steps that grow with the logarithm of how many there are.

use super::postings::{Posting, Postings, Target};
use crate::matcher::Range;

/// A segment tree over the ends of the ranges. End `i` has place `2i + 1`, what lies before it `2i`; a range is listed
/// at the few nodes that together cover its places.
#[derive(Debug)]
pub(crate) struct Ranges {
    ends: Vec<f64>,
    /// By node; the leaves are the second half.
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Node {
    posting: Option<Posting>,
    /// The next node towards the root that has a list; 0 when there is none.
    up: usize,
}

impl Ranges {
    pub(crate) fn new(ranges: &[(&Range, Target)], postings: &mut Postings) -> Option<Self> {
        if ranges.is_empty() {
            return None;
        }
        let bounds = |(range, _): &(&Range, Target)| [range.bottom, range.top];
        let mut ends: Vec<f64> = ranges
            .iter()
            .flat_map(bounds)
            .flatten()
            .map(|(number, _)| number)
            .collect();
        ends.sort_unstable_by(f64::total_cmp);
        ends.dedup();
        let mut all = Self {
            ends,
            nodes: Vec::new(),
        };
        let mut pairs = Vec::new();
        for (range, target) in ranges {
            all.cover(range, |node| pairs.push((node, *target)));
        }
        all.nodes = vec![Node::default(); 2 * all.places()];
        for (node, posting) in postings.group(pairs) {
            if let Some(node) = all.nodes.get_mut(node) {
                node.posting = Some(posting);
            }
        }
        for at in 1..all.nodes.len() {
            let above = all.nodes.get(at / 2).copied().unwrap_or_default();
            if let Some(node) = all.nodes.get_mut(at) {
                node.up = if above.posting.is_some() {
                    at / 2
                } else {
                    above.up
                };
            }
        }
        Some(all)
    }

    /// Gives lists that together have each range that holds `number`, once.
    pub(crate) fn find(&self, number: f64, each: impl FnMut(Posting)) {
        self.above(self.place(number), each);
    }

    /// As [`Ranges::find`], for a number of which only two are known that it is between: says whether that is enough,
    /// which it is when no range ends there.
    pub(crate) fn find_between(&self, low: f64, high: f64, each: impl FnMut(Posting)) -> bool {
        let before = self.before(low);
        let is_enough = self.ends.get(before).is_none_or(|end| *end > high);
        if is_enough {
            self.above(2 * before, each);
        }
        is_enough
    }

    fn above(&self, place: usize, mut each: impl FnMut(Posting)) {
        let mut at = place + self.places();
        while let Some(node) = self.nodes.get(at).filter(|_| at > 0) {
            if let Some(posting) = node.posting {
                each(posting);
            }
            at = node.up;
        }
    }

    fn places(&self) -> usize {
        2 * self.ends.len() + 1
    }

    fn place(&self, number: f64) -> usize {
        let before = self.before(number);
        2 * before + usize::from(self.ends.get(before) == Some(&number))
    }

    /// How many ends are below `number`.
    fn before(&self, number: f64) -> usize {
        // Where the ranges are about other numbers there is nothing to search.
        match (self.ends.first(), self.ends.last()) {
            (Some(first), _) if number <= *first => 0,
            (_, Some(last)) if number > *last => self.ends.len(),
            _ => self.ends.partition_point(|end| *end < number),
        }
    }

    fn cover(&self, range: &Range, mut each: impl FnMut(usize)) {
        let first = range.bottom.map_or(0, |(bottom, closed)| {
            self.place(bottom) + usize::from(!closed)
        });
        let end = range.top.map_or(self.places(), |(top, closed)| {
            self.place(top) + usize::from(closed)
        });
        let (mut low, mut high) = (first + self.places(), end + self.places());
        while low < high {
            if low % 2 == 1 {
                each(low);
                low += 1;
            }
            if high % 2 == 1 {
                high -= 1;
                each(high);
            }
            low /= 2;
            high /= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn finds_all_and_only_them(
            ends in prop::collection::vec((prop::option::of((-3..3i8, any::<bool>())), prop::option::of((-3..3i8, any::<bool>()))), 1..9),
            number in -8..8i8,
        ) {
            let end = |end: Option<(i8, bool)>| end.map(|(number, closed)| (f64::from(number), closed));
            let ranges: Vec<Range> = ends.iter().map(|(b, t)| Range { bottom: end(*b), top: end(*t) }).collect();
            let mut postings = Postings::default();
            let pairs: Vec<_> = ranges.iter().zip((0..).map(Target::Certain)).collect();
            let all = Ranges::new(&pairs, &mut postings).unwrap();
            let (number, mut found) = (f64::from(number) / 2.0, Vec::<u32>::new());
            all.find(number, |posting| found.extend(postings.certain(posting)));
            found.sort_unstable();
            let expected: Vec<u32> = ranges.iter().zip(0..).filter(|(r, _)| r.contains(number)).map(|(_, n)| n).collect();
            prop_assert_eq!(&found, &expected);
            let mut between: Vec<u32> = Vec::new();
            let is_enough = all.find_between(number - 0.1, number + 0.1, |posting| between.extend(postings.certain(posting)));
            between.sort_unstable();
            prop_assert_eq!(&between, if is_enough { &expected } else { &Vec::new() });
            prop_assert!(is_enough || number.fract() == 0.0);
        }
    }
}
