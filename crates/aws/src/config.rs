//! What a client is made of.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use quell_model::Timestamp;

pub use crate::connect::Proxies;
pub use crate::pace::{Limit, Limits, ServiceLimits};
pub use crate::retry::{Retries, RetryMode};

/// Says what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Gives random numbers: for the jitter of retries and for idempotency tokens.
pub type Random = Arc<dyn Fn() -> u64 + Send + Sync>;

/// How a client is made. [`Config::new`] fills in everything but what only the caller knows.
#[derive(Clone)]
pub struct Config {
    /// One endpoint for every service instead of AWS's own: a test range, LocalStack.
    pub endpoint_url: Option<String>,
    /// The Region of Quell itself, where roles are assumed and the home session works.
    pub region: String,
    /// Quell's own credentials.
    pub credentials: SharedCredentialsProvider,
    /// The time.
    pub clock: Clock,
    /// Random numbers.
    pub random: Random,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// How often to try again.
    pub retries: Retries,
    /// How fast to call.
    pub limits: Limits,
    /// The proxies on the way.
    pub proxies: Proxies,
    /// What the client calls itself.
    pub user_agent: String,
    /// The largest answer that is read into memory.
    pub answer_bytes_max: usize,
}

/// How long to wait for what.
#[derive(Clone, Debug)]
pub struct Timeouts {
    /// For a connection: name, proxy and TLS together.
    pub connect: Duration,
    /// For one attempt, with its whole answer. A long poll of SQS takes up to 20 seconds.
    pub attempt: Duration,
    /// For a call with all its attempts, the waits between, and the wait for credentials and for its turn.
    pub operation: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            attempt: Duration::from_secs(30),
            operation: Duration::from_secs(90),
        }
    }
}

/// 64 MiB: larger than any answer that is a value.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

impl Config {
    /// A configuration with AWS's own endpoints and the usual time-outs and retries.
    pub fn new(
        region: impl Into<String>,
        credentials: SharedCredentialsProvider,
        clock: Clock,
    ) -> Self {
        Self {
            endpoint_url: None,
            region: region.into(),
            credentials,
            clock,
            // Without the system's randomness there is no jitter, and tokens are not random; both still work.
            random: Arc::new(|| getrandom::u64().unwrap_or_default()),
            timeouts: Timeouts::default(),
            retries: Retries::default(),
            limits: Limits::default(),
            proxies: Proxies::default(),
            user_agent: concat!("quell/", env!("CARGO_PKG_VERSION")).to_owned(),
            answer_bytes_max: ANSWER_BYTES_MAX,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("endpoint_url", &self.endpoint_url)
            .field("region", &self.region)
            .field("timeouts", &self.timeouts)
            .field("retries", &self.retries)
            .field("limits", &self.limits)
            .field("proxies", &self.proxies)
            .finish_non_exhaustive()
    }
}
