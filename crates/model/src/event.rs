//! A record understood: who did what, where, and when.

use serde::{Deserialize, Serialize};

use crate::{RecordId, Timestamp};

/// Who made a call, as CloudTrail's `userIdentity` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// `IAMUser`, `AssumedRole`, `Root`, `AWSService`, …
    pub kind: String,
    /// The ARN, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// `AIDA…`, `AROA…:session`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal_id: Option<String>,
    /// The access key that signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The role behind a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_arn: Option<String>,
}

/// A normalised event: the fields every room asks for. OCSF output is made from it and the raw record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The record it was made from.
    pub record: RecordId,
    /// When it happened, by the source's clock.
    pub time: Timestamp,
    /// When Quell received it.
    pub received_at: Timestamp,
    /// The account it happened in (twelve digits).
    pub account: String,
    /// The Region.
    pub region: String,
    /// CloudTrail's `eventSource` (`ec2.amazonaws.com`).
    pub source: String,
    /// CloudTrail's `eventName`.
    pub name: String,
    /// The error code, when the call failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Whether the source says that it changed nothing.
    pub read_only: bool,
    /// Who.
    pub actor: Actor,
    /// From where: an address or an AWS service's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<String>,
    /// With what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}
