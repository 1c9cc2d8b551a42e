//! Sums, means and percentiles.

use std::collections::VecDeque;

use quell_model::Timestamp;

use super::{Kind, Tally};
use crate::correlation::Hit;

/// The numbers of a window, in order of time: added up in that order, they give the same sum wherever the window came from.
pub(super) struct Numbers<'a> {
    kind: &'a Kind,
    numbers: VecDeque<f64>,
}

impl<'a> Numbers<'a> {
    pub(super) fn new(kind: &'a Kind) -> Self {
        Self {
            kind,
            numbers: VecDeque::new(),
        }
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted: Vec<f64> = self.numbers.iter().copied().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    }

    fn median(&self) -> Option<f64> {
        let sorted = self.sorted();
        let half = sorted.len() / 2;
        let upper = sorted.get(half)?;
        if sorted.len() % 2 == 1 {
            return Some(*upper);
        }
        let lower = sorted.get(half.checked_sub(1)?)?;
        // Half of each, so that two large numbers do not leave the range.
        Some(lower / 2.0 + upper / 2.0)
    }

    /// By nearest rank: the smallest number that `percent` of the numbers are not above.
    fn percentile(&self, percent: u8) -> Option<f64> {
        let sorted = self.sorted();
        let rank = (sorted.len() * usize::from(percent)).div_ceil(100).max(1);
        sorted.get(rank - 1).copied()
    }
}

impl Tally for Numbers<'_> {
    fn enter(&mut self, hit: &Hit) {
        self.numbers.extend(&hit.numbers);
    }

    fn leave(&mut self, hit: &Hit) {
        self.numbers
            .drain(..hit.numbers.len().min(self.numbers.len()));
    }

    fn holds(&self, _: Timestamp) -> bool {
        if self.numbers.is_empty() {
            return false;
        }
        let sum = || self.numbers.iter().sum::<f64>();
        match self.kind {
            Kind::ValueSum(bounds) => bounds.holds(sum()),
            Kind::ValueAvg(bounds) => bounds.holds(sum() / self.numbers.len() as f64),
            Kind::ValueMedian(bounds) => self.median().is_some_and(|m| bounds.holds(m)),
            Kind::ValuePercentile(percent, bounds) => {
                self.percentile(*percent).is_some_and(|p| bounds.holds(p))
            }
            Kind::EventCount(_)
            | Kind::ValueCount(_)
            | Kind::Temporal(_)
            | Kind::TemporalOrdered(_) => false,
        }
    }
}
