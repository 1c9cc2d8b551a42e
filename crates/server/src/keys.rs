//! Access keys that Quell issues.

use quell_model::Timestamp;
use serde::{Deserialize, Serialize};

/// What the holder of a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Read.
    Viewer,
    /// Read; start, approve and undo runs.
    Responder,
    /// Send events of its own sources, and nothing else.
    Sender,
    /// Send events that say they come from AWS, and nothing else: for the one forwarder that brings them.
    Forwarder,
}

/// What a request wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// To look.
    Read,
    /// To start, approve or undo a run.
    Act,
    /// To send events.
    Send,
    /// To send events of `aws.` sources.
    SendForAws,
}

impl Role {
    /// The word on the command line and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Responder => "responder",
            Self::Sender => "sender",
            Self::Forwarder => "forwarder",
        }
    }

    /// Whether a holder of the role may do it. A machine's key that brings events can neither look nor act.
    pub(crate) fn allows(self, action: Action) -> bool {
        match self {
            Self::Viewer => action == Action::Read,
            Self::Responder => matches!(action, Action::Read | Action::Act),
            Self::Sender => action == Action::Send,
            Self::Forwarder => matches!(action, Action::Send | Action::SendForAws),
        }
    }
}

impl Action {
    /// The roles that allow it, in words.
    pub(crate) fn wanted(self) -> &'static str {
        match self {
            Self::Read => "viewer or responder",
            Self::Act => "responder",
            Self::Send => "sender or forwarder",
            Self::SendForAws => "forwarder",
        }
    }
}

/// A key, as stored: with its secret sealed ([`crate::Sealing`]), or as it is where there is nothing to seal with.
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
