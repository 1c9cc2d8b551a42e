//! Ids: one type each, a readable prefix, and made from what they stand for, so that the same cause gives the
//! same id however often it arrives.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

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

/// Twelve hexadecimal digits over the parts, with lengths hashed in, so that ("ab","c") and ("a","bc") differ.
fn digest(parts: &[&str], digits: usize) -> String {
    let mut text = String::new();
    for part in parts {
        text.push_str(&part.len().to_string());
        text.push(':');
        text.push_str(part);
    }
    let mut hash = sha256_hex(text);
    hash.truncate(digits);
    hash
}

impl RecordId {
    /// The id of a record that its source names `name` in `account` (CloudTrail: `eventID`).
    pub fn of_name(account: &str, name: &str) -> Self {
        Self(format!("rec-{}", digest(&["name", account, name], 40)))
    }

    /// The id of a record that has no name: the hash of its bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(format!(
            "rec-{}",
            digest(&["bytes", &sha256_hex(bytes)], 40)
        ))
    }
}

impl FindingId {
    /// The id of what `detection` says of `resource` because of `record`.
    pub fn of(detection: &str, record: &RecordId, resource: &str) -> Self {
        Self(format!(
            "fnd-{}",
            digest(&[detection, record.as_str(), resource], 24)
        ))
    }

    /// The id of what `correlation` says of the records that have the values of `group` in common, in the stretch of
    /// event time that begins at `stretch`.
    pub fn of_group(correlation: &str, group: &[String], stretch: Timestamp) -> Self {
        let begin = stretch.millis().to_string();
        let mut parts = vec!["group", correlation, &begin];
        parts.extend(group.iter().map(String::as_str));
        Self(format!("fnd-{}", digest(&parts, 24)))
    }
}

impl MemoryId {
    /// The id of what is kept under the name `memory` for the things that have the values of `group` in common.
    pub fn of(memory: &str, group: &[String]) -> Self {
        let mut parts = vec!["memory", memory];
        parts.extend(group.iter().map(String::as_str));
        Self(format!("mem-{}", digest(&parts, 40)))
    }
}

impl IncidentId {
    /// The id of an incident about `cause` (a stable key) first seen at `opened`.
    pub fn of(opened: Timestamp, cause: &str) -> Self {
        let exact = opened.millis().to_string();
        Self(format!(
            "inc-{}-{}",
            opened.date(),
            digest(&[&exact, cause], 8)
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
            digest(&[playbook, &major, resource, cause], 12)
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

    #[test]
    fn reads_only_its_own_kind() {
        assert!("inc-2026-11-21-abc".parse::<IncidentId>().is_ok());
        for bad in ["run-1", "inc-", "inc-../x", "inc-a b", ""] {
            assert!(bad.parse::<IncidentId>().is_err(), "{bad}");
        }
    }
}
