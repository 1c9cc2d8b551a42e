//! One call from parameters to answer: validate, write, sign, send, read, and try again where that is safe.

mod outcome;

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use quell_model::Timestamp;
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::client::Inner;
use crate::credentials::Held;
use crate::draft::Draft;
use crate::endpoint::{Placing, Target};
use crate::error::AwsError;
use crate::model::{Operation, Service};
use crate::object::{Arriving, Broken, ObjectStream};
use crate::pace::{Key, Place};
use crate::protocol::{self, Malformed, Protocol, Unread, WireRequest, WireResponse};
use crate::registry;
use crate::retry::Reason;
use crate::role::RoleToAssume;
use crate::session::Response;
use crate::sign::Signer;
use crate::skew::Seen;
use crate::transport::{Received, Wanted};
use crate::validate;
use outcome::{Again, Failed};

/// Whether a call may be sent again when its answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Safety {
    /// It reads, or to do it twice is to do it once.
    Repeatable,
    /// It changes something: once it may have arrived, it is never sent again.
    Once,
}

/// A call to make, and as whom.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) service: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) params: &'a Value,
    pub(crate) region: &'a str,
    pub(crate) role: Option<&'a RoleToAssume>,
    pub(crate) safety: Safety,
    /// When the caller no longer wants an answer.
    pub(crate) deadline: Option<Instant>,
    /// What its idempotency tokens are, when the caller wants to be able to make the very same call again.
    pub(crate) idempotency_token: Option<&'a str>,
}

/// A job that has been validated and written.
pub(crate) struct Ready<'a> {
    job: &'a Job<'a>,
    service: &'static Service,
    operation: &'static Operation,
    pub(crate) protocol: Protocol,
    params: Value,
    pub(crate) request: WireRequest,
    pub(crate) target: Target,
    wanted: Wanted,
    attempt_limit: Duration,
}

/// How far a call has come.
#[derive(Default)]
struct Tries {
    attempt: u32,
    /// Why the latest attempt but the first was made.
    last_retry: Option<Reason>,
    has_renewed: bool,
    has_set_clock: bool,
    /// Whether it goes to another Region than it was made for.
    has_moved: bool,
    /// The key that the latest attempt was signed with.
    access_key: Option<String>,
    /// Whether an attempt is on its way.
    is_sent: bool,
}

impl Inner {
    /// Makes the call and reads its answer by the model.
    pub(crate) async fn call(&self, job: &Job<'_>) -> Result<Response, AwsError> {
        let whole = Wanted::Whole(self.config.answer_bytes_max);
        let limits = (whole, self.config.timeouts.attempt);
        let ready = self.prepare(job, limits)?;
        self.attempts(ready, |ready, received| {
            let response = &received.response;
            let read = protocol::read(ready.protocol, ready.service, ready.operation, response)?;
            Ok(Response {
                value: read.value,
                request_id: read.request_id,
                date: date(response),
                status: response.status,
                headers: headers(response),
            })
        })
        .await
    }

