//! What a model says of a service and of whole operations: where it goes, how its answers are paged and waited for, and which
//! checksums it takes.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::shape::Namespace;

/// What holds for every operation of a service.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "botocore's own names")]
pub struct Metadata {
    pub api_version: String,
    pub auth: Vec<String>,
    pub aws_query_compatible: Option<Value>,
    pub endpoint_prefix: String,
    pub global_endpoint: Option<String>,
    pub json_version: Option<String>,
    pub protocol: String,
    pub protocols: Vec<String>,
    pub service_id: String,
    pub signature_version: String,
    pub signing_name: Option<String>,
    pub target_prefix: Option<String>,
    pub xml_namespace: Option<Namespace>,
}

/// Where a request goes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "botocore's own names")]
pub struct Http {
    pub method: String,
    pub request_uri: String,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            method: "POST".to_owned(),
            request_uri: "/".to_owned(),
        }
    }
}

/// What an operation puts before the host.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "botocore's own names")]
pub struct EndpointTrait {
    pub host_prefix: String,
}

/// The checksums of an operation's bodies.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpChecksum {
    /// The input member that names the algorithm for the request.
    pub request_algorithm_member: Option<String>,
    /// Whether a request without a checksum is refused.
    pub request_checksum_required: bool,
    /// The input member that asks for a checksum of the answer.
    pub request_validation_mode_member: Option<String>,
    /// The algorithms that the answer may have a checksum of.
    pub response_algorithms: Vec<String>,
}

/// A value that an operation gives a parameter of the endpoint rules.
#[derive(Debug, Deserialize)]
pub struct StaticContextParam {
    /// Text, true or false, or a list of text.
    pub value: Value,
}

/// Where in the input a parameter of the endpoint rules is found.
#[derive(Debug, Deserialize)]
pub struct OperationContextParam {
    /// JMESPath.
    pub path: String,
}

/// A parameter of the endpoint rules that the client's settings give.
#[derive(Debug, Deserialize)]
pub struct ClientContextParam {
    /// `boolean` or `string`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// The encodings that a request's body may be compressed with.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RequestCompression {
    /// The best first.
    pub encodings: Vec<String>,
}

/// How an operation's answers are paged.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Paginator {
    /// The input members that take the next page's tokens.
    #[serde(deserialize_with = "one_or_many")]
    pub input_token: Vec<String>,
    /// Where in the answer the tokens are (JMESPath), in the same order.
    #[serde(deserialize_with = "one_or_many")]
    pub output_token: Vec<String>,
    /// The input member that limits a page.
    pub limit_key: Option<String>,
    /// Where in the answer the results are (JMESPath); the first is the main one.
    #[serde(deserialize_with = "one_or_many")]
    pub result_key: Vec<String>,
    /// Where in the answer it says that there is more (JMESPath). When there is none, a token says so.
    pub more_results: Option<String>,
}

/// How to wait for a state of a resource.
#[derive(Debug, Deserialize)]
pub struct Waiter {
    /// What is called again and again.
    pub operation: String,
    /// Seconds between two calls.
    #[serde(rename = "delay")]
    pub delay_seconds: u32,
    /// How many calls are made at most.
    #[serde(rename = "maxAttempts")]
    pub max_attempts: u32,
    /// What an answer means: the first that fits is taken.
    pub acceptors: Vec<Acceptor>,
}

/// What one kind of answer means to a waiter.
#[derive(Debug, Deserialize)]
pub struct Acceptor {
    /// What is looked at.
    pub matcher: Matcher,
    /// Where in the answer (JMESPath), for the matchers of paths.
    pub argument: Option<String>,
    /// What is wanted there: text, a number, or true or false.
    pub expected: Value,
    /// What it means.
    pub state: WaiterState,
}

/// What an acceptor looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Matcher {
    /// The value at the path.
    Path,
    /// Every value of the list at the path, which is not empty.
    PathAll,
    /// At least one value of the list at the path.
    PathAny,
    /// The HTTP status.
    Status,
    /// The code of the error, or whether there is one.
    Error,
}

/// What an acceptor that fits means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WaiterState {
    /// The state is reached.
    Success,
    /// It will not be reached.
    Failure,
    /// Ask again.
    Retry,
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    })
}
