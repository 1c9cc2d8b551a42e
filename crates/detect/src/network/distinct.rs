//! How many different things there were: exactly while they are few, by a sketch when they are many.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use siphasher::sip::SipHasher13;

/// So many are counted exactly. No threshold is above it, so what fires never rests on an estimate.
pub const EXACT_MAX: usize = 128;
/// HyperLogLog's precision: 1,024 registers, a standard error of 1.04 / √1024 = 3.25 %.
const PRECISION: u32 = 10;
const REGISTERS: usize = 1 << PRECISION;

/// The secret that things are hashed with. Who does not know it cannot make things that collide, or choose what is forgotten.
#[derive(Clone, Copy)]
pub struct Seed(u64, u64);

impl Seed {
    /// A seed of sixteen secret bytes; the same must be given as long as states are kept.
    pub fn new(bytes: [u8; 16]) -> Self {
        let number = u128::from_le_bytes(bytes);
        #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
        Self(number as u64, (number >> 64) as u64)
    }

    /// SipHash-1-3 of something.
    pub(super) fn hash(self, of: &(impl Hash + ?Sized)) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        of.hash(&mut hasher);
        hasher.finish()
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(…)")
    }
}

/// A set of things. Adding one twice changes nothing, and the order plays no part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Distinct<T: Ord> {
    /// All of them.
    Exact(BTreeSet<T>),
    /// Too many to keep.
    Sketch(Sketch),
}

impl<T: Ord> Default for Distinct<T> {
    fn default() -> Self {
        Self::Exact(BTreeSet::new())
    }
}

impl<T: Ord + Hash + Clone> Distinct<T> {
    pub(super) fn insert(&mut self, thing: T, seed: Seed) {
        match self {
            Self::Exact(set) => {
                set.insert(thing);
                if set.len() > EXACT_MAX {
                    let mut sketch = Sketch::default();
                    for thing in set.iter() {
                        sketch.insert(seed.hash(thing));
                    }
                    *self = Self::Sketch(sketch);
                }
            }
            Self::Sketch(sketch) => sketch.insert(seed.hash(&thing)),
        }
    }

    pub(super) fn merge(&mut self, other: &Self, seed: Seed) {
        match other {
            Self::Exact(set) => {
                for thing in set {
                    self.insert(thing.clone(), seed);
                }
            }
            Self::Sketch(sketch) => {
                if let Self::Exact(set) = self {
                    let mut own = Sketch::default();
                    for thing in set.iter() {
                        own.insert(seed.hash(thing));
                    }
                    *self = Self::Sketch(own);
                }
                if let Self::Sketch(own) = self {
                    own.merge(sketch);
                }
            }
        }
    }

    /// How many: exact up to [`EXACT_MAX`], above it within some percent, and never below [`EXACT_MAX`].
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Exact(set) => set.len(),
            Self::Sketch(sketch) => sketch.count().max(EXACT_MAX + 1),
        }
    }

    /// The things, while they are kept.
    pub(super) fn things(&self) -> Option<&BTreeSet<T>> {
        match self {
            Self::Exact(set) => Some(set),
            Self::Sketch(_) => None,
        }
    }
}

/// HyperLogLog. In JSON it is a text of 1,024 letters.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sketch(Vec<u8>);

impl Default for Sketch {
    fn default() -> Self {
        Self(vec![0; REGISTERS])
    }
}

impl Sketch {
    fn insert(&mut self, hash: u64) {
        let index = usize::try_from(hash >> (64 - PRECISION)).unwrap_or(0);
        // One bit at the end, so that there is one.
        let rest = (hash << PRECISION) | (1 << (PRECISION - 1));
        let rank = u8::try_from(rest.leading_zeros() + 1).unwrap_or(u8::MAX);
        if let Some(register) = self.0.get_mut(index) {
            *register = (*register).max(rank);
        }
    }

    fn merge(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own = (*own).max(*other);
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate, positive and far below 2^53"
    )]
    fn count(&self) -> usize {
        let m = REGISTERS as f64;
        let sum: f64 = self.0.iter().map(|rank| 0.5f64.powi((*rank).into())).sum();
        let raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
        let empty = self.0.iter().filter(|rank| **rank == 0).count();
        if raw <= 2.5 * m && empty > 0 {
            (m * (m / empty as f64).ln()) as usize
        } else {
            raw as usize
        }
    }
}

/// The letter of rank 0; the others follow it.
const FIRST_LETTER: u8 = b'0';

impl Serialize for Sketch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let letters = self
            .0
            .iter()
            .map(|rank| char::from(FIRST_LETTER + rank.min(&64)));
        serializer.serialize_str(&letters.collect::<String>())
    }
}

impl<'de> Deserialize<'de> for Sketch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let ranks: Vec<u8> = text
            .bytes()
            .map(|b| b.saturating_sub(FIRST_LETTER))
            .collect();
        if ranks.len() == REGISTERS {
            Ok(Self(ranks))
        } else {
            Err(serde::de::Error::custom("a sketch has 1,024 registers"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: Seed = Seed(1, 2);

    fn of(things: impl Iterator<Item = u32>) -> Distinct<u32> {
        let mut out = Distinct::default();
        things.for_each(|thing| out.insert(thing, SEED));
        out
    }

    #[test]
    fn few_are_exact_and_many_nearly_so() {
        assert_eq!(of((0..128).chain(0..128)).count(), 128);
        for count in [129u32, 1000, 5000, 100_000] {
            let found = of((0..count).chain(0..count)).count();
            let error = f64::from(u32::try_from(found).unwrap()) / f64::from(count) - 1.0;
            assert!(error.abs() < 0.1, "{found} for {count}");
        }
    }

    #[test]
    fn parts_in_any_order_make_the_whole() {
        for count in [10, 100, 200, 1000] {
            let whole = of(0..count);
            let (low, high) = (of(0..count / 2 + 5), of(count / 2..count));
            for (a, b) in [(&low, &high), (&high, &low)] {
                let mut merged = (*a).clone();
                merged.merge(b, SEED);
                merged.merge(a, SEED);
                assert_eq!(merged, whole);
            }
        }
    }

    #[test]
    fn it_reads_as_it_was_written() {
        for count in [3, 1000] {
            let set = of(0..count);
            let text = serde_json::to_string(&set).unwrap();
            assert_eq!(serde_json::from_str::<Distinct<u32>>(&text).unwrap(), set);
        }
        assert!(serde_json::from_str::<Distinct<u32>>("\"000\"").is_err());
    }
}
