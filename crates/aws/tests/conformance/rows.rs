//! One row at a time: a request to write, or an answer to read.

use std::io::Read as _;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use quell_aws::model::{Operation, Service};
use quell_aws::protocol::{self, Protocol, WireRequest, WireResponse};
use quell_aws::validate;
use serde_json::{Value, json};

use crate::cbor;
use crate::compare::{blobs_to_base64, pairs, same, same_json};
use crate::tally::Outcome;
use crate::xml;

const TOKEN: &str = "00000000-0000-4000-8000-000000000000";

type Checked = Result<(), String>;

/// A row of `aws-protocols.jsonl`.
pub(crate) fn protocol_case(row: &Value) -> Outcome {
    let case = &row["case"];
    let name = case["given"]["name"].as_str().unwrap_or("OperationName");
    let model = json!({
        "metadata": row["metadata"],
        "operations": {name: case["given"]},
        "shapes": row["shapes"],
    });
    let service = match Service::from_json(model.to_string().as_bytes()) {
        Ok(service) => service,
        Err(why) => return Outcome::Failed(why.to_string()),
    };
    let Some(protocol) = Protocol::of(&service) else {
        let name = &service.metadata.protocol;
        return Outcome::Skipped(format!("the protocol {name} is not built"));
    };
    let operation = &service.operations[name];
    let checked = if row["dir"] == "input" {
        input(row, protocol, &service, operation)
    } else {
        output(case, protocol, &service, operation)
    };
    outcome(checked)
}

fn outcome(checked: Checked) -> Outcome {
    match checked {
        Ok(()) => Outcome::Passed,
        Err(why) => Outcome::Failed(why),
    }
}

fn ensure(holds: bool, why: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(why()) }
}

fn input(row: &Value, protocol: Protocol, service: &Service, operation: &Operation) -> Checked {
    let case = &row["case"];
    let view = operation.input.as_ref().map(|input| service.view(input));
    let mut params = match (view, &case["params"]) {
        (Some(view), params) if params.is_object() => blobs_to_base64(view, params),
        _ => json!({}),
    };
    let faults = validate::faults(view, &params, protocol.has_null());
    ensure(faults.is_empty(), || format!("refused: {faults:?}"))?;
    protocol::fill_tokens(service, operation, &mut params, || TOKEN.to_owned());
    let written = protocol::write(protocol, service, operation, &params);
    let request = written.map_err(|e| format!("not written: {e}"))?;
    let expected = &case["serialized"];

    let base = row["clientEndpoint"]
        .as_str()
        .unwrap_or("https://example.com");
    let (host, base_path) = base.split_once("://").map_or((base, ""), |(_, rest)| {
        rest.find('/').map_or((rest, ""), |at| rest.split_at(at))
    });
    place(expected, &request, host, base_path)?;
    headers(expected, &request)?;
    match expected["body"].as_str() {
        Some(body) => same_body(protocol, body, &request),
        None => Ok(()),
    }
}

fn place(expected: &Value, request: &WireRequest, host: &str, base_path: &str) -> Checked {
    if let Some(method) = expected["method"].as_str() {
        ensure(request.method == method, || {
            format!("method {}", request.method)
        })?;
    }
    let uri = expected["uri"].as_str().unwrap_or("/");
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let ours = format!("{}{}", base_path.trim_end_matches('/'), request.path);
    ensure(ours == path, || format!("path {ours}, not {path}"))?;
    ensure(pairs(query) == pairs(&request.query), || {
        format!("query {}, not {query}", request.query)
    })?;
    if let Some(wanted) = expected["host"].as_str() {
        let ours = format!(
            "{}{host}{base_path}",
            request.host_prefix.as_deref().unwrap_or("")
        );
        ensure(ours.trim_end_matches('/') == wanted, || {
            format!("host {ours}, not {wanted}")
        })?;
    }
    Ok(())
}

