//! How many hits, or how many different values.

use std::collections::BTreeMap;

use quell_model::Timestamp;

use super::{Tally, Threshold};
use crate::correlation::Hit;

pub(super) struct Events<'a> {
    bounds: &'a Threshold,
    count: u32,
}

impl<'a> Events<'a> {
    pub(super) fn new(bounds: &'a Threshold) -> Self {
        Self { bounds, count: 0 }
    }
}

impl Tally for Events<'_> {
    fn enter(&mut self, _: &Hit) {
        self.count += 1;
    }

    fn leave(&mut self, _: &Hit) {
        self.count -= 1;
    }

    fn holds(&self, _: Timestamp) -> bool {
        self.bounds.holds(f64::from(self.count))
    }
}

pub(super) struct Values<'a> {
    bounds: &'a Threshold,
    /// How many hits of the window have a value.
    counts: BTreeMap<String, u32>,
}

impl<'a> Values<'a> {
    pub(super) fn new(bounds: &'a Threshold) -> Self {
        Self {
            bounds,
            counts: BTreeMap::new(),
        }
    }
}

impl Tally for Values<'_> {
    fn enter(&mut self, hit: &Hit) {
        for value in &hit.values {
            match self.counts.get_mut(value) {
                Some(count) => *count += 1,
                None => drop(self.counts.insert(value.clone(), 1)),
            }
        }
    }

    fn leave(&mut self, hit: &Hit) {
        for value in &hit.values {
            if let Some(count) = self.counts.get_mut(value) {
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(value);
                }
            }
        }
    }

    fn holds(&self, _: Timestamp) -> bool {
        // A hit has few values and a group few hits.
        self.bounds.holds(self.counts.len() as f64)
    }
}
