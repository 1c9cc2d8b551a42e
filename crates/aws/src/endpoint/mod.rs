//! Where a request goes and how it is signed: the endpoint rules of its service (Smithy endpoint rules 1.0, as
//! botocore has them), and what the client tells the rules.
//!
//! **Invariant:** the engine is pure, never panics and is bounded by the size of the rule set; no parameter can put
//! anything into the host but what a host is made of.

mod compile;
mod expression;
mod functions;
mod parameters;
mod partitions;
mod redirect;
mod rules;
mod target;
mod value;

pub use parameters::{BuiltIns, parameters};
pub use partitions::Partitions;
pub(crate) use redirect::bucket_region;
pub use rules::RuleSet;
pub(crate) use target::is_region;
pub use target::{Placing, Target};

/// What a rule set gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `https://ec2.us-east-1.amazonaws.com`; perhaps with a path.
    pub url: String,
    /// Headers to send, each with its values.
    pub headers: Vec<(String, Vec<String>)>,
    /// How requests may be signed, the best first; nothing when it is as for every request of the service.
    pub auth_schemes: Vec<AuthScheme>,
}

/// A way to sign.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthScheme {
    /// `sigv4`, `sigv4a`, `sigv4-s3express`.
    pub name: String,
    /// The name to sign for, when it is not the service's own.
    pub signing_name: Option<String>,
    /// The Region to sign for, when it is not the client's.
    pub signing_region: Option<String>,
    /// The Regions to sign for, of `sigv4a`.
    pub signing_region_set: Vec<String>,
    /// Whether the path is signed as it is sent.
    pub disable_double_encoding: bool,
}

/// A rule set or a list of partitions is not one, or uses what is not known here.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// Not the JSON that is wanted.
    #[error("the endpoint rules cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// Something in it is not known.
    #[error("the endpoint rules: {0}")]
    Malformed(String),
}

/// There is no endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The rules say why.
    #[error("{0}")]
    Refused(String),
    /// A parameter must be given and was not (in the words of the SDKs).
    #[error("Cannot find value for required parameter {0}")]
    Missing(String),
    /// A parameter is not of its type.
    #[error("the endpoint rules want another type for {0}")]
    WrongType(String),
    /// No rule holds.
    #[error("no endpoint rule holds")]
    NoRule,
    /// A rule uses a variable that is not set, or is not text.
    #[error("an endpoint rule uses what is not set")]
    Unset,
    /// What the rules gave has something in it that a URL of a host does not have. It is not quoted.
    #[error("the endpoint rules gave what is no URL of a host")]
    NoUrl,
}

impl RulesError {
    fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed(what.into())
    }
}

impl Endpoint {
    /// The rules look at most parameters before they put them into the URL. This looks at the result, whatever they did.
    fn check(&self) -> Result<(), EndpointError> {
        let url = functions::parse_url(&self.url).ok_or(EndpointError::NoUrl)?;
        let in_host = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
        let in_path = |b: u8| b.is_ascii_alphanumeric() || b"-._~%/:!$&'()*+,;=".contains(&b);
        if url.authority.bytes().all(in_host) && url.path.bytes().all(in_path) {
            return Ok(());
        }
        Err(EndpointError::NoUrl)
    }
}
