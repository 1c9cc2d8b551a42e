//! Writes requests and reads answers as the client does, without a network, a clock or credentials: the half of the
//! differential test (`tests/differential`) that is ours.
//!
//! Each line of the input is a JSON object with `service` and `operation`, and either `params` (a request is written)
//! or `answer` (an answer is read). Each line of the output is what came of it, in the same order.

use std::io::{BufRead as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use quell_aws::model::{Operation, Service};
use quell_aws::protocol::{self, Protocol, WireResponse};
use quell_aws::validate;
use serde::Deserialize;
use serde_json::{Value, json};

/// What a call that gives no idempotency token gets.
const TOKEN: &str = "00000000-0000-4000-8000-000000000000";

#[derive(Deserialize)]
struct Query {
    service: String,
    operation: String,
    params: Option<Value>,
    answer: Option<GivenAnswer>,
}

#[derive(Deserialize)]
struct GivenAnswer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut services = Services::default();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let query: Query = serde_json::from_str(&line?)?;
        let service = services.get(&query.service)?;
        writeln!(out, "{}", reply(service, query)?)?;
    }
    Ok(out.flush()?)
}

fn reply(service: &Service, query: Query) -> Result<Value, Box<dyn std::error::Error>> {
    let Some(operation) = service.operations.get(&query.operation) else {
        return Ok(json!({"unknown": query.operation}));
    };
    let protocol = Protocol::of(service).ok_or("no protocol of the service is built")?;
    match (query.params, query.answer) {
        (Some(params), None) => Ok(written(protocol, service, operation, params)),
        (None, Some(answer)) => {
            let response = response(answer)?;
            Ok(read(protocol, service, operation, &response))
        }
        _ => Err("either params or an answer".into()),
    }
}

fn written(
    protocol: Protocol,
    service: &Service,
    operation: &Operation,
    mut params: Value,
) -> Value {
    let input = operation.input.as_ref().map(|input| service.view(input));
    let faults = validate::faults(input, &params, protocol.has_null());
    if !faults.is_empty() {
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        return json!({"faults": told});
    }
    protocol::fill_tokens(service, operation, &mut params, || TOKEN.to_owned());
    match protocol::write(protocol, service, operation, &params) {
        Ok(request) => json!({"request": {
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "headers": request.headers,
            "body": BASE64.encode(&request.body),
            "host_prefix": request.host_prefix,
        }}),
        Err(why) => json!({"faults": [why.to_string()]}),
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
        let error = protocol::read_error(protocol, service, operation, response);
        return json!({"error": {
            "code": error.code,
            "message": error.message,
            "request_id": error.request_id,
            "shape": error.shape,
            "detail": error.detail,
        }});
    }
    match protocol::read(protocol, service, operation, response) {
        Ok(answer) => json!({"value": answer.value, "request_id": answer.request_id}),
        Err(why) => json!({"malformed": why.to_string()}),
    }
}

/// TEMPORARY: whole models from a folder, until the registry has them all.
#[derive(Default)]
struct Services(std::collections::HashMap<String, Service>);

impl Services {
    fn get(&mut self, name: &str) -> Result<&Service, Box<dyn std::error::Error>> {
        if !self.0.contains_key(name) {
            let dir = std::env::args().nth(1).ok_or("DIR")?;
            let json = std::fs::read(format!("{dir}/{name}.json"))?;
            self.0.insert(name.to_owned(), Service::from_json(&json)?);
        }
        Ok(&self.0[name])
    }
}
