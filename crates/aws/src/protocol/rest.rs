//! What the two REST protocols share: parameters in the path, the query and the headers, and answers from them.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value};

use super::{Malformed, WireRequest, WireResponse, header, json, xml};
use crate::model::{Kind, Operation, View};
use crate::output::{Builder, Fields, Label};
use crate::scalar::{TimeFormat, parse_time, percent_encode, time_to_text, to_text};

/// A request with everything but its body, and the members that go there.
pub(super) struct Bound {
    pub(super) request: WireRequest,
    pub(super) body: Map<String, Value>,
}

/// Puts the parameters where the model binds them.
pub(super) fn bind(
    operation: &Operation,
    input: Option<View<'_>>,
    params: &Value,
) -> Result<Bound, Malformed> {
    let template = &operation.http.request_uri;
    let (path, fixed_query) = template.split_once('?').unwrap_or((template, ""));
    let mut bound = Bound {
        request: WireRequest {
            method: operation.http.method.clone(),
            path: path.to_owned(),
            query: fixed_query.to_owned(),
            ..WireRequest::default()
        },
        body: Map::new(),
    };
    let given = || {
        let members = params.as_object().into_iter().flatten();
        members.filter_map(|(name, value)| Some((name, input?.member(name)?, value)))
    };
    // Maps in the query and the headers come last, so that they do not repeat what has a member of its own.
    let is_open = |member: View<'_>| {
        member.kind() == Kind::Map && matches!(member.location(), Some("querystring" | "headers"))
    };
    for last in [false, true] {
        for (name, member, value) in given().filter(|(_, m, v)| is_open(*m) == last && !v.is_null())
        {
            bind_one(&mut bound, name, member, value)?;
        }
    }
    match bound.request.path.split_once('{') {
        Some((_, rest)) => Err(Malformed::new(format!(
            "{} is part of the path and is missing",
            rest.split(['}', '+']).next().unwrap_or(rest)
        ))),
        None => Ok(bound),
    }
}

fn bind_one(
    bound: &mut Bound,
    name: &str,
    member: View<'_>,
    value: &Value,
) -> Result<(), Malformed> {
    let wire = member.wire_name().unwrap_or(name);
    match member.location() {
        Some("uri") => bind_path(&mut bound.request.path, wire, member, value)?,
        Some("querystring") => bind_query(&mut bound.request.query, wire, member, value),
        Some("header") => {
            if let Some(text) = header_text(member, value) {
                push_header(&mut bound.request.headers, wire.to_owned(), text)?;
            }
        }
        Some("headers") => {
            let prefix = member.wire_name().unwrap_or_default();
            for (key, value) in value.as_object().into_iter().flatten() {
                let name = format!("{prefix}{key}");
                if !has_header(&bound.request, &name) {
                    push_header(&mut bound.request.headers, name, to_text(value))?;
                }
            }
        }
        _ => {
            bound.body.insert(name.to_owned(), value.clone());
        }
    }
    Ok(())
}

/// An empty part and one of dots would name another resource, so they are refused. Within several parts (an object's
/// key) dots are nothing special.
fn bind_path(
    path: &mut String,
    wire: &str,
    member: View<'_>,
    value: &Value,
) -> Result<(), Malformed> {
    let text = query_text(member, value);
    let (plain, greedy) = (format!("{{{wire}}}"), format!("{{{wire}+}}"));
    let is_dots = matches!(text.as_str(), "." | "..") && path.contains(&plain);
    if text.is_empty() || is_dots {
        return Err(Malformed::new(format!(
            "{wire} is part of the path and is {}",
            if is_dots { "nothing but dots" } else { "empty" }
        )));
    }
    *path = path
        .replace(&plain, &percent_encode(&text, b""))
        .replace(&greedy, &percent_encode(&text, b"/"));
    Ok(())
}

fn bind_query(query: &mut String, wire: &str, member: View<'_>, value: &Value) {
    match (member.kind(), value) {
        (Kind::Map, Value::Object(entries)) => {
            let bound: BTreeSet<String> = query
                .split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| pair.split('=').next().unwrap_or(pair).to_owned())
                .collect();
            let free = |key: &&String| !bound.contains(&percent_encode(key, b""));
            for (key, value) in entries.iter().filter(|(key, _)| free(key)) {
                match value {
                    Value::Array(values) => {
                        for value in values {
                            push_query(query, key, &to_text(value));
                        }
                    }
                    value => push_query(query, key, &to_text(value)),
                }
            }
        }
        (Kind::List, Value::Array(values)) => {
            for value in values {
                let item = member.item().unwrap_or(member);
                push_query(query, wire, &query_text(item, value));
            }
        }
        (_, value) => push_query(query, wire, &query_text(member, value)),
    }
}

