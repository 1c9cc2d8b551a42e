//! `PutEvents` on EventBridge's own wire (AWS JSON 1.1), so that any AWS client can send events.
//!
//! An entry whose source begins with `aws.` is refused as EventBridge refuses it, unless the key is that of the
//! forwarder: nobody else may speak for AWS. Even then an event is only a hint; live state decides.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State as Extract;
use axum::http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use quell_model::{Origin, Record, RecordId, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::keys::Action;
use crate::problem::Problem;
use crate::{Caller, Services};

/// As EventBridge has it.
const ENTRIES_MAX: usize = 10;
const TARGET: &str = "AWSEvents.PutEvents";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutEvents {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    source: Option<String>,
    detail_type: Option<String>,
    detail: Option<String>,
    #[serde(default)]
    resources: Vec<String>,
    time: Option<Value>,
}

pub(super) async fn put_events(
    Extract(services): Extract<Services>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match answer(&services, &caller, &headers, &body).await {
        Ok(value) => (
            StatusCode::OK,
            [(CONTENT_TYPE, "application/x-amz-json-1.1")],
            value.to_string(),
        )
            .into_response(),
        Err(problem) => problem.into_aws(),
    }
}

async fn answer(
    services: &Services,
    caller: &Caller,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Value, Problem> {
    let invalid = |text: String| Problem::new(StatusCode::BAD_REQUEST, "invalid", text);
    caller.may(Action::Send)?;
    let target = headers
        .get("x-amz-target")
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    if target != TARGET {
        return Err(invalid(format!(
            "X-Amz-Target «{target}» is not known here: {TARGET} is"
        )));
    }
    let request: PutEvents =
        serde_json::from_slice(body).map_err(|e| invalid(format!("the body: {e}")))?;
    if request.entries.is_empty() || request.entries.len() > ENTRIES_MAX {
        return Err(invalid(format!(
            "Entries holds 1 to {ENTRIES_MAX} entries, not {}",
            request.entries.len()
        )));
    }
    let now = services.clock.now();
    let mut records = Vec::new();
    let mut results = Vec::new();
    for entry in request.entries {
        match record(entry, caller, now) {
            Ok(record) => {
                results.push(json!({"EventId": record.id}));
                records.push(record);
            }
            Err((code, message)) => {
                results.push(json!({"ErrorCode": code, "ErrorMessage": message}))
            }
        }
    }
    let failed = results
        .iter()
        .filter(|r| r.get("ErrorCode").is_some())
        .count();
    // Durable before it is answered.
    services.desk.accept(records).await?;
    Ok(json!({"FailedEntryCount": failed, "Entries": results}))
}

type Refused = (&'static str, String);

fn record(entry: Entry, caller: &Caller, now: Timestamp) -> Result<Record, Refused> {
    let missing = |name: &str| {
        (
            "InvalidArgument",
            format!("Parameter {name} is not valid. Reason: {name} is a required argument."),
        )
    };
    let source = entry
        .source
        .filter(|s| !s.is_empty())
        .ok_or_else(|| missing("Source"))?;
    let detail_type = entry
        .detail_type
        .filter(|s| !s.is_empty())
        .ok_or_else(|| missing("DetailType"))?;
    let detail = entry
        .detail
        .filter(|s| !s.is_empty())
        .ok_or_else(|| missing("Detail"))?;
    if source.starts_with("aws.") && !caller.role.allows(Action::SendForAws) {
        let text = format!(
            "Not authorized for the source «{source}»: only a forwarder's key may send events of AWS."
        );
        return Err(("NotAuthorizedForSourceException", text));
    }
    let malformed = |e: serde_json::Error| ("MalformedDetail", format!("Detail is malformed: {e}"));
    let body = RawValue::from_string(detail).map_err(malformed)?;
    let fields: Value = serde_json::from_str(body.get()).map_err(malformed)?;
    if !fields.is_object() {
        return Err((
            "MalformedDetail",
            "Detail is malformed: it is not a JSON object".to_owned(),
        ));
    }
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    // Only the forwarder's word counts for which record of CloudTrail this is. Whoever else names one must not be able
    // to take its place before the real one comes.
    let id = match (text("recipientAccountId"), text("eventID")) {
        (Some(account), Some(event)) if caller.role.allows(Action::SendForAws) => {
            RecordId::of_name(account, event)
        }
        _ => RecordId::of_bytes(format!("{}\n{source}\n{}", caller.key, body.get()).as_bytes()),
    };
    let envelope = json!({
        "version": "0", "id": id, "source": source, "detail-type": detail_type,
        "account": text("recipientAccountId").unwrap_or_default(), "region": text("awsRegion").unwrap_or_default(),
        "time": entry.time.unwrap_or_else(|| json!(now)), "resources": entry.resources,
    });
    Ok(Record {
        id,
        origin: Origin::Http {
            key: caller.key.clone(),
        },
        received_at: now,
        envelope: Some(envelope),
        body,
    })
}
