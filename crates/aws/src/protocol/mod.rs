//! The wire protocols: a call becomes an HTTP message, an HTTP message becomes a value.
//!
//! **Invariant:** no clock, no socket, no credentials here: all of it is pure, so that the conformance cases and
//! the fuzzers can drive it.

mod body;
mod bounds;
mod cbor;
mod checksum;
mod compression;
mod ec2;
mod event_stream;
mod habits;
mod json;
mod json_scan;
mod json_text;
mod order;
mod query;
mod rest;
mod rest_json;
mod rest_xml;
mod rpc_v2_cbor;
mod source;
mod xml;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use crate::model::{Operation, Service};
use crate::output::Output;
use body::Format;

pub(crate) use bounds::Budget;
#[cfg(test)]
pub(crate) use rpc_v2_cbor::tests::any_json;

/// The protocols that are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "AWS's own names")]
pub enum Protocol {
    Json,
    RestJson,
    RestXml,
    RpcV2Cbor,
    Query,
    Ec2,
}

impl Protocol {
    /// The protocol to speak: of those that a service speaks, the first in botocore's own order.
    pub fn of(service: &Service) -> Option<Self> {
        let metadata = &service.metadata;
        let speaks = |name: &str| match metadata.protocols.as_slice() {
            [] => metadata.protocol == name,
            protocols => protocols.iter().any(|p| p == name),
        };
        let ours = [
            ("json", Self::Json),
            ("rest-json", Self::RestJson),
            ("rest-xml", Self::RestXml),
            ("smithy-rpc-v2-cbor", Self::RpcV2Cbor),
            ("query", Self::Query),
            ("ec2", Self::Ec2),
        ];
        ours.into_iter()
            .find_map(|(name, protocol)| speaks(name).then_some(protocol))
    }

    /// Whether lists and maps may hold `null`.
    pub fn has_null(self) -> bool {
        matches!(self, Self::Json | Self::RestJson | Self::RpcV2Cbor)
    }
}

/// A request before it has a host and a signature.
#[derive(Clone, Default, PartialEq)]
pub struct WireRequest {
    /// `POST`.
    pub method: String,
    /// The path, encoded.
    pub path: String,
    /// The query, encoded, without `?`.
    pub query: String,
    /// Header names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// What goes before the host.
    pub host_prefix: Option<String>,
}

/// An answer as it came.
#[derive(Default)]
pub struct WireResponse {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// What a successful answer says.
pub struct Answer<'m> {
    /// The output.
    pub value: Output<'m>,
    /// AWS's request id.
    pub request_id: Option<String>,
}

/// What an answer that is an error says.
#[derive(Default, PartialEq)]
pub struct ErrorAnswer {
    /// The error's code.
    pub code: String,
    /// Its message, perhaps empty.
    pub message: String,
    /// AWS's request id.
    pub request_id: Option<String>,
    /// The model's shape for it, when it has one.
    pub shape: Option<String>,
    /// The members of that shape.
    pub detail: Value,
}

/// Without the value, which may hold what must not be printed.
impl std::fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

/// Without the detail, which may hold what must not be printed.
impl std::fmt::Debug for ErrorAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ErrorAnswer")
            .field("code", &self.code)
            .field("message", &self.message)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

/// Without headers, query and body, which may hold what must not be printed.
impl std::fmt::Debug for WireRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WireRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// The parameters cannot be written, or the answer cannot be read. The text never quotes a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub Box<str>);

impl Malformed {
    #[cold]
    pub(crate) fn new(what: impl Into<Box<str>>) -> Self {
        Self(what.into())
    }
}

/// An answer that says yes and yet is none.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// It is not what the model promises.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It says no further on: an error in the body of a 200 (S3 does so when it has to answer before it is done), or
    /// an exception among the events of a stream.
    #[error("{}: {}", .0.code, .0.message)]
    Refused(Box<ErrorAnswer>),
}

