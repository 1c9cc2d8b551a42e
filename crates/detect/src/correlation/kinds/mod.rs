//! What a correlation asks of the hits of one window.

mod count;
mod number;
mod temporal;

use quell_model::Timestamp;
use rsigma_parser::ConditionOperator;

use super::Hit;
pub(crate) use temporal::Combination;

/// What a correlation asks of the hits of one window.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// How many hits there are.
    EventCount(Threshold),
    /// How many different values they have.
    ValueCount(Threshold),
    /// Which base rules matched, in any order.
    Temporal(Combination),
    /// That so many base rules matched, in their order; hits of one moment are in any order.
    TemporalOrdered(usize),
    /// The sum of their numbers, of which those below zero do not count: so it only grows.
    ValueSum(Threshold),
    /// The mean of their numbers.
    ValueAvg(Threshold),
    /// The number that so many per cent are not above (nearest rank).
    ValuePercentile(u8, Threshold),
    /// The number in the middle, or the mean of the two.
    ValueMedian(Threshold),
}

/// Bounds for a number, all of which must hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Threshold(pub(crate) Vec<(ConditionOperator, f64)>);

impl Threshold {
    #[expect(clippy::float_cmp, reason = "`eq` is meant exactly")]
    fn holds(&self, number: f64) -> bool {
        self.0.iter().all(|(operator, bound)| match operator {
            ConditionOperator::Lt => number < *bound,
            ConditionOperator::Lte => number <= *bound,
            ConditionOperator::Gt => number > *bound,
            ConditionOperator::Gte => number >= *bound,
            ConditionOperator::Eq => number == *bound,
            ConditionOperator::Neq => number != *bound,
        })
    }

    /// Whether a larger number cannot break it.
    fn only_grows(&self) -> bool {
        let grows =
            |o: &ConditionOperator| matches!(o, ConditionOperator::Gt | ConditionOperator::Gte);
        self.0.iter().all(|(operator, _)| grows(operator))
    }
}

impl Kind {
    /// Whether more hits can make it untrue, so that a window must be closed before it says anything.
    pub(crate) fn waits(&self) -> bool {
        match self {
            Self::EventCount(t) | Self::ValueCount(t) | Self::ValueSum(t) => !t.only_grows(),
            Self::Temporal(combination) => !combination.only_grows(),
            Self::TemporalOrdered(_) => false,
            Self::ValueAvg(_) | Self::ValuePercentile(..) | Self::ValueMedian(_) => true,
        }
    }

    /// Whether hits have values that are counted.
    pub(crate) fn counts_values(&self) -> bool {
        matches!(self, Self::ValueCount(_))
    }

    /// Whether hits have numbers.
    pub(crate) fn has_numbers(&self) -> bool {
        matches!(
            self,
            Self::ValueSum(_)
                | Self::ValueAvg(_)
                | Self::ValuePercentile(..)
                | Self::ValueMedian(_)
        )
    }

    /// Whether a number counts. Sums take none below zero: another hit could take back what was said.
    pub(crate) fn takes(&self, number: f64) -> bool {
        number.is_finite() && (number >= 0.0 || !matches!(self, Self::ValueSum(_)))
    }

    /// An empty window.
    pub(crate) fn tally(&self) -> Box<dyn Tally + '_> {
        match self {
            Self::EventCount(bounds) => Box::new(count::Events::new(bounds)),
            Self::ValueCount(bounds) => Box::new(count::Values::new(bounds)),
            Self::Temporal(combination) => Box::new(temporal::AnyOrder::new(combination)),
            Self::TemporalOrdered(rules) => Box::new(temporal::InOrder::new(*rules)),
            Self::ValueSum(_)
            | Self::ValueAvg(_)
            | Self::ValuePercentile(..)
            | Self::ValueMedian(_) => Box::new(number::Numbers::new(self)),
        }
    }
}

/// A window that moves over the hits: they enter and leave it in order of time.
pub(crate) trait Tally {
    /// The window's end reaches a hit.
    fn enter(&mut self, hit: &Hit);
    /// The window's beginning passes a hit.
    fn leave(&mut self, hit: &Hit);
    /// Whether the window, which begins at `since`, holds what is asked for.
    fn holds(&self, since: Timestamp) -> bool;
}
