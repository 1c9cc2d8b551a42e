//! CBOR compared by value, as another reader than ours sees it: the order of members, the size of numbers and whether
//! lengths are declared say nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ciborium::Value;

/// Whether `ours` is the body that a case has as base64.
pub(crate) fn same(expected: &str, ours: &[u8]) -> Result<(), String> {
    let expected = BASE64.decode(expected).unwrap();
    if expected.is_empty() || ours.is_empty() {
        let sizes = format!("a body of {} bytes, not {}", ours.len(), expected.len());
        return (expected.len() == ours.len()).then_some(()).ok_or(sizes);
    }
    let (ours, expected) = (canonical(ours), canonical(&expected));
    let different = || format!("body\n  ours     {ours:?}\n  expected {expected:?}");
    (ours == expected).then_some(()).ok_or_else(different)
}

fn canonical(bytes: &[u8]) -> Value {
    sorted(ciborium::from_reader(bytes).unwrap())
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Map(members) => {
            let parts = members.into_iter();
            let mut members: Vec<_> = parts.map(|(k, v)| (k, sorted(v))).collect();
            members.sort_by(|(a, _), (b, _)| a.as_text().cmp(&b.as_text()));
            Value::Map(members)
        }
        // Whole seconds may be of either kind of number.
        Value::Tag(tag, inner) => match *inner {
            Value::Integer(seconds) => {
                let seconds = i64::try_from(seconds).unwrap();
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "seconds of our era fit a double"
                )]
                let seconds = Value::Float(seconds as f64);
                Value::Tag(tag, Box::new(seconds))
            }
            inner => Value::Tag(tag, Box::new(sorted(inner))),
        },
        // Unlike themselves.
        Value::Float(number) if number.is_nan() => Value::Text("NaN".to_owned()),
        other => other,
    }
}
