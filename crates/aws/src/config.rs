//! What a client is made of.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use quell_model::Timestamp;

pub use crate::connect::Proxies;
use crate::model::Service;
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
    /// The endpoints of single services, which outdo the one for all. Services go by their ids as in the names of
    /// `AWS_ENDPOINT_URL_…`: `S3`, `ELASTIC_LOAD_BALANCING_V2`.
    pub endpoint_urls: BTreeMap<String, String>,
    /// Whether to use the endpoints that FIPS 140 holds for. Not together with an endpoint of one's own.
    pub use_fips: bool,
    /// Whether to use the endpoints that speak IPv4 and IPv6. Not together with an endpoint of one's own.
    pub use_dual_stack: bool,
    /// How buckets are reached.
    pub s3: S3Options,
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

/// How buckets of S3 are reached.
#[derive(Clone, Debug)]
pub struct S3Options {
    /// Whether buckets stand in the path and never in the host. When it is not said, they do at an endpoint of one's own.
    pub force_path_style: Option<bool>,
    /// Whether to use Transfer Acceleration.
    pub accelerate: bool,
    /// Whether an access point may be in another Region than the session: then the call goes to that Region.
    pub use_arn_region: bool,
    /// Whether access points of several Regions are refused.
    pub disable_multi_region_access_points: bool,
}

impl Default for S3Options {
    fn default() -> Self {
        Self {
            force_path_style: None,
            accelerate: false,
            use_arn_region: true,
            disable_multi_region_access_points: false,
        }
    }
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
            endpoint_urls: BTreeMap::new(),
            use_fips: false,
            use_dual_stack: false,
            s3: S3Options::default(),
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

    /// The endpoint that `service` has instead of AWS's own.
    pub(crate) fn endpoint_url_of(&self, service: &Service) -> Option<&str> {
        let id = service.metadata.service_id.to_uppercase().replace(' ', "_");
        let own = self.endpoint_urls.get(&id);
        own.or(self.endpoint_url.as_ref()).map(String::as_str)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("endpoint_url", &self.endpoint_url)
            .field("endpoint_urls", &self.endpoint_urls)
            .field("use_fips", &self.use_fips)
            .field("use_dual_stack", &self.use_dual_stack)
            .field("s3", &self.s3)
            .field("region", &self.region)
            .field("timeouts", &self.timeouts)
            .field("retries", &self.retries)
            .field("limits", &self.limits)
            .field("proxies", &self.proxies)
            .finish_non_exhaustive()
    }
}
