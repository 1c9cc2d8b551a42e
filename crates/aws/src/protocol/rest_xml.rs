//! REST with XML bodies: S3, CloudFront, Route 53.

use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::body::Format;
use super::rest::{
    bind, content_type, is_plain, payload, plain_payload, read_bindings, read_plain_payload,
};
use super::xml::Xml;
use super::{
    Answer, ErrorAnswer, Malformed, Unread, WireRequest, WireResponse, event_stream, header, query,
};
use crate::model::{Kind, Operation, Service, View};
use crate::output::{Builder, Dialect, Fields, Label};
use crate::scalar::{TimeFormat, parse_time, time_to_text, to_text};

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
    let body = Value::Object(bound.body);
    let (root, name, given) = match input.payload().and_then(|p| Some((p, input.member(p)?))) {
        Some((name, payload)) => {
            let given = params.get(name).filter(|v| !v.is_null());
            if let Some(plain) = plain_payload(payload, given) {
                let (body, kind) = plain?;
                if given.is_some() {
                    content_type(&mut request, kind);
                }
                request.body = body;
                return Ok(request);
            }
            (payload, payload_name(payload, name), given)
        }
        None => (
            input,
            root_name(input),
            body.as_object().filter(|b| !b.is_empty()).map(|_| &body),
        ),
    };
    if let Some(given) = given {
        let mut text = String::new();
        element(&mut text, root, given, name);
        request.body = Bytes::from(text);
        content_type(&mut request, "application/xml");
    }
    Ok(request)
}

/// The root of a payload goes by its member's name on the wire, but only when the model gives it one: botocore's models
/// say the member's own name too, where nothing was meant by it. A namespace beside it shows that something was.
fn payload_name<'a>(payload: View<'a>, member: &str) -> &'a str {
    let given = payload.wire_name();
    let meant = given.filter(|name| *name != member || payload.is_namespaced_here());
    let own = payload.own_name();
    meant.or(own).unwrap_or(payload.shape_name())
}

fn root_name(root: View<'_>) -> &str {
    let named = root.own_name().or(root.wire_name());
    named.unwrap_or(root.shape_name())
}

fn element(text: &mut String, view: View<'_>, value: &Value, name: &str) {
    match (view.kind(), value) {
        (_, Value::Null) => {}
        (Kind::Structure, Value::Object(members)) => write_structure(text, view, members, name),
        (Kind::List, Value::Array(items)) => {
            let Some(item) = view.item() else { return };
            if view.is_flattened() {
                for value in items {
                    element(text, item, value, name);
                }
                return;
            }
            open(text, view, name, "");
            for value in items {
                element(text, item, value, item.wire_name().unwrap_or("member"));
            }
            close(text, name);
        }
        (Kind::Map, Value::Object(entries)) => map(text, view, entries, name),
        (Kind::Timestamp, value) => {
            let format = TimeFormat::named(view.timestamp_format(), TimeFormat::Iso8601);
            let time = parse_time(value).map(|time| time_to_text(time, format));
            leaf(text, view, name, &time.unwrap_or_default());
        }
        (_, value) => leaf(text, view, name, &to_text(value)),
    }
}

fn write_structure(text: &mut String, view: View<'_>, members: &Map<String, Value>, name: &str) {
    let known = || {
        members
            .iter()
            .filter_map(|(n, v)| Some((n, view.member(n)?, v)))
    };
    let mut attributes = String::new();
    for (own, member, value) in known().filter(|(_, m, _)| m.is_attribute()) {
        let wire = member.wire_name().unwrap_or(own);
        let _ = write!(attributes, " {wire}=\"{}\"", escape(&to_text(value)));
    }
    open(text, view, name, &attributes);
    for (own, member, value) in known().filter(|(_, m, _)| !m.is_attribute()) {
        element(text, member, value, member.wire_name().unwrap_or(own));
    }
    close(text, name);
}

