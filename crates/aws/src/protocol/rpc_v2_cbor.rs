//! Smithy's RPC v2 with CBOR bodies: the operation is the path. What is read goes the way of the JSON protocols.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde_json::{Map, Value};

use super::{Malformed, WireRequest, cbor, event_stream};
use crate::model::{Kind, Operation, Service, View};
use crate::scalar::{TimeFormat, parse_time, text_to_double, time_to_json};

pub(super) fn write(
    service: &Service,
    operation: &Operation,
    params: &Value,
) -> Result<WireRequest, Malformed> {
    let metadata = &service.metadata;
    let target = metadata.target_prefix.as_deref().unwrap_or_default();
    let output = operation.output.as_ref().map(|o| service.view(o));
    let accept = match output.and_then(event_stream::member) {
        Some(_) => "application/vnd.amazon.eventstream",
        None => "application/cbor",
    };
    let mut headers = vec![("smithy-protocol", "rpc-v2-cbor"), ("Accept", accept)];
    if metadata.aws_query_compatible.is_some() {
        headers.push(("x-amzn-query-mode", "true"));
    }
    let mut body = Vec::new();
    if let Some(input) = &operation.input {
        headers.push(("Content-Type", "application/cbor"));
        push(&mut body, service.view(input), params)?;
    }
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Ok(WireRequest {
        method: operation.http.method.clone(),
        path: format!("/service/{target}/operation/{}", operation.name),
        headers: headers.into_iter().map(owned).collect(),
        body: Bytes::from(body),
        ..WireRequest::default()
    })
}

/// A parameter as the body has it.
fn push(out: &mut Vec<u8>, view: View<'_>, value: &Value) -> Result<(), Malformed> {
    match (view.kind(), value) {
        (Kind::Structure, Value::Object(members)) if !view.is_document() => {
            push_structure(out, view, members)?;
        }
        (Kind::List, Value::Array(items)) => {
            cbor::push_list(out, items.len());
            for value in items {
                push_part(out, view.item(), value)?;
            }
        }
        (Kind::Map, Value::Object(entries)) => {
            cbor::push_map(out, entries.len());
            for (key, value) in entries {
                cbor::push_text(out, key);
                push_part(out, view.value(), value)?;
            }
        }
        (Kind::Timestamp, Value::String(_) | Value::Number(_)) => {
            let time = parse_time(value).ok_or_else(|| Malformed::new("a time that is none"))?;
            if let Value::Number(seconds) = time_to_json(time, TimeFormat::UnixTimestamp) {
                cbor::push_time(out, &seconds);
            }
        }
        (Kind::Blob, Value::String(text)) => {
            let bytes = BASE64.decode(text);
            let bytes = bytes.map_err(|_| Malformed::new("a blob that is not base64"))?;
            cbor::push_bytes(out, &bytes);
        }
        (Kind::Float, Value::Number(number)) => {
            cbor::push_double(out, number.as_f64().unwrap_or_default());
        }
        (Kind::Float, Value::String(text)) => {
            let number = text_to_double(text);
            cbor::push_double(
                out,
                number.ok_or_else(|| Malformed::new("a number that is none"))?,
            );
        }
        (_, value) => push_any(out, value),
    }
    Ok(())
}

fn push_structure(
    out: &mut Vec<u8>,
    view: View<'_>,
    members: &Map<String, Value>,
) -> Result<(), Malformed> {
    let given: Vec<_> = members
        .iter()
        .filter(|(_, value)| !value.is_null())
        .filter_map(|(name, value)| Some((name, view.member(name)?, value)))
        .collect();
    cbor::push_map(out, given.len());
    for (name, member, value) in given {
        cbor::push_text(out, member.wire_name().unwrap_or(name));
        push(out, member, value)?;
    }
    Ok(())
}

fn push_part(out: &mut Vec<u8>, view: Option<View<'_>>, value: &Value) -> Result<(), Malformed> {
    match view {
        Some(view) => push(out, view, value)?,
        None => push_any(out, value),
    }
    Ok(())
}

/// A value of which the model says no more than it does itself.
fn push_any(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => cbor::push_simple(out, None),
        Value::Bool(value) => cbor::push_simple(out, Some(*value)),
        Value::Number(number) => cbor::push_number(out, number),
        Value::String(text) => cbor::push_text(out, text),
        Value::Array(items) => {
            cbor::push_list(out, items.len());
            items.iter().for_each(|item| push_any(out, item));
        }
        Value::Object(members) => {
            cbor::push_map(out, members.len());
            for (name, value) in members {
                cbor::push_text(out, name);
                push_any(out, value);
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::body::Format;
    use super::super::tests::Model;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn model() -> Model {
        let shapes = json!({
            "In": {"type": "structure", "members": {
                "When": {"shape": "Time"}, "Bytes": {"shape": "Blob"}, "Real": {"shape": "Real"},
                "Table": {"shape": "Table"}, "Gone": {"shape": "Text"}}},
            "Table": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Texts"}},
            "Texts": {"type": "list", "member": {"shape": "Text"}},
            "Text": {"type": "string"}, "Time": {"type": "timestamp"}, "Blob": {"type": "blob"},
            "Real": {"type": "double"},
        });
        Model::of("smithy-rpc-v2-cbor", &json!({"shapes": shapes}))
    }

    #[test]
    fn the_operation_is_the_path_and_the_body_has_kinds() {
        let params = json!({"When": "2013-03-21T20:04:00Z", "Bytes": "AQI=", "Real": "NaN",
            "Table": {"a": ["b", null]}, "Gone": null});
        let request = model().request(&params).unwrap();
        assert_eq!(request.path, "/service//operation/Op");
        let header = |name: &str| request.headers.iter().find(|(n, _)| n == name);
        assert_eq!(header("smithy-protocol").unwrap().1, "rpc-v2-cbor");
        assert_eq!(header("Content-Type").unwrap().1, "application/cbor");
        let body: ciborium::Value = ciborium::from_reader(&request.body[..]).unwrap();
        let text = format!("{body:?}");
        for part in [
            "Tag(1, Integer(Integer(1363896240)))",
            "Bytes([1, 2])",
            "Float(NaN)",
            "Null",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        for wrong in [
            json!({"Bytes": "?"}),
            json!({"Real": "much"}),
            json!({"When": "soon"}),
        ] {
            assert!(model().request(&wrong).is_err(), "{wrong}");
        }
    }

    /// What JSON has no number for is text.
    fn double(number: f64) -> Value {
        let text = if number.is_nan() {
            "NaN"
        } else if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        };
        serde_json::Number::from_f64(number).map_or(text.into(), Value::Number)
    }

    pub(crate) fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(double),
            any::<f32>().prop_map(|n| double(n.into())),
            ".{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |part| {
            prop_oneof![
                prop::collection::vec(part.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(".{0,8}", part, 0..5)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        /// By ourselves, and by another who also writes numbers of 16 bits.
        #[test]
        fn what_is_written_is_read_as_it_was(value in any_json()) {
            let mut ours = Vec::new();
            push_any(&mut ours, &value);
            prop_assert_eq!(Format::Cbor.parse(&ours).unwrap().to_json(), value.clone());
            let mut theirs = Vec::new();
            ciborium::into_writer(&value, &mut theirs).unwrap();
            prop_assert_eq!(Format::Cbor.parse(&theirs).unwrap().to_json(), value);
        }
    }
}