fn push_query(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(&percent_encode(name, b""));
    query.push('=');
    query.push_str(&percent_encode(value, b""));
}

fn query_text(view: View<'_>, value: &Value) -> String {
    timed(view, value, TimeFormat::Iso8601)
}

fn timed(view: View<'_>, value: &Value, otherwise: TimeFormat) -> String {
    if view.kind() != Kind::Timestamp {
        return to_text(value);
    }
    let format = TimeFormat::named(view.timestamp_format(), otherwise);
    parse_time(value).map_or(String::new(), |time| time_to_text(time, format))
}

/// A header's text; nothing for a list of nothing but null. JSON may be given as its text.
fn header_text(view: View<'_>, value: &Value) -> Option<String> {
    if view.is_json_value() {
        return Some(BASE64.encode(to_text(value)));
    }
    let Value::Array(values) = value else {
        return Some(timed(view, value, TimeFormat::Rfc822));
    };
    let item = view.item()?;
    let texts: Vec<String> = values
        .iter()
        .filter(|value| !value.is_null())
        .map(|value| match item.kind() {
            Kind::String => quoted(&to_text(value)),
            _ => timed(item, value, TimeFormat::Rfc822),
        })
        .collect();
    (values.is_empty() || !texts.is_empty()).then(|| texts.join(","))
}

fn quoted(text: &str) -> String {
    if text.contains(['"', ',']) {
        format!("\"{}\"", text.replace('"', "\\\""))
    } else {
        text.to_owned()
    }
}

fn push_header(
    headers: &mut Vec<(String, String)>,
    name: String,
    value: String,
) -> Result<(), Malformed> {
    let legal = http::HeaderName::try_from(name.as_str()).is_ok()
        && http::HeaderValue::try_from(value.as_str()).is_ok();
    if !legal {
        return Err(Malformed::new(format!(
            "{name} cannot be a header with this value"
        )));
    }
    headers.push((name, value));
    Ok(())
}

/// The body when the payload is a blob or text of its own: the bytes, and the type to declare.
pub(super) fn plain_payload(
    member: View<'_>,
    value: Option<&Value>,
) -> Option<Result<(Bytes, &'static str), Malformed>> {
    let text = value.and_then(Value::as_str).unwrap_or_default();
    match member.kind() {
        Kind::String => Some(Ok((Bytes::from(text.to_owned()), "text/plain"))),
        Kind::Blob => {
            let bytes = BASE64.decode(text).map(Bytes::from);
            let checked = bytes.map_err(|_| Malformed::new("the payload is not base64"));
            Some(checked.map(|bytes| (bytes, "application/octet-stream")))
        }
        _ => None,
    }
}

/// Declares the body's type, unless a parameter did.
pub(super) fn content_type(request: &mut WireRequest, value: &str) {
    if !has_header(request, "content-type") {
        let name = "Content-Type".to_owned();
        request.headers.push((name, value.to_owned()));
    }
}

fn has_header(request: &WireRequest, name: &str) -> bool {
    let mut names = request.headers.iter().map(|(name, _)| name);
    names.any(|given| given.eq_ignore_ascii_case(name))
}

