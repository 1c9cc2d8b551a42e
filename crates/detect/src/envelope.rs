//! A record as EventBridge would deliver it.

use quell_normalize::{Reading, Top};
use serde_json::Value;

/// The record in its envelope. One that came in a file has none, so it gets the one that CloudTrail's integration gives: a
/// pattern then matches on either path.
pub(crate) fn enveloped(record: &Reading<'_>, envelope: Option<&Value>) -> String {
    let envelope = envelope.cloned();
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
    text.push_str(record.body().raw());
    text.push('}');
    text
}

fn made_envelope(record: &Reading<'_>) -> Value {
    let text = |top: Top| {
        record
            .top(top)
            .and_then(|part| part.string())
            .unwrap_or_default()
    };
    let service = text(Top::EventSource);
    let service = service.strip_suffix(".amazonaws.com").unwrap_or(&service);
    let detail_type = match text(Top::EventType).as_ref() {
        "AwsConsoleSignIn" => "AWS Console Sign In via CloudTrail",
        _ => "AWS API Call via CloudTrail",
    };
    serde_json::json!({
        "version": "0", "id": text(Top::EventId), "detail-type": detail_type, "source": format!("aws.{service}"),
        "account": text(Top::RecipientAccountId), "time": text(Top::EventTime), "region": text(Top::AwsRegion), "resources": [],
    })
}

/// What a pattern over the envelope asks of the record inside; `None` when that is nothing.
pub(crate) fn inside(pattern: &str) -> Option<Value> {
    let mut pattern: Value = serde_json::from_str(pattern).ok()?;
    let detail = pattern.get_mut("detail").map(Value::take)?;
    detail.is_object().then_some(detail)
}
