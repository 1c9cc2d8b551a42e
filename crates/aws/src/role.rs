//! Where a session works and as whom: roles, how they are assumed, and one through another.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use quell_model::Arn;
use serde_json::{Value, json};

use crate::error::AwsError;

/// Where a session works, and as whom.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The account, twelve digits.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The role to assume; `None` for Quell's own credentials, which must then be of that account.
    pub role: Option<RoleToAssume>,
}

/// A role, and how to assume it. Its credentials are kept for whoever asks for exactly the same.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RoleToAssume {
    /// The role's ARN.
    pub arn: String,
    /// The role whose credentials assume this one; Quell's own when there is none. Credentials got so last an hour
    /// at most, whatever the role allows.
    pub via: Option<Box<RoleToAssume>>,
    /// The external id that its trust policy asks for.
    pub external_id: Option<String>,
    /// What the session is called in CloudTrail.
    pub session_name: String,
    /// Who is behind it, in CloudTrail. It stays with the session through every further role.
    pub source_identity: Option<String>,
    /// A policy that narrows the role's own: what a run may do, no more than its plan needs.
    pub session_policy: Option<String>,
    /// ARNs of managed policies that narrow it too, of the role's own account.
    pub policy_arns: Vec<String>,
    /// Session tags.
    pub tags: BTreeMap<String, String>,
    /// Keys of those tags that stay with the session through every further role.
    pub transitive_tags: BTreeSet<String>,
}

/// Roles through which one may go.
const HOPS_MAX: usize = 5;
/// What STS takes before it packs it. The packed size has a limit too, which only STS knows.
const POLICY_CHARACTERS_MAX: usize = 2048;
const POLICY_ARNS_MAX: usize = 10;
const TAGS_MAX: usize = 50;

impl RoleToAssume {
    /// The role `arn`, with nothing but a session name.
    pub fn new(arn: impl Into<String>, session_name: impl Into<String>) -> Self {
        Self {
            arn: arn.into(),
            via: None,
            external_id: None,
            session_name: session_name.into(),
            source_identity: None,
            session_policy: None,
            policy_arns: Vec::new(),
            tags: BTreeMap::new(),
            transitive_tags: BTreeSet::new(),
        }
    }

    /// The account that the ARN names; empty when it is no ARN.
    pub(crate) fn account(&self) -> String {
        let arn: Result<Arn, _> = self.arn.parse();
        arn.map(|arn| arn.account).unwrap_or_default()
    }

    /// Refuses what STS would refuse, in words that say what to do. Nothing was sent.
    pub(crate) fn check(&self) -> Result<(), AwsError> {
        let hops = std::iter::successors(Some(self), |role| role.via.as_deref());
        for (number, role) in hops.enumerate() {
            let fault = if number >= HOPS_MAX {
                Some(format!("it is reached through more than {HOPS_MAX} roles"))
            } else {
                role.fault()
            };
            if let Some(fault) = fault {
                let what = format!("the role «{}»: {fault}", role.arn);
                return Err(AwsError::Config { what });
            }
        }
        Ok(())
    }

    fn fault(&self) -> Option<String> {
        let arn: Result<Arn, _> = self.arn.parse();
        if arn.is_err() {
            return Some("that is not a role's ARN".to_owned());
        }
        let policy = self.session_policy.as_deref().unwrap_or_default();
        let (characters, tags) = (policy.chars().count(), self.tags.len());
        if characters > POLICY_CHARACTERS_MAX {
            return Some(format!(
                "the session policy has {characters} characters, and may have {POLICY_CHARACTERS_MAX}"
            ));
        }
        if self.policy_arns.len() > POLICY_ARNS_MAX || tags > TAGS_MAX {
            return Some(format!(
                "a session may have {POLICY_ARNS_MAX} policies and {TAGS_MAX} tags, not {} and {tags}",
                self.policy_arns.len()
            ));
        }
        let strange = |key: &&String| !self.tags.contains_key(*key);
        let strange = self.transitive_tags.iter().find(strange)?;
        Some(format!("«{strange}» is transitive and not one of its tags"))
    }

    /// The parameters of `sts AssumeRole`.
    pub(crate) fn params(&self) -> Value {
        let tag = |(key, value): (&String, &String)| json!({"Key": key, "Value": value});
        let arn = |arn: &String| json!({"arn": arn});
        // An empty list counts as not given.
        let list = |list: Vec<Value>| (!list.is_empty()).then_some(list);
        json!({
            "RoleArn": self.arn,
            "RoleSessionName": self.session_name,
            "ExternalId": self.external_id,
            "SourceIdentity": self.source_identity,
            "Policy": self.session_policy,
            "PolicyArns": list(self.policy_arns.iter().map(arn).collect()),
            "Tags": list(self.tags.iter().map(tag).collect()),
            "TransitiveTagKeys": list(self.transitive_tags.iter().map(|key| json!(key)).collect()),
        })
    }
}

/// Without the external id, which is half a secret.
impl fmt::Debug for RoleToAssume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoleToAssume")
            .field("arn", &self.arn)
            .field("via", &self.via)
            .field("session_name", &self.session_name)
            .field("source_identity", &self.source_identity)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role() -> RoleToAssume {
        RoleToAssume::new("arn:aws:iam::111122223333:role/r", "s")
    }

    #[test]
    fn secrets_are_not_printed() {
        let mut outer = role();
        let mut inner = role();
        inner.external_id = Some("hunter2".to_owned());
        outer.via = Some(Box::new(inner));
        assert!(!format!("{outer:?}").contains("hunter2"));
    }

    #[test]
    fn what_sts_would_refuse_is_refused_in_words() {
        type Change = fn(&mut RoleToAssume);
        let changed = |change: Change| {
            let mut role = role();
            change(&mut role);
            role.check()
        };
        assert!(changed(|_| {}).is_ok());
        let wrong: [(Change, &str); 6] = [
            (|role| role.arn = "r".to_owned(), "not a role's ARN"),
            (
                |role| role.session_policy = Some("é".repeat(2049)),
                "2049 characters",
            ),
            (
                |role| role.policy_arns = vec![String::new(); 11],
                "not 11 and 0",
            ),
            (
                |role| role.tags = (0..51).map(|i| (i.to_string(), String::new())).collect(),
                "not 0 and 51",
            ),
            (
                |role| role.transitive_tags = BTreeSet::from(["run".to_owned()]),
                "«run» is transitive",
            ),
            (
                |role| {
                    for _ in 0..HOPS_MAX {
                        role.via = Some(Box::new(role.clone()));
                    }
                },
                "more than 5 roles",
            ),
        ];
        for (change, says) in wrong {
            let error = changed(change).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn all_of_it_is_asked_for() {
        let mut role = role();
        role.policy_arns = vec!["arn:aws:iam::111122223333:policy/p".to_owned()];
        role.tags.insert("run".to_owned(), "1".to_owned());
        role.transitive_tags.insert("run".to_owned());
        let params = role.params();
        assert_eq!(params["PolicyArns"][0]["arn"], role.policy_arns[0].as_str());
        assert_eq!(params["Tags"], json!([{"Key": "run", "Value": "1"}]));
        assert_eq!(params["TransitiveTagKeys"], json!(["run"]));
        assert_eq!(super::tests::role().params()["Tags"], Value::Null);
    }
}
