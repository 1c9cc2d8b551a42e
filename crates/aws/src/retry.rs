//! When to try again, and how long to wait first.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How often and how soon a call is tried again.
#[derive(Clone, Debug)]
pub struct Retries {
    /// Attempts in all; 1 means never again.
    pub attempts_max: u32,
    /// The longest wait before the second attempt; it doubles with each.
    pub base_delay: Duration,
    /// The longest wait ever.
    pub max_delay: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            attempts_max: 4,
            base_delay: Duration::from_millis(200),
            max_delay: Duration::from_secs(10),
        }
    }
}

impl Retries {
    /// The wait after attempt number `attempt` (from 1): exponential with full jitter, from `random`.
    pub(crate) fn delay(&self, attempt: u32, random: u64) -> Duration {
        let doubled = 1_u32
            .checked_shl(attempt.saturating_sub(1))
            .unwrap_or(u32::MAX);
        let longest = self.base_delay.saturating_mul(doubled).min(self.max_delay);
        let micros = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(random % micros.saturating_add(1))
    }
}

/// What a bucket holds when it is full, what a retry takes, and what a first success gives back: the figures of
/// the AWS SDKs' standard mode.
const TOKENS_MAX: u32 = 500;
const RETRY_COST: u32 = 5;
const SUCCESS_REFUND: u32 = 1;

/// A bucket of tokens for each place (account, Region, service). Retries take tokens and successes give some back,
/// so that a place in trouble is not made worse.
#[derive(Default)]
pub(crate) struct Buckets {
    tokens: Mutex<HashMap<String, u32>>,
}

impl Buckets {
    /// Takes a retry's tokens; says no when there are too few.
    pub(crate) fn take(&self, place: &str) -> bool {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let left = tokens.entry(place.to_owned()).or_insert(TOKENS_MAX);
        match left.checked_sub(RETRY_COST) {
            Some(rest) => {
                *left = rest;
                true
            }
            None => false,
        }
    }

    /// Gives back after a success that took `retries` retries.
    pub(crate) fn give_back(&self, place: &str, retries: u32) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(left) = tokens.get_mut(place) {
            let back = if retries == 0 {
                SUCCESS_REFUND
            } else {
                RETRY_COST
            };
            *left = left.saturating_add(back).min(TOKENS_MAX);
        }
        // A full bucket is as good as none.
        tokens.retain(|_, left| *left < TOKENS_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_are_bounded() {
        let retries = Retries::default();
        assert_eq!(retries.delay(1, 0), Duration::ZERO);
        for attempt in 1..200 {
            for random in [1, 12_345, u64::MAX] {
                assert!(retries.delay(attempt, random) <= retries.max_delay);
            }
        }
        assert_eq!(retries.delay(1, 200_000), Duration::from_millis(200));
        assert_eq!(retries.delay(3, 800_000), Duration::from_millis(800));
    }

    #[test]
    fn a_place_in_trouble_runs_out_and_recovers() {
        let buckets = Buckets::default();
        let taken = (0..1000).filter(|_| buckets.take("a")).count();
        assert_eq!(taken, 100);
        assert!(buckets.take("b"));
        (0..5).for_each(|_| buckets.give_back("a", 0));
        assert!(buckets.take("a"));
        assert!(!buckets.take("a"));
    }
}
