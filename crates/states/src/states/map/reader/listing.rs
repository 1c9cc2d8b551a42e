//! Items that are the objects of a bucket, as `ListObjectsV2` lists them.

use crate::clock::parse_timestamp;
use crate::states::map::s3::text;
use serde_json::{Map, Value};
use std::collections::VecDeque;

/// The objects of one page, with the names that Step Functions gives their fields.
pub(super) fn items(page: &Value) -> Vec<Value> {
    let contents = page.get("Contents").and_then(Value::as_array);
    contents.into_iter().flatten().map(item).collect()
}

fn item(object: &Value) -> Value {
    let fields = object.as_object().into_iter().flatten();
    let fields = fields.map(|(name, value)| match (name.as_str(), value) {
        ("ETag", value) => ("Etag".to_owned(), value.clone()),
        ("LastModified", Value::String(text)) => {
            let seconds = parse_timestamp(text).map(|millis| millis.div_euclid(1000));
            (name.clone(), seconds.map_or(value.clone(), Value::from))
        }
        _ => (name.clone(), value.clone()),
    });
    Value::Object(fields.collect::<Map<_, _>>())
}

/// The token of the next page.
pub(super) fn next(page: &Value) -> Option<&str> {
    text(page, "NextContinuationToken")
}

/// Where the listed objects are; folders, which have no content, are left out.
pub(super) fn keys(bucket: &str, items: &[Value]) -> VecDeque<(String, String)> {
    let keys = items.iter().filter_map(|item| text(item, "Key"));
    keys.filter(|key| !key.ends_with('/'))
        .map(|key| (bucket.to_owned(), key.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_have_the_names_of_step_functions() {
        let page = json!({ "Contents": [
            { "ETag": "\"e\"", "Key": "a/b", "LastModified": "2022-12-02T13:58:09Z", "Size": 1 },
            { "Key": "a/" },
        ], "NextContinuationToken": "t" });
        let listed = items(&page);
        assert_eq!(
            listed[0],
            json!({ "Etag": "\"e\"", "Key": "a/b", "LastModified": 1_669_989_489, "Size": 1 })
        );
        assert_eq!(next(&page), Some("t"));
        assert_eq!(keys("b", &listed), [("b".to_owned(), "a/b".to_owned())]);
        assert!(items(&json!({})).is_empty() && next(&json!({})).is_none());
    }
}