/// Adds what the status and the headers of an answer say.
pub(super) fn read_bindings(
    output: View<'_>,
    response: &WireResponse,
    out: &mut Builder,
    fields: &mut Fields,
) -> Result<(), Malformed> {
    let headers = &response.headers;
    for ((name, member), index) in output.members().zip(0..) {
        let label = Label(index);
        match member.location() {
            Some("statusCode") => {
                out.begin(fields, label);
                out.unsigned(label, response.status.into())?;
            }
            Some("headers") => {
                out.begin(fields, label);
                prefixed(headers, member.wire_name().unwrap_or_default(), out, label)?;
            }
            Some("header") => {
                let wire = member.wire_name().unwrap_or(name);
                if let Some(text) = header(headers, wire) {
                    out.begin(fields, label);
                    let mark = out.mark();
                    if !header_value(member, wire, text, out, label)? {
                        out.forget(fields, label, mark);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn prefixed(
    headers: &HeaderMap,
    prefix: &str,
    out: &mut Builder,
    label: Label,
) -> Result<(), Malformed> {
    let prefix = prefix.to_ascii_lowercase();
    let map = out.map(label)?;
    for (name, value) in headers {
        if let (Some(key), Ok(value)) = (name.as_str().strip_prefix(&prefix), value.to_str()) {
            out.key(key)?;
            out.text(Label::NONE, value)?;
        }
    }
    out.end_map(map, true);
    Ok(())
}

/// Whether the header has a value.
fn header_value(
    member: View<'_>,
    wire: &str,
    text: &str,
    out: &mut Builder,
    label: Label,
) -> Result<bool, Malformed> {
    let wrong = || Malformed::new(format!("the header {wire} should be {}", member.kind()));
    if member.is_json_value() {
        let bytes = BASE64.decode(text).map_err(|_| wrong())?;
        let json = json::parse(&bytes).map_err(|_| wrong())?.to_json();
        // What is neither an object nor a list stays the text it is.
        match json {
            json @ (Value::Object(_) | Value::Array(_)) => out.json(label, &json)?,
            scalar => out.text(label, &to_text(&scalar))?,
        }
        return Ok(true);
    }
    let Some(item) = member.item().filter(|_| member.kind() == Kind::List) else {
        return scalar(member.kind(), text, out, label).ok_or_else(wrong)?;
    };
    let list = out.list(label)?;
    for part in split_list(text, item.kind() == Kind::Timestamp) {
        // An item that is none is left out.
        let start = out.texts_end();
        match scalar(item.kind(), &part, out, Label::NONE) {
            Some(made) => drop(made?),
            None => out.drop_pieces(start),
        }
    }
    out.end(list);
    Ok(true)
}

fn scalar(
    kind: Kind,
    text: &str,
    out: &mut Builder,
    label: Label,
) -> Option<Result<bool, Malformed>> {
    let start = out.texts_end();
    out.push_piece(text);
    xml::scalar(out, label, kind, start)
}

/// `a, "b,c"` → `a`, `b,c`. A date in HTTP's form has a comma of its own.
fn split_list(text: &str, are_times: bool) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut in_quotes, mut escaped, mut commas) = (false, false, 0);
    for c in text.chars() {
        let last = parts.len() - 1;
        let Some(part) = parts.get_mut(last) else {
            break;
        };
        match c {
            _ if escaped => {
                part.push(c);
                escaped = false;
            }
            '\\' if in_quotes => escaped = true,
            '"' => in_quotes = !in_quotes,
            ',' if !in_quotes => {
                commas += 1;
                let within_date = are_times && part.trim().len() == 3 && commas % 2 == 1;
                if within_date {
                    part.push(c);
                } else {
                    commas = 0;
                    parts.push(String::new());
                }
            }
            _ => part.push(c),
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

/// The member of an output that is the whole body of the answer.
pub(super) fn payload(output: View<'_>) -> Option<(Label, View<'_>)> {
    let name = output.payload()?;
    Some((Label(output.index_of(name)?), output.member(name)?))
}

/// Whether a payload is bytes or text of its own.
pub(super) fn is_plain(payload: View<'_>) -> bool {
    matches!(payload.kind(), Kind::Blob | Kind::String)
}

/// Adds the payload of an answer that is bytes or text of its own; nothing when it is empty and no stream.
pub(super) fn read_plain_payload(
    payload: View<'_>,
    label: Label,
    body: &Bytes,
    out: &mut Builder,
    fields: &mut Fields,
) -> Result<(), Malformed> {
    if body.is_empty() && !payload.is_streaming() {
        return Ok(());
    }
    out.begin(fields, label);
    if payload.kind() == Kind::Blob {
        return out.text(label, &BASE64.encode(body));
    }
    let text = std::str::from_utf8(body);
    out.text(
        label,
        text.map_err(|_| Malformed::new("the payload is not UTF-8"))?,
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::request;
    use serde_json::json;

    #[test]
    fn a_map_in_the_query_does_not_repeat_what_is_there_and_loses_nothing() {
        let params = json!({"restApiId": "r", "stageName": "s", "sdkType": "java",
            "parameters": {"": "x", "a b": "1"}});
        assert_eq!(request("apigateway", "GetSdk", &params).query, "=x&a%20b=1");
        let params = json!({"body": "e30=", "failOnWarnings": true,
            "parameters": {"failonwarnings": "false", "basepath": "split"}});
        assert_eq!(
            request("apigateway", "ImportRestApi", &params).query,
            "mode=import&failonwarnings=true&basepath=split"
        );
    }
}
