//! The values of one field at one entity, or in one group of peers: exact while they fit, then a sketch of the quietest.

use std::collections::BTreeMap;

use quell_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::sketch::Sketch;
use super::{LATENESS_MILLIS, REMEMBERED_DAYS, day_of};

/// The values of one field, by keyed hash. The values themselves are not kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Values {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    table: BTreeMap<u64, Seen>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sketch: Option<Box<Sketch>>,
    /// So many values came that some had to be forgotten: what is new is learned again from here on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    again: Option<Timestamp>,
    /// The newest day of any value.
    #[serde(default)]
    newest_day: i64,
}

/// What is known of one value. A sighting is one day on which one principal had it: how often on that day does not count, so
/// that nobody makes a value common by calling much.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// When it was first seen; `None` when that was forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) first: Option<Timestamp>,
    /// By whom first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<String>,
    /// The last day that it was seen on.
    day: i64,
    /// Sightings on that day, on the day before, and earlier.
    today: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    yesterday: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    earlier: u32,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// What a sighting is to the entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// The first on its day.
    NewToday,
    /// Counted already, but earlier than all that is known.
    Earlier,
    /// Nothing new.
    Known,
}

/// How often values were seen before some day: what Good and Turing ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Tally {
    /// Sightings of the value.
    pub(super) of_value: u64,
    /// Sightings of all values.
    pub(super) of_all: u64,
    /// Values that were seen exactly once.
    pub(super) singles: u64,
}

impl Tally {
    /// What is left without those of a smaller group inside.
    pub(super) fn without(self, inner: Tally) -> Tally {
        Tally {
            of_value: self.of_value.saturating_sub(inner.of_value),
            of_all: self.of_all.saturating_sub(inner.of_all),
            singles: self.singles.saturating_sub(inner.singles),
        }
    }

    /// The share that Good and Turing leave for what was not seen yet: of what was seen exactly once, and never nothing.
    pub(super) fn unseen_share(self) -> f64 {
        ((self.singles as f64 + 0.5) / (self.of_all as f64 + 1.0)).min(0.5)
    }
}

impl Seen {
    /// Sightings before a day.
    fn before(&self, day: i64) -> u32 {
        let part = |on: i64, count: u32| if on < day { count } else { 0 };
        let yesterday = part(self.day - 1, self.yesterday);
        let earlier = part(self.day - 2, self.earlier);
        part(self.day, self.today)
            .saturating_add(yesterday)
            .saturating_add(earlier)
    }

    fn total(&self) -> u32 {
        self.today
            .saturating_add(self.yesterday)
            .saturating_add(self.earlier)
    }

    fn add(&mut self, day: i64) {
        if day > self.day {
            let (today, yesterday) = (self.today, self.yesterday);
            self.earlier = self.earlier.saturating_add(yesterday);
            (self.yesterday, self.today) = (0, 0);
            if day == self.day + 1 {
                self.yesterday = today;
            } else {
                self.earlier = self.earlier.saturating_add(today);
            }
            self.day = day;
        }
        let counter = match self.day - day {
            0 => &mut self.today,
            1 => &mut self.yesterday,
            _ => &mut self.earlier,
        };
        *counter = counter.saturating_add(1);
    }

    /// Whether a sighting on a day is there: of an entity's own values there is one a day.
    fn has(&self, day: i64) -> bool {
        match self.day - day {
            0 => self.today > 0,
            1 => self.yesterday > 0,
            _ => false,
        }
    }
}

impl Values {
    /// An entity saw a value.
    pub(super) fn see_daily(&mut self, hash: u64, at: Timestamp, most: usize) -> Sight {
        let day = day_of(at);
        match self.table.get_mut(&hash) {
            Some(seen) if seen.has(day) => match &mut seen.first {
                Some(first) if at < *first => {
                    *first = at;
                    Sight::Earlier
                }
                _ => Sight::Known,
            },
            _ => {
                self.see(hash, at, None, most);
                Sight::NewToday
            }
        }
    }

    /// A sighting that was counted turns out to have been earlier on its day.
    pub(super) fn see_earlier(&mut self, hash: u64, at: Timestamp, by: &str) {
        let Some(seen) = self.table.get_mut(&hash) else {
            return;
        };
        if let Some(first) = seen.first.as_mut().filter(|first| at < **first) {
            *first = at;
            seen.by = Some(by.to_owned());
        }
    }

    /// Somebody of a group saw a value for the first time on that day. `most` values stay exact.
    pub(super) fn see(&mut self, hash: u64, at: Timestamp, by: Option<&str>, most: usize) {
        let day = day_of(at);
        if day > self.newest_day {
            self.newest_day = day;
            self.age();
        }
        let known = self.sketch.as_ref().map_or(0, |sketch| sketch.count(hash));
        let seen = self.table.entry(hash).or_insert_with(|| Seen {
            first: (known == 0).then_some(at),
            day,
            earlier: known,
            ..Seen::default()
        });
        let earlier_by = seen.first.is_some_and(|first| at < first) || seen.by.is_none();
        if seen.first.is_some() && earlier_by {
            seen.by = by.map(str::to_owned);
        }
        seen.first = seen.first.map(|first| first.min(at));
        seen.add(day);
        if self.table.len() > most {
            self.forget(most, at);
        }
    }

