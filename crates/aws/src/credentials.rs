//! Credentials: Quell's own, and those of the roles it assumes, kept until shortly before they expire.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_credential_types::Credentials;
use quell_model::{Arn, Timestamp};
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

/// A role, and how to assume it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RoleToAssume {
    /// The role's ARN.
    pub arn: String,
    /// The external id that its trust policy asks for.
    pub external_id: Option<String>,
    /// What the session is called in CloudTrail.
    pub session_name: String,
    /// Who is behind it, in CloudTrail.
    pub source_identity: Option<String>,
    /// A policy that narrows the role's own.
    pub session_policy: Option<String>,
    /// Session tags.
    pub tags: BTreeMap<String, String>,
}

impl RoleToAssume {
    /// The role `arn`, with nothing but a session name.
    pub fn new(arn: impl Into<String>, session_name: impl Into<String>) -> Self {
        Self {
            arn: arn.into(),
            external_id: None,
            session_name: session_name.into(),
            source_identity: None,
            session_policy: None,
            tags: BTreeMap::new(),
        }
    }

    pub(crate) fn params(&self) -> Value {
        let tag = |(key, value): (&String, &String)| json!({"Key": key, "Value": value});
        let tags: Vec<Value> = self.tags.iter().map(tag).collect();
        json!({
            "RoleArn": self.arn,
            "RoleSessionName": self.session_name,
            "ExternalId": self.external_id,
            "SourceIdentity": self.source_identity,
            "Policy": self.session_policy,
            "Tags": if tags.is_empty() { Value::Null } else { tags.into() },
        })
    }
}

/// Without the external id, which is half a secret.
impl fmt::Debug for RoleToAssume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoleToAssume")
            .field("arn", &self.arn)
            .field("session_name", &self.session_name)
            .field("source_identity", &self.source_identity)
            .finish_non_exhaustive()
    }
}

/// Credentials, whose they are, and until when.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) credentials: Credentials,
    pub(crate) account: String,
    pub(crate) expires_at: Option<Timestamp>,
}

/// Credentials are replaced this long before they expire.
const REFRESH_BEFORE_MILLIS: i64 = 5 * 60 * 1000;
/// Failing that, they are used until this long before.
const USE_BEFORE_MILLIS: i64 = 15 * 1000;
/// Roles kept at once. Enough for an organisation; a limit, because scopes come from events.
const ROLES_MAX: usize = 4096;

impl Held {
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        self.lasts(now, REFRESH_BEFORE_MILLIS)
    }

    pub(crate) fn is_usable(&self, now: Timestamp) -> bool {
        self.lasts(now, USE_BEFORE_MILLIS)
    }

    fn lasts(&self, now: Timestamp, margin: i64) -> bool {
        self.expires_at
            .is_none_or(|at| at.millis_since(now) > margin)
    }

    /// Reads the answer of `sts AssumeRole`.
    pub(crate) fn from_answer(answer: &Value) -> Result<Self, AwsError> {
        let incomplete = || AwsError::Credentials {
            reason: "the answer of AssumeRole is incomplete".to_owned(),
        };
        let text = |place: &str| {
            answer
                .pointer(place)
                .and_then(Value::as_str)
                .ok_or_else(incomplete)
        };
        let expires_at: Timestamp = text("/Credentials/Expiration")?
            .parse()
            .map_err(|_| incomplete())?;
        let arn: Arn = text("/AssumedRoleUser/Arn")?
            .parse()
            .map_err(|_| incomplete())?;
        let mut credentials = Credentials::from_keys(
            text("/Credentials/AccessKeyId")?,
            text("/Credentials/SecretAccessKey")?,
            Some(text("/Credentials/SessionToken")?.to_owned()),
        );
        *credentials.expiry_mut() = Some(crate::sign::system_time(expires_at));
        Ok(Self {
            credentials,
            account: arn.account,
            expires_at: Some(expires_at),
        })
    }
}

/// A place for one role's credentials; whoever holds it may fill it, the others wait for that.
pub(crate) type Slot = Arc<tokio::sync::Mutex<Option<Held>>>;

/// The credentials of the roles that are assumed.
#[derive(Default)]
pub(crate) struct Roles {
    slots: Mutex<HashMap<RoleToAssume, Slot>>,
}

impl Roles {
    pub(crate) fn slot(&self, role: &RoleToAssume, now: Timestamp) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(role) {
            return Arc::clone(slot);
        }
        if slots.len() >= ROLES_MAX {
            slots.retain(|_, slot| {
                let held = slot.try_lock();
                held.is_ok_and(|held| held.as_ref().is_some_and(|held| held.is_fresh(now)))
            });
        }
        if slots.len() >= ROLES_MAX {
            slots.clear();
        }
        Arc::clone(slots.entry(role.clone()).or_default())
    }
}

/// The moment of a `SystemTime`.
pub(crate) fn timestamp(time: std::time::SystemTime) -> Timestamp {
    let since = time.duration_since(std::time::SystemTime::UNIX_EPOCH);
    let millis = since.map_or(0, |d: Duration| d.as_millis());
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(expires_at: i64) -> Held {
        Held {
            credentials: Credentials::from_keys("a", "b", None),
            account: "1".to_owned(),
            expires_at: Some(Timestamp::from_millis(expires_at)),
        }
    }

    #[test]
    fn credentials_are_replaced_before_they_expire() {
        let now = Timestamp::from_millis(1_000_000_000);
        assert!(held(now.millis() + 600_000).is_fresh(now));
        assert!(!held(now.millis() + 200_000).is_fresh(now));
        assert!(held(now.millis() + 200_000).is_usable(now));
        assert!(!held(now.millis() + 10_000).is_usable(now));
    }

    #[test]
    fn secrets_are_not_printed() {
        let mut role = RoleToAssume::new("arn:aws:iam::1:role/r", "s");
        role.external_id = Some("hunter2".to_owned());
        assert!(!format!("{role:?}").contains("hunter2"));
    }

    #[test]
    fn there_are_only_so_many_roles() {
        let roles = Roles::default();
        let now = Timestamp::from_millis(0);
        for i in 0..ROLES_MAX + 10 {
            roles.slot(&RoleToAssume::new(format!("r{i}"), "s"), now);
        }
        assert!(roles.slots.lock().unwrap().len() <= ROLES_MAX);
    }
}
