//! Randomness as data: a sequence drawn from the seed of a moment.

use crate::clock::Moment;
use sha2::{Digest, Sha256};
use std::cell::Cell;
use std::fmt::Write as _;
use std::rc::Rc;

/// SplitMix64 over one seed; clones share the sequence.
#[derive(Clone, Debug)]
pub(crate) struct Random(Rc<Cell<u64>>);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(Rc::new(Cell::new(seed)))
    }

    /// The next 64 bits.
    pub(crate) fn bits(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.0.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// The next number in `0.0..1.0`.
    pub(crate) fn fraction(&self) -> f64 {
        const STEPS: u64 = 1 << 53;
        (self.bits() >> 11) as f64 / STEPS as f64
    }

    /// The next version 4 UUID.
    pub(crate) fn uuid(&self) -> String {
        let high = (self.bits() & !0xF000) | 0x4000;
        let low = (self.bits() & !(0b11 << 62)) | (0b10 << 62);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xFFFF,
            high & 0xFFFF,
            low >> 48,
            low & 0xFFFF_FFFF_FFFF
        )
    }
}

/// The task token of one attempt: the same parts always give the same token,
/// and nobody without the key can guess it.
pub(crate) fn task_token(execution: &str, task: &str, now: Moment) -> String {
    let (key, seed) = (now.token_key, now.seed.to_be_bytes());
    let mut hash = Sha256::new();
    for part in [key.bytes(), execution.as_bytes(), task.as_bytes(), &seed] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

/// Bytes as lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::TokenKey;

    #[test]
    fn same_seed_same_sequence() {
        let (a, b) = (Random::new(7), Random::new(7));
        assert_eq!(
            (a.bits(), a.uuid(), a.fraction()),
            (b.bits(), b.uuid(), b.fraction())
        );
        assert!((0.0..1.0).contains(&a.fraction()));
    }

    #[test]
    fn uuids_are_version_four() {
        let uuid = Random::new(1).uuid();
        let parts: Vec<&str> = uuid.split('-').collect();
        assert_eq!(
            parts.iter().map(|p| p.len()).collect::<Vec<_>>(),
            [8, 4, 4, 4, 12]
        );
        assert!(parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']));
    }

    #[test]
    fn tokens_differ_by_every_part() {
        let now = |seed| Moment::new(0, seed);
        let token = task_token("e", "task-1", now(1));
        assert_eq!(token, task_token("e", "task-1", now(1)));
        for other in [
            task_token("f", "task-1", now(1)),
            task_token("e", "task-2", now(1)),
            task_token("e", "task-1", now(2)),
            task_token("etask-", "1", now(1)),
            task_token("e", "task-1", now(1).keyed(TokenKey::new([1; 32]))),
        ] {
            assert_ne!(token, other);
        }
    }
}
