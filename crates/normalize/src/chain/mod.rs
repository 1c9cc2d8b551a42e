//! Chains: from a session back to who began it, in whatever account.
//!
//! A session of a role is named by its ARN and the second in which it was made. Each call of the session says both (`userIdentity.arn` and
//! `sessionContext.attributes.creationDate`), and so does the record of the call that made it, in the caller's account and in the role's.
//! The access key decides when two sessions have one name; `sharedEventID` and the caller's principal id join the two accounts' records of one call.
//!
//! [`made`] reads from a record which session it made, and by whom; [`Links`] keeps that for one session, whatever comes first;
//! [`caller`] says who made a call: somebody, or a session; [`Walk`] goes from a session to who began it. All of this is pure: who asks holds
//! the links, by [`Session::key`], or in a [`Chains`].
//!
//! **Nobody forges a link.** It is taken only from a call that succeeded, as AWS recorded it in an account that took part in it. What the caller could choose (the name of the
//! session, the source identity) decides nothing: a session that calls itself like an instance is none, and where two parents
//! would fit there is no answer.

mod chains;
mod links;
mod read;
mod walk;

#[cfg(test)]
mod chain_tests;

use std::fmt;

use quell_model::{RecordId, Timestamp};
use serde::{Deserialize, Serialize};

pub use chains::{CHAINS_MAX, Chains};
pub use links::Links;
pub use read::{assumption, caller, made};
pub use walk::{Step, Walk};

/// A session of a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/NAME`.
    pub arn: String,
    /// When it was made, in whole seconds since 1970.
    pub created: i64,
    /// Its access key, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key: Option<String>,
}

impl Session {
    /// The key that its links are kept under.
    pub fn key(&self) -> Vec<String> {
        vec![
            "session".to_owned(),
            self.arn.clone(),
            self.created.to_string(),
        ]
    }
}

/// Somebody with whom a chain begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Somebody {
    /// What it is.
    pub kind: quell_model::InitiatorKind,
    /// The same for the same one.
    pub id: String,
    /// For people.
    pub label: String,
    /// Its account, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

/// Who made a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Caller {
    /// Somebody with whom a chain begins.
    Somebody(Somebody),
    /// A session of a role.
    Session(Session),
    /// Somebody of another account, known there by a principal id: that account's own record says who.
    Foreign {
        /// The account.
        account: String,
        /// `AIDA…`, `AROA…:session`.
        principal_id: Option<String>,
    },
}

/// How a session came to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// The session.
    pub session: Session,
    /// Who made it.
    pub parent: Caller,
    /// The parent's principal id, to hold two accounts' records against each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// The parent's account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_account: Option<String>,
    /// The id that both accounts' records of one call have (`sharedEventID`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<String>,
    /// By which call.
    pub call: String,
    /// When.
    pub time: Timestamp,
    /// Until when the session lasts.
    pub expires: Timestamp,
    /// The record that says so.
    pub record: RecordId,
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.arn)
    }
}
