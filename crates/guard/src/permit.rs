//! The right to carry out one plan. Whoever holds a [`Permit`] was told yes by [`crate::decide`]: nothing
//! else makes one.

use quell_model::{Call, Plan, Resource, RunId, Timestamp};

use crate::family::Family;
use crate::proof::Proof;
use crate::session;

/// The right to make the calls of one plan, each in the account and Region that it belongs in, until it expires: those of AWS
/// Organizations in the management account, all others where the resource is.
///
/// **Invariant:** the fields are private and the only constructor is private to this crate and called by
/// [`crate::decide`] alone. It is neither deserialised nor cloned from storage: after a restart the guard
/// decides again.
///
/// ```compile_fail
/// fn again(permit: &quell_guard::Permit) -> quell_guard::Permit {
///     Clone::clone(permit)
/// }
/// ```
///
/// ```compile_fail
/// fn from_storage(text: &str) -> Option<quell_guard::Permit> {
///     serde_json::from_str(text).ok()
/// }
/// ```
#[derive(Debug)]
pub struct Permit {
    run: RunId,
    resource: Resource,
    management: Option<String>,
    approver: String,
    plan_hash: String,
    calls: Vec<Call>,
    expires_at: Timestamp,
    proof: Proof,
}

/// The call is outside the permit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotPermitted {
    /// Too late.
    #[error("the permit of {run} expired at {expires_at}: plan again")]
    Expired {
        /// Whose permit.
        run: RunId,
        /// When it ended.
        expires_at: Timestamp,
    },
    /// Another account or Region.
    #[error("the permit of {run} is for {permitted}, not for {asked}")]
    Elsewhere {
        /// Whose permit.
        run: RunId,
        /// `account/region` of the permit.
        permitted: String,
        /// `account/region` of the session.
        asked: String,
    },
    /// Not one of the plan's calls, to the letter.
    #[error(
        "{service}:{operation} with these parameters is not in the plan that {run} has a permit for"
    )]
    NotInPlan {
        /// Whose permit.
        run: RunId,
        /// The service asked for.
        service: String,
        /// The operation asked for.
        operation: String,
    },
}

impl Permit {
    /// Called by [`crate::decide`] only.
    pub(crate) fn new(
        scope: (&RunId, &Resource, Option<&str>),
        plan: &Plan,
        calls: Vec<Call>,
        approver: String,
        expires_at: Timestamp,
        proof: Proof,
    ) -> Self {
        let (run, resource, management) = scope;
        Self {
            run: run.clone(),
            resource: resource.clone(),
            management: management.map(str::to_owned),
            approver,
            plan_hash: plan.hash(),
            calls,
            expires_at,
            proof,
        }
    }

    /// What was shown of the plan.
    pub fn proof(&self) -> &Proof {
        &self.proof
    }

    /// Whether `call` may be made in `account` and `region` at `now`. Parameters must equal the plan's exactly.
    ///
    /// # Errors
    /// [`NotPermitted`] says what is outside.
    pub fn check(
        &self,
        account: &str,
        region: &str,
        call: &Call,
        now: Timestamp,
    ) -> Result<(), NotPermitted> {
        if now >= self.expires_at {
            return Err(NotPermitted::Expired {
                run: self.run.clone(),
                expires_at: self.expires_at,
            });
        }
        let permitted = self.place(call);
        if (account, region) != permitted || account.is_empty() {
            return Err(NotPermitted::Elsewhere {
                run: self.run.clone(),
                permitted: format!("{}/{}", permitted.0, permitted.1),
                asked: format!("{account}/{region}"),
            });
        }
        if self.calls.contains(call) {
            return Ok(());
        }
        Err(NotPermitted::NotInPlan {
            run: self.run.clone(),
            service: call.service.clone(),
            operation: call.operation.clone(),
        })
    }

    /// The IAM policy of the session that makes `call`: it allows the plan's calls of that family, on what they name. At most
    /// 2,048 characters, or AWS refuses the session.
    pub fn session_policy(&self, call: &Call) -> String {
        let family = Family::of(&call.service, &call.operation);
        let same = |c: &&Call| Family::of(&c.service, &c.operation) == family;
        let calls = self.calls.iter().filter(same);
        let (account, region) = self.place(call);
        session::policy(calls, &self.resource.arn, account, region)
    }

    /// Where a call is made.
    fn place(&self, call: &Call) -> (&str, &str) {
        Family::of(&call.service, &call.operation).place(&self.resource, self.management.as_deref())
    }

    /// The run it was given to.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// The hash of the plan it was given for.
    pub fn plan_hash(&self) -> &str {
        &self.plan_hash
    }

    /// Who or what approved: `policy:auto`, or a person's key.
    pub fn approver(&self) -> &str {
        &self.approver
    }

    /// When it ends.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}
