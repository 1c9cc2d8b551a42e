//! The JSON protocols 1.0 and 1.1: one path, the operation in a header. REST-JSON shares the bodies.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::body::Format;
use super::{
    Answer, ErrorAnswer, Malformed, Unread, WireRequest, WireResponse, error_shape, event_stream,
    header,
};
use crate::model::{Kind, Operation, Service, View};
use crate::output::{Label, Output};
use crate::scalar::{TimeFormat, parse_time, time_to_json};

pub(super) fn write(
    service: &Service,
    operation: &Operation,
    params: &Value,
) -> Result<WireRequest, Malformed> {
    let metadata = &service.metadata;
    let target = metadata.target_prefix.as_deref().unwrap_or_default();
    let version = metadata.json_version.as_deref().unwrap_or("1.0");
    let mut headers = vec![
        (
            "X-Amz-Target".to_owned(),
            format!("{target}.{}", operation.name),
        ),
        (
            "Content-Type".to_owned(),
            format!("application/x-amz-json-{version}"),
        ),
    ];
    if metadata.aws_query_compatible.is_some() {
        headers.push(("x-amzn-query-mode".to_owned(), "true".to_owned()));
    }
    let body = match &operation.input {
        Some(input) => body(service.view(input), params),
        None => Value::Object(Map::new()),
    };
    Ok(WireRequest {
        method: operation.http.method.clone(),
        path: "/".to_owned(),
        headers,
        body: Bytes::from(body.to_string()),
        ..WireRequest::default()
    })
}

/// A parameter as the body has it.
pub(super) fn body(view: View<'_>, value: &Value) -> Value {
    match (view.kind(), value) {
        (Kind::Structure, Value::Object(members)) if !view.is_document() => members
            .iter()
            .filter(|(_, value)| !value.is_null())
            .filter_map(|(name, value)| {
                let member = view.member(name)?;
                let wire = member.wire_name().unwrap_or(name);
                Some((wire.to_owned(), body(member, value)))
            })
            .collect(),
        (Kind::List, Value::Array(items)) => match view.item() {
            Some(item) => items.iter().map(|value| body(item, value)).collect(),
            None => value.clone(),
        },
        (Kind::Map, Value::Object(entries)) => match view.value() {
            Some(item) => entries
                .iter()
                .map(|(key, value)| (key.clone(), body(item, value)))
                .collect(),
            None => value.clone(),
        },
        (Kind::Timestamp, value) if !value.is_null() => {
            let format = TimeFormat::named(view.timestamp_format(), TimeFormat::UnixTimestamp);
            parse_time(value).map_or(Value::Null, |time| time_to_json(time, format))
        }
        (_, value) => value.clone(),
    }
}

/// Reads an answer of an operation that is not bound to HTTP, whose body is in `format`.
pub(super) fn read<'m>(
    format: Format,
    service: &'m Service,
    operation: &'m Operation,
    response: &WireResponse,
) -> Result<Answer<'m>, Unread> {
    let body = &response.body;
    let mut out = format.builder(body);
    if let Some(output) = operation.output.as_ref().map(|o| service.view(o)) {
        match event_stream::member(output) {
            Some(stream) => {
                event_stream::read_after_initial(output, stream, body, format, &mut out)?;
            }
            None => format.value(output, body, &mut out, Label::NONE)?,
        }
    }
    Ok(Answer {
        value: out.finish(Some(service)),
        request_id: None,
    })
}

/// The body as it is.
pub(super) fn parse(body: &[u8]) -> Result<Output<'static>, Malformed> {
    Format::Json.parse(body)
}

/// The error of an answer; nothing when neither its headers nor its body (if it can be read) have a code.
pub(super) fn read_error(
    format: Format,
    response: &WireResponse,
    service: &Service,
    operation: &Operation,
) -> Option<ErrorAnswer> {
    let body = format.parse(&response.body).ok();
    let text = |name: &str| body.as_ref()?.get(name)?.as_str();
    let own = header(&response.headers, "x-amzn-errortype")
        .or_else(|| text("__type"))
        .or_else(|| text("code"))
        .or_else(|| text("Code"));
    let own = bare_code(own.unwrap_or_default());
    let is_object = body.as_ref().is_some_and(|body| body.root().is_map());
    if !is_object && own.is_empty() {
        return None;
    }
    let shape = error_shape(service, operation, own);
    // Services that spoke query before keep their old codes in a header.
    let old = header(&response.headers, "x-amzn-query-error")
        .and_then(|text| text.split_once(';'))
        .map(|(code, _)| code)
        .filter(|code| !code.is_empty());
    let shape = shape.or_else(|| error_shape(service, operation, old?));
    let message = text("message").or_else(|| text("Message"));
    Some(ErrorAnswer {
        code: old.unwrap_or(own).to_owned(),
        message: message.unwrap_or_default().to_owned(),
        request_id: None,
        shape: shape.map(|s| s.shape_name().to_owned()),
        detail: shape
            .and_then(|shape| format.detail(shape, &response.body))
            .unwrap_or_default(),
    })
}

/// `com.amazonaws.sqs#QueueDoesNotExist:http://…` → `QueueDoesNotExist`.
fn bare_code(code: &str) -> &str {
    let code = code.split(':').next().unwrap_or(code);
    code.rsplit('#').next().unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{answer, refusal, request};
    use serde_json::{Value, json};

    #[test]
    fn the_operation_is_in_a_header_and_times_are_numbers() {
        let params =
            json!({"Entries": [{"Time": "2026-01-02T03:04:05Z", "Source": "a", "Detail": null}]});
        let request = request("events", "PutEvents", &params);
        let header = |name: &str| {
            let found = request.headers.iter().find(|(n, _)| n == name);
            found.map(|(_, value)| value.clone())
        };
        assert_eq!(header("X-Amz-Target").unwrap(), "AWSEvents.PutEvents");
        assert_eq!(
            header("Content-Type").unwrap(),
            "application/x-amz-json-1.1"
        );
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(
            body,
            json!({"Entries": [{"Time": 1767323045, "Source": "a"}]})
        );
    }

    #[test]
    fn answers_and_errors() {
        let read = answer(
            "sqs",
            "ReceiveMessage",
            r#"{"Messages":[{"Body":"b"}],"New":1}"#,
        )
        .unwrap();
        assert_eq!(read.value.to_json(), json!({"Messages": [{"Body": "b"}]}));
        let empty = answer("sqs", "ReceiveMessage", "{}").unwrap();
        assert_eq!(empty.value.to_json(), json!({}));
        assert!(answer("sqs", "ReceiveMessage", r#"{"Messages":"none"}"#).is_err());
        assert!(answer("sqs", "ReceiveMessage", "<html>").is_err());

        let body = r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"none"}"#;
        let error = refusal("sqs", "SendMessage", 400, body);
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("QueueDoesNotExist", "none")
        );
        assert_eq!(error.shape.as_deref(), Some("QueueDoesNotExist"));
    }
}
