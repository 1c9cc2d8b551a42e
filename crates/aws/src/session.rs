//! The three ways to make a call. What must not happen does not compile: a session that reads has no way to change
//! something, a session that changes something wants a permit for each call, and neither becomes the other.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use quell_guard::Permit;
use quell_model::{Call, Timestamp};
use serde_json::Value;
use tokio::time::Instant;

use crate::client::Client;
use crate::error::AwsError;
use crate::execute::{Job, Safety};
use crate::names::{Spelling, sdk_service};
use crate::object::{self, ObjectStream};
use crate::output::Output;
use crate::paginate::{PageError, PageLimits, Pages};
use crate::presign::Presigned;
use crate::read_only::is_read_only;
use crate::registry;
use crate::role::Scope;
use crate::waiter::{self, WaitError, WaitLimits, Waited};

/// What AWS answered.
#[derive(Clone)]
pub struct Response<T = Output<'static>> {
    /// The output, in the API's spelling; that of a task is JSON in the spelling of Step Functions.
    pub value: T,
    /// AWS's request id.
    pub request_id: Option<String>,
    /// AWS's own time of the answer.
    pub date: Option<Timestamp>,
    /// The HTTP status.
    pub status: u16,
    /// The HTTP headers that are text, in order, their names in lower case.
    pub headers: Vec<(String, String)>,
}

/// Without the value: it may hold what must not be printed.
impl<T> fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("request_id", &self.request_id)
            .field("date", &self.date)
            .finish_non_exhaustive()
    }
}

/// A session that can only read.
///
/// It does not become a session that changes something:
///
/// ```compile_fail
/// fn turn(session: quell_aws::ReadSession) -> quell_aws::ChangeSession { session.into() }
/// ```
#[derive(Clone, Debug)]
pub struct ReadSession {
    client: Client,
    scope: Scope,
    deadline: Option<Instant>,
}

impl ReadSession {
    pub(crate) fn new(client: Client, scope: Scope) -> Self {
        Self {
            client,
            scope,
            deadline: None,
        }
    }

    /// The same session, whose calls end at `deadline` at the latest: with an answer, or as calls end that have none.
    pub fn until(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Where it works.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    pub(crate) fn parts(&self) -> (&Client, &Scope, Option<Instant>) {
        (&self.client, &self.scope, self.deadline)
    }

    /// Reads. Services go by their names in botocore or in Step Functions.
    ///
    /// # Errors
    /// [`AwsError::NotReadOnly`] for an operation that does more than read: nothing was sent.
    pub async fn call(
        &self,
        service: &str,
        operation: &str,
        params: &Value,
    ) -> Result<Response, AwsError> {
        let job = self.job(service, operation, params)?;
        self.client.inner.call(&job).await
    }

    /// Reads as a task of a playbook does: parameters and answer are in the spelling of Step Functions
    /// ([`crate::names`]).
    ///
    /// # Errors
    /// As [`ReadSession::call`]; what Step Functions does not spell so is [`AwsError::InvalidParams`].
    pub async fn task(
        &self,
        service: &str,
        operation: &str,
        params: &Value,
        spelling: Spelling,
    ) -> Result<Response<Value>, AwsError> {
        let job = self.job(service, operation, params)?;
        self.client.inner.task(&job, spelling).await
    }

    /// The URL with which whoever holds it can make one reading call as this session, for `expires_in` (a second to
    /// seven days) but no longer than the session's credentials last.
    ///
    /// # Errors
    /// As [`ReadSession::call`], and [`AwsError::Unwritable`] for a call with a body or for another duration.
    pub async fn presign(
        &self,
        service: &str,
        operation: &str,
        params: &Value,
        expires_in: Duration,
    ) -> Result<Presigned, AwsError> {
        let job = self.job(service, operation, params)?;
        self.client.inner.presign(&job, expires_in).await
    }

    /// The bytes of an object of S3 as they come, of one that has no more than `bytes_max`.
    ///
    /// # Errors
    /// [`AwsError::TooLarge`] when S3 says at once that it is larger, and whatever a call may meet.
    pub async fn object(
        &self,
        bucket: &str,
        key: &str,
        bytes_max: usize,
    ) -> Result<ObjectStream, AwsError> {
        let params = object::params(bucket, key);
        let job = self.job("s3", "GetObject", &params)?;
        self.client.inner.stream(&job, bytes_max).await
    }

    fn job<'a>(
        &'a self,
        service: &'a str,
        operation: &'a str,
        params: &'a Value,
    ) -> Result<Job<'a>, AwsError> {
        let service = sdk_service(service);
        registry::operation(service, operation)?;
        if !is_read_only(service, operation) {
            return Err(AwsError::NotReadOnly {
                service: service.to_owned(),
                operation: operation.to_owned(),
            });
        }
        Ok(Job {
            service,
            operation,
            params,
            region: &self.scope.region,
            role: self.scope.role.as_ref(),
            safety: Safety::Repeatable,
            deadline: self.deadline,
            idempotency_token: None,
        })
    }

    /// Reads an answer that comes in pages, one page after another. Nothing is asked before the first page is.
    ///
    /// # Errors
    /// [`PageError::NotPaged`] for an operation that does not answer in pages.
    pub fn pages(
        &self,
        service: &str,
        operation: &str,
        params: &Value,
        limits: &PageLimits,
    ) -> Result<Pages, PageError> {
        Pages::new(self, service, operation, params, limits)
    }

    /// Waits until a state of a resource is reached; `waiter` by its name in the model (`InstanceRunning`).
    ///
    /// # Errors
    /// [`WaitError`] says what was seen last.
    pub async fn wait(
        &self,
        service: &str,
        waiter: &str,
        params: &Value,
        limits: &WaitLimits,
    ) -> Result<Waited, WaitError> {
        waiter::wait(self, service, waiter, params, limits).await
    }
}

