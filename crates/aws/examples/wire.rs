//! Writes requests and reads answers as the client does, without a network, a clock or credentials: the half of the
//! differential test (`tests/differential`) that is ours.
//!
//! Each line of the input is a JSON object with `service`, `operation` and one of these: `params` (a request is
//! written), `params` and `place` (it is told where the request goes), `answer` (it is read). Each line of the output is
//! what came of it, in the same order. With the argument `services`, the names of the services are told instead.

use std::io::{BufRead as _, Write as _};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use quell_aws::endpoint::{Placing, Target};
use quell_aws::model::{Operation, Service};
use quell_aws::protocol::{self, ErrorAnswer, Protocol, Unread, WireRequest, WireResponse};
use quell_aws::{Config, Credentials, SharedCredentialsProvider, registry, validate};
use quell_model::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

/// What a call that gives no idempotency token gets.
const TOKEN: &str = "00000000-0000-4000-8000-000000000000";

#[derive(Deserialize)]
struct Query {
    service: String,
    operation: String,
    /// Whether to speak RPC v2 CBOR with a service for which that is not the first choice.
    #[serde(default)]
    in_cbor: bool,
    #[serde(flatten)]
    asked: Asked,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Asked {
    Read { answer: GivenAnswer },
    Place { params: Value, place: Place },
    Write { params: Value },
}

/// Where a call is made, and what the client is told of endpoints.
#[derive(Deserialize)]
struct Place {
    region: String,
    account: String,
    use_fips: bool,
    use_dual_stack: bool,
}

#[derive(Deserialize)]
struct GivenAnswer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if std::env::args().nth(1).as_deref() == Some("services") {
        return Ok(writeln!(out, "{}", registry::SERVICES.join("\n"))?);
    }
    for line in std::io::stdin().lock().lines() {
        let query: Query = serde_json::from_str(&line?)?;
        writeln!(out, "{}", reply(query)?)?;
    }
    Ok(out.flush()?)
}

fn reply(query: Query) -> Result<Value, Box<dyn std::error::Error>> {
    let (service, operation) = registry::operation(&query.service, &query.operation)?;
    let first_choice = Protocol::of(service).ok_or("no protocol of the service is built")?;
    let protocol = if query.in_cbor {
        Protocol::RpcV2Cbor
    } else {
        first_choice
    };
    Ok(match query.asked {
        Asked::Read { answer } => read(protocol, service, operation, &response(answer)?),
        Asked::Write { params } => written(protocol, service, operation, params)
            .map_or_else(faults, |(request, _)| told(&request)),
        Asked::Place { params, place } => written(protocol, service, operation, params)
            .and_then(|(mut request, params)| {
                place.target(&query.service, (service, operation), &params, &mut request)
            })
            .map_or_else(faults, |target| going_to(operation, target)),
    })
}

/// The request of a call, and its parameters with the tokens; or the faults of the parameters.
fn written(
    protocol: Protocol,
    service: &Service,
    operation: &Operation,
    mut params: Value,
) -> Result<(WireRequest, Value), Vec<String>> {
    let input = operation.input.as_ref().map(|input| service.view(input));
    let faults = validate::faults(input, &params, protocol.has_null());
    if !faults.is_empty() {
        return Err(faults.iter().map(ToString::to_string).collect());
    }
    protocol::fill_tokens(service, operation, &mut params, || TOKEN.to_owned());
    match protocol::write(protocol, service, operation, &params) {
        Ok(request) => Ok((request, params)),
        Err(why) => Err(vec![why.to_string()]),
    }
}

fn faults(told: Vec<String>) -> Value {
    json!({"faults": told})
}

/// Where a request goes, and what it is signed for, if it is signed.
fn going_to(operation: &Operation, mut target: Target) -> Value {
    if operation.authtype.as_deref() == Some("none") {
        (target.signing_name, target.signing_region) = Default::default();
    }
    json!({"url": target.url, "signing_name": target.signing_name, "signing_region": target.signing_region})
}

fn told(request: &WireRequest) -> Value {
    json!({"request": {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": request.headers,
        "body": BASE64.encode(&request.body),
        "host_prefix": request.host_prefix,
    }})
}

impl Place {
    fn target(
        &self,
        name: &str,
        (service, operation): (&Service, &Operation),
        params: &Value,
        request: &mut WireRequest,
    ) -> Result<Target, Vec<String>> {
        let credentials = Credentials::from_keys("AKIDEXAMPLE", "secret", None);
        let credentials = SharedCredentialsProvider::new(credentials);
        let clock = Arc::new(|| Timestamp::from_millis(0));
        let mut config = Config::new(self.region.as_str(), credentials, clock);
        config.use_fips = self.use_fips;
        config.use_dual_stack = self.use_dual_stack;
        let placing = Placing {
            name,
            service,
            operation,
            params,
            region: &self.region,
            account: Some(&self.account),
            config: &config,
        };
        placing.target(request).map_err(|why| vec![why.to_string()])
    }
}

fn response(given: GivenAnswer) -> Result<WireResponse, Box<dyn std::error::Error>> {
    let mut headers = http::HeaderMap::new();
    for (name, value) in given.headers {
        headers.append(http::HeaderName::try_from(name)?, value.try_into()?);
    }
    Ok(WireResponse {
        status: given.status,
        headers,
        body: BASE64.decode(given.body)?.into(),
    })
}

fn read(
    protocol: Protocol,
    service: &Service,
    operation: &Operation,
    response: &WireResponse,
) -> Value {
    if response.status >= 300 {
        return refused(&protocol::read_error(
            protocol, service, operation, response,
        ));
    }
    match protocol::read(protocol, service, operation, response) {
        Ok(answer) => json!({"value": answer.value.to_json(), "request_id": answer.request_id}),
        Err(Unread::Refused(error)) => refused(&error),
        Err(Unread::Malformed(why)) => json!({"malformed": why.to_string()}),
    }
}

fn refused(error: &ErrorAnswer) -> Value {
    json!({"error": {
        "code": error.code,
        "message": error.message,
        "request_id": error.request_id,
        "detail": error.detail,
    }})
}
