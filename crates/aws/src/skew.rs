//! A clock that is wrong. AWS refuses a signature that is minutes off; its answer says what time it is.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use quell_model::Timestamp;

/// A signature that is off by less is not refused for its time.
const OFF_MILLIS_MIN: i64 = 4 * 60 * 1000;
/// Hosts whose time is remembered.
const HOSTS_MAX: usize = 4096;

/// Codes that AWS gives for a wrong clock. Some are also given for a wrong secret: the date of the answer decides.
const CODES: &[&str] = &[
    "AuthFailure",
    "InvalidSignatureException",
    "RequestExpired",
    "RequestInTheFuture",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
];

/// What a refusal tells of the time.
pub(crate) struct Seen<'a> {
    /// AWS's error code.
    pub(crate) code: &'a str,
    /// The time that the request said it was.
    pub(crate) signed_at: Timestamp,
    /// The time that the answer says it is.
    pub(crate) date: Option<Timestamp>,
}

/// How far each host's clock is ahead of ours, where that is too far.
#[derive(Default)]
pub(crate) struct Skews {
    millis: Mutex<HashMap<String, i64>>,
}

impl Skews {
    /// The time as `host` has it.
    pub(crate) fn now(&self, host: &str, now: Timestamp) -> Timestamp {
        let millis = self.millis.lock().unwrap_or_else(PoisonError::into_inner);
        let ahead = millis.get(host).copied().unwrap_or_default();
        Timestamp::from_millis(now.millis().saturating_add(ahead))
    }

    /// Learns from a refusal that came at `now`, our time. Whether the time was the trouble, and another attempt will
    /// have the right one.
    pub(crate) fn learn(&self, host: &str, seen: &Seen<'_>, now: Timestamp) -> bool {
        let Some(date) = seen.date.filter(|_| CODES.contains(&seen.code)) else {
            return false;
        };
        if date.millis_since(seen.signed_at).abs() < OFF_MILLIS_MIN {
            return false;
        }
        let ahead = date.millis_since(now);
        tracing::warn!(
            host,
            seconds = ahead / 1000,
            "this machine's clock differs from AWS's; signatures are made for AWS's time"
        );
        let mut millis = self.millis.lock().unwrap_or_else(PoisonError::into_inner);
        if millis.len() >= HOSTS_MAX {
            millis.clear();
        }
        millis.insert(host.to_owned(), ahead);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_host_is_learnt_from_its_refusal_alone() {
        let skews = Skews::default();
        let now = Timestamp::from_millis(1_000_000_000);
        let hour = 3_600_000;
        let there = Timestamp::from_millis(now.millis() + hour);
        let learn = |code, date| {
            let signed_at = now;
            let seen = Seen {
                code,
                signed_at,
                date,
            };
            skews.learn("h", &seen, now)
        };
        assert!(!learn("AccessDenied", Some(there)));
        assert!(!learn("SignatureDoesNotMatch", None));
        assert!(!learn("SignatureDoesNotMatch", Some(now)));
        assert_eq!(skews.now("h", now), now);
        assert!(learn("SignatureDoesNotMatch", Some(there)));
        assert_eq!(skews.now("h", now), there);
        assert_eq!(skews.now("other", now), now);
        // The clock was set right meanwhile: the next refusal takes the offset away again.
        let right = there;
        let seen = Seen {
            code: "RequestExpired",
            signed_at: skews.now("h", right),
            date: Some(right),
        };
        assert!(skews.learn("h", &seen, right));
        assert_eq!(skews.now("h", right), right);
    }
}
