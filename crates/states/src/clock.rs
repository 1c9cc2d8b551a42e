//! Time as data: the moment of a step, and timestamps as text.

use serde::{Deserialize, Serialize};
use std::fmt;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// When an event is applied, and the randomness it may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub millis: i64,
    /// The seed of jitter, task tokens, `$random()` and `$uuid()`. Take it from
    /// a secure source, log it with the event, and use a new one each time.
    pub seed: u64,
    /// What task tokens are made with besides the seed. Never written down.
    #[serde(skip)]
    pub token_key: TokenKey,
}

impl Moment {
    /// A moment from its two parts. Who has its log can work out the task tokens, unless it also gets a key.
    pub fn new(millis: i64, seed: u64) -> Self {
        Moment {
            millis,
            seed,
            token_key: TokenKey::default(),
        }
    }

    /// The same moment, whose task tokens nobody can guess who does not have `token_key`.
    #[must_use]
    pub fn keyed(self, token_key: TokenKey) -> Self {
        Moment { token_key, ..self }
    }
}

/// The secret that task tokens are made with: 256 bits from a secure source, held in memory only.
///
/// An execution that is rebuilt with another key asks for the same tasks under other tokens. Tokens that were given
/// out before are the caller's to recognise; keep their hashes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct TokenKey([u8; 32]);

impl TokenKey {
    /// A key from random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        TokenKey(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(…)")
    }
}

/// Epoch milliseconds as the context object writes them: `2026-01-31T12:00:00.000Z`.
pub(crate) fn timestamp_text(millis: i64) -> String {
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
        .ok()
        .and_then(|moment| moment.format(format).ok())
        .unwrap_or_else(|| millis.to_string())
}

/// Parses an RFC 3339 timestamp with an upper-case `T` and an explicit offset,
/// rounding up to the millisecond so that a wait never ends early.
pub(crate) fn parse_timestamp(text: &str) -> Option<i64> {
    if text.contains(['t', 'z']) || !text.contains('T') {
        return None;
    }
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    let nanos = moment.unix_timestamp_nanos();
    i64::try_from(nanos.div_euclid(1_000_000) + i128::from(nanos.rem_euclid(1_000_000) > 0)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_round_trip() {
        assert_eq!(timestamp_text(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(parse_timestamp("1970-01-01T00:00:01Z"), Some(1000));
        assert_eq!(parse_timestamp("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(parse_timestamp("1970-01-01T00:00:00.0000001Z"), Some(1));
    }

    #[test]
    fn other_texts_are_not_timestamps() {
        for text in [
            "2016-12-05T21:29:29",
            "05-12-2016T21:29:29Z",
            "2016-12-05 21:29:29Z",
            "2016-12-05t21:29:29z",
            "2016-13-05T21:29:29Z",
            "2016-12-05T25:29:29Z",
            "",
        ] {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
    }
}