fn headers(expected: &Value, request: &WireRequest) -> Checked {
    let ours = |name: &str| {
        let found = request
            .headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    };
    for (name, value) in expected["headers"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        let found = ours(name).map(|v| v.replace(", ", ","));
        let wanted = value.replace(", ", ",");
        let is_form = wanted.starts_with("application/x-www-form-urlencoded");
        let fits = found
            .as_deref()
            .is_some_and(|f| f == wanted || (is_form && f.starts_with(&wanted)));
        ensure(fits, || {
            format!("header {name} is {found:?}, not {wanted:?}")
        })?;
    }
    for name in expected["forbidHeaders"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        ensure(ours(name).is_none(), || {
            format!("header {name} is forbidden")
        })?;
    }
    for name in expected["requireHeaders"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        // The connection declares the length.
        let declared = name.eq_ignore_ascii_case("content-length") || ours(name).is_some();
        ensure(declared, || format!("header {name} is missing"))?;
    }
    Ok(())
}

fn same_body(protocol: Protocol, expected: &str, request: &WireRequest) -> Checked {
    if protocol == Protocol::RpcV2Cbor {
        return cbor::same(expected, &request.body);
    }
    let ours = String::from_utf8_lossy(&request.body).into_owned();
    let json = |text: &str| serde_json::from_str::<Value>(text).ok();
    let fits = match protocol {
        Protocol::Query | Protocol::Ec2 => pairs(expected) == pairs(&ours),
        Protocol::Json | Protocol::RestJson => match (json(expected), json(&ours)) {
            (Some(e), Some(o)) => same_json(&e, &o),
            _ => expected == ours,
        },
        Protocol::RestXml => match (xml::canonical(expected), xml::canonical(&ours)) {
            (Some(e), Some(o)) => e == o,
            _ => expected == ours,
        },
        Protocol::RpcV2Cbor => false,
    };
    ensure(fits, || {
        format!("body\n  ours     {ours}\n  expected {expected}")
    })
}

/// An answer as the case has it; a body of bytes is base64 there.
fn response(row: &Value, is_binary: bool) -> WireResponse {
    let mut headers = http::HeaderMap::new();
    for (name, value) in row["headers"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        if let (Ok(name), Ok(value)) = (
            http::HeaderName::try_from(name.as_str()),
            http::HeaderValue::from_str(value),
        ) {
            headers.append(name, value);
        }
    }
    let body = row["body"].as_str().unwrap_or_default();
    WireResponse {
        status: u16::try_from(row["status_code"].as_u64().unwrap_or(200)).unwrap_or(200),
        headers,
        body: if is_binary {
            Bytes::from(BASE64.decode(body).unwrap())
        } else {
            Bytes::from(body.to_owned())
        },
    }
}

fn output(case: &Value, protocol: Protocol, service: &Service, operation: &Operation) -> Checked {
    let view = operation.output.as_ref().map(|output| service.view(output));
    let has_events = view.is_some_and(|view| view.members().any(|(_, m)| m.is_event_stream()));
    let is_binary = has_events || protocol == Protocol::RpcV2Cbor;
    let response = response(&case["response"], is_binary);
    if case.get("errorCode").is_some() {
        return error(case, protocol, service, operation, &response);
    }
    let read = protocol::read(protocol, service, operation, &response);
    let ours = read.map_err(|e| format!("not read: {e}"))?.value.to_json();
    let mut expected = case["result"].clone();
    if let Some(members) = expected.as_object_mut() {
        members.remove("ResponseMetadata");
    }
    let fits = view.map_or(expected == ours, |view| same(view, &expected, &ours));
    ensure(fits, || {
        format!("value\n  ours     {ours}\n  expected {expected}")
    })
}

fn error(
    case: &Value,
    protocol: Protocol,
    service: &Service,
    operation: &Operation,
    response: &WireResponse,
) -> Checked {
    let ours = protocol::read_error(protocol, service, operation, response);
    let code = case["errorCode"].as_str().unwrap_or_default();
    ensure(ours.code == code, || {
        format!("code {}, not {code}", ours.code)
    })?;
    if let Some(message) = case["errorMessage"].as_str() {
        ensure(ours.message == message, || {
            format!("message {}", ours.message)
        })?;
    }
    let shape = operation.errors.iter().map(|e| service.view(e));
    let shape = shape
        .clone()
        .find(|s| Some(s.shape_name()) == ours.shape.as_deref());
    match (shape, case["error"].as_object()) {
        (Some(shape), Some(_)) => ensure(same(shape, &case["error"], &ours.detail), || {
            format!(
                "detail\n  ours     {}\n  expected {}",
                ours.detail, case["error"]
            )
        }),
        _ => Ok(()),
    }
}