    /// How much it is, in values: a sketch weighs as much as some hundred.
    pub(super) fn size(&self) -> usize {
        self.table.len() + usize::from(self.sketch.is_some()) * 400
    }

    /// What is known of a value.
    pub(super) fn known(&self, hash: u64) -> Option<&Seen> {
        self.table.get(&hash)
    }

    /// Whether a value that was just seen at a moment had not been seen more than the lateness before.
    pub(super) fn is_fresh(&self, hash: u64, at: Timestamp) -> bool {
        let first = self.table.get(&hash).and_then(|seen| seen.first);
        first.is_some_and(|first| first >= at.plus_millis(-LATENESS_MILLIS))
    }

    /// When so much had to be forgotten that what is new has to be learned again.
    pub(super) fn again(&self) -> Option<Timestamp> {
        self.again
    }

    /// Counts of the sightings before a day.
    pub(super) fn tally(&self, hash: u64, day: i64) -> Tally {
        let mut tally = Tally::default();
        for (of, seen) in &self.table {
            let before = seen.before(day);
            tally.of_all += u64::from(before);
            tally.singles += u64::from(before == 1);
            if *of == hash {
                tally.of_value = u64::from(before);
            }
        }
        if let Some(sketch) = &self.sketch {
            tally.of_all += sketch.total();
            if !self.table.contains_key(&hash) {
                tally.of_value = u64::from(sketch.count(hash));
            }
        }
        tally
    }

    /// Values that were not seen for so long are as if they had never been.
    fn age(&mut self) {
        let oldest = self.newest_day - REMEMBERED_DAYS;
        self.table.retain(|_, seen| seen.day >= oldest);
        if let Some(sketch) = &mut self.sketch {
            sketch.age(self.newest_day, REMEMBERED_DAYS);
        }
    }

    /// Puts the eighth that was quiet longest into the sketch.
    fn forget(&mut self, most: usize, at: Timestamp) {
        let day = self.newest_day;
        let mut quiet: Vec<(i64, u64)> = self.table.iter().map(|(h, s)| (s.day, *h)).collect();
        quiet.sort_unstable();
        let over = self.table.len() - most / 8 * 7;
        let sketch = self
            .sketch
            .get_or_insert_with(|| Box::new(Sketch::new(day)));
        let mut full = false;
        for (_, hash) in quiet.into_iter().take(over) {
            if let Some(seen) = self.table.remove(&hash) {
                full |= sketch.add(hash, seen.total());
            }
        }
        if full {
            **sketch = Sketch::new(day);
            self.again = Some(at);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_millis((20_000 + day) * DAY)
    }

    #[test]
    fn sightings_are_counted_by_day() {
        let mut values = Values::default();
        assert_eq!(
            values.see_daily(7, at(0).plus_millis(5), 8),
            Sight::NewToday
        );
        assert_eq!(values.see_daily(7, at(0).plus_millis(9), 8), Sight::Known);
        assert_eq!(values.see_daily(7, at(0), 8), Sight::Earlier);
        for (hash, day) in [(7, 1), (7, 5), (8, 5)] {
            assert_eq!(values.see_daily(hash, at(day), 8), Sight::NewToday);
        }
        let tally = |hash, day: i64| {
            let t = values.tally(hash, 20_000 + day);
            (t.of_value, t.of_all, t.singles)
        };
        assert_eq!(tally(7, 6), (3, 4, 1));
        assert_eq!(tally(7, 5), (2, 2, 0));
        assert_eq!(tally(8, 5), (0, 2, 0));
        assert!(values.is_fresh(8, at(5)));
        assert!(!values.is_fresh(7, at(5)));
    }

    #[test]
    fn what_is_forgotten_is_not_new_and_too_much_of_it_is_learned_again() {
        let mut values = Values::default();
        for n in 0..64 {
            values.see(n, at(0), None, 64);
        }
        values.see(64, at(1), None, 64);
        assert_eq!(values.len(), 56);
        let gone = (0..64).find(|n| values.known(*n).is_none()).unwrap();
        values.see(gone, at(1), None, 64);
        assert!(!values.is_fresh(gone, at(1)));
        assert_eq!(values.tally(gone, 20_001).of_value, 1);
        assert_eq!(values.again(), None);
        for n in 100..2_000 {
            values.see(n, at(2), None, 64);
            assert!(values.len() <= 64);
        }
        assert_eq!(values.again(), Some(at(2)));
    }

    #[test]
    fn a_value_that_was_not_seen_for_long_is_new() {
        let mut values = Values::default();
        values.see(1, at(0), Some("a"), 8);
        values.see(2, at(REMEMBERED_DAYS), Some("b"), 8);
        assert!(values.known(1).is_some());
        values.see(2, at(REMEMBERED_DAYS + 1), Some("b"), 8);
        assert!(values.known(1).is_none());
        values.see(1, at(REMEMBERED_DAYS + 1), Some("c"), 8);
        assert!(values.is_fresh(1, at(REMEMBERED_DAYS + 1)));
        assert_eq!(values.known(1).unwrap().by.as_deref(), Some("c"));
    }
}
