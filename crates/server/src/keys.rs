//! Access keys that Quell issues.

use quell_model::Timestamp;
use serde::{Deserialize, Serialize};

/// What the holder of a key may do. Each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Read.
    Viewer,
    /// Read, and send events of its own sources.
    Sender,
    /// Also start, approve and undo runs.
    Responder,
    /// Also send events that say they come from AWS: for the one forwarder that brings them.
    Forwarder,
}

impl Role {
    /// The word on the command line and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Sender => "sender",
            Self::Responder => "responder",
            Self::Forwarder => "forwarder",
        }
    }
}

/// A key, as stored. The file that it is in may be read by its owner only.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessKey {
    /// `QK` and eighteen letters and digits.
    pub id: String,
    /// The secret; shown once.
    pub secret: String,
    /// What its holder may do.
    pub role: Role,
    /// Whose it is.
    pub owner: String,
    /// When it was made.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessKey")
            .field("id", &self.id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// A new key from 45 random bytes.
pub fn new_key(random: &[u8; 45], role: Role, owner: &str, now: Timestamp) -> AccessKey {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let letters: String = random
        .iter()
        .map(|b| char::from(LETTERS.get(usize::from(b % 32)).copied().unwrap_or(b'A')))
        .collect();
    let (id, secret) = letters.split_at(letters.len().min(18));
    // 27 letters of five bits are 135 bits.
    AccessKey {
        id: format!("QK{id}"),
        secret: secret.to_owned(),
        role,
        owner: owner.to_owned(),
        created_at: now,
    }
}