    /// Makes the call and takes the body of its answer as it is, an object of up to `bytes_max`.
    pub(crate) async fn body(&self, job: &Job<'_>, bytes_max: usize) -> Result<Bytes, AwsError> {
        let limits = (Wanted::Whole(bytes_max), self.config.timeouts.operation);
        let ready = self.prepare(job, limits)?;
        self.attempts(ready, |_, received| {
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
        let opened = self.attempts(ready, |_, received| {
            let rest = received.rest.take().ok_or_else(missing)?;
            Ok((std::mem::take(&mut received.response), rest))
        });
        let (head, rest) = opened.await?;
        ObjectStream::new(&head, rest, bytes_max, self.config.timeouts.attempt)
    }

    /// The request of a call, neither signed nor sent.
    pub(crate) fn draft(&self, job: &Job<'_>) -> Result<Draft, AwsError> {
        let ready = self.prepare(job, (Wanted::Head, Duration::ZERO))?;
        Ok(Draft {
            method: ready.request.method,
            url: ready.target.url,
            headers: ready.request.headers,
            body: ready.request.body,
        })
    }

    pub(crate) fn prepare<'a>(
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
        let params = self.with_tokens(service, operation, job);
        let written = protocol::write(protocol, service, operation, &params);
        let mut request = written.map_err(|malformed| unwritable(malformed.0))?;
        let target = self.target(job, job.region, &params, &mut request)?;
        Ok(Ready {
            job,
            service,
            operation,
            protocol,
            params,
            request,
            target,
            wanted: limits.0,
            attempt_limit: limits.1,
        })
    }

    /// Where the call goes when it is made in `region`.
    fn target(
        &self,
        job: &Job<'_>,
        region: &str,
        params: &Value,
        request: &mut WireRequest,
    ) -> Result<Target, AwsError> {
        let (service, operation) = registry::operation(job.service, job.operation)?;
        let account = job.role.map(RoleToAssume::account);
        let placing = Placing {
            name: job.service,
            service,
            operation,
            params,
            region,
            account: account.as_deref(),
            config: &self.config,
        };
        placing.target(request)
    }

    /// The parameters with their idempotency tokens, the same for all attempts.
    fn with_tokens(&self, service: &Service, operation: &Operation, job: &Job<'_>) -> Value {
        let mut params = match job.params {
            Value::Object(_) => job.params.clone(),
            _ => Value::Object(Map::new()),
        };
        let token = || {
            let given = job.idempotency_token.map(str::to_owned);
            given.unwrap_or_else(|| self.token())
        };
        protocol::fill_tokens(service, operation, &mut params, token);
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
        mut ready: Ready<'_>,
        read: impl Fn(&Ready<'_>, &mut Received) -> Result<T, Unread>,
    ) -> Result<T, AwsError> {
        let job = ready.job;
        let place = self.places.of(self.place(job));
        let deadline = self.deadline(job.deadline);
        let mut tries = Tries::default();
        loop {
            tries.attempt += 1;
            let attempt = self.attempt(&ready, &place, &mut tries, deadline);
            // What is cut off here was waiting for credentials or its turn: an exchange has its own limit.
            let ended = tokio::time::timeout_at(deadline, attempt).await;
            let failed = match ended {
                Ok(Ok(mut received)) => match read(&ready, &mut received) {
                    Ok(value) => {
                        place.succeeded(tries.last_retry);
                        return Ok(value);
                    }
                    Err(unread) => ready.unread(unread, &received.response, tries.attempt),
                },
                Ok(Err(failed)) => failed,
                Err(_) => ready.out_of_time(&tries),
            };
            if !tries.has_moved
                && let Some(region) = ready.elsewhere(&failed.error)
            {
                ready.target = self.target(job, region, &ready.params, &mut ready.request)?;
                tries.has_moved = true;
                continue;
            }
            let Some(wait) = self.wait_before_another(&failed, &mut tries, &place, deadline) else {
                return Err(*failed.error);
            };
            if failed.again == Again::WithNewCredentials {
                let forgets = self.forget_credentials(job.role, tries.access_key.as_deref());
                // When somebody else holds them until then, the next attempt finds that time is up.
                let _ = tokio::time::timeout_at(deadline, forgets).await;
            }
            tracing::debug!(service = job.service, operation = job.operation, attempt = tries.attempt, error = %failed.error, "trying again");
            tokio::time::sleep(wait).await;
        }
    }

    /// Where a call is counted.
    fn place(&self, job: &Job<'_>) -> Key {
        // Until somebody has asked, nobody knows which account is home.
        let home = || self.home_account.get().cloned().unwrap_or_default();
        Key {
            account: job.role.map_or_else(home, RoleToAssume::account),
            region: job.region.to_owned(),
            service: job.service.to_owned(),
            is_changing: job.safety == Safety::Once,
        }
    }

    /// When a call must have ended: what the caller wants, and no later than our own limit.
    pub(crate) fn deadline(&self, wanted: Option<Instant>) -> Instant {
        let own = Instant::now() + self.config.timeouts.operation;
        wanted.map_or(own, |wanted| wanted.min(own))
    }

    /// How long to wait before another attempt; none when there is to be none.
    fn wait_before_another(
        &self,
        failed: &Failed,
        tries: &mut Tries,
        place: &Place,
        deadline: Instant,
    ) -> Option<Duration> {
        let first_time =
            |done: &mut bool| (!std::mem::replace(done, true)).then_some(Duration::ZERO);
        match failed.again {
            Again::No => None,
            Again::WithNewCredentials => first_time(&mut tries.has_renewed),
            Again::WithTheirTime => first_time(&mut tries.has_set_clock),
            Again::After(reason) => {
                let retries = &self.config.retries;
                let random = (self.config.random)();
                let wait = retries.delay(tries.attempt, reason, failed.asked_wait, random);
                let is_in_time = Instant::now() + wait < deadline;
                let may = tries.attempt < retries.attempts_max && is_in_time;
                if !may || !place.may_retry(reason) {
                    return None;
                }
                tries.last_retry = Some(reason);
                Some(wait)
            }
        }
    }

    /// One attempt: an answer that says yes, or why there is none.
    async fn attempt(
        &self,
        ready: &Ready<'_>,
        place: &Place,
        tries: &mut Tries,
        deadline: Instant,
    ) -> Result<Received, Failed> {
        if Instant::now() >= deadline {
            return Err(ready.out_of_time(tries));
        }
        let held = match ready.operation.authtype.as_deref() {
            Some("none") => None,
            _ => Some(self.credentials(ready.job.role).await),
        };
        // Getting credentials has its own retries.
        let held = held.transpose().map_err(Failed::last)?;
        let access_key = |held: &Held| held.credentials.access_key_id().to_owned();
        tries.access_key = held.as_ref().map(access_key);
        let turn = place.turn(deadline).await;
        turn.map_err(|no_turn| ready.no_turn(no_turn))?;

        let signed_at = self.skews.now(&ready.host(), self.now());
        let signed = self.signed(ready, held.as_ref(), signed_at);
        let signed = signed.map_err(Failed::last)?;
        let left = deadline.saturating_duration_since(Instant::now());
        let limit = ready.attempt_limit.min(left);
        tries.is_sent = true;
        let sent = self.transport.exchange(signed, ready.wanted, limit);
        let sent = sent.await;
        tries.is_sent = false;
        let received = sent.map_err(|no_answer| ready.unanswered(no_answer, tries.attempt))?;
        self.judge(ready, place, tries.attempt, signed_at, received)
    }

    /// What an answer says: yes, or no and what may be done about it.
    fn judge(
        &self,
        ready: &Ready<'_>,
        place: &Place,
        attempt: u32,
        signed_at: Timestamp,
        received: Received,
    ) -> Result<Received, Failed> {
        let response = &received.response;
        let status = response.status;
        if (200..300).contains(&status) {
            place.answered(false);
            return Ok(received);
        }
        let said = protocol::read_error(ready.protocol, ready.service, ready.operation, response);
        let mut failed = ready.refused(said, status, response, attempt);
        place.answered(failed.is_throttled());
        let seen = Seen {
            code: failed.error.code().unwrap_or_default(),
            signed_at,
            date: date(response),
        };
        if self.skews.learn(&ready.host(), &seen, self.now()) {
            failed.again = Again::WithTheirTime;
        }
        Err(failed)
    }

    fn signed(
        &self,
        ready: &Ready<'_>,
        held: Option<&Held>,
        now: Timestamp,
    ) -> Result<http::Request<Full<Bytes>>, AwsError> {
        let unwritable = |what: String| AwsError::Unwritable {
            service: ready.job.service.to_owned(),
            operation: ready.job.operation.to_owned(),
            what,
        };
        let body = &ready.request.body;
        let mut builder = http::Request::builder()
            .method(ready.request.method.as_str())
            .uri(&ready.target.url)
            .header("User-Agent", &self.config.user_agent);
        for (name, value) in &ready.request.headers {
            builder = builder.header(name, value);
        }
        let request = builder.body(Full::new(body.clone()));
        let request = request.map_err(|error| unwritable(error.to_string()))?;
        let signer = Signer {
            credentials: held.map(|held| &held.credentials),
            service: &ready.target.signing_name,
            region: &ready.target.signing_region,
            now,
            manner: ready.target.manner,
        };
        let body = (!ready.operation.unsigned_payload).then_some(&**body);
        signer.sign(request, body).map_err(unwritable)
    }
}

impl Ready<'_> {
    /// The Region to go to instead, when a read went to another than its bucket's. What changes something stays where
    /// its permit is for.
    fn elsewhere<'e>(&self, error: &'e AwsError) -> Option<&'e str> {
        match error {
            AwsError::Service(refused) if self.job.safety == Safety::Repeatable => {
                refused.bucket_region.as_deref()
            }
            _ => None,
        }
    }

    /// Whose clock the signature must be right by.
    pub(crate) fn host(&self) -> String {
        host(&self.target.url)
    }
}

/// An object that has come whole.
fn checked(response: &WireResponse, bytes_max: usize) -> Result<(), Broken> {
    let mut arriving = Arriving::new(response, bytes_max)?;
    arriving.add(&response.body)?;
    arriving.finish()
}

/// The host of a URL, with its port.
fn host(url: &str) -> String {
    let uri: Option<http::Uri> = url.parse().ok();
    let authority = uri.as_ref().and_then(http::Uri::authority);
    authority.map(ToString::to_string).unwrap_or_default()
}

/// AWS's own time of an answer.
fn headers(response: &WireResponse) -> Vec<(String, String)> {
    let headers = response.headers.iter();
    let text = headers.filter_map(|(name, value)| Some((name, value.to_str().ok()?)));
    text.map(|(name, value)| (name.to_string(), value.to_owned()))
        .collect()
}

fn date(response: &WireResponse) -> Option<Timestamp> {
    let text = response.headers.get("date")?.to_str().ok()?;
    let time = crate::scalar::parse_time_text(text)?;
    Some(Timestamp::from_millis(
        time.unix_timestamp().saturating_mul(1000),
    ))
}