/// A row of `aws-protocols-xml.jsonl`: read by the whole model when botocore is there, else by ours.
pub(crate) fn recorded_case(row: &Value) -> Outcome {
    let (name, wanted) = (
        row["service"].as_str().unwrap(),
        row["operation"].as_str().unwrap(),
    );
    let Some(service) = botocore(name).or_else(|| embedded(name)) else {
        return Outcome::Skipped("there is no model of the service".to_owned());
    };
    let wanted = wanted.replace('-', "");
    let found = service
        .operations
        .values()
        .find(|o| o.name.to_lowercase() == wanted);
    let (Some(operation), Some(protocol)) = (found, Protocol::of(&service)) else {
        return Outcome::Skipped("the model has no such operation".to_owned());
    };
    let expected = &row["expected"];
    let is_error = expected.get("Error").is_some();
    let status = if is_error { 400 } else { 200 };
    let response = response(&json!({"status_code": status, "body": row["xml"]}), false);
    outcome(if is_error {
        recorded_error(expected, protocol, &service, operation, &response)
    } else {
        let case =
            json!({"response": {"status_code": 200, "body": row["xml"]}, "result": expected});
        output(&case, protocol, &service, operation)
    })
}

fn recorded_error(
    expected: &Value,
    protocol: Protocol,
    service: &Service,
    operation: &Operation,
    response: &WireResponse,
) -> Checked {
    let ours = protocol::read_error(protocol, service, operation, response);
    let wanted = &expected["Error"];
    ensure(wanted["Code"] == ours.code.as_str(), || {
        format!("code {}", ours.code)
    })?;
    ensure(wanted["Message"] == ours.message.as_str(), || {
        format!("message {}", ours.message)
    })?;
    match expected["ResponseMetadata"]["RequestId"].as_str() {
        Some(id) => ensure(ours.request_id.as_deref() == Some(id), || {
            "request id".to_owned()
        }),
        None => Ok(()),
    }
}

fn embedded(name: &str) -> Option<Service> {
    let path = format!("{}/models/{name}.json", env!("CARGO_MANIFEST_DIR"));
    Service::from_json(&std::fs::read(path).ok()?).ok()
}

/// The whole model, from the botocore of the range's Python.
fn botocore(name: &str) -> Option<Service> {
    let json = botocore_file(&format!("{name}/service-2.json.gz"))?;
    Some(Service::from_json(json.as_bytes()).unwrap())
}

/// A file of the data of the range's botocore: `partitions.json`, or `SERVICE/FILE` of the service's newest version.
pub(crate) fn botocore_file(name: &str) -> Option<String> {
    let python = std::env::var_os("QUELL_RANGE_PYTHON")
        .map(PathBuf::from)
        .or_else(|| {
            Some(
                PathBuf::from(std::env::var_os("HOME")?).join(".cache/quell/range-venv/bin/python"),
            )
        })?;
    let lib = python.parent()?.parent()?.join("lib");
    let site = std::fs::read_dir(lib)
        .ok()?
        .filter_map(Result::ok)
        .next()?
        .path();
    let data = site.join("site-packages/botocore/data");
    let Some((service, file)) = name.split_once('/') else {
        return std::fs::read_to_string(data.join(name)).ok();
    };
    let versions = std::fs::read_dir(data.join(service)).ok()?;
    let newest = versions.filter_map(|v| Some(v.ok()?.path())).max()?;
    let packed = std::fs::read(newest.join(file)).ok()?;
    let mut json = String::new();
    flate2::read::GzDecoder::new(packed.as_slice())
        .read_to_string(&mut json)
        .ok()?;
    Some(json)
}
