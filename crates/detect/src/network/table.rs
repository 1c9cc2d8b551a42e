//! Evidence by group and by slots of event time: what all detectors here keep.
//!
//! A window is four slots; it ends at a slot that has evidence. Stretches of four slots, counted from 1970, fire once each. Evidence is a set
//! or a greatest value, so neither order nor repetition plays a part, and a stretch that fired stays true whatever comes later. What is
//! older than the newest evidence by more than a window and [`LATENESS_SECONDS`] is dropped. At a bound the group with the least
//! evidence is forgotten: then something may not fire, and nothing fires falsely.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::distinct::Seed;

/// How much later than the newest of its kind a line may come and still count. Flow logs come within ten minutes as a rule; a
/// queue's repetitions and a restart take the rest.
pub const LATENESS_SECONDS: i64 = 60 * 60;
/// A window has so many slots.
pub(super) const WINDOW_SLOTS: i64 = 4;
/// A slot of a group names so many records.
const RECORDS_MAX: usize = 8;

/// What is kept of a group in a slot. Merging is a union: repeated, in any order, it comes to the same.
pub(super) trait Evidence: Default {
    fn merge(&mut self, other: &Self, seed: Seed);
    /// How many things it holds in memory.
    fn size(&self) -> usize;
    /// Whether it is worth more than the evidence of another group.
    fn weight(&self) -> u64;
}

/// The first letters of a record's id, which stand for it.
pub(super) type Mark = u32;

/// One slot of one group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Slot<V> {
    #[serde(rename = "v")]
    pub(super) value: V,
    /// When the first and the last of it happened, in seconds.
    #[serde(rename = "a")]
    pub(super) first: i64,
    #[serde(rename = "z")]
    pub(super) last: i64,
    #[serde(rename = "r")]
    pub(super) marks: BTreeSet<Mark>,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Group<V> {
    #[serde(rename = "s")]
    slots: BTreeMap<i64, Slot<V>>,
    /// The stretches that fired.
    #[serde(rename = "f", default, skip_serializing_if = "BTreeSet::is_empty")]
    fired: BTreeSet<i64>,
}

impl<V> Default for Group<V> {
    fn default() -> Self {
        Self {
            slots: BTreeMap::new(),
            fired: BTreeSet::new(),
        }
    }
}

/// All groups of one detector in one state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Table<V> {
    #[serde(
        rename = "g",
        default = "BTreeMap::new",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    groups: BTreeMap<String, Group<V>>,
    /// The newest slot.
    #[serde(rename = "n", default)]
    newest: i64,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self {
            groups: BTreeMap::new(),
            newest: 0,
        }
    }
}

/// A window that has what the detector asks for.
#[derive(Debug)]
pub(super) struct Window<V> {
    /// The stretch, by its number.
    pub(super) stretch: i64,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) marks: BTreeSet<Mark>,
    /// All evidence of the window.
    pub(super) value: V,
    /// The lines at hand that the group has.
    pub(super) lines: Vec<u32>,
}

/// How large a table may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) groups: usize,
    pub(super) things: usize,
}

/// When a line was, and in which record it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) mark: Mark,
}

/// The slot of a moment, for windows of `window_seconds`.
pub(super) fn slot_of(seconds: i64, window_seconds: i64) -> i64 {
    seconds.div_euclid((window_seconds / WINDOW_SLOTS).max(1))
}

/// The first slot that is kept, when `newest` is the newest.
pub(super) fn oldest(newest: i64, window_seconds: i64) -> i64 {
    newest.saturating_sub(late_slots(window_seconds) + WINDOW_SLOTS)
}

/// So many slots the newest may be ahead of what still comes.
pub(super) fn late_slots(window_seconds: i64) -> i64 {
    let slot_seconds = (window_seconds / WINDOW_SLOTS).max(1);
    LATENESS_SECONDS.div_euclid(slot_seconds) + 1
}

impl<V> Table<V> {
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }
}

impl<V: Evidence> Table<V> {
    /// The slot of a group, to add evidence to; `None` when it is too late for that.
    pub(super) fn slot(
        &mut self,
        key: &str,
        slot: i64,
        window_seconds: i64,
        at: Moment,
    ) -> Option<&mut V> {
        self.newest = self.newest.max(slot);
        if slot < self.oldest(window_seconds) {
            return None;
        }
        if !self.groups.contains_key(key) {
            self.groups.insert(key.to_owned(), Group::default());
        }
        let group = self.groups.get_mut(key)?;
        let entry = group.slots.entry(slot).or_insert_with(|| Slot {
            value: V::default(),
            first: at.first,
            last: at.last,
            marks: BTreeSet::new(),
        });
        entry.first = entry.first.min(at.first);
        entry.last = entry.last.max(at.last);
        entry.marks.insert(at.mark);
        if entry.marks.len() > RECORDS_MAX {
            entry.marks.pop_last();
        }
        Some(&mut entry.value)
    }

