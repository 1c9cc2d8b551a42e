//! One entity's past.

use std::collections::{BTreeMap, BTreeSet};

use quell_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::rate::{Series, Usual};
use super::values::{Sight, Values};
use super::{
    DAY_MILLIS, ENTITY_FINDINGS_MAX, ENTITY_VALUES_MAX, Field, LATENESS_MILLIS, Learn, Measure,
    PRIVILEGED_MAX, REMEMBERED_DAYS, Subject, day_of, hour_of,
};

/// So many services of an hour are told apart; more are as good as many.
const SERVICES_MAX: usize = 128;
/// So much that fired is remembered; half of it is for what is privileged.
const FIRED_MAX: usize = 512;
/// Records may still come for the newest hour and the one before; the third says how it was before both.
const OPEN_HOURS: i64 = 3;
const MEASURES: [Measure; 3] = [Measure::Calls, Measure::Denied, Measure::Services];

/// One entity's past. It reads and writes as JSON, so it can be kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The first record.
    first: Timestamp,
    /// The newest.
    newest: Timestamp,
    /// Calls in the hours that are closed.
    calls: u64,
    /// The hours that records may still fall into.
    open: BTreeMap<i64, Hour>,
    #[serde(default)]
    values: BTreeMap<Field, Values>,
    /// Actions that are never left to a sketch of others.
    #[serde(default)]
    privileged: Values,
    #[serde(default)]
    rates: BTreeMap<Measure, Series>,
    /// What fired, by hash, with the day.
    #[serde(default)]
    fired: BTreeMap<u64, i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Hour {
    calls: u32,
    #[serde(default)]
    denied: u32,
    #[serde(default)]
    services: BTreeSet<u64>,
}

impl Hour {
    fn count(&self, measure: Measure) -> u32 {
        match measure {
            Measure::Calls => self.calls,
            Measure::Denied => self.denied,
            Measure::Services => u32::try_from(self.services.len()).unwrap_or(u32::MAX),
        }
    }
}

impl Profile {
    /// The past of an entity whose first record happened at a moment.
    pub(super) fn new(at: Timestamp) -> Self {
        Self {
            first: at,
            newest: at,
            ..Self::default()
        }
    }

    /// When the newest record happened.
    pub fn newest(&self) -> Timestamp {
        self.newest
    }

    /// How much it is, in values.
    pub(super) fn size(&self) -> usize {
        let values = self.values.values().map(Values::size).sum::<usize>();
        // The series weigh as much as some values.
        values + self.privileged.size() + self.fired.len() / 2 + 16
    }

    /// When the first record happened.
    pub fn first(&self) -> Timestamp {
        self.first
    }

    /// How many calls are known.
    pub fn calls(&self) -> u64 {
        let open = self.open.values().map(|hour| u64::from(hour.calls));
        self.calls + open.sum::<u64>()
    }

    /// Whether a record is too late to count.
    pub(super) fn is_too_late(&self, at: Timestamp) -> bool {
        at < self.newest.plus_millis(-LATENESS_MILLIS)
    }

    /// Counts a call.
    pub(super) fn count(&mut self, at: Timestamp, subject: &Subject, service: u64) {
        self.first = self.first.min(at);
        if at > self.newest || self.open.is_empty() {
            let from = hour_of(self.newest);
            self.newest = self.newest.max(at);
            self.close(from);
        }
        let hour = self.open.entry(hour_of(at)).or_default();
        hour.calls = hour.calls.saturating_add(1);
        hour.denied = hour.denied.saturating_add(u32::from(subject.denied));
        if hour.services.len() < SERVICES_MAX {
            hour.services.insert(service);
        }
    }

    /// Closes the hours that nothing can fall into any more. The newest hour was `before`.
    fn close(&mut self, before: i64) {
        let (from, to) = (
            before - OPEN_HOURS + 1,
            hour_of(self.newest) - OPEN_HOURS + 1,
        );
        if to <= from {
            return;
        }
        let open = self.open.split_off(&to);
        let closed = std::mem::replace(&mut self.open, open);
        // Before the first record there were no hours.
        let from = from.max(hour_of(self.first));
        for measure in MEASURES {
            let series = self.rates.entry(measure).or_default();
            let mut next = from;
            for (hour, counts) in &closed {
                series.close_empty(next, *hour);
                series.close(*hour, counts.count(measure));
                next = hour + 1;
            }
            series.close_empty(next, to);
        }
        self.calls += closed.values().map(|h| u64::from(h.calls)).sum::<u64>();
    }

    /// Sees a value of a field.
    pub(super) fn see(
        &mut self,
        field: Field,
        privileged: bool,
        hash: u64,
        at: Timestamp,
    ) -> Sight {
        match privileged && field == Field::Action {
            true => self.privileged.see_daily(hash, at, PRIVILEGED_MAX),
            false => {
                let values = self.values.entry(field).or_default();
                values.see_daily(hash, at, ENTITY_VALUES_MAX)
            }
        }
    }

    /// The values of a field.
    pub(super) fn values(&self, field: Field, privileged: bool) -> Option<&Values> {
        match privileged && field == Field::Action {
            true => Some(&self.privileged),
            false => self.values.get(&field),
        }
    }

    /// Whether there was enough before the lateness of a moment: only what can no longer change is asked.
    pub(super) fn is_mature(&self, learn: Learn, at: Timestamp) -> bool {
        let settled = at.plus_millis(-LATENESS_MILLIS);
        let since = settled.plus_millis(-i64::from(learn.days) * DAY_MILLIS);
        let open = self.open.range(..hour_of(settled));
        let calls = self.calls + open.map(|(_, hour)| u64::from(hour.calls)).sum::<u64>();
        self.first <= since && calls >= learn.calls
    }

    /// How many there were in the hour of a moment, and what is usual then.
    pub(super) fn hour(&self, measure: Measure, at: Timestamp) -> (u32, Usual) {
        let hour = hour_of(at);
        let count = |hour: &i64| self.open.get(hour).map_or(0, |h| h.count(measure));
        // Hours are closed three behind the newest: of the hour before the newest that is already all that counts.
        let is_open =
            hour - 2 > hour_of(self.newest) - OPEN_HOURS && hour - 2 >= hour_of(self.first);
        let over = is_open.then(|| count(&(hour - 2)));
        let nothing = Series::default();
        let series = self.rates.get(&measure).unwrap_or(&nothing);
        (count(&hour), series.usual(hour, over))
    }

    /// Notes that something fires; false when it has fired already, or when the day has had enough. What is privileged has room of its own:
    /// nobody hides it behind many small findings.
    pub(super) fn fires(&mut self, what: u64, privileged: bool, at: Timestamp) -> bool {
        let day = day_of(at);
        self.fired.retain(|_, on| *on > day - REMEMBERED_DAYS);
        let today = self.fired.values().filter(|on| **on == day).count();
        let (today_max, all_max) = match privileged {
            true => (FIRED_MAX, FIRED_MAX),
            false => (ENTITY_FINDINGS_MAX, FIRED_MAX / 2),
        };
        if self.fired.contains_key(&what) || today >= today_max || self.fired.len() >= all_max {
            return false;
        }
        self.fired.insert(what, day);
        true
    }
}