fn map(text: &mut String, view: View<'_>, entries: &Map<String, Value>, name: &str) {
    let (Some(key), Some(item)) = (view.key(), view.value()) else {
        return;
    };
    let is_flat = view.is_flattened();
    if !is_flat {
        open(text, view, name, "");
    }
    for (own, value) in entries {
        if is_flat {
            open(text, view, name, "");
        } else {
            text.push_str("<entry>");
        }
        leaf(text, key, key.wire_name().unwrap_or("key"), own);
        element(text, item, value, item.wire_name().unwrap_or("value"));
        close(text, if is_flat { name } else { "entry" });
    }
    if !is_flat {
        close(text, name);
    }
}

fn leaf(text: &mut String, view: View<'_>, name: &str, value: &str) {
    open(text, view, name, "");
    text.push_str(&escape(value));
    close(text, name);
}

fn open(text: &mut String, view: View<'_>, name: &str, attributes: &str) {
    let _ = write!(text, "<{name}");
    match view.namespace() {
        Some((Some(prefix), uri)) => {
            let _ = write!(text, " xmlns:{prefix}=\"{}\"", escape(uri));
        }
        Some((None, uri)) => {
            let _ = write!(text, " xmlns=\"{}\"", escape(uri));
        }
        None => {}
    }
    let _ = write!(text, "{attributes}>");
}

fn close(text: &mut String, name: &str) {
    let _ = write!(text, "</{name}>");
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // A reader would turn these into spaces or other line ends.
            '\r' => escaped.push_str("&#xD;"),
            '\n' => escaped.push_str("&#xA;"),
            '\u{85}' => escaped.push_str("&#x85;"),
            '\u{2028}' => escaped.push_str("&#x2028;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

pub(super) fn read<'m>(
    service: &'m Service,
    operation: &'m Operation,
    response: &WireResponse,
) -> Result<Answer<'m>, Unread> {
    let mut out = Format::Xml.builder(&response.body);
    if let Some(output) = operation.output.as_ref().map(|o| service.view(o)) {
        let mut fields = out.structure(Label::NONE, output)?;
        read_bindings(output, response, &mut out, &mut fields)?;
        read_body(
            output,
            response,
            (service, operation),
            &mut out,
            &mut fields,
        )?;
        out.close(fields, Dialect::Xml);
    }
    Ok(Answer {
        value: out.finish(Some(service)),
        request_id: None,
    })
}

fn read_body(
    output: View<'_>,
    response: &WireResponse,
    (service, operation): (&Service, &Operation),
    out: &mut Builder,
    fields: &mut Fields,
) -> Result<(), Unread> {
    let body = &response.body;
    // An empty body says nothing, as some of S3's are although their output has members.
    let is_empty = body.trim_ascii().is_empty();
    if let Some((label, payload)) = payload(output) {
        if is_plain(payload) {
            return Ok(read_plain_payload(payload, label, body, out, fields)?);
        }
        if payload.is_event_stream() {
            out.begin(fields, label);
            return event_stream::read(payload, label, body, Format::Xml, out);
        }
        if is_empty && payload.is_union() {
            return Ok(());
        }
        out.begin(fields, label);
        if is_empty {
            let structure = out.structure(label, payload)?;
            out.close(structure, Dialect::Xml);
            return Ok(());
        }
        let mut xml = Xml::new(body, out)?;
        let root = xml.root()?;
        if root.name() == "Error" {
            return Err(refused(body, service, operation)?);
        }
        return Ok(xml.structure(payload, root, label)?);
    }
    if !is_empty && output.members().any(|(_, m)| m.is_in_answer_body()) {
        let mut xml = Xml::new(body, out)?;
        let root = xml.root()?;
        if root.name() == "Error" {
            return Err(refused(body, service, operation)?);
        }
        xml.members(output, root, fields)?;
    }
    Ok(())
}

/// The error that is the whole document.
fn refused(body: &[u8], service: &Service, operation: &Operation) -> Result<Unread, Malformed> {
    let error = query::xml_error(body, service, operation)?;
    Ok(Unread::Refused(Box::new(error.unwrap_or_default())))
}

