//! What is run over bytes that come as answers of AWS. The first byte chooses what is asked, the second the operation,
//! a line goes into the headers, and the rest is the body. The model has every kind of shape in every place.

use std::sync::OnceLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use quell_aws::model::Service;
use quell_aws::protocol::{self, Protocol, Unread, WireResponse};
use serde_json::Value;

static MODELS: [(&str, OnceLock<Service>); 6] = [
    ("json", OnceLock::new()),
    ("rest-json", OnceLock::new()),
    ("rest-xml", OnceLock::new()),
    ("ec2", OnceLock::new()),
    ("query", OnceLock::new()),
    ("smithy-rpc-v2-cbor", OnceLock::new()),
];
const STATUSES: [u16; 4] = [200, 400, 404, 503];

/// JSON 1.1 and REST-JSON.
pub fn json(bytes: &[u8]) {
    read(bytes, &["json", "rest-json"], <[u8]>::to_vec);
}

/// REST-XML and EC2.
pub fn xml(bytes: &[u8]) {
    read(bytes, &["rest-xml", "ec2"], <[u8]>::to_vec);
}

/// The query protocol.
pub fn query_xml(bytes: &[u8]) {
    read(bytes, &["query"], <[u8]>::to_vec);
}

/// RPC v2 with CBOR.
pub fn cbor(bytes: &[u8]) {
    read(bytes, &["smithy-rpc-v2-cbor"], <[u8]>::to_vec);
}

/// Event streams of every protocol that has them, with checksums that are right, so that what is behind them is
/// reached.
pub fn event_stream(bytes: &[u8]) {
    let protocols = ["json", "rest-json", "rest-xml", "smithy-rpc-v2-cbor"];
    read(bytes, &protocols, frames);
}

fn model(name: &str) -> &'static Service {
    let (_, cell) = MODELS.iter().find(|(n, _)| *n == name).unwrap();
    cell.get_or_init(|| {
        let text = include_str!("kitchen.json").replace("PROTOCOL", name);
        Service::from_json(text.as_bytes()).unwrap()
    })
}

fn read(bytes: &[u8], protocols: &[&str], make_body: fn(&[u8]) -> Vec<u8>) {
    let [choice, operation, rest @ ..] = bytes else {
        return;
    };
    let (line, body) = match rest.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&rest[..end], &rest[end + 1..]),
        None => (&b""[..], rest),
    };
    let choice = usize::from(*choice);
    let service = model(protocols[choice % protocols.len()]);
    let protocol = Protocol::of(service).unwrap();
    let mut operations = service.operations.values();
    let operation = operations.nth(usize::from(*operation) % service.operations.len());
    let operation = operation.unwrap();
    let response = WireResponse {
        status: STATUSES[choice / 8 % STATUSES.len()],
        headers: headers(line),
        body: Bytes::from(make_body(body)),
    };
    let bound = bound(&response);
    match protocol::read(protocol, service, operation, &response) {
        Ok(answer) => assert!(
            values(&answer.value.to_json()) <= bound,
            "an answer out of proportion"
        ),
        Err(Unread::Refused(said)) => assert!(values(&said.detail) <= bound),
        Err(Unread::Malformed(what)) => assert!(what.0.len() < 200, "a fault that quotes"),
    }
    let error = protocol::read_error(protocol, service, operation, &response);
    assert!(!error.code.is_empty() && values(&error.detail) <= bound);
}

fn headers(line: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(line) {
        for name in [
            "x-one",
            "x-amzn-errortype",
            "x-amzn-query-error",
            "x-amzn-requestid",
        ] {
            headers.insert(name, value.clone());
        }
    }
    headers
}

/// How many values an answer may become: so many for each byte, that no answer is much larger than it came.
fn bound(response: &WireResponse) -> usize {
    let headers: usize = response.headers.values().map(HeaderValue::len).sum();
    4 * (response.body.len() + headers) + 64
}

fn values(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(values).sum(),
        Value::Object(members) => members.values().map(values).sum(),
        _ => 0,
    }
}

/// Frames of the bytes: a length of the headers, a length of the payload, the headers, the payload. An odd first byte
/// says that the bytes are the frames already.
fn frames(bytes: &[u8]) -> Vec<u8> {
    let [kind, rest @ ..] = bytes else {
        return Vec::new();
    };
    if kind % 2 == 1 {
        return rest.to_vec();
    }
    let mut frames = Vec::new();
    let mut rest = rest;
    while let [headers, payload, content @ ..] = rest {
        let (headers, content) = content.split_at(content.len().min((*headers).into()));
        let (payload, left) = content.split_at(content.len().min((*payload).into()));
        frames.extend(frame(headers, payload));
        rest = left;
    }
    frames
}

fn frame(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let word = |length: usize| u32::try_from(length).unwrap().to_be_bytes();
    let mut frame = word(16 + headers.len() + payload.len()).to_vec();
    frame.extend(word(headers.len()));
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame.extend(headers);
    frame.extend(payload);
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame
}
