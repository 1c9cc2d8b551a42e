//! Values and messages compared as the cases mean them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use quell_aws::model::{Kind, View};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The cases give blobs as their bytes; our parameters want them as base64.
pub(crate) fn blobs_to_base64(view: View<'_>, value: &Value) -> Value {
    match (view.kind(), value) {
        (Kind::Blob, Value::String(text)) => BASE64.encode(text).into(),
        (Kind::Structure, Value::Object(members)) if !view.is_document() => members
            .iter()
            .map(|(name, value)| match view.member(name) {
                Some(member) => (name.clone(), blobs_to_base64(member, value)),
                None => (name.clone(), value.clone()),
            })
            .collect(),
        (Kind::List, Value::Array(items)) => {
            let item = view.item().unwrap();
            items.iter().map(|v| blobs_to_base64(item, v)).collect()
        }
        (Kind::Map, Value::Object(entries)) => {
            let item = view.value().unwrap();
            let entry = |(k, v): (&String, &Value)| (k.clone(), blobs_to_base64(item, v));
            entries.iter().map(entry).collect()
        }
        (_, value) => value.clone(),
    }
}

/// Whether `ours` is what the case expects: times as seconds or text, blobs as their bytes.
pub(crate) fn same(view: View<'_>, expected: &Value, ours: &Value) -> bool {
    match (view.kind(), expected, ours) {
        (_, Value::Null, Value::Null) => true,
        (Kind::Structure, Value::Array(e), Value::Array(o)) if view.is_event_stream() => {
            e.len() == o.len() && e.iter().zip(o).all(|(e, o)| same(view, e, o))
        }
        (Kind::Structure, Value::Object(e), Value::Object(o)) if !view.is_document() => {
            e.len() == o.len()
                && e.iter()
                    .all(|(name, e)| match (view.member(name), o.get(name)) {
                        (Some(member), Some(o)) => same(member, e, o),
                        (None, Some(o)) => e == o,
                        _ => false,
                    })
        }
        (Kind::List, Value::Array(e), Value::Array(o)) => {
            let item = view.item().unwrap();
            e.len() == o.len() && e.iter().zip(o).all(|(e, o)| same(item, e, o))
        }
        (Kind::Map, Value::Object(e), Value::Object(o)) => {
            let item = view.value().unwrap();
            // The names of headers have no case; a connection gives them in small letters.
            let are_headers = view.location() == Some("headers");
            let key = |k: &str| {
                if are_headers {
                    k.to_lowercase()
                } else {
                    k.to_owned()
                }
            };
            e.len() == o.len()
                && e.iter()
                    .all(|(k, e)| o.get(&key(k)).is_some_and(|o| same(item, e, o)))
        }
        (Kind::Timestamp, e, Value::String(o)) => {
            let time = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok().map(seconds);
            match e {
                Value::String(e) => e == o || (time(e).is_some() && time(e) == time(o)),
                e => e.as_f64().is_some() && time(o) == e.as_f64(),
            }
        }
        (Kind::Blob, Value::String(e), Value::String(o)) => {
            BASE64.decode(o).is_ok_and(|bytes| bytes == e.as_bytes())
        }
        (_, e, o) => same_json(e, o),
    }
}

fn seconds(time: OffsetDateTime) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "the cases give seconds as doubles"
    )]
    let nanos = time.unix_timestamp_nanos() as f64;
    nanos / 1e9
}

/// JSON compared by value: 1 and 1.0 are one number.
pub(crate) fn same_json(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_json(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(k, a)| b.get(k).is_some_and(|b| same_json(a, b)))
        }
        (a, b) => a == b,
    }
}

/// The pairs of a form or query, decoded and sorted.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    let parts = text.split('&').filter(|part| !part.is_empty());
    let mut pairs: Vec<_> = parts
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect();
    pairs.sort();
    pairs
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = (*first == b'%').then(|| tail.get(..2)).flatten();
        match hex.and_then(|h| u8::from_str_radix(std::str::from_utf8(h).ok()?, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
