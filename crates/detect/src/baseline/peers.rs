//! What a group of peers, or an account, has seen.

use std::collections::BTreeMap;

use quell_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::values::{Sight, Values};
use super::{
    DAY_MILLIS, Field, LATENESS_MILLIS, Learn, PEERS_SIGHTINGS_MIN, PEERS_VALUES_MAX,
    PRIVILEGED_MAX, day_of,
};

/// What the members of a group have seen together. It changes only when a member sees a value for the first time on a day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Peers {
    first: Timestamp,
    newest: Timestamp,
    #[serde(default)]
    values: BTreeMap<Field, Values>,
    #[serde(default)]
    privileged: Values,
}

impl Peers {
    pub(super) fn new(at: Timestamp) -> Self {
        Self {
            first: at,
            newest: at,
            ..Self::default()
        }
    }

    /// When the newest of it happened.
    pub fn newest(&self) -> Timestamp {
        self.newest
    }

    /// How much it is, in values.
    pub(super) fn size(&self) -> usize {
        self.values.values().map(Values::size).sum::<usize>() + self.privileged.size() + 1
    }

    /// When the first of it happened.
    pub fn first(&self) -> Timestamp {
        self.first
    }

    /// A member saw a value. Answers whether that changed anything.
    pub(super) fn see(
        &mut self,
        what: (Field, bool, u64),
        sight: Sight,
        at: Timestamp,
        by: &str,
    ) -> bool {
        if sight == Sight::Known || at < self.newest.plus_millis(-LATENESS_MILLIS) {
            return false;
        }
        self.first = self.first.min(at);
        self.newest = self.newest.max(at);
        let (field, privileged, hash) = what;
        let (values, most) = match privileged && field == Field::Action {
            true => (&mut self.privileged, PRIVILEGED_MAX),
            false => (self.values.entry(field).or_default(), PEERS_VALUES_MAX),
        };
        match sight {
            Sight::Earlier => values.see_earlier(hash, at, by),
            _ => values.see(hash, at, Some(by), most),
        }
        true
    }

    pub(super) fn values(&self, field: Field, privileged: bool) -> Option<&Values> {
        match privileged && field == Field::Action {
            true => Some(&self.privileged),
            false => self.values.get(&field),
        }
    }

    /// Whether the group has seen enough of a field before the lateness of a moment to say what is new.
    pub(super) fn is_mature(&self, field: Field, learn: Learn, at: Timestamp) -> bool {
        let settled = at.plus_millis(-LATENESS_MILLIS);
        let since = settled.plus_millis(-i64::from(learn.days) * DAY_MILLIS);
        let of = |values: Option<&Values>| values.map_or(0, |v| v.tally(0, day_of(settled)).of_all);
        let mut sightings = of(self.values.get(&field));
        if field == Field::Action {
            sightings += of(Some(&self.privileged));
        }
        self.first <= since && sightings >= PEERS_SIGHTINGS_MIN
    }
}
