//! REST with JSON bodies.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::rest::{bind, content_type, plain_payload, read_bindings, read_plain_payload};
use super::{
    Answer, ErrorAnswer, Malformed, Unread, WireRequest, WireResponse, event_stream, json,
};
use crate::model::{Operation, Service, View};

pub(super) fn write(
    service: &Service,
    operation: &Operation,
    params: &Value,
) -> Result<WireRequest, Malformed> {
    let input = operation.input.as_ref().map(|i| service.view(i));
    let bound = bind(operation, input, params)?;
    let mut request = bound.request;
    let Some(input) = input else {
        return Ok(request);
    };
    if let Some((name, payload)) = input.payload().and_then(|p| Some((p, input.member(p)?))) {
        let given = params.get(name).filter(|v| !v.is_null());
        if let Some(plain) = plain_payload(payload, given) {
            let (body, kind) = plain?;
            if given.is_some() {
                content_type(&mut request, kind);
            }
            request.body = body;
            return Ok(request);
        }
        // A union must have a member, so that there is no empty one.
        if given.is_none() && payload.is_union() {
            return Ok(request);
        }
        let empty = Value::Object(Map::new());
        let body = json::body(payload, given.unwrap_or(&empty));
        request.body = Bytes::from(body.to_string());
        content_type(&mut request, "application/json");
    } else if has_body_members(input) {
        let body = json::body(input, &Value::Object(bound.body));
        request.body = Bytes::from(body.to_string());
        content_type(&mut request, "application/json");
    }
    Ok(request)
}

fn has_body_members(input: View<'_>) -> bool {
    input.members().any(|(_, m)| m.location().is_none())
}

pub(super) fn read(
    service: &Service,
    operation: &Operation,
    response: &WireResponse,
) -> Result<Answer, Unread> {
    let Some(output) = operation.output.as_ref().map(|o| service.view(o)) else {
        return Ok(Answer {
            value: Value::Object(Map::new()),
            request_id: None,
        });
    };
    Ok(Answer {
        value: Value::Object(read_value(output, response)?),
        request_id: None,
    })
}

fn read_value(output: View<'_>, response: &WireResponse) -> Result<Map<String, Value>, Unread> {
    let mut parsed = read_bindings(output, response)?;
    if let Some((name, payload)) = output.payload().and_then(|p| Some((p, output.member(p)?))) {
        if payload.is_event_stream() {
            let events = event_stream::read(payload, &response.body, json::decode)?;
            parsed.insert(name.to_owned(), events);
        } else if let Some(plain) = read_plain_payload(payload, &response.body) {
            parsed.extend(plain?.map(|value| (name.to_owned(), value)));
        } else if !(payload.is_union() && response.body.is_empty()) {
            let value = json::value(payload, &json::parse(&response.body)?)?;
            parsed.insert(name.to_owned(), value);
        }
    } else if output.members().any(|(_, m)| m.is_in_answer_body()) {
        let body = json::value(output, &json::parse(&response.body)?)?;
        for (name, value) in body.as_object().into_iter().flatten() {
            if output.member(name).is_some_and(View::is_in_answer_body) {
                parsed.insert(name.clone(), value.clone());
            }
        }
    }
    Ok(parsed)
}

pub(super) fn read_error(
    response: &WireResponse,
    service: &Service,
    operation: &Operation,
) -> Option<ErrorAnswer> {
    let body = json::parse(&response.body).ok();
    let mut error = json::error_with(response, service, operation, body)?;
    if let Some(shape) = super::error_shape(service, operation, &error.code) {
        error.detail = read_value(shape, response)
            .map(Value::Object)
            .unwrap_or_default();
    }
    Some(error)
}
