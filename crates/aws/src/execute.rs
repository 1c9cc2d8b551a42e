//! One call from parameters to answer: validate, write, sign, send, read, and try again where that is safe.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use quell_model::{ErrorKind, Timestamp};
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::client::Inner;
use crate::credentials::RoleToAssume;
use crate::endpoint;
use crate::error::{AwsError, ServiceError};
use crate::model::{Operation, Service};
use crate::object::{Arriving, Broken, ObjectStream};
use crate::protocol::{self, ErrorAnswer, Malformed, Protocol, Unread, WireRequest, WireResponse};
use crate::registry;
use crate::session::Response;
use crate::sign::Signer;
use crate::transport::{NoAnswer, Received, Wanted};
use crate::validate;

/// The status that stands for an error in the body of a 200: the service failed while it was at it.
const REFUSED_LATE: u16 = 500;

/// Whether a call may be sent again when its answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Safety {
    /// It reads, or to do it twice is to do it once.
    Repeatable,
    /// It changes something: once it may have arrived, it is never sent again.
    Once,
}

/// A call to make, and as whom.
pub(crate) struct Job<'a> {
    pub(crate) service: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) params: &'a Value,
    pub(crate) region: &'a str,
    pub(crate) role: Option<&'a RoleToAssume>,
    pub(crate) safety: Safety,
}

/// A job that has been validated and written.
struct Ready<'a> {
    job: &'a Job<'a>,
    service: &'static Service,
    operation: &'static Operation,
    protocol: Protocol,
    request: WireRequest,
    url: String,
    signing_region: String,
    wanted: Wanted,
    attempt_limit: Duration,
}

/// An attempt that failed, and what may be done about it.
struct Failed {
    error: AwsError,
    again: Again,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    No,
    Yes,
    WithNewCredentials,
}

impl Inner {
    /// Makes the call and reads its answer by the model.
    pub(crate) async fn call(&self, job: &Job<'_>) -> Result<Response, AwsError> {
        let whole = Wanted::Whole(self.config.answer_bytes_max);
        let limits = (whole, self.config.timeouts.attempt);
        let ready = self.prepare(job, limits)?;
        self.attempts(&ready, |ready, received| {
            let response = &received.response;
            let read = protocol::read(ready.protocol, ready.service, ready.operation, response)?;
            Ok(Response {
                value: read.value,
                request_id: read.request_id,
                date: date(response),
            })
        })
        .await
    }

    /// Makes the call and takes the body of its answer as it is, an object of up to `bytes_max`.
    pub(crate) async fn body(&self, job: &Job<'_>, bytes_max: usize) -> Result<Bytes, AwsError> {
        let limits = (Wanted::Whole(bytes_max), self.config.timeouts.operation);
        let ready = self.prepare(job, limits)?;
        self.attempts(&ready, |_, received| {
            let response = &received.response;
            checked(response, bytes_max).map_err(|broken| Malformed(broken.to_string()))?;
            Ok(response.body.clone())
        })
        .await
    }

    /// Makes the call and gives the body of its answer piece by piece, an object of up to `bytes_max`.
    pub(crate) async fn stream(
        &self,
        job: &Job<'_>,
        bytes_max: usize,
    ) -> Result<ObjectStream, AwsError> {
        let ready = self.prepare(job, (Wanted::Head, self.config.timeouts.attempt))?;
        let missing = || Malformed("the answer has no body".to_owned());
        let opened = self.attempts(&ready, |_, received| {
            let rest = received.rest.take().ok_or_else(missing)?;
            Ok((std::mem::take(&mut received.response), rest))
        });
        let (head, rest) = opened.await?;
        ObjectStream::new(&head, rest, bytes_max, self.config.timeouts.attempt)
    }

