//! A record as EventBridge would deliver it.

use quell_model::Record;
use quell_pattern::Pattern;
use serde_json::Value;

/// The record in its envelope. One that came in a file has none, so it gets the one that CloudTrail's integration gives: a
/// pattern then matches on either path.
pub(crate) fn enveloped(record: &Record) -> String {
    let envelope = record.envelope.clone();
    let mut envelope = envelope.unwrap_or_else(|| made_envelope(record));
    let Some(fields) = envelope.as_object_mut() else {
        return String::new();
    };
    fields.remove("detail");
    let mut text = envelope.to_string();
    // Spliced in as text: the record's bytes are not parsed and printed again.
    text.pop();
    if !text.ends_with('{') {
        text.push(',');
    }
    text.push_str("\"detail\":");
    text.push_str(record.body.get());
    text.push('}');
    text
}

fn made_envelope(record: &Record) -> Value {
    let body: Value = serde_json::from_str(record.body.get()).unwrap_or_default();
    let text = |name: &str| {
        body.get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let service = text("eventSource");
    let service = service.strip_suffix(".amazonaws.com").unwrap_or(&service);
    let detail_type = match text("eventType").as_str() {
        "AwsConsoleSignIn" => "AWS Console Sign In via CloudTrail",
        _ => "AWS API Call via CloudTrail",
    };
    serde_json::json!({
        "version": "0", "id": text("eventID"), "detail-type": detail_type, "source": format!("aws.{service}"),
        "account": text("recipientAccountId"), "time": text("eventTime"), "region": text("awsRegion"), "resources": [],
    })
}

/// What a pattern over the envelope asks of the record inside, as a pattern over the record alone; `None` when that is
/// nothing.
pub(crate) fn inside(pattern: &str) -> Option<Pattern> {
    let pattern: Value = serde_json::from_str(pattern).ok()?;
    let detail = pattern.get("detail").filter(|detail| detail.is_object())?;
    Pattern::parse(&detail.to_string()).ok()
}