/// A session that makes the calls it is shown a permit for, and no others.
///
/// There is no call without a permit, and nobody but the guard makes one:
///
/// ```compile_fail
/// async fn act(session: quell_aws::ChangeSession, call: quell_model::Call) {
///     let _ = session.call(&call).await;
/// }
/// ```
///
/// ```compile_fail
/// fn make(run: quell_model::RunId) -> quell_guard::Permit {
///     quell_guard::Permit { run, ..Default::default() }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct ChangeSession {
    client: Client,
    scope: Scope,
    deadline: Option<Instant>,
    idempotency_token: Option<String>,
}

impl ChangeSession {
    pub(crate) fn new(client: Client, scope: Scope) -> Self {
        Self {
            client,
            scope,
            deadline: None,
            idempotency_token: None,
        }
    }

    /// The same session, whose calls end at `deadline` at the latest: with an answer, or as calls end that have none.
    pub fn until(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The same session, whose calls carry `token` where AWS has a place for an idempotency token and the caller left
    /// it out: the very same call made again with it takes effect once. See [`crate::registry::takes_idempotency_token`].
    pub fn once_as(mut self, token: impl Into<String>) -> Self {
        self.idempotency_token = Some(token.into());
        self
    }

    /// Where it works.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Makes a call that the permit covers, as a task of a playbook: parameters and answer are in the spelling of Step
    /// Functions ([`crate::names`]), and so is what the permit covers. The task's `token`, if it has one, takes its
    /// place in the call after that check ([`Call::with_token`]). Once it may have arrived it is never sent again.
    ///
    /// # Errors
    /// [`AwsError::NotPermitted`]: nothing was sent. [`AwsError::Unanswered`]: it may have happened; see
    /// [`AwsError::may_have_happened`].
    pub async fn call(
        &self,
        permit: &Permit,
        call: &Call,
        spelling: Spelling,
        token: Option<&str>,
    ) -> Result<Response<Value>, AwsError> {
        let Scope {
            account, region, ..
        } = &self.scope;
        permit.check(account, region, call, self.client.inner.now())?;
        let sent = token.map(|token| call.clone().with_token(token));
        let call = sent.as_ref().unwrap_or(call);
        let service = sdk_service(&call.service);
        let reads = is_read_only(service, &call.operation);
        let job = Job {
            service,
            operation: &call.operation,
            params: &call.params,
            region,
            role: self.scope.role.as_ref(),
            safety: if reads {
                Safety::Repeatable
            } else {
                Safety::Once
            },
            deadline: self.deadline,
            idempotency_token: self.idempotency_token.as_deref(),
        };
        self.client.inner.task(&job, spelling).await
    }
}

/// What Quell calls for itself, in its own account, and whether a lost answer may be asked for again.
const AT_HOME: &[(&str, &str, Safety)] = &[
    ("s3", "GetObject", Safety::Repeatable),
    ("s3", "HeadObject", Safety::Repeatable),
    // Evidence: the same object under the same key, once more.
    ("s3", "PutObject", Safety::Repeatable),
    ("sqs", "ChangeMessageVisibility", Safety::Repeatable),
    ("sqs", "DeleteMessage", Safety::Repeatable),
    ("sqs", "DeleteMessageBatch", Safety::Repeatable),
    ("sqs", "GetQueueAttributes", Safety::Repeatable),
    ("sqs", "GetQueueUrl", Safety::Repeatable),
    // Messages of a lost answer come again when their time is up.
    ("sqs", "ReceiveMessage", Safety::Repeatable),
    ("sqs", "SendMessage", Safety::Once),
    ("sts", "AssumeRole", Safety::Repeatable),
    ("sts", "GetCallerIdentity", Safety::Repeatable),
];

/// Quell's own plumbing: queues, objects and identity in its own account and Region, and nothing else.
#[derive(Clone, Debug)]
pub struct HomeSession {
    client: Client,
    deadline: Option<Instant>,
}

impl HomeSession {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            deadline: None,
        }
    }

    /// The same session, whose calls end at `deadline` at the latest: with an answer, or as calls end that have none.
    pub fn until(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Makes one of the calls on the list.
    ///
    /// # Errors
    /// [`AwsError::NotAtHome`] for any other: nothing was sent.
    pub async fn call(
        &self,
        service: &str,
        operation: &str,
        params: &Value,
    ) -> Result<Response, AwsError> {
        self.client
            .inner
            .call(&self.job(service, operation, params)?)
            .await
    }

    /// The bytes of an object of S3, when there are no more than `bytes_max`; it stops reading at the limit.
    ///
    /// # Errors
    /// [`AwsError::TooLarge`], and whatever a call may meet.
    pub async fn object(
        &self,
        bucket: &str,
        key: &str,
        bytes_max: usize,
    ) -> Result<Bytes, AwsError> {
        let params = object::params(bucket, key);
        let job = self.job("s3", "GetObject", &params)?;
        self.client.inner.body(&job, bytes_max).await
    }

    fn job<'a>(
        &'a self,
        service: &'a str,
        operation: &'a str,
        params: &'a Value,
    ) -> Result<Job<'a>, AwsError> {
        let listed = AT_HOME
            .iter()
            .find(|(s, o, _)| (*s, *o) == (service, operation));
        let (.., safety) = listed.ok_or_else(|| AwsError::NotAtHome {
            service: service.to_owned(),
            operation: operation.to_owned(),
        })?;
        Ok(Job {
            service,
            operation,
            params,
            region: &self.client.inner.config.region,
            role: None,
            safety: *safety,
            deadline: self.deadline,
            idempotency_token: None,
        })
    }
}
