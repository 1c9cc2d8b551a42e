//! Ids: one type each, a readable prefix, and made from what they stand for, so that the same cause gives the
//! same id however often it arrives.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};

use crate::{Timestamp, sha256_hex};

/// The text is not an id of the kind wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "«{text}» is not {kind} id: it should begin with «{prefix}» and go on with letters, digits and dashes"
)]
pub struct IdError {
    text: String,
    kind: &'static str,
    prefix: &'static str,
}

const ID_CHARS_MAX: usize = 96;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let good = text.len() <= ID_CHARS_MAX
                    && text.strip_prefix($prefix).is_some_and(|rest| {
                        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                    });
                if good {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(IdError {
                        text: text.chars().take(ID_CHARS_MAX).collect(),
                        kind: $kind,
                        prefix: $prefix,
                    })
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// A record: what the source calls it (CloudTrail's `eventID`), or the hash of its bytes.
    RecordId, "rec-", "a record"
);
id!(
    /// A finding: one detection and one resource, and one record or a group of them.
    FindingId, "fnd-", "a finding"
);
id!(
    /// An incident: the day it was opened and a hash of its cause.
    IncidentId, "inc-", "an incident"
);
id!(
    /// What a detector remembers of one group.
    MemoryId, "mem-", "a memory"
);
id!(
    /// A run: one playbook, one cause, one resource.
    RunId, "run-", "a run"
);

/// So many hexadecimal digits, at most 64, of a hash over the parts, behind a prefix. The parts' lengths are hashed in, so that
/// ("ab","c") and ("a","bc") differ.
fn digest(prefix: &str, parts: &[&str], digits: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        let mut length = [b':'; 21];
        let length = decimal(part.len(), &mut length);
        hash.update(length);
        hash.update(part.as_bytes());
    }
    let mut text = String::with_capacity(prefix.len() + digits);
    text.push_str(prefix);
    let nibbles = hash.finalize().into_iter().flat_map(|b| [b >> 4, b & 15]);
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16);
    text.extend(nibbles.take(digits).filter_map(digit));
    text
}

/// A number's digits and the colon behind them.
fn decimal(mut number: usize, text: &mut [u8; 21]) -> &[u8] {
    let mut begin = text.len() - 1;
    for (at, byte) in text.iter_mut().enumerate().rev().skip(1) {
        *byte = b'0' + u8::try_from(number % 10).unwrap_or(0);
        (number, begin) = (number / 10, at);
        if number == 0 {
            break;
        }
    }
    text.get(begin..).unwrap_or_default()
}

impl RecordId {
    /// The id of a record that its source names `name` in `account` (CloudTrail: `eventID`).
    pub fn of_name(account: &str, name: &str) -> Self {
        Self(digest("rec-", &["name", account, name], 40))
    }

    /// The id of a record that has no name: the hash of its bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(digest("rec-", &["bytes", &sha256_hex(bytes)], 40))
    }
}

impl FindingId {
    /// The id of what `detection` says of `resource` because of `record`.
    pub fn of(detection: &str, record: &RecordId, resource: &str) -> Self {
        Self(digest("fnd-", &[detection, record.as_str(), resource], 24))
    }

    /// The id of what `correlation` says of the records that have the values of `group` in common, in the stretch of
    /// event time that begins at `stretch`.
    pub fn of_group(correlation: &str, group: &[String], stretch: Timestamp) -> Self {
        let begin = stretch.millis().to_string();
        let mut parts = vec!["group", correlation, &begin];
        parts.extend(group.iter().map(String::as_str));
        Self(digest("fnd-", &parts, 24))
    }

    /// The id of what `product` calls `uid` in an account and Region: its updates have the same.
    pub fn of_report(product: &str, account: &str, region: &str, uid: &str) -> Self {
        let parts = ["report", product, account, region, uid];
        Self(digest("fnd-", &parts, 24))
    }
}

impl MemoryId {
    /// The id of what is kept under the name `memory` for the things that have the values of `group` in common.
    pub fn of(memory: &str, group: &[String]) -> Self {
        let mut parts = vec!["memory", memory];
        parts.extend(group.iter().map(String::as_str));
        Self(digest("mem-", &parts, 40))
    }
}

impl IncidentId {
    /// The id of an incident about `cause` (a stable key) first seen at `opened`.
    pub fn of(opened: Timestamp, cause: &str) -> Self {
        let exact = opened.millis().to_string();
        Self(format!(
            "inc-{}-{}",
            opened.date(),
            digest("", &[&exact, cause], 8)
        ))
    }
}

impl RunId {
    /// The claim: the same playbook (by major version), resource and cause give the same run, so a second
    /// arrival finds the first.
    pub fn of(opened: Timestamp, playbook: &str, major: u64, resource: &str, cause: &str) -> Self {
        let major = major.to_string();
        Self(format!(
            "run-{}-{}",
            opened.date(),
            digest("", &[playbook, &major, resource, cause], 12)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_cause_same_id() {
        let record = RecordId::of_name("1", "e");
        assert_eq!(
            FindingId::of("d", &record, "r"),
            FindingId::of("d", &record, "r")
        );
        assert_ne!(
            FindingId::of("d", &record, "rx"),
            FindingId::of("dr", &record, "x")
        );
    }

    /// Ids are stored: they stay what they are.
    #[test]
    fn ids_are_hashes_of_parts_with_their_lengths() {
        let long = "x".repeat(1234);
        for (account, name) in [("", ""), ("111122223333", "e-1"), ("1", &long)] {
            let hash = sha256_hex(format!(
                "4:name{}:{account}{}:{name}",
                account.len(),
                name.len()
            ));
            let id = RecordId::of_name(account, name);
            assert_eq!(id.as_str(), format!("rec-{}", &hash[..40]));
        }
    }

    #[test]
    fn reads_only_its_own_kind() {
        assert!("inc-2026-11-21-abc".parse::<IncidentId>().is_ok());
        for bad in ["run-1", "inc-", "inc-../x", "inc-a b", ""] {
            assert!(bad.parse::<IncidentId>().is_err(), "{bad}");
        }
    }
}