/// Writes the request of a call. The parameters have been validated.
///
/// # Errors
/// [`Malformed`] when the parameters do not fit the protocol.
pub fn write(
    protocol: Protocol,
    service: &Service,
    operation: &Operation,
    params: &Value,
) -> Result<WireRequest, Malformed> {
    let mended = habits::mend_params(service, operation, params);
    let params = mended.as_ref().unwrap_or(params);
    let mut request = match protocol {
        Protocol::Ec2 => ec2::write(service, operation, params),
        Protocol::Query => query::write(service, operation, params),
        Protocol::Json => json::write(service, operation, params),
        Protocol::RestXml => rest_xml::write(service, operation, params),
        Protocol::RestJson => rest_json::write(service, operation, params),
        Protocol::RpcV2Cbor => rpc_v2_cbor::write(service, operation, params),
    }?;
    habits::mend_request(service, &mut request);
    compression::compress(operation, &mut request)?;
    checksum::add(protocol, service, operation, params, &mut request)?;
    request.host_prefix = host_prefix(service, operation, params)?;
    Ok(request)
}

/// Fills the idempotency tokens of `params` that the caller left out, each from `token`.
pub fn fill_tokens(
    service: &Service,
    operation: &Operation,
    params: &mut Value,
    mut token: impl FnMut() -> String,
) {
    let (Some(input), Some(given)) = (&operation.input, params.as_object_mut()) else {
        return;
    };
    let members = service.view(input).members();
    for (name, _) in members.filter(|(_, member)| member.is_idempotency_token()) {
        if given.get(name).is_none_or(Value::is_null) {
            given.insert(name.to_owned(), token().into());
        }
    }
}

/// Reads an answer that says yes.
///
/// # Errors
/// [`Unread`] when it is not what the model promises, or is an error in spite of its status.
pub fn read<'m>(
    protocol: Protocol,
    service: &'m Service,
    operation: &'m Operation,
    response: &WireResponse,
) -> Result<Answer<'m>, Unread> {
    let mut answer = match protocol {
        Protocol::Ec2 => ec2::read(service, operation, response)?,
        Protocol::Query => query::read(service, operation, response)?,
        Protocol::Json => json::read(Format::Json, service, operation, response)?,
        Protocol::RestXml => rest_xml::read(service, operation, response)?,
        Protocol::RestJson => rest_json::read(service, operation, response)?,
        Protocol::RpcV2Cbor => json::read(Format::Cbor, service, operation, response)?,
    };
    answer.request_id = answer.request_id.or_else(|| request_id(&response.headers));
    Ok(answer)
}

/// Reads an answer that says no. What cannot be read is told by the status alone.
pub fn read_error(
    protocol: Protocol,
    service: &Service,
    operation: &Operation,
    response: &WireResponse,
) -> ErrorAnswer {
    let from_body = match protocol {
        Protocol::Ec2 => ec2::read_error(response, service, operation),
        Protocol::Query => query::read_error(response, service, operation),
        Protocol::Json => json::read_error(Format::Json, response, service, operation),
        Protocol::RestXml => rest_xml::read_error(response, service, operation),
        Protocol::RestJson => rest_json::read_error(response, service, operation),
        Protocol::RpcV2Cbor => json::read_error(Format::Cbor, response, service, operation),
    };
    let mut error = from_body.unwrap_or_default();
    if error.code.is_empty() && error.message.is_empty() {
        error.message = reason(response.status);
    }
    if error.code.is_empty() {
        error.code = response.status.to_string();
    }
    error.request_id = error.request_id.or_else(|| request_id(&response.headers));
    error
}

/// A load balancer's or proxy's page is not the service's answer, and has nothing to say beyond its status.
fn reason(status: u16) -> String {
    let known = http::StatusCode::from_u16(status).ok();
    let reason = known.and_then(|status| status.canonical_reason());
    reason.unwrap_or_default().to_owned()
}

pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    ["x-amzn-requestid", "x-amz-request-id"]
        .iter()
        .find_map(|name| header(headers, name))
        .map(str::to_owned)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The shape of the error `code`: one of the operation's own, or else of the service's.
fn error_shape<'a>(
    service: &'a Service,
    operation: &'a Operation,
    code: &str,
) -> Option<crate::model::View<'a>> {
    let own = operation.errors.iter();
    own.map(|reference| service.view(reference))
        .chain(service.errors())
        .find(|view| view.error_code() == code || view.shape_name() == code)
}

