//! Who began a chain of sessions.

use serde::{Deserialize, Serialize};

use crate::{RecordId, Timestamp};

/// What sort of identity began it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum InitiatorKind {
    /// An IAM user, with its own key, a session token, or a federation token made of it.
    User,
    /// The root of an account.
    Root,
    /// A person in IAM Identity Center.
    IdentityCenterUser,
    /// Somebody whom a SAML provider vouches for.
    SamlUser,
    /// Somebody, or a workload, whom an OpenID provider vouches for.
    WebIdentity,
    /// An EC2 instance, by the role of its profile.
    Instance,
    /// An AWS service that was given a role: a function, a task, a service for itself.
    Service,
}

/// Who began the sessions that ended in a call, in whatever account that was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Initiator {
    /// What it is.
    pub kind: InitiatorKind,
    /// The same for the same one, however it comes: an ARN, an instance's id, or provider and subject.
    pub id: String,
    /// For people: `user eve of 111122223333`.
    pub label: String,
    /// Its account, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The sessions from it to the caller, the first first; at most [`Initiator::HOPS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hops: Vec<Hop>,
}

/// One session of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hop {
    /// The session: `arn:aws:sts::ACCOUNT:assumed-role/ROLE/NAME`.
    pub session: String,
    /// By which call it was made: `AssumeRole`, `SwitchRole`, …
    pub call: String,
    /// When.
    pub time: Timestamp,
    /// The record that says so.
    pub record: RecordId,
}

impl Initiator {
    /// A longer chain is not followed. Chained sessions last an hour, and each is made by the one before.
    pub const HOPS_MAX: usize = 16;
}