    fn prepare<'a>(
        &self,
        job: &'a Job<'a>,
        limits: (Wanted, Duration),
    ) -> Result<Ready<'a>, AwsError> {
        let (service, operation) = registry::operation(job.service, job.operation)?;
        let protocol = Protocol::of(service).ok_or_else(|| AwsError::Model {
            service: job.service.to_owned(),
            what: "none of its protocols is built".to_owned(),
        })?;
        let input = operation.input.as_ref().map(|input| service.view(input));
        let faults = validate::faults(input, job.params, protocol.has_null());
        if !faults.is_empty() {
            return Err(AwsError::InvalidParams {
                service: job.service.to_owned(),
                operation: job.operation.to_owned(),
                faults,
            });
        }
        let unwritable = |what: String| AwsError::Unwritable {
            service: job.service.to_owned(),
            operation: job.operation.to_owned(),
            what,
        };
        let params = self.with_tokens(service, operation, job.params);
        let written = protocol::write(protocol, service, operation, &params);
        let mut request = written.map_err(|malformed| unwritable(malformed.0))?;
        let overridden = self.config.endpoint_url.as_deref();
        let found = endpoint::resolve(
            job.service,
            service,
            job.region,
            overridden,
            &params,
            &mut request,
        );
        let endpoint = found.map_err(unwritable)?;
        let mut url = format!("{}{}", endpoint.base, request.path);
        if !request.query.is_empty() {
            url.push('?');
            url.push_str(&request.query);
        }
        Ok(Ready {
            job,
            service,
            operation,
            protocol,
            request,
            url,
            signing_region: endpoint.signing_region,
            wanted: limits.0,
            attempt_limit: limits.1,
        })
    }

    /// The parameters with their idempotency tokens, the same for all attempts.
    fn with_tokens(&self, service: &Service, operation: &Operation, params: &Value) -> Value {
        let mut params = match params {
            Value::Object(_) => params.clone(),
            _ => Value::Object(Map::new()),
        };
        protocol::fill_tokens(service, operation, &mut params, || self.token());
        params
    }

    /// A version 4 UUID.
    fn token(&self) -> String {
        let (high, low) = ((self.config.random)(), (self.config.random)());
        let high = (high & !0xf000) | 0x4000;
        let low = (low & !(0b11 << 62)) | (0b10 << 62);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }

    /// Tries until there is an answer, it is no use, or time is up.
    async fn attempts<T>(
        &self,
        ready: &Ready<'_>,
        read: impl Fn(&Ready<'_>, &mut Received) -> Result<T, Unread>,
    ) -> Result<T, AwsError> {
        let job = ready.job;
        let account = job.role.map_or("home", |role| &role.arn);
        let place = format!("{account} {} {}", job.region, job.service);
        let deadline = Instant::now() + self.config.timeouts.operation;
        let mut renewed = false;
        let mut attempt = 1;
        loop {
            let failed = match self.attempt(ready, attempt, deadline, &read).await {
                Ok(value) => {
                    self.buckets.give_back(&place, attempt - 1);
                    return Ok(value);
                }
                Err(failed) => failed,
            };
            let wait = self.config.retries.delay(attempt, (self.config.random)());
            let renews = failed.again == Again::WithNewCredentials;
            let hopeless = failed.again == Again::No
                || attempt >= self.config.retries.attempts_max
                || (renews && renewed)
                || Instant::now() + wait >= deadline;
            if hopeless || !self.buckets.take(&place) {
                return Err(failed.error);
            }
            if renews {
                self.forget_credentials(job.role).await;
                renewed = true;
            } else {
                tokio::time::sleep(wait).await;
            }
            tracing::debug!(service = job.service, operation = job.operation, attempt, error = %failed.error, "trying again");
            attempt += 1;
        }
    }

    async fn attempt<T>(
        &self,
        ready: &Ready<'_>,
        attempt: u32,
        deadline: Instant,
        read: &impl Fn(&Ready<'_>, &mut Received) -> Result<T, Unread>,
    ) -> Result<T, Failed> {
        let signed = match self.signed(ready).await {
            Ok(signed) => signed,
            // Getting credentials has its own retries.
            Err(error) => {
                return Err(Failed {
                    error,
                    again: Again::No,
                });
            }
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let late = NoAnswer::NotSent("no time was left to send it".to_owned());
            return Err(ready.unanswered(late, attempt));
        }
        let limit = ready.attempt_limit.min(left);
        let sent = self.transport.exchange(signed, ready.wanted, limit).await;
        let mut received = sent.map_err(|no_answer| ready.unanswered(no_answer, attempt))?;
        let response = &received.response;
        if !(200..300).contains(&response.status) {
            let said =
                protocol::read_error(ready.protocol, ready.service, ready.operation, response);
            return Err(ready.refused(said, response.status, attempt));
        }
        read(ready, &mut received).map_err(|unread| match unread {
            Unread::Malformed(malformed) => ready.unreadable(&malformed, &received.response),
            Unread::Refused(said) => ready.refused(*said, REFUSED_LATE, attempt),
        })
    }

    async fn signed(&self, ready: &Ready<'_>) -> Result<http::Request<Full<Bytes>>, AwsError> {
        let unwritable = |what: String| AwsError::Unwritable {
            service: ready.job.service.to_owned(),
            operation: ready.job.operation.to_owned(),
            what,
        };
        let body = &ready.request.body;
        let mut builder = http::Request::builder()
            .method(ready.request.method.as_str())
            .uri(&ready.url)
            .header("User-Agent", &self.config.user_agent);
        for (name, value) in &ready.request.headers {
            builder = builder.header(name, value);
        }
        let request = builder.body(Full::new(body.clone()));
        let request = request.map_err(|error| unwritable(error.to_string()))?;
        let held = match ready.operation.authtype.as_deref() {
            Some("none") => None,
            _ => Some(self.credentials(ready.job.role).await?),
        };
        let signer = Signer {
            credentials: held.as_ref().map(|held| &held.credentials),
            service: ready.service.signing_name(),
            region: &ready.signing_region,
            now: self.now(),
        };
        signer.sign(request, body).map_err(unwritable)
    }
}

impl Ready<'_> {
    /// There is no answer. What was not sent may be sent again; what may have arrived only if that is harmless.
    fn unanswered(&self, no_answer: NoAnswer, attempt: u32) -> Failed {
        let (service, operation) = (self.job.service.to_owned(), self.job.operation.to_owned());
        let is_once = self.job.safety == Safety::Once;
        let (error, again) = match no_answer {
            NoAnswer::Lost(reason) if is_once => (
                AwsError::Unanswered {
                    service,
                    operation,
                    reason,
                },
                Again::No,
            ),
            NoAnswer::NotSent(reason) | NoAnswer::Lost(reason) => (
                AwsError::Unreachable {
                    service,
                    operation,
                    reason,
                    attempts: attempt,
                },
                Again::Yes,
            ),
            NoAnswer::TooLarge(bytes_max) if is_once => {
                let reason = format!("it is larger than {bytes_max} bytes");
                (
                    AwsError::Unanswered {
                        service,
                        operation,
                        reason,
                    },
                    Again::No,
                )
            }
            NoAnswer::TooLarge(bytes_max) => (
                AwsError::TooLarge {
                    service,
                    operation,
                    bytes_max,
                },
                Again::No,
            ),
        };
        Failed { error, again }
    }

    /// AWS said no. Only «slower» and «these credentials have expired» prove that nothing happened.
    fn refused(&self, said: ErrorAnswer, status: u16, attempt: u32) -> Failed {
        let is_once = self.job.safety == Safety::Once;
        let error = ServiceError {
            service: self.job.service.to_owned(),
            operation: self.job.operation.to_owned(),
            code: said.code,
            message: said.message,
            request_id: said.request_id,
            status,
            shape: said.shape,
            attempts: attempt,
            is_changing: is_once,
        };
        let again = match error.kind() {
            _ if error.is_expired() => Again::WithNewCredentials,
            ErrorKind::Throttled => Again::Yes,
            ErrorKind::Unavailable if !is_once => Again::Yes,
            _ => Again::No,
        };
        Failed {
            error: AwsError::Service(Box::new(error)),
            again,
        }
    }

    /// AWS said yes, in words that cannot be read.
    fn unreadable(&self, malformed: &Malformed, response: &WireResponse) -> Failed {
        let (service, operation) = (self.job.service.to_owned(), self.job.operation.to_owned());
        let what = malformed.0.clone();
        if self.job.safety == Safety::Once {
            let reason = format!("it cannot be read: {what}");
            return Failed {
                error: AwsError::Unanswered {
                    service,
                    operation,
                    reason,
                },
                again: Again::No,
            };
        }
        let request_id = protocol::request_id(&response.headers);
        Failed {
            error: AwsError::Unreadable {
                service,
                operation,
                what,
                request_id,
            },
            again: Again::Yes,
        }
    }
}

/// An object that has come whole.
fn checked(response: &WireResponse, bytes_max: usize) -> Result<(), Broken> {
    let mut arriving = Arriving::new(response, bytes_max)?;
    arriving.add(&response.body)?;
    arriving.finish()
}

fn date(response: &WireResponse) -> Option<Timestamp> {
    let text = response.headers.get("date")?.to_str().ok()?;
    let time = crate::scalar::parse_time_text(text)?;
    Some(Timestamp::from_millis(
        time.unix_timestamp().saturating_mul(1000),
    ))
}
