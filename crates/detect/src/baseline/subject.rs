//! What a record says to baselines: whose it is, who the peers are, and the values.

use std::net::IpAddr;

use quell_model::{Event, Resource, plain_name};

use super::Field;
use super::agent::family;
use super::explain::plain;

/// Services whose changing calls decide who may do what: their actions are never left to a sketch.
const PRIVILEGED: &[&str] = &[
    "iam.amazonaws.com",
    "kms.amazonaws.com",
    "organizations.amazonaws.com",
    "sso.amazonaws.com",
    "sso-directory.amazonaws.com",
    "identitystore.amazonaws.com",
    "rolesanywhere.amazonaws.com",
];

/// A longer value is cut before it is hashed. CloudTrail's own are shorter.
const VALUE_CHARS_MAX: usize = 256;

/// Whose past is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectKind {
    /// Who called.
    Principal,
    /// The role that was assumed.
    Role,
}

/// A record as one entity sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Whose past it is.
    pub kind: SubjectKind,
    /// The entity's name in the states: an ARN, and for people who share a role the session's name behind it.
    pub entity: String,
    /// Groups that it is of, from the narrowest to the account.
    pub peers: Vec<String>,
    /// The entity for people.
    pub label: String,
    pub(super) values: Vec<(Field, String)>,
    /// Whether the action is exact everywhere.
    pub(super) privileged: bool,
    pub(super) denied: bool,
    pub(super) service: String,
}

impl Subject {
    /// The principal of an event, as [`quell_model::Resource`]. `None` when there is nobody with a past: an AWS service for itself,
    /// an unknown user, somebody of another account.
    pub fn of_principal(event: &Event, principal: &Resource) -> Option<Subject> {
        let actor = &event.actor;
        let id = principal.arn.to_string();
        let account = principal.arn.account.clone();
        let (entity, group) = match (principal.kind.as_str(), permission_set(&principal.id)) {
            ("AWS::IAM::User", _) => (id, None),
            // People share the role of a permission set; the session's name is who it is, and nobody else can choose it.
            ("AWS::IAM::Role", Some(set)) => {
                let who = actor.name.as_deref().unwrap_or_default();
                (format!("{id}/{who}"), Some(format!("permission set {set}")))
            }
            ("AWS::IAM::Role", None) => {
                let pattern = pattern(&principal.id);
                let named = format!("roles {pattern}… of {account}");
                (id, (pattern != principal.id).then_some(named))
            }
            _ if actor.kind == "Root" => (id, None),
            _ => return None,
        };
        let mut values = vec![
            (
                Field::Action,
                format!("{}:{}", event.source, plain_name(&event.name)),
            ),
            (Field::Region, event.region.clone()),
        ];
        values.extend(
            event
                .source_ip
                .as_deref()
                .map(|from| (Field::Network, network(from))),
        );
        let agent = event
            .user_agent
            .as_deref()
            .filter(|agent| !agent.is_empty());
        values.extend(agent.map(|agent| (Field::Agent, family(agent))));
        let sts = event.source == "sts.amazonaws.com";
        Some(Subject {
            kind: SubjectKind::Principal,
            entity,
            peers: group.into_iter().chain([account]).collect(),
            label: plain(&actor.label()),
            values: values.into_iter().map(cut).collect(),
            privileged: sts || !event.read_only && PRIVILEGED.contains(&event.source.as_str()),
            denied: event.error_code.as_deref().is_some_and(is_denial),
            service: event.source.clone(),
        })
    }

    /// The role that a call assumed, by its ARN, and where it was assumed from: an account or an identity provider.
    pub fn of_role(role: &Resource, source: &str) -> Subject {
        Subject {
            kind: SubjectKind::Role,
            entity: role.arn.to_string(),
            peers: vec![role.arn.account.clone()],
            label: format!("role {}", plain(&role.id)),
            values: vec![cut((Field::SourceAccount, source.to_owned()))],
            privileged: false,
            denied: false,
            service: "sts.amazonaws.com".to_owned(),
        }
    }

    /// The keys of the states that [`super::Baselines::step`] wants, in its order: the entity, then its groups.
    pub fn keys(&self) -> Vec<Vec<String>> {
        let kind = match self.kind {
            SubjectKind::Principal => "principal",
            SubjectKind::Role => "role",
        };
        let entity = vec![kind.to_owned(), self.entity.clone()];
        let peers = self
            .peers
            .iter()
            .map(|group| vec!["peers".to_owned(), group.clone()]);
        [entity].into_iter().chain(peers).collect()
    }
}

fn cut((field, value): (Field, String)) -> (Field, String) {
    match value.char_indices().nth(VALUE_CHARS_MAX) {
        Some((at, _)) => (field, value.get(..at).unwrap_or_default().to_owned()),
        None => (field, value),
    }
}

fn is_denial(code: &str) -> bool {
    code.contains("AccessDenied") || code.contains("Unauthorized") || code.contains("Forbidden")
}

/// `AWSReservedSSO_Admin_0123456789abcdef` → `Admin`. Only IAM Identity Center makes roles with such names.
fn permission_set(role: &str) -> Option<&str> {
    let rest = role.strip_prefix("AWSReservedSSO_")?;
    Some(rest.rsplit_once('_').map_or(rest, |(set, _)| set))
}

/// What roles made by one template have in common: `ci-runner-7f3a2` → `ci-runner`.
fn pattern(role: &str) -> String {
    let words: Vec<&str> = role.split(['-', '_', '.']).collect();
    let random = |word: &&str| word.bytes().any(|b| b.is_ascii_digit());
    let kept = words
        .iter()
        .rposition(|word| !random(word))
        .map_or(0, |at| at + 1);
    let length = words
        .iter()
        .take(kept)
        .map(|word| word.len() + 1)
        .sum::<usize>();
    role.get(..length.saturating_sub(1))
        .unwrap_or(role)
        .to_owned()
}

/// The network of an address; its autonomous system is not known here.
fn network(from: &str) -> String {
    match from.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        Ok(IpAddr::V6(ip)) => {
            let [a, b, c, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
        Err(_) => "AWS service".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_patterns() {
        for (role, is) in [
            ("ci-runner-7f3a2", "ci-runner"),
            ("stack-Function1Role-ABC9", "stack"),
            ("Admin", "Admin"),
            ("a1", ""),
            ("deploy", "deploy"),
        ] {
            assert_eq!(pattern(role), is, "{role}");
        }
        assert_eq!(
            permission_set("AWSReservedSSO_Power_User_0123abcd"),
            Some("Power_User")
        );
        assert_eq!(permission_set("Admin"), None);
    }

    #[test]
    fn addresses_have_networks() {
        for (from, is) in [
            ("198.51.100.7", "198.51.100.0/24"),
            ("2001:db8:1:2::3", "2001:db8:1::/48"),
            ("ec2.amazonaws.com", "AWS service"),
            ("AWS Internal", "AWS service"),
        ] {
            assert_eq!(network(from), is);
        }
    }
}
