//! How much of something an entity does in an hour, against the same hour of other weeks.

use serde::{Deserialize, Serialize};

/// The hours of a week.
const WEEK: usize = 168;
/// A count is kept in eighths.
const PARTS: f64 = 8.0;
/// How much of a week's news an hour of the week takes up.
const WEIGHT: f64 = 0.25;
/// What is left of the highest hour after one more: a half in four weeks.
const PEAK_LEFT: f64 = 0.998_97;
/// After so many hours without anything the series begins anew: about nine weeks.
const GAP_HOURS_MAX: i64 = 63 * 24;

/// Counts of one thing, hour by hour, of hours that are over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Series {
    /// The weighted mean of each hour of the week, in eighths.
    #[serde(default)]
    slots: Vec<u16>,
    /// The hours closed so far.
    #[serde(default)]
    hours: u32,
    /// The highest hour, slowly forgotten.
    #[serde(default)]
    peak: f64,
}

/// What is usual in an hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Usual {
    /// In this hour of the week.
    pub(super) mean: f64,
    /// In the highest hour so far.
    pub(super) peak: f64,
    /// How many hours are known.
    pub(super) hours: u32,
}

impl Series {
    /// Puts an hour that is over (its number since 1970) to what is known. Hours come one after another.
    pub(super) fn close(&mut self, hour: i64, count: u32) {
        self.slots.resize(WEEK, 0);
        let first = self.hours < WEEK as u32;
        if let Some(slot) = self.slots.get_mut(slot_of(hour)) {
            let (old, new) = (f64::from(*slot), f64::from(count) * PARTS);
            let mean = if first {
                new
            } else {
                old + (new - old) * WEIGHT
            };
            *slot = mean.round().clamp(0.0, f64::from(u16::MAX)) as u16;
        }
        self.hours = self.hours.saturating_add(1);
        self.peak = (self.peak * PEAK_LEFT).max(f64::from(count));
    }

    /// Closes hours in which nothing happened, from `first` up to, not including, `to`.
    pub(super) fn close_empty(&mut self, first: i64, to: i64) {
        if to - first > GAP_HOURS_MAX {
            *self = Self::default();
            return;
        }
        for hour in first..to {
            self.close(hour, 0);
        }
    }

    /// What is usual in an hour. The three hours before it, and itself, say nothing of the mean: they may still change. `over` is the
    /// count of the hour two before, when that is over and not closed yet.
    pub(super) fn usual(&self, hour: i64, over: Option<u32>) -> Usual {
        let unsettled: [usize; 4] = [0, 1, 2, 3].map(|back| slot_of(hour - back));
        let others = self.slots.iter().enumerate();
        let others = others.filter(|(at, _)| !unsettled.contains(at));
        let (sum, count) = others.fold((0.0, 0.0), |(sum, n), (_, slot)| {
            (sum + f64::from(*slot), n + 1.0)
        });
        let (peak, hours) = match over {
            Some(count) => (
                (self.peak * PEAK_LEFT).max(f64::from(count)),
                self.hours + 1,
            ),
            None => (self.peak, self.hours),
        };
        // In the first week there are slots that were not reached yet: they are zero and do not count.
        let known = f64::from(hours.min(WEEK as u32)).max(1.0);
        let mean = sum / f64::max(f64::min(count, known), 1.0) / PARTS;
        let weeks = f64::from(hours / WEEK as u32).min(8.0);
        let slot = self
            .slots
            .get(slot_of(hour))
            .map_or(0.0, |s| f64::from(*s) / PARTS);
        Usual {
            mean: (weeks * slot + mean) / (weeks + 1.0),
            peak,
            hours,
        }
    }
}

fn slot_of(hour: i64) -> usize {
    usize::try_from(hour.rem_euclid(WEEK as i64)).unwrap_or(0)
}

/// −ln P(X ≥ count) of a Poisson distribution with this mean; 0 where that is no surprise.
pub(super) fn surprise(count: u32, mean: f64) -> f64 {
    let (k, mean) = (f64::from(count), mean.max(0.1));
    if k <= mean {
        return 0.0;
    }
    let log_first = k * mean.ln() - mean - ln_factorial(count);
    // The terms behind the first fall off at least like a geometric series of mean / (k + 1).
    let (mut term, mut sum, mut n) = (1.0, 1.0, k);
    while term > 1e-12 {
        n += 1.0;
        term *= mean / n;
        sum += term;
    }
    -(log_first + f64::ln(sum))
}

fn ln_factorial(n: u32) -> f64 {
    if n < 64 {
        return (2..=n).map(|k| f64::from(k).ln()).sum();
    }
    // Stirling's series; the next term is below 1e-12 from 64 on.
    let x = f64::from(n) + 1.0;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + 1.0 / (12.0 * x)
        - 1.0 / (360.0 * x.powi(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_poissons() {
        // Worked out with fifty digits.
        for (count, mean, p) in [
            (5, 1.0, 3.659_846_827_343_713e-3),
            (10, 2.0, 4.649_807_501_726_38e-5),
            (100, 50.0, 3.200_065_324_585_125e-10),
        ] {
            let said = (-surprise(count, mean)).exp();
            assert!((said / p - 1.0).abs() < 1e-8, "{count} {mean}: {said} {p}");
        }
        assert_eq!(surprise(3, 5.0), 0.0);
        assert!(surprise(1_000_000, 3.0).is_finite());
    }

    #[test]
    fn an_hour_is_measured_by_its_week() {
        let mut series = Series::default();
        let busy = |hour: i64| if hour.rem_euclid(24) == 9 { 400 } else { 0 };
        for hour in 0..168 * 6 {
            series.close(hour, busy(hour));
        }
        let (nine, ten) = (
            series.usual(168 * 6 + 9, None).mean,
            series.usual(168 * 6 + 10, None).mean,
        );
        assert!(nine > 300.0 && ten < 10.0, "{nine} {ten}");
        assert!(series.peak > 390.0);
        // Nothing for weeks: the mean falls, and after nine weeks all is forgotten.
        series.close_empty(168 * 6, 168 * 9);
        assert!(series.usual(168 * 9 + 9, None).mean < nine);
        series.close_empty(168 * 9, 168 * 30);
        assert_eq!(series, Series::default());
    }
}
