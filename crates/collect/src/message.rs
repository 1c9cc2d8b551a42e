//! What an SQS message may be: an EventBridge event, or S3's word that a file is there.

use serde::Deserialize;
use serde_json::Value;

/// A message understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// Records are in the message itself.
    Records,
    /// Files to fetch: bucket and key.
    Objects(Vec<(String, String)>),
    /// S3's `s3:TestEvent`, sent when a notification is set up: nothing to do.
    Test,
}

#[derive(Deserialize)]
struct Notification {
    #[serde(rename = "Records", default)]
    records: Vec<NotificationRecord>,
    #[serde(rename = "Event")]
    event: Option<String>,
}

#[derive(Deserialize)]
struct NotificationRecord {
    s3: Option<S3>,
}

#[derive(Deserialize)]
struct S3 {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
}

/// A notification never names more files than this.
const OBJECTS_MAX: usize = 1000;

/// Tells the forms apart. Whatever is not S3's notification is left to the record splitter.
pub(crate) fn understand(body: &str) -> Message {
    let Ok(notification) = serde_json::from_str::<Notification>(body) else {
        return Message::Records;
    };
    if notification.event.as_deref() == Some("s3:TestEvent") {
        return Message::Test;
    }
    let objects: Vec<(String, String)> = notification
        .records
        .into_iter()
        .take(OBJECTS_MAX)
        .filter_map(|r| r.s3)
        .map(|s3| (s3.bucket.name, form_decode(&s3.object.key)))
        .collect();
    if objects.is_empty() {
        Message::Records
    } else {
        Message::Objects(objects)
    }
}

/// S3 writes keys into notifications form-encoded: `+` is a space, `%2B` a plus.
fn form_decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|h| std::str::from_utf8(h).ok());
        match (first, hex.and_then(|h| u8::from_str_radix(h, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            (b'+', _) => {
                out.push(b' ');
                rest = tail;
            }
            (other, _) => {
                out.push(*other);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The body of an SNS notification that an SQS message may be wrapped in.
pub(crate) fn unwrap_sns(body: &str) -> Option<String> {
    let value: Value = serde_json::from_str(body).ok()?;
    let is_sns = value.get("Type").and_then(Value::as_str) == Some("Notification")
        && value.get("TopicArn").is_some();
    value
        .get("Message")
        .and_then(Value::as_str)
        .filter(|_| is_sns)
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_apart() {
        let s3 = r#"{"Records":[{"eventSource":"aws:s3","s3":{"bucket":{"name":"b"},"object":{"key":"a+b%2Bc%3D/%C3%A9.gz"}}}]}"#;
        assert_eq!(
            understand(s3),
            Message::Objects(vec![("b".into(), "a b+c=/é.gz".into())])
        );
        assert_eq!(
            understand(r#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#),
            Message::Test
        );
        for records in [
            r#"{"detail-type":"t","detail":{}}"#,
            r#"{"Records":[{"eventName":"X"}]}"#,
            "rubbish",
            "",
        ] {
            assert_eq!(understand(records), Message::Records, "{records}");
        }
        let sns = r#"{"Type":"Notification","TopicArn":"t","Message":"{\"a\":1}"}"#;
        assert_eq!(unwrap_sns(sns).as_deref(), Some("{\"a\":1}"));
        assert_eq!(unwrap_sns("{}"), None);
    }
}