    /// The newest slot, when evidence of `slot` is added.
    pub(super) fn newest_with(&self, slot: Option<i64>) -> i64 {
        slot.map_or(self.newest, |slot| slot.max(self.newest))
    }

    fn oldest(&self, window_seconds: i64) -> i64 {
        oldest(self.newest, window_seconds)
    }

    /// The windows of a group that fire now, of those that have one of the touched slots in them. `may` says from the sizes of
    /// the slots alone whether looking is worth while.
    pub(super) fn judge(
        &mut self,
        key: &str,
        touched: &BTreeSet<i64>,
        seed: Seed,
        may: impl Fn(usize) -> bool,
        fires: impl Fn(i64, &V) -> bool,
    ) -> Vec<Window<V>> {
        let Some(group) = self.groups.get_mut(key) else {
            return Vec::new();
        };
        let mut out = Vec::new();
        let (Some(from), Some(to)) = (touched.first(), touched.last()) else {
            return out;
        };
        let ends = group.slots.range(*from..to.saturating_add(WINDOW_SLOTS));
        let ends: Vec<i64> = ends.map(|(slot, _)| *slot).collect();
        for end in ends {
            let stretch = end.div_euclid(WINDOW_SLOTS);
            if group.fired.contains(&stretch) {
                continue;
            }
            let slots = || group.slots.range(end - WINDOW_SLOTS + 1..=end);
            if !may(slots().map(|(_, slot)| slot.value.size()).sum()) {
                continue;
            }
            let mut window = Window {
                stretch,
                first: i64::MAX,
                last: i64::MIN,
                marks: BTreeSet::new(),
                value: V::default(),
                lines: Vec::new(),
            };
            for (_, slot) in slots() {
                window.first = window.first.min(slot.first);
                window.last = window.last.max(slot.last);
                window.marks.extend(&slot.marks);
                window.value.merge(&slot.value, seed);
            }
            if fires(end, &window.value) {
                group.fired.insert(stretch);
                out.push(window);
            }
        }
        out
    }

    /// Drops what is too old, and then the groups with the least evidence until the rest is within its bounds. Which of two equals goes is
    /// decided by the seed, so that nobody can choose.
    pub(super) fn trim(&mut self, window_seconds: i64, bounds: Bounds, seed: Seed) {
        let oldest = self.oldest(window_seconds);
        self.groups.retain(|_, group| {
            if group
                .slots
                .first_key_value()
                .is_some_and(|(slot, _)| *slot < oldest)
            {
                group.slots = group.slots.split_off(&oldest);
            }
            group
                .fired
                .retain(|stretch| (stretch + 1) * WINDOW_SLOTS > oldest);
            !group.slots.is_empty()
        });
        let mut things: usize = self.groups.values().map(Group::size).sum();
        let mut over = self.groups.len().saturating_sub(bounds.groups);
        if over == 0 && things <= bounds.things {
            return;
        }
        let rank = |(key, group): (&String, &Group<V>)| {
            let newest = group.slots.last_key_value().map(|(slot, _)| *slot);
            (group.weight(), newest, seed.hash(key.as_str()))
        };
        let groups = self.groups.iter();
        let mut ranked: Vec<_> = groups.map(|of| (rank(of), of.0, of.1.size())).collect();
        ranked.sort_unstable();
        let mut surplus = Vec::new();
        for (_, key, size) in ranked {
            if over == 0 && things <= bounds.things {
                break;
            }
            surplus.push(key.clone());
            over = over.saturating_sub(1);
            things = things.saturating_sub(size);
        }
        for key in surplus {
            self.groups.remove(&key);
        }
    }

    /// The slots of a group before one.
    pub(super) fn before(&self, key: &str, slot: i64) -> impl Iterator<Item = (i64, &V)> {
        let group = self.groups.get(key).into_iter();
        let slots = group.flat_map(move |group| group.slots.range(..slot));
        slots.map(|(slot, entry)| (*slot, &entry.value))
    }

    /// How many things it holds, roughly.
    pub(super) fn size(&self) -> usize {
        self.groups.values().map(Group::size).sum()
    }

    /// The records that are named anywhere.
    pub(super) fn marks(&self) -> impl Iterator<Item = Mark> {
        let slots = self.groups.values().flat_map(|group| group.slots.values());
        slots.flat_map(|slot| slot.marks.iter().copied())
    }
}

impl<V: Evidence> Group<V> {
    fn size(&self) -> usize {
        self.slots.values().map(|slot| slot.value.size()).sum()
    }

    fn weight(&self) -> u64 {
        let weights = self.slots.values().map(|slot| slot.value.weight());
        weights.fold(0, u64::saturating_add)
    }
}
