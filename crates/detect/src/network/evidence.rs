//! The kinds of evidence, and how lines are fed to a table of them.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;

use serde::{Deserialize, Serialize};

use super::distinct::{Distinct, EXACT_MAX, Seed};
use super::table::{Bounds, Evidence, Mark, Moment, Table, Window};

/// So many connections of a slot are kept: the first ones.
const BEATS_MAX: usize = 64;
/// So many records of a slot are told apart: those that brought most.
const SENT_MAX: usize = 64;
/// What a sketch takes, in things.
const SKETCH_SIZE: usize = 256;

impl<T: Ord + Hash + Clone> Evidence for Distinct<T> {
    fn merge(&mut self, other: &Self, seed: Seed) {
        self.merge(other, seed);
    }

    fn size(&self) -> usize {
        match self.things() {
            Some(things) => things.len(),
            None => SKETCH_SIZE,
        }
    }

    fn weight(&self) -> u64 {
        self.count().min(2 * EXACT_MAX) as u64
    }
}

/// When connections began, by the port that they came from: a connection has a line in every interval, and one beginning.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Beats(BTreeMap<u16, i64>);

impl Beats {
    pub(super) fn insert(&mut self, port: u16, start: i64) {
        let first = self.0.entry(port).or_insert(start);
        *first = (*first).min(start);
        if self.0.len() > BEATS_MAX {
            let last = self.0.iter().max_by_key(|(port, start)| (**start, **port));
            if let Some(port) = last.map(|(port, _)| *port) {
                self.0.remove(&port);
            }
        }
    }

    /// The moments in order.
    pub(super) fn moments(&self) -> BTreeSet<i64> {
        self.0.values().copied().collect()
    }
}

impl Evidence for Beats {
    /// The slots of a window together are more than one slot may have.
    fn merge(&mut self, other: &Self, _: Seed) {
        for (port, start) in &other.0 {
            let first = self.0.entry(*port).or_insert(*start);
            *first = (*first).min(*start);
        }
    }

    fn size(&self) -> usize {
        self.0.len()
    }

    /// Who connects all the time is no beacon, and must not push one out: more than thirty in a slot weigh no more.
    fn weight(&self) -> u64 {
        self.0.len().min(30) as u64
    }
}

/// How many bytes each record brought. A record that comes again brings the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Sent(BTreeMap<Mark, u64>);

impl Sent {
    /// What a record brings, in all.
    pub(super) fn insert(&mut self, mark: Mark, bytes: u64) {
        let most = self.0.entry(mark).or_insert(bytes);
        *most = (*most).max(bytes);
        if self.0.len() > SENT_MAX {
            let least = self.0.iter().min_by_key(|(mark, bytes)| (**bytes, **mark));
            if let Some(mark) = least.map(|(mark, _)| *mark) {
                self.0.remove(&mark);
            }
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.0
            .values()
            .fold(0, |sum, bytes| sum.saturating_add(*bytes))
    }
}

impl Evidence for Sent {
    /// A record may have lines in two slots: those add up here, as they are not the same bytes.
    fn merge(&mut self, other: &Self, _: Seed) {
        for (mark, bytes) in &other.0 {
            let sum = self.0.entry(*mark).or_default();
            *sum = sum.saturating_add(*bytes);
        }
    }

    fn size(&self) -> usize {
        self.0.len()
    }

    fn weight(&self) -> u64 {
        self.total()
    }
}

/// One thing that a line says to a detector.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<K, T> {
    pub(super) key: K,
    pub(super) slot: i64,
    pub(super) thing: T,
    pub(super) at: Moment,
    /// Which of the record's lines it is.
    pub(super) line: u32,
}

impl<K, T> Item<K, T> {
    /// The same of another group.
    pub(super) fn keyed<L>(self, key: L) -> Item<L, T> {
        Item {
            key,
            slot: self.slot,
            thing: self.thing,
            at: self.at,
            line: self.line,
        }
    }
}

/// How a table is judged.
pub(super) struct Judge<'a, K, V> {
    pub(super) window_seconds: i64,
    pub(super) bounds: Bounds,
    pub(super) seed: Seed,
    /// The group's name in the state.
    pub(super) name: &'a dyn Fn(&K) -> String,
    /// Whether so many things could be enough.
    pub(super) may: &'a dyn Fn(usize) -> bool,
    /// Whether the window that ends at this slot is enough.
    pub(super) fires: &'a dyn Fn(i64, &V) -> bool,
}

/// What fired, and in which group.
pub(super) type Fed<K, V> = Vec<(K, Window<V>)>;

/// Gives a table all that the lines of one record say to it, and sees what fires. `put` gets all things of one group and slot at once.
pub(super) fn feed<K: Ord + Copy, T: Copy, V: Evidence>(
    table: &mut Table<V>,
    mut items: Vec<Item<K, T>>,
    judge: &Judge<'_, K, V>,
    put: impl Fn(&mut V, &[Item<K, T>]),
) -> Fed<K, V> {
    let mut fed = Vec::new();
    if items.is_empty() {
        return fed;
    }
    items.sort_unstable_by_key(|item| (item.key, item.slot));
    let mut touched = BTreeSet::new();
    for group in items.chunk_by(|a, b| a.key == b.key) {
        let Some(first) = group.first() else {
            continue;
        };
        let name = (judge.name)(&first.key);
        touched.clear();
        for part in group.chunk_by(|a, b| a.slot == b.slot) {
            let Some(one) = part.first() else {
                continue;
            };
            let at = Moment {
                first: part
                    .iter()
                    .map(|item| item.at.first)
                    .min()
                    .unwrap_or_default(),
                last: part
                    .iter()
                    .map(|item| item.at.last)
                    .max()
                    .unwrap_or_default(),
                mark: one.at.mark,
            };
            if let Some(value) = table.slot(&name, one.slot, judge.window_seconds, at) {
                put(value, part);
                touched.insert(one.slot);
            }
        }
        for mut window in table.judge(&name, &touched, judge.seed, judge.may, judge.fires) {
            window.lines = group.iter().map(|item| item.line).collect();
            fed.push((first.key, window));
        }
    }
    table.trim(judge.window_seconds, judge.bounds, judge.seed);
    fed
}
