//! Credentials: Quell's own, and those of the roles it assumes. Asked for when they are first wanted, by one for
//! all who want the same, and again before they expire.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use quell_model::{Arn, Timestamp};
use serde_json::Value;

use crate::client::Inner;
use crate::error::AwsError;
use crate::execute::{Job, Safety};
use crate::role::RoleToAssume;
use crate::session::Response;
use crate::transport::chain;

/// Credentials, whose they are, and until when.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) credentials: Credentials,
    /// Empty for Quell's own: `GetCallerIdentity` says.
    pub(crate) account: String,
    expires_at: Option<Timestamp>,
    /// From then on somebody asks for new ones.
    renew_at: Timestamp,
}

/// Credentials are renewed this long before they expire, or at half of what they have left when that is less.
const RENEW_BEFORE_MILLIS: i64 = 5 * 60 * 1000;
/// And up to this much earlier, by chance, lest all roles are assumed anew at once.
const JITTER_MILLIS: u64 = 60 * 1000;
/// When that fails, they are used until this long before they expire.
const USE_BEFORE_MILLIS: i64 = 15 * 1000;
/// And somebody asks again after this long.
const ASK_AGAIN_MILLIS: i64 = 30 * 1000;
/// Credentials that do not expire are looked at again this often: somebody may have written new ones to the file.
const LOOK_AGAIN_MILLIS: i64 = 5 * 60 * 1000;
/// Roles kept at once. Enough for an organisation; a limit, because scopes come from events.
const ROLES_MAX: usize = 4096;

impl Held {
    fn new(
        credentials: Credentials,
        account: String,
        expires_at: Option<Timestamp>,
        now: Timestamp,
        random: u64,
    ) -> Self {
        let renew_at = match expires_at {
            Some(at) => {
                let jitter = i64::try_from(random % JITTER_MILLIS).unwrap_or_default();
                let half = at.millis_since(now) / 2;
                plus(at, -half.min(RENEW_BEFORE_MILLIS + jitter))
            }
            None => plus(now, LOOK_AGAIN_MILLIS),
        };
        Self {
            credentials,
            account,
            expires_at,
            renew_at,
        }
    }

    /// When they end, if they do.
    pub(crate) fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.renew_at
    }

    fn is_usable(&self, now: Timestamp) -> bool {
        self.expires_at
            .is_none_or(|at| at.millis_since(now) > USE_BEFORE_MILLIS)
    }

    /// Reads the answer of `sts AssumeRole`. `now` is our time; the expiry is of AWS's clock, which may differ.
    fn of_answer(answer: &Response, now: Timestamp, random: u64) -> Result<Self, AwsError> {
        let incomplete = || AwsError::Credentials {
            reason: "the answer of AssumeRole is incomplete".to_owned(),
        };
        let text = |place: &str| {
            answer
                .value
                .pointer(place)
                .and_then(Value::as_str)
                .ok_or_else(incomplete)
        };
        let expires_at: Timestamp = text("/Credentials/Expiration")?
            .parse()
            .map_err(|_| incomplete())?;
        let lasts = expires_at.millis_since(answer.date.unwrap_or(now));
        let arn: Arn = text("/AssumedRoleUser/Arn")?
            .parse()
            .map_err(|_| incomplete())?;
        let credentials = Credentials::from_keys(
            text("/Credentials/AccessKeyId")?,
            text("/Credentials/SecretAccessKey")?,
            Some(text("/Credentials/SessionToken")?.to_owned()),
        );
        let expires_at = Some(plus(now, lasts));
        Ok(Self::new(credentials, arn.account, expires_at, now, random))
    }
}

fn plus(time: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_millis(time.millis().saturating_add(millis))
}

/// A place for one role's credentials; whoever holds it may fill it, the others wait for that.
pub(crate) type Slot = Arc<tokio::sync::Mutex<Option<Held>>>;

/// The credentials that are kept.
#[derive(Default)]
pub(crate) struct Kept {
    home: Slot,
    roles: Mutex<HashMap<RoleToAssume, Slot>>,
}

impl Kept {
    fn slot(&self, role: Option<&RoleToAssume>, now: Timestamp) -> Slot {
        let Some(role) = role else {
            return Arc::clone(&self.home);
        };
        let mut roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = roles.get(role) {
            return Arc::clone(slot);
        }
        if roles.len() >= ROLES_MAX {
            roles.retain(|_, slot| {
                let held = slot.try_lock();
                held.is_ok_and(|held| held.as_ref().is_some_and(|held| held.is_fresh(now)))
            });
        }
        if roles.len() >= ROLES_MAX {
            roles.clear();
        }
        Arc::clone(roles.entry(role.clone()).or_default())
    }
}

