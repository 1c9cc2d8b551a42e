//! URL encoding: of query parameters, and of request bodies that are forms.

use serde_json::Value;

/// How a form writes arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrays {
    /// `a[0]=x&a[1]=y`.
    Indices,
    /// `a=x&a=y`.
    Repeat,
    /// `a=x,y`.
    Commas,
    /// `a[]=x&a[]=y`.
    Brackets,
}

impl Arrays {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "INDICES" => Some(Self::Indices),
            "REPEAT" => Some(Self::Repeat),
            "COMMAS" => Some(Self::Commas),
            "BRACKETS" => Some(Self::Brackets),
            _ => None,
        }
    }
}

pub(super) type Pairs = Vec<(String, String)>;

/// The pairs of a form, not encoded yet: `a[b]` for what is inside `a`.
pub(super) fn form(body: &Value, arrays: Arrays) -> Pairs {
    let mut pairs = Pairs::new();
    for (name, value) in body.as_object().into_iter().flatten() {
        flatten(name.clone(), value, arrays, &mut pairs);
    }
    pairs
}

/// No body is deep: the reader of arguments has a limit.
fn flatten(name: String, value: &Value, arrays: Arrays, pairs: &mut Pairs) {
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                flatten(format!("{name}[{member}]"), value, arrays, pairs);
            }
        }
        Value::Array(items) if arrays == Arrays::Commas => {
            let items: Vec<String> = items.iter().map(text).collect();
            pairs.push((name, items.join(",")));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let name = match arrays {
                    Arrays::Indices => format!("{name}[{index}]"),
                    Arrays::Brackets => format!("{name}[]"),
                    Arrays::Repeat | Arrays::Commas => name.clone(),
                };
                flatten(name, item, arrays, pairs);
            }
        }
        scalar => pairs.push((name, text(scalar))),
    }
}

/// The pairs of query parameters: an object's members (an array is a parameter again and again), the `a=b&c=d` of a
/// text, or those of an array's items.
pub(super) fn query(given: &Value) -> Pairs {
    match given {
        Value::Object(_) => form(given, Arrays::Repeat),
        Value::Array(items) => items.iter().flat_map(query).collect(),
        Value::String(text) => {
            let pairs = text.split('&').filter(|pair| !pair.is_empty());
            let split = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
            split.map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
        }
        _ => Pairs::new(),
    }
}

/// `a=b&c=d`, encoded.
pub(super) fn encoded(pairs: &[(String, String)]) -> String {
    let pairs = pairs.iter();
    let parts: Vec<String> = pairs
        .map(|(name, value)| format!("{}={}", percent(name), percent(value)))
        .collect();
    parts.join("&")
}

/// Text as it is, anything else as JSON; nothing is nothing.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// All but the unreserved characters of RFC 3986, byte by byte.
fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            other => {
                encoded.push_str(&format!("%{other:02X}"));
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn arrays_are_written_in_four_ways() {
        let body = json!({"array": ["a", "b"]});
        for (arrays, written) in [
            ("INDICES", "array%5B0%5D=a&array%5B1%5D=b"),
            ("REPEAT", "array=a&array=b"),
            ("COMMAS", "array=a%2Cb"),
            ("BRACKETS", "array%5B%5D=a&array%5B%5D=b"),
        ] {
            let arrays = Arrays::named(arrays).unwrap();
            assert_eq!(encoded(&form(&body, arrays)), written);
        }
        assert_eq!(Arrays::named("indices"), None);
    }

    #[test]
    fn a_form_is_that_of_the_documentation() {
        let body = json!({"description": "Monthly subscription",
            "metadata": {"order_details": "monthly report data"}, "customer": 1234567890});
        let written = "description=Monthly%20subscription\
            &metadata%5Border_details%5D=monthly%20report%20data&customer=1234567890";
        assert_eq!(encoded(&form(&body, Arrays::Indices)), written);
    }

    #[test]
    fn query_parameters_have_three_forms() {
        for (given, written) in [
            (
                json!({"currency": "usd", "a": [1, true, null]}),
                "currency=usd&a=1&a=true&a=",
            ),
            (json!("a=b c&d"), "a=b%20c&d="),
            (json!(["a=1", {"b": 2}]), "a=1&b=2"),
            (json!(null), ""),
        ] {
            assert_eq!(encoded(&query(&given)), written);
        }
    }

    fn decoded(text: &str) -> String {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            match byte {
                b'%' => {
                    let hex: Vec<u8> = rest.by_ref().take(2).collect();
                    let hex = String::from_utf8(hex).unwrap();
                    bytes.push(u8::from_str_radix(&hex, 16).unwrap());
                }
                other => bytes.push(other),
            }
        }
        String::from_utf8(bytes).unwrap()
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_to_the_same(pairs in prop::collection::vec((".{1,8}", ".{0,8}"), 0..5)) {
            let text = encoded(&pairs);
            prop_assert!(text.is_ascii());
            let parts = text.split('&').filter(|part| !part.is_empty());
            let back: Vec<(String, String)> = parts
                .map(|part| part.split_once('=').unwrap())
                .map(|(name, value)| (decoded(name), decoded(value)))
                .collect();
            prop_assert_eq!(back, pairs);
        }
    }
}
