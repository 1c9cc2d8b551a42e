//! Waiting for a state of a resource, as the models' waiters say, with a limit on everything.

use std::time::Duration;

use quell_model::ErrorKind;
use serde_json::Value;
use tokio::time::Instant;

use crate::error::{AwsError, ServiceError};
use crate::jmes;
use crate::model::{Acceptor, Matcher, Waiter, WaiterState};
use crate::output::Output;
use crate::session::ReadSession;

/// How long is waited at most. The model's own limits hold too; the lesser is taken.
#[derive(Clone, Debug)]
pub struct WaitLimits {
    /// So many calls.
    pub attempts_max: u32,
    /// So long between two calls.
    pub delay_max: Duration,
    /// So long for all of it.
    pub time_max: Duration,
}

impl Default for WaitLimits {
    /// A hundred calls, a minute between two, half an hour.
    fn default() -> Self {
        Self {
            attempts_max: 100,
            delay_max: Duration::from_secs(60),
            time_max: Duration::from_secs(30 * 60),
        }
    }
}

/// The state is reached.
#[derive(Clone)]
pub struct Waited {
    /// The answer that shows it; `None` when an error shows it (that something is gone).
    pub answer: Option<Output<'static>>,
    /// How many calls it took.
    pub attempts: u32,
}

/// The state was not reached.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// A call failed in a way that the waiter knows nothing of.
    #[error(transparent)]
    Call(#[from] AwsError),
    /// The service has no such waiter.
    #[error("{service} has no waiter {waiter}{}", .nearest.as_ref().map_or(String::new(), |n| format!(" (did you mean {n}?)")))]
    UnknownWaiter {
        /// The service.
        service: String,
        /// The name asked for.
        waiter: String,
        /// The name that was perhaps meant.
        nearest: Option<String>,
    },
    /// What was seen means that the state will not be reached.
    #[error("{waiter} will not be reached: {seen}")]
    Hopeless {
        /// The waiter.
        waiter: String,
        /// What was seen last.
        seen: String,
    },
    /// The limits are used up.
    #[error("{waiter} was not reached with {attempts} calls: {seen}")]
    TooLong {
        /// The waiter.
        waiter: String,
        /// How many calls were made.
        attempts: u32,
        /// What was seen last.
        seen: String,
    },
}

impl WaitError {
    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Call(error) => error.kind(),
            Self::UnknownWaiter { .. } => ErrorKind::Invalid,
            Self::Hopeless { .. } => ErrorKind::Conflict,
            Self::TooLong { .. } => ErrorKind::Unavailable,
        }
    }
}

/// The waiter `name` of a service.
fn waiter(service: &str, name: &str) -> Result<&'static Waiter, WaitError> {
    let waiters = &crate::registry::service(service)?.waiters;
    waiters.get(name).ok_or_else(|| WaitError::UnknownWaiter {
        service: service.to_owned(),
        waiter: name.to_owned(),
        nearest: crate::validate::nearest(name, waiters.keys().map(String::as_str)),
    })
}

/// Calls until the state is reached, hopeless, or the limits are used up.
pub(crate) async fn wait(
    session: &ReadSession,
    service: &str,
    name: &str,
    params: &Value,
    limits: &WaitLimits,
) -> Result<Waited, WaitError> {
    let service = crate::names::sdk_service(service);
    let waiter = waiter(service, name)?;
    let call = async || {
        let answered = session.call(service, &waiter.operation, params).await;
        answered.map(|answer| answer.value)
    };
    poll(service, name, waiter, limits, call).await
}

async fn poll(
    service: &str,
    name: &str,
    waiter: &Waiter,
    limits: &WaitLimits,
    mut call: impl AsyncFnMut() -> Result<Output<'static>, AwsError>,
) -> Result<Waited, WaitError> {
    let delay = Duration::from_secs(waiter.delay_seconds.into()).min(limits.delay_max);
    let attempts_max = waiter.max_attempts.min(limits.attempts_max);
    let deadline = Instant::now() + limits.time_max;
    let mut attempts = 0;
    let mut seen = "nothing was answered".to_owned();
    while attempts < attempts_max {
        let Ok(answered) = tokio::time::timeout_at(deadline, call()).await else {
            break;
        };
        attempts += 1;
        let state = meaning(service, &waiter.acceptors, &answered)?;
        seen = describe(&waiter.acceptors, &answered);
        match (state, answered) {
            (Some(WaiterState::Success), answered) => {
                let answer = answered.ok();
                return Ok(Waited { answer, attempts });
            }
            (Some(WaiterState::Failure), _) => {
                let waiter = name.to_owned();
                return Err(WaitError::Hopeless { waiter, seen });
            }
            (None, Err(error)) => return Err(error.into()),
            (Some(WaiterState::Retry), _) | (None, Ok(_)) => {}
        }
        if attempts == attempts_max || Instant::now() + delay >= deadline {
            break;
        }
        tokio::time::sleep(delay).await;
    }
    Err(WaitError::TooLong {
        waiter: name.to_owned(),
        attempts,
        seen,
    })
}

