//! REST with JSON bodies.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::body::Format;
use super::rest::{
    bind, content_type, is_plain, payload, plain_payload, read_bindings, read_plain_payload,
};
use super::{
    Answer, ErrorAnswer, Malformed, Unread, WireRequest, WireResponse, event_stream, json,
};
use crate::model::{Operation, Service, View};
use crate::output::{Builder, Dialect, Label};

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

pub(super) fn read<'m>(
    service: &'m Service,
    operation: &'m Operation,
    response: &WireResponse,
) -> Result<Answer<'m>, Unread> {
    let mut out = Format::Json.builder(&response.body);
    if let Some(output) = operation.output.as_ref().map(|o| service.view(o)) {
        read_output(output, response, &mut out)?;
    }
    Ok(Answer {
        value: out.finish(Some(service)),
        request_id: None,
    })
}

fn read_output(output: View<'_>, response: &WireResponse, out: &mut Builder) -> Result<(), Unread> {
    let body = &response.body;
    let mut fields = out.structure(Label::NONE, output)?;
    read_bindings(output, response, out, &mut fields)?;
    if let Some((label, payload)) = payload(output) {
        let is_missing = payload.is_union() && body.is_empty();
        if payload.is_event_stream() {
            out.begin(&mut fields, label);
            event_stream::read(payload, label, body, Format::Json, out)?;
        } else if is_plain(payload) {
            read_plain_payload(payload, label, body, out, &mut fields)?;
        } else if !is_missing {
            out.begin(&mut fields, label);
            Format::Json.value(payload, body, out, label)?;
        }
    } else if output.members().any(|(_, m)| m.is_in_answer_body()) {
        let wanted = |member: View<'_>| member.is_in_answer_body();
        Format::Json.members(output, body, out, &mut fields, wanted)?;
    }
    out.close(fields, Dialect::Json);
    Ok(())
}

pub(super) fn read_error(
    response: &WireResponse,
    service: &Service,
    operation: &Operation,
) -> Option<ErrorAnswer> {
    let mut error = json::read_error(Format::Json, response, service, operation)?;
    if let Some(shape) = super::error_shape(service, operation, &error.code) {
        let mut out = Format::Json.builder(&response.body);
        let read = read_output(shape, response, &mut out);
        let detail = read.map(|()| out.finish(Some(service)).to_json());
        error.detail = detail.unwrap_or_default();
    }
    Some(error)
}