pub(super) fn read_error(
    response: &WireResponse,
    service: &Service,
    operation: &Operation,
) -> Option<ErrorAnswer> {
    let mut error = query::read_error(response, service, operation)?;
    // S3 names the request in a header too; the header is what its support asks for.
    if let Some(id) = header(&response.headers, "x-amz-request-id") {
        error.request_id = Some(id.to_owned());
    }
    let shape = super::error_shape(service, operation, &error.code);
    if let (Some(shape), Value::Object(detail)) = (shape, &mut error.detail)
        && let Some(Value::Object(bound)) = bindings(shape, response)
    {
        detail.extend(bound);
    }
    Some(error)
}

/// What the status and the headers say of an error.
fn bindings(shape: View<'_>, response: &WireResponse) -> Option<Value> {
    let mut out = Format::Xml.builder(&[]);
    let mut fields = out.structure(Label::NONE, shape).ok()?;
    read_bindings(shape, response, &mut out, &mut fields).ok()?;
    out.close(fields, Dialect::Xml);
    Some(out.finish(Some(shape.service())).to_json())
}

#[cfg(test)]
mod tests {
    use super::super::Unread;
    use super::super::tests::{answer, refusal, request, try_request};
    use serde_json::json;

    #[test]
    fn parameters_go_to_path_query_and_headers() {
        let params = json!({"Bucket": "b", "Key": "a b/c+d?.gz", "Range": "bytes=0-9", "VersionId": "v&1",
            "IfModifiedSince": "2026-01-02T03:04:05Z"});
        let request = request("s3", "GetObject", &params);
        assert_eq!(request.method, "GET");
        assert_eq!(request.path, "/b/a%20b/c%2Bd%3F.gz");
        assert_eq!(request.query, "versionId=v%261");
        let has = |name: &str, value: &str| {
            request
                .headers
                .contains(&(name.to_owned(), value.to_owned()))
        };
        assert!(has("Range", "bytes=0-9"));
        assert!(has("If-Modified-Since", "Fri, 02 Jan 2026 03:04:05 GMT"));
        // An empty key would name the bucket.
        assert!(try_request("s3", "GetObject", &json!({"Bucket": "b", "Key": ""})).is_err());
        assert!(try_request("s3", "GetObject", &json!({"Bucket": "..", "Key": "k"})).is_err());
        assert!(try_request("s3", "GetObject", &json!({"Bucket": "b", "Key": ".."})).is_ok());
    }

    #[test]
    fn bodies_and_errors() {
        let xml = "<ListBucketResult><Name>b</Name><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>\
            <Contents><Key>k</Key><Size>5</Size></Contents></ListBucketResult>";
        let listed = answer("s3", "ListObjectsV2", xml).unwrap();
        assert_eq!(
            listed.value.to_json(),
            json!({"Name": "b", "KeyCount": 1, "IsTruncated": false, "Contents": [{"Key": "k", "Size": 5}]})
        );
        let put = json!({"Bucket": "b", "Key": "k", "Body": "aGVsbG8="});
        assert_eq!(&request("s3", "PutObject", &put).body[..], b"hello");
        let xml =
            "<Error><Code>NoSuchKey</Code><Message>none</Message><RequestId>r</RequestId></Error>";
        let error = refusal("s3", "GetObject", 404, xml);
        assert_eq!(
            (error.code.as_str(), error.shape.as_deref()),
            ("NoSuchKey", Some("NoSuchKey"))
        );
        assert_eq!(refusal("s3", "HeadObject", 404, "").code, "404");
    }

    #[test]
    fn a_200_may_be_an_error() {
        let xml =
            "<Error><Code>SlowDown</Code><Message>Later.</Message><RequestId>r</RequestId></Error>";
        let Err(Unread::Refused(said)) = answer("s3", "ListObjectsV2", xml) else {
            panic!("an error was taken for an answer");
        };
        assert_eq!(
            (said.code.as_str(), said.request_id.as_deref()),
            ("SlowDown", Some("r"))
        );
    }
}
