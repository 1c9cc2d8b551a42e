//! Items in JSON and JSON Lines.

use crate::family::Item;
use crate::states::map::items::listed;
use serde_json::Value;

/// The members of the array or object that the text is, or that `pointer`
/// (RFC 6901) finds in it.
pub(super) fn items(text: &str, pointer: Option<&str>) -> Result<Vec<Item>, String> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| format!("The object is not JSON: {error}"))?;
    let found = match pointer {
        None => Some(value),
        Some(pointer) => value.pointer(pointer).cloned(),
    };
    match found {
        Some(found @ (Value::Array(_) | Value::Object(_))) => Ok(listed(found)),
        Some(_) => Err("Attempting to map over non-iterable node.".to_owned()),
        None => Err(format!(
            "The ItemsPointer '{}' finds nothing",
            pointer.unwrap_or_default()
        )),
    }
}

/// A value on each line; empty lines are passed over.
pub(super) fn lines(text: &str) -> Result<Vec<Item>, String> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(n, line)| {
            let value = serde_json::from_str(line)
                .map_err(|error| format!("Line {} is not JSON: {error}", n + 1))?;
            Ok(Item { value, key: None })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn values(items: Result<Vec<Item>, String>) -> Vec<Value> {
        items.unwrap().into_iter().map(|item| item.value).collect()
    }

    #[test]
    fn arrays_objects_and_nested_arrays() {
        assert_eq!(values(items("[1, {}]", None)), [json!(1), json!({})]);
        assert_eq!(
            values(items(r#"{"a": {"b": [2]}}"#, Some("/a/b"))),
            [json!(2)]
        );
        let members = items(r#"{"k": 1}"#, None).unwrap();
        assert_eq!(members[0].key.as_deref(), Some("k"));
        for (text, pointer) in [("1", None), ("{", None), ("{}", Some("/a")), ("[[", None)] {
            assert!(items(text, pointer).is_err(), "{text}");
        }
    }

    #[test]
    fn one_value_a_line() {
        assert_eq!(
            values(lines("1\n\n{\"a\":2}\r\n")),
            [json!(1), json!({ "a": 2 })]
        );
        assert_eq!(
            lines("1\nx").unwrap_err().split(':').next(),
            Some("Line 2 is not JSON")
        );
    }
}