/// What the first acceptor that fits makes of what was answered.
fn meaning(
    service: &str,
    acceptors: &[Acceptor],
    answered: &Result<Output<'_>, AwsError>,
) -> Result<Option<WaiterState>, AwsError> {
    let broken = |what| AwsError::Model {
        service: service.to_owned(),
        what,
    };
    for acceptor in acceptors {
        let fits = match answered {
            Ok(answer) => fits_answer(acceptor, answer).map_err(broken)?,
            Err(AwsError::Service(error)) => fits_error(acceptor, error),
            Err(_) => false,
        };
        if fits {
            return Ok(Some(acceptor.state));
        }
    }
    Ok(None)
}

fn fits_answer(acceptor: &Acceptor, answer: &Output<'_>) -> Result<bool, String> {
    let expected = &acceptor.expected;
    let found = || jmes::find(acceptor.argument.as_deref().unwrap_or_default(), answer);
    let each = |found: Value, all: bool| match found {
        Value::Array(items) if !items.is_empty() && all => items.iter().all(|i| i == expected),
        Value::Array(items) => items.iter().any(|i| i == expected) && !all,
        _ => false,
    };
    Ok(match acceptor.matcher {
        Matcher::Path => found()? == *expected,
        Matcher::PathAll => each(found()?, true),
        Matcher::PathAny => each(found()?, false),
        // No waiter tells one success from another.
        Matcher::Status => expected.as_u64().is_some_and(|status| status < 300),
        Matcher::Error => *expected == Value::Bool(false),
    })
}

fn fits_error(acceptor: &Acceptor, error: &ServiceError) -> bool {
    match (acceptor.matcher, &acceptor.expected) {
        (Matcher::Error, Value::String(code)) => *code == error.code,
        (Matcher::Error, expected) => *expected == Value::Bool(true),
        (Matcher::Status, expected) => expected.as_u64() == Some(error.status.into()),
        _ => false,
    }
}

/// More than this of what was seen helps nobody.
const SEEN_CHARS_MAX: usize = 200;