impl Inner {
    /// Credentials that last a while yet: of `role`, or Quell's own.
    pub(crate) async fn credentials(&self, role: Option<&RoleToAssume>) -> Result<Held, AwsError> {
        let slot = self.kept.slot(role, self.now());
        let mut slot = slot.lock().await;
        if let Some(held) = slot.as_ref().filter(|held| held.is_fresh(self.now())) {
            return Ok(held.clone());
        }
        let asked = match role {
            Some(role) => self.assume(role).await,
            None => self.ask_provider().await,
        };
        let now = self.now();
        match asked {
            Ok(held) => Ok(slot.insert(held).clone()),
            Err(error) => match slot.as_mut().filter(|held| held.is_usable(now)) {
                Some(held) => {
                    let role = role.map_or("Quell's own", |role| &role.arn);
                    tracing::warn!(role, %error, "credentials were not renewed");
                    held.renew_at = plus(now, ASK_AGAIN_MILLIS);
                    Ok(held.clone())
                }
                None => Err(error),
            },
        }
    }

    async fn assume(&self, role: &RoleToAssume) -> Result<Held, AwsError> {
        let failed = |source| AwsError::RoleNotAssumed {
            role: role.arn.clone(),
            source: Box::new(source),
        };
        let job = Job {
            service: "sts",
            operation: "AssumeRole",
            params: &role.params(),
            region: &self.config.region,
            role: role.via.as_deref(),
            // Credentials that nobody received harm nobody.
            safety: Safety::Repeatable,
            deadline: None,
            idempotency_token: None,
        };
        // `call` asks for credentials too, those of the role before; without the box the two would contain each other.
        let answer = Box::pin(self.call(&job)).await.map_err(failed)?;
        Held::of_answer(&answer, self.now(), (self.config.random)()).map_err(failed)
    }

    async fn ask_provider(&self) -> Result<Held, AwsError> {
        let asked = self.config.credentials.provide_credentials();
        let asked = tokio::time::timeout(self.config.timeouts.operation, asked).await;
        let failed = |reason: String| AwsError::Credentials { reason };
        let credentials = asked
            .map_err(|_| failed("the provider did not answer in time".to_owned()))?
            // The chain says so of every place that has none.
            .map_err(|error| {
                failed(chain(&error).replace("the credential provider was not enabled: ", ""))
            })?;
        let expires_at = credentials.expiry().map(timestamp);
        Ok(Held::new(
            credentials,
            String::new(),
            expires_at,
            self.now(),
            (self.config.random)(),
        ))
    }

    /// Lets go of credentials that AWS calls expired, unless somebody has renewed them meanwhile.
    pub(crate) async fn forget_credentials(
        &self,
        role: Option<&RoleToAssume>,
        access_key: Option<&str>,
    ) {
        let slot = self.kept.slot(role, self.now());
        let mut slot = slot.lock().await;
        let held = slot.as_ref().map(|held| held.credentials.access_key_id());
        if held == access_key {
            *slot = None;
        }
    }
}

/// The moment of a `SystemTime`.
fn timestamp(time: std::time::SystemTime) -> Timestamp {
    let since = time.duration_since(std::time::SystemTime::UNIX_EPOCH);
    let millis = since.map_or(0, |d: Duration| d.as_millis());
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_millis(1_000_000_000)
    }
    const MINUTE: i64 = 60_000;

    fn held(lasts: Option<i64>, random: u64) -> Held {
        let expires_at = lasts.map(|lasts| plus(now(), lasts));
        let keys = Credentials::from_keys("a", "b", None);
        Held::new(keys, "1".to_owned(), expires_at, now(), random)
    }

    #[test]
    fn credentials_are_renewed_before_they_expire() {
        for (lasts, random, renewed) in [
            (Some(60 * MINUTE), 0, 55 * MINUTE),
            (Some(60 * MINUTE), JITTER_MILLIS / 2, 54 * MINUTE + 30_000),
            // Such as last but a few minutes are not asked for at every call.
            (Some(4 * MINUTE), 0, 2 * MINUTE),
            (None, 0, 5 * MINUTE),
        ] {
            let held = held(lasts, random);
            assert!(held.is_fresh(plus(now(), renewed - 1)), "{lasts:?}");
            assert!(!held.is_fresh(plus(now(), renewed)), "{lasts:?}");
        }
        let short = held(Some(MINUTE), 0);
        assert!(short.is_usable(plus(now(), 44_999)));
        assert!(!short.is_usable(plus(now(), 45_000)));
        assert!(held(None, 0).is_usable(plus(now(), 10_000_000)));
    }

    #[test]
    fn the_expiry_counts_from_the_time_of_the_answer() {
        let hour_off: Timestamp = "2026-11-21T09:00:00Z".parse().unwrap();
        let answer = Response {
            value: serde_json::json!({
                "Credentials": {"AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c",
                    "Expiration": "2026-11-21T11:00:00Z"},
                "AssumedRoleUser": {"Arn": "arn:aws:sts::1:assumed-role/r/s"},
            }),
            request_id: None,
            date: Some("2026-11-21T10:00:00Z".parse().unwrap()),
            status: 200,
            headers: Vec::new(),
        };
        let held = Held::of_answer(&answer, hour_off, 0).unwrap();
        let expires_at: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        assert_eq!(held.expires_at, Some(expires_at));
    }

    #[test]
    fn there_are_only_so_many_roles() {
        let kept = Kept::default();
        for i in 0..ROLES_MAX + 10 {
            kept.slot(Some(&RoleToAssume::new(format!("r{i}"), "s")), now());
        }
        assert!(kept.roles.lock().unwrap().len() <= ROLES_MAX);
    }
}
