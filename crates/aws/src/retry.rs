//! When to try again, and how long to wait first: the standard mode of the AWS SDKs, with the figures of botocore
//! 1.44 (`retries/standard.py`, `retries/quota.py`).

use std::time::Duration;

use http::HeaderMap;
use serde::{Deserialize, Serialize};

/// How often and how soon a call is tried again.
#[derive(Clone, Debug)]
pub struct Retries {
    /// Whether the client also slows down by itself.
    pub mode: RetryMode,
    /// Attempts in all; 1 means never again.
    pub attempts_max: u32,
    /// The longest wait before the second attempt; it doubles with each.
    pub base_delay: Duration,
    /// The same when AWS said «slower».
    pub throttled_delay: Duration,
    /// The longest wait that is chosen here; `x-amz-retry-after` can add five seconds.
    pub max_delay: Duration,
}

/// What a client does about «slower», besides trying again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RetryMode {
    /// Nothing more.
    Standard,
    /// It measures how fast it calls, and keeps below the speed that was refused (`pace/adaptive.rs`).
    Adaptive,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            mode: RetryMode::Standard,
            attempts_max: 4,
            base_delay: Duration::from_millis(50),
            throttled_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(20),
        }
    }
}

/// Why a call is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// AWS said «slower».
    Throttled,
    /// A server error, no connection, or no answer.
    Transient,
}

/// AWS's word on the wait counts for no more than this above our own.
const RETRY_AFTER_MORE_MAX: Duration = Duration::from_secs(5);

impl Retries {
    /// The wait after attempt number `attempt` (from 1): exponential with full jitter, from `random`, and no less
    /// than AWS asked for, within reason.
    pub(crate) fn delay(
        &self,
        attempt: u32,
        reason: Reason,
        asked: Option<Duration>,
        random: u64,
    ) -> Duration {
        let base = match reason {
            Reason::Throttled => self.throttled_delay,
            Reason::Transient => self.base_delay,
        };
        let doubled = 1_u32
            .checked_shl(attempt.saturating_sub(1))
            .unwrap_or(u32::MAX);
        let longest = base.saturating_mul(doubled).min(self.max_delay);
        let micros = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
        let own = Duration::from_micros(random % micros.saturating_add(1));
        asked.map_or(own, |asked| own.max(asked.min(own + RETRY_AFTER_MORE_MAX)))
    }
}

/// How long AWS asks to wait: `x-amz-retry-after` in milliseconds, else `Retry-After` in seconds.
pub(crate) fn asked_wait(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse().ok();
    number("x-amz-retry-after")
        .map(Duration::from_millis)
        .or_else(|| number("retry-after").map(Duration::from_secs))
}

/// What a quota holds when it is full, and what a success without a retry gives back.
const TOKENS_MAX: u32 = 500;
const SUCCESS_REFUND: u32 = 1;

impl Reason {
    /// What a retry takes from the quota. One that waits for AWS to be less busy takes less.
    pub(crate) fn cost(self) -> u32 {
        match self {
            Self::Throttled => 5,
            Self::Transient => 14,
        }
    }
}

/// The retries that one place may still make: they take tokens and successes give some back, so that a place in
/// trouble is not made worse.
#[derive(Debug)]
pub(crate) struct Quota {
    tokens: u32,
}

impl Default for Quota {
    fn default() -> Self {
        Self { tokens: TOKENS_MAX }
    }
}

impl Quota {
    /// Takes a retry's tokens; says no when there are too few.
    pub(crate) fn take(&mut self, reason: Reason) -> bool {
        let rest = self.tokens.checked_sub(reason.cost());
        if let Some(rest) = rest {
            self.tokens = rest;
        }
        rest.is_some()
    }

    /// Gives back after a success: what its last retry took, or one for none.
    pub(crate) fn give_back(&mut self, last_retry: Option<Reason>) {
        let back = last_retry.map_or(SUCCESS_REFUND, Reason::cost);
        self.tokens = self.tokens.saturating_add(back).min(TOKENS_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_are_bounded() {
        let retries = Retries::default();
        for reason in [Reason::Throttled, Reason::Transient] {
            assert_eq!(retries.delay(1, reason, None, 0), Duration::ZERO);
            for attempt in 1..200 {
                for random in [1, 12_345, u64::MAX] {
                    assert!(retries.delay(attempt, reason, None, random) <= retries.max_delay);
                }
            }
        }
        let delay = |attempt, reason, random| retries.delay(attempt, reason, None, random);
        assert_eq!(
            delay(1, Reason::Transient, 50_000),
            Duration::from_millis(50)
        );
        assert_eq!(
            delay(3, Reason::Transient, 200_000),
            Duration::from_millis(200)
        );
        assert_eq!(
            delay(3, Reason::Throttled, 4_000_000),
            Duration::from_secs(4)
        );
    }

    #[test]
    fn aws_may_ask_for_five_seconds_more() {
        let retries = Retries::default();
        let asked = |seconds, random| {
            let asked = Some(Duration::from_secs(seconds));
            retries.delay(2, Reason::Throttled, asked, random)
        };
        assert_eq!(asked(3, 0), Duration::from_secs(3));
        assert_eq!(asked(3600, 1_000_000), Duration::from_secs(6));
        assert_eq!(asked(1, 2_000_000), Duration::from_secs(2));
    }

    #[test]
    fn the_wait_is_read_from_either_header() {
        for (name, value, wait) in [
            (
                "x-amz-retry-after",
                "1500",
                Some(Duration::from_millis(1500)),
            ),
            ("retry-after", " 7 ", Some(Duration::from_secs(7))),
            ("retry-after", "-1", None),
            ("x-amz-retry-after", "soon", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            assert_eq!(asked_wait(&headers), wait, "{name}: {value}");
        }
    }

    #[test]
    fn a_place_in_trouble_runs_out_and_recovers() {
        let mut quota = Quota::default();
        let taken = (0..1000).filter(|_| quota.take(Reason::Throttled)).count();
        assert_eq!(taken, 100);
        (0..5).for_each(|_| quota.give_back(None));
        assert!(!quota.take(Reason::Transient));
        assert!(quota.take(Reason::Throttled));
        quota.give_back(Some(Reason::Transient));
        assert!(quota.take(Reason::Transient));

        let mut quota = Quota::default();
        let taken = (0..1000).filter(|_| quota.take(Reason::Transient)).count();
        assert_eq!(taken, 35);
    }
}
