//! The JSON protocols 1.0 and 1.1: one path, the operation in a header. REST-JSON shares the bodies.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::event_stream::{self, Decode};
use super::{
    Answer, ErrorAnswer, Malformed, Unread, WireRequest, WireResponse, error_shape, header,
    json_text,
};
use crate::model::{Kind, Operation, Service, View};
use crate::scalar::{
    TimeFormat, float_to_answer, integer_to_answer, parse_time, time_to_answer, time_to_json,
};

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

pub(super) fn read(
    service: &Service,
    operation: &Operation,
    response: &WireResponse,
) -> Result<Answer, Unread> {
    read_with(service, operation, response, decode)
}

/// The answer of an operation that is not bound to HTTP, its body read by `decode`.
pub(super) fn read_with(
    service: &Service,
    operation: &Operation,
    response: &WireResponse,
    decode: Decode,
) -> Result<Answer, Unread> {
    let body = &response.body;
    let value = match operation.output.as_ref().map(|o| service.view(o)) {
        Some(output) => match event_stream::member(output) {
            Some(stream) => event_stream::read_after_initial(output, stream, body, decode)?,
            None => decode(output, body)?,
        },
        None => Value::Object(Map::new()),
    };
    Ok(Answer {
        value,
        request_id: None,
    })
}

/// A body by the model.
pub(super) fn decode(view: View<'_>, body: &[u8]) -> Result<Value, Malformed> {
    value(view, &parse(body)?)
}

/// The body as JSON; an empty one is an empty object.
pub(super) fn parse(body: &[u8]) -> Result<Value, Malformed> {
    if body.trim_ascii().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    json_text::parse(body)
}

/// A value of the body in the API's spelling, by the model.
pub(super) fn value(view: View<'_>, given: &Value) -> Result<Value, Malformed> {
    let wrong = || {
        let name = view.shape_name();
        Malformed(format!("{name} should be {}", view.kind()))
    };
    match (view.kind(), given) {
        (_, Value::Null) => Ok(Value::Null),
        (Kind::Structure, given) if view.is_document() => Ok(given.clone()),
        (Kind::Structure, Value::Object(given)) => structure(view, given),
        (Kind::List, Value::Array(items)) => {
            let item = view.item().ok_or_else(wrong)?;
            items.iter().map(|given| value(item, given)).collect()
        }
        (Kind::Map, Value::Object(entries)) => {
            let item = view.value().ok_or_else(wrong)?;
            let entry = |(key, given): (&String, &Value)| Ok((key.clone(), value(item, given)?));
            // An entry that is null is not there, as with the members of a structure.
            let given = entries.iter().filter(|(_, given)| !given.is_null());
            given.map(entry).collect()
        }
        // An odd time is no reason to lose the rest of the answer: it is given as it came.
        (Kind::Timestamp, Value::String(_) | Value::Number(_)) => {
            Ok(parse_time(given).map_or(given.clone(), time_to_answer))
        }
        (Kind::Float, Value::String(text)) => float_to_answer(text).ok_or_else(wrong),
        (Kind::Integer, Value::String(text)) => integer_to_answer(text).ok_or_else(wrong),
        (Kind::Boolean, Value::String(text)) => match text.as_str() {
            "true" => Ok(true.into()),
            "false" => Ok(false.into()),
            _ => Err(wrong()),
        },
        (Kind::Structure | Kind::List | Kind::Map, _) => Err(wrong()),
        (_, Value::Object(_) | Value::Array(_)) => Err(wrong()),
        (_, given) => Ok(given.clone()),
    }
}

fn structure(view: View<'_>, given: &Map<String, Value>) -> Result<Value, Malformed> {
    let mut parsed = Map::new();
    for (name, member) in view.members() {
        let wire = member.wire_name().unwrap_or(name);
        if let Some(given) = given.get(wire).filter(|v| !v.is_null()) {
            parsed.insert(name.to_owned(), value(member, given)?);
        }
    }
    if view.is_union() && parsed.is_empty() {
        let unknown = given
            .iter()
            .find(|(name, value)| *name != "__type" && !value.is_null());
        if let Some((name, _)) = unknown {
            let named = serde_json::json!({ "name": name });
            parsed.insert("SDK_UNKNOWN_MEMBER".to_owned(), named);
        }
    }
    Ok(Value::Object(parsed))
}

pub(super) fn read_error(
    response: &WireResponse,
    service: &Service,
    operation: &Operation,
) -> Option<ErrorAnswer> {
    error_with(response, service, operation, parse(&response.body).ok())
}

/// The error of an answer; nothing when neither its headers nor its body (if it could be read) have a code.
pub(super) fn error_with(
    response: &WireResponse,
    service: &Service,
    operation: &Operation,
    body: Option<Value>,
) -> Option<ErrorAnswer> {
    let body = body.unwrap_or_default();
    let own = own_code(response, &body);
    let says_something = body.is_object() || !own.is_empty();
    says_something.then(|| error(response, service, operation, &own, &body))
}

/// The code of an error, wherever it is.
pub(super) fn own_code(response: &WireResponse, body: &Value) -> String {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let code = header(&response.headers, "x-amzn-errortype")
        .or_else(|| text("__type"))
        .or_else(|| text("code"))
        .or_else(|| text("Code"));
    bare_code(code.unwrap_or_default()).to_owned()
}

/// The error `own` (the code of the body or header), with what the body says of it.
pub(super) fn error(
    response: &WireResponse,
    service: &Service,
    operation: &Operation,
    own: &str,
    body: &Value,
) -> ErrorAnswer {
    let message = body.get("message").or_else(|| body.get("Message"));
    let shape = error_shape(service, operation, own);
    // Services that spoke query before keep their old codes in a header.
    let old = header(&response.headers, "x-amzn-query-error")
        .and_then(|text| text.split_once(';'))
        .map(|(code, _)| code)
        .filter(|code| !code.is_empty());
    let shape = shape.or_else(|| error_shape(service, operation, old?));
    ErrorAnswer {
        code: old.unwrap_or(own).to_owned(),
        message: message
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        request_id: None,
        shape: shape.map(|s| s.shape_name().to_owned()),
        detail: shape.and_then(|s| value(s, body).ok()).unwrap_or_default(),
    }
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
        assert_eq!(read.value, json!({"Messages": [{"Body": "b"}]}));
        let empty = answer("sqs", "ReceiveMessage", "{}").unwrap();
        assert_eq!(empty.value, json!({}));
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