fn host_prefix(
    service: &Service,
    operation: &Operation,
    params: &Value,
) -> Result<Option<String>, Malformed> {
    let Some(endpoint) = &operation.endpoint else {
        return Ok(None);
    };
    let mut prefix = endpoint.host_prefix.clone();
    let members = operation
        .input
        .iter()
        .flat_map(|i| service.view(i).members());
    for (name, _) in members.filter(|(_, member)| member.is_host_label()) {
        let value = params.get(name).and_then(Value::as_str).unwrap_or_default();
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        if value.is_empty() || !value.chars().all(legal) {
            return Err(Malformed::new(format!(
                "{name} is part of the host: only letters, digits, hyphens and points are possible"
            )));
        }
        prefix = prefix.replace(&format!("{{{name}}}"), value);
    }
    Ok(Some(prefix))
}

#[cfg(test)]
mod tests {
    //! What the tests of the protocols share.

    use super::*;

    pub(super) fn try_request(
        service: &str,
        operation: &str,
        params: &Value,
    ) -> Result<WireRequest, Malformed> {
        let (service, operation) = crate::registry::operation(service, operation).unwrap();
        write(Protocol::of(service).unwrap(), service, operation, params)
    }

    pub(super) fn request(service: &str, operation: &str, params: &Value) -> WireRequest {
        try_request(service, operation, params).unwrap()
    }

    /// A model of one operation, `Op`, whose input is `In`.
    pub(super) struct Model(Protocol, Service);

    impl Model {
        pub(super) fn of(protocol: &str, operation: &Value) -> Self {
            Self::of_service(protocol, "Some Service", operation)
        }

        /// The operation's own `shapes` are those of the model.
        pub(super) fn of_service(protocol: &str, service_id: &str, operation: &Value) -> Self {
            let mut operation = operation.clone();
            let shapes = operation["shapes"].take();
            operation["input"] = serde_json::json!({"shape": "In"});
            let metadata = serde_json::json!({"protocol": protocol, "serviceId": service_id});
            let operations = serde_json::json!({"Op": operation});
            let model = serde_json::json!({"metadata": metadata, "operations": operations, "shapes": shapes});
            let service = Service::from_json(model.to_string().as_bytes()).unwrap();
            Self(Protocol::of(&service).unwrap(), service)
        }

        pub(super) fn request(&self, params: &Value) -> Result<WireRequest, Malformed> {
            write(self.0, &self.1, &self.1.operations["Op"], params)
        }
    }

    pub(super) fn form(service: &str, operation: &str, params: &Value) -> Vec<String> {
        let body = request(service, operation, params).body;
        let text = String::from_utf8(body.to_vec()).unwrap();
        text.split('&').map(str::to_owned).collect()
    }

    fn response(status: u16, body: &str) -> WireResponse {
        WireResponse {
            status,
            headers: HeaderMap::new(),
            body: Bytes::from(body.to_owned()),
        }
    }

    pub(super) fn answer(
        service: &str,
        operation: &str,
        body: &str,
    ) -> Result<Answer<'static>, Unread> {
        let (service, operation) = crate::registry::operation(service, operation).unwrap();
        let protocol = Protocol::of(service).unwrap();
        read(protocol, service, operation, &response(200, body))
    }

    pub(super) fn refusal(service: &str, operation: &str, status: u16, body: &str) -> ErrorAnswer {
        let (service, operation) = crate::registry::operation(service, operation).unwrap();
        let protocol = Protocol::of(service).unwrap();
        read_error(protocol, service, operation, &response(status, body))
    }

    #[test]
    fn of_several_protocols_the_one_is_spoken_that_botocore_speaks() {
        let spoken = |metadata: Value| {
            let model = serde_json::json!({ "metadata": metadata }).to_string();
            Protocol::of(&Service::from_json(model.as_bytes()).unwrap())
        };
        let listed = |protocols: &[&str]| {
            spoken(serde_json::json!({"protocol": "query", "protocols": protocols}))
        };
        let all = ["smithy-rpc-v2-cbor", "json", "query"];
        assert_eq!(listed(&all), Some(Protocol::Json));
        assert_eq!(
            listed(&["query", "smithy-rpc-v2-cbor"]),
            Some(Protocol::RpcV2Cbor)
        );
        // The older member says something only when the list is not there.
        assert_eq!(listed(&["new"]), None);
        assert_eq!(listed(&[]), Some(Protocol::Query));
    }
}
