//! A record understood: who did what, where, and when.

use std::net::IpAddr;

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
    /// Who the session was issued to: a role, or the user behind a federated one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_arn: Option<String>,
    /// The account of the identity; another than the event's when the caller came from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The name: of the user, of the role's session, of the person who signed in elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The AWS service that called, for itself or for somebody (`cloudformation.amazonaws.com`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoked_by: Option<String>,
}

impl Actor {
    /// The kind of one who is known by an address alone.
    pub const ADDRESS: &str = "Address";

    /// One who is known by an address alone.
    pub fn of_address(address: IpAddr) -> Self {
        Self {
            kind: Self::ADDRESS.to_owned(),
            name: Some(address.to_string()),
            ..Self::default()
        }
    }

    /// The address of one who is known by nothing else.
    pub fn address(&self) -> Option<IpAddr> {
        let name = self
            .name
            .as_deref()
            .filter(|_| self.kind == Self::ADDRESS)?;
        name.parse().ok()
    }

    /// The caller in a few words: `user alice`, `role admin (session build-7)`, `root`, `ec2.amazonaws.com`.
    pub fn label(&self) -> String {
        let last = |arn: &str| arn.rsplit('/').next().unwrap_or(arn).to_owned();
        let issuer = self.issuer_arn.as_deref().map(last);
        let name = self.name.clone();
        match (self.kind.as_str(), issuer, name) {
            ("Root", ..) => "root".to_owned(),
            ("AssumedRole", Some(role), Some(session)) => {
                format!("role {role} (session {session})")
            }
            ("AssumedRole", Some(role), None) => format!("role {role}"),
            ("FederatedUser", Some(user), Some(name)) => {
                format!("federated user {name} (of {user})")
            }
            ("IAMUser", _, Some(user)) => format!("user {user}"),
            ("AWSAccount", ..) => {
                format!("account {}", self.account.as_deref().unwrap_or("unknown"))
            }
            (_, _, Some(name)) => name,
            _ => {
                let texts = [&self.invoked_by, &self.arn, &self.principal_id];
                let found = texts.into_iter().flatten().next().cloned();
                found.unwrap_or_else(|| "unknown".to_owned())
            }
        }
    }
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

/// `UpdateFunctionCode20150331v2` → `UpdateFunctionCode`: some services put the version of their API behind the name
/// of a call (Lambda a date and a revision, CloudFront a date with underscores).
pub fn plain_name(name: &str) -> &str {
    let without = |digits: &str, width: usize| -> Option<usize> {
        let start = digits.len().checked_sub(width)?;
        let date = digits.get(start..)?;
        let year = date.get(..4)?.parse::<u16>().ok()?;
        let written = date.bytes().enumerate().all(|(at, b)| match (width, at) {
            (10, 4 | 7) => b == b'_',
            _ => b.is_ascii_digit(),
        });
        (written && (2000..2100).contains(&year) && start > 0).then_some(start)
    };
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let revised = bare.strip_suffix('v').filter(|_| bare.len() < name.len());
    let cut = revised
        .and_then(|rest| without(rest, 8))
        .or_else(|| without(name, 8))
        .or_else(|| without(name, 10));
    cut.and_then(|at| name.get(..at)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_behind_a_name_is_not_part_of_it() {
        for (name, plain) in [
            ("UpdateFunctionCode20150331v2", "UpdateFunctionCode"),
            ("CreateFunction20150331", "CreateFunction"),
            ("UpdateDistribution2020_05_31", "UpdateDistribution"),
            ("Invoke", "Invoke"),
            ("20150331", "20150331"),
            ("ListV2", "ListV2"),
            ("Get12345678", "Get12345678"),
            ("Xv2", "Xv2"),
            ("é20150331v2", "é"),
        ] {
            assert_eq!(plain_name(name), plain);
        }
    }
}
