//! Which base rules matched, in any order or in theirs. One record may be the hit of several of them.

use quell_model::Timestamp;

use super::{Tally, Threshold};
use crate::correlation::Hit;

/// Which base rules must have matched.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Combination {
    /// So many different ones.
    Count(Threshold),
    /// The one with this number.
    Rule(u32),
    /// All of these.
    And(Vec<Combination>),
    /// One of these at least.
    Or(Vec<Combination>),
    /// Not this.
    Not(Box<Combination>),
}

impl Combination {
    /// Whether it holds when the rules of these bits matched.
    fn holds(&self, rules: u64) -> bool {
        match self {
            Self::Count(bounds) => bounds.holds(f64::from(rules.count_ones())),
            Self::Rule(at) => rules & 1u64.checked_shl(*at).unwrap_or(0) != 0,
            Self::And(all) => all.iter().all(|c| c.holds(rules)),
            Self::Or(any) => any.iter().any(|c| c.holds(rules)),
            Self::Not(inner) => !inner.holds(rules),
        }
    }

    /// Whether one more rule cannot break it.
    pub(super) fn only_grows(&self) -> bool {
        match self {
            Self::Count(bounds) => bounds.only_grows(),
            Self::Rule(_) => true,
            Self::And(list) | Self::Or(list) => list.iter().all(Combination::only_grows),
            Self::Not(_) => false,
        }
    }
}

/// The numbers of the rules whose bits are set.
fn bits(rules: u64) -> impl Iterator<Item = usize> {
    (0..64).filter(move |at| rules >> at & 1 == 1)
}

pub(super) struct AnyOrder<'a> {
    combination: &'a Combination,
    /// How many hits of the window each rule has.
    counts: [u32; 64],
}

impl<'a> AnyOrder<'a> {
    pub(super) fn new(combination: &'a Combination) -> Self {
        Self {
            combination,
            counts: [0; 64],
        }
    }
}

impl Tally for AnyOrder<'_> {
    fn enter(&mut self, hit: &Hit) {
        bits(hit.rules).for_each(|at| {
            self.counts
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|c| *c += 1)
        });
    }

    fn leave(&mut self, hit: &Hit) {
        bits(hit.rules).for_each(|at| {
            self.counts
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|c| *c -= 1)
        });
    }

    fn holds(&self, _: Timestamp) -> bool {
        let seen = |(at, count): (usize, &u32)| u64::from(*count > 0) << at;
        self.combination
            .holds(self.counts.iter().enumerate().map(seen).sum())
    }
}

pub(super) struct InOrder {
    /// For each rule, when the latest row of hits began that reaches from the first rule to this one.
    began: Vec<Option<Timestamp>>,
    /// The rules that matched at the moment that was reached.
    now: (Timestamp, u64),
}

impl InOrder {
    pub(super) fn new(rules: usize) -> Self {
        Self {
            began: vec![None; rules],
            now: (Timestamp::from_millis(i64::MIN), 0),
        }
    }
}

impl Tally for InOrder {
    fn enter(&mut self, hit: &Hit) {
        // CloudTrail's clock has seconds: hits of one moment may stand in any order.
        self.now = match self.now {
            (time, rules) if time == hit.time => (time, rules | hit.rules),
            _ => (hit.time, hit.rules),
        };
        let mut before = Some(hit.time);
        for (at, began) in self.began.iter_mut().enumerate() {
            if self.now.1 >> at & 1 == 1 {
                *began = (*began).max(before);
            }
            before = *began;
        }
    }

    fn leave(&mut self, _: &Hit) {}

    fn holds(&self, since: Timestamp) -> bool {
        self.began
            .last()
            .copied()
            .flatten()
            .is_some_and(|began| began >= since)
    }
}