/// What was answered where the waiter looks. Those are states and counts, nothing that must not be printed.
fn describe(acceptors: &[Acceptor], answered: &Result<Output<'_>, AwsError>) -> String {
    let answer = match answered {
        Ok(answer) => answer,
        Err(error) => return error.to_string(),
    };
    let mut paths: Vec<&str> = Vec::new();
    for path in acceptors.iter().filter_map(|a| a.argument.as_deref()) {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    let found = paths.iter().map(|path| {
        let found = jmes::find(path, answer).unwrap_or_default();
        format!("{path} is {found}")
    });
    let text = found.collect::<Vec<_>>().join("; ");
    if text.is_empty() {
        return "the last answer was no error".to_owned();
    }
    text.chars().take(SEEN_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(code: &str, status: u16) -> Result<Output<'static>, AwsError> {
        Err(AwsError::from(Box::new(ServiceError {
            service: "s".to_owned(),
            operation: "O".to_owned(),
            code: code.to_owned(),
            message: "No.".to_owned(),
            request_id: None,
            status,
            shape: None,
            attempts: 1,
            is_changing: false,
            is_throttling: false,
            bucket_region: None,
        })))
    }

    fn answered(value: &Value) -> Result<Output<'static>, AwsError> {
        Ok(Output::from(value))
    }

    /// Waits on answers that are given in this order, the last for ever; how long it took by tokio's clock.
    async fn waited(
        service: &str,
        name: &str,
        limits: &WaitLimits,
        answers: Vec<Result<Output<'static>, AwsError>>,
    ) -> (Result<Waited, WaitError>, Duration) {
        let waiter = waiter(service, name).unwrap();
        let mut answers = answers.into_iter().peekable();
        let begun = Instant::now();
        let call = async || {
            let next = answers.next();
            next.unwrap_or_else(|| Ok(Output::default()))
        };
        let done = poll(service, name, waiter, limits, call).await;
        (done, begun.elapsed())
    }

    fn instances(states: &[&str]) -> Result<Output<'static>, AwsError> {
        let of = |state: &&str| json!({"State": {"Name": state}});
        let instances: Vec<Value> = states.iter().map(of).collect();
        answered(&json!({"Reservations": [{"Instances": instances}]}))
    }

    #[tokio::test(start_paused = true)]
    async fn it_waits_as_long_as_the_model_says_between_calls() {
        let answers = vec![
            refused("InvalidInstanceID.NotFound", 400),
            instances(&["pending", "running"]),
            instances(&["running", "running"]),
        ];
        let limits = WaitLimits::default();
        let (done, took) = waited("ec2", "InstanceRunning", &limits, answers).await;
        let done = done.unwrap();
        assert_eq!(done.attempts, 3);
        assert!(done.answer.is_some());
        assert_eq!(took, Duration::from_secs(2 * 15));
    }

    #[tokio::test(start_paused = true)]
    async fn a_state_of_no_return_is_told_with_what_was_seen() {
        let answers = vec![instances(&["running", "terminated"])];
        let limits = WaitLimits::default();
        let (done, _) = waited("ec2", "InstanceRunning", &limits, answers).await;
        let error = done.err().unwrap();
        assert!(matches!(error, WaitError::Hopeless { .. }));
        assert_eq!(
            error.to_string(),
            "InstanceRunning will not be reached: Reservations[].Instances[].State.Name is \
             [\"running\",\"terminated\"]"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_callers_limits_cap_the_models() {
        let limits = WaitLimits {
            attempts_max: 3,
            delay_max: Duration::from_secs(2),
            ..WaitLimits::default()
        };
        let pending = || instances(&["pending"]);
        let answers = vec![pending(), pending(), pending()];
        let (done, took) = waited("ec2", "InstanceRunning", &limits, answers).await;
        let error = done.err().unwrap();
        assert!(
            matches!(error, WaitError::TooLong { attempts: 3, .. }),
            "{error}"
        );
        assert!(error.to_string().contains("[\"pending\"]"), "{error}");
        assert_eq!(took, Duration::from_secs(4));

        let limits = WaitLimits {
            time_max: Duration::from_secs(20),
            ..WaitLimits::default()
        };
        let (done, took) = waited(
            "ec2",
            "InstanceRunning",
            &limits,
            vec![pending(), pending()],
        )
        .await;
        let error = done.err().unwrap();
        assert!(
            matches!(error, WaitError::TooLong { attempts: 2, .. }),
            "{error}"
        );
        assert_eq!(took, Duration::from_secs(15));
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_may_be_what_is_waited_for_or_what_nobody_expects() {
        let limits = WaitLimits::default();
        let answers = vec![Ok(Output::default()), refused("404", 404)];
        let (done, _) = waited("s3", "BucketNotExists", &limits, answers).await;
        let done = done.unwrap();
        assert!(done.answer.is_none());
        assert_eq!(done.attempts, 2);

        let answers = vec![Ok(Output::default())];
        let (done, _) = waited("s3", "BucketExists", &limits, answers).await;
        assert_eq!(done.unwrap().attempts, 1);

        let answers = vec![refused("AccessDenied", 403)];
        let (done, _) = waited("dynamodb", "TableExists", &limits, answers).await;
        let error = done.err().unwrap();
        assert!(matches!(error, WaitError::Call(_)), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn expressions_and_each_of_several_are_understood() {
        let limits = WaitLimits::default();
        let service = |running: u32| {
            json!({"services": [{"status": "ACTIVE", "deployments": [{}], "runningCount": running,
                "desiredCount": 2}], "failures": []})
        };
        let answers = vec![answered(&service(1)), answered(&service(2))];
        let (done, _) = waited("ecs", "ServicesStable", &limits, answers).await;
        assert_eq!(done.unwrap().attempts, 2);
        let missing = json!({"services": [], "failures": [{"reason": "MISSING"}]});
        let (done, _) = waited("ecs", "ServicesStable", &limits, vec![answered(&missing)]).await;
        assert!(matches!(done, Err(WaitError::Hopeless { .. })));
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_nearest() {
        let error = waiter("ec2", "InstanceRuning").err().unwrap();
        assert_eq!(
            error.to_string(),
            "ec2 has no waiter InstanceRuning (did you mean InstanceRunning?)"
        );
    }

    #[test]
    fn no_waiter_tells_one_success_from_another() {
        for name in crate::registry::SERVICES {
            let waiters = &crate::registry::service(name).unwrap().waiters;
            let acceptors = waiters.values().flat_map(|waiter| &waiter.acceptors);
            for acceptor in acceptors.filter(|a| a.matcher == Matcher::Status) {
                let status = acceptor.expected.as_u64().unwrap();
                assert!(status == 200 || status >= 300, "{name} {status}");
            }
        }
    }
}
