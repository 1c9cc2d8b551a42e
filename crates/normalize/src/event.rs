//! A CloudTrail record understood.

use quell_model::{Actor, Event, Record, Timestamp, TimestampError};
use serde::Deserialize;
use std::borrow::Cow;

/// The record is not one that can be understood. It is kept, with this reason.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// A field has another form than CloudTrail's.
    #[error("the record is not CloudTrail's: {0}")]
    Form(#[from] serde_json::Error),
    /// A field that every CloudTrail record has is missing.
    #[error("the record has no «{field}»")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// The time is not one.
    #[error("the record's eventTime: {0}")]
    Time(#[from] TimestampError),
    /// The Region is no name that could stand in a host name.
    #[error("the record's awsRegion «{0}» is not a Region's name")]
    Region(String),
    /// The account is not twelve digits.
    #[error("the record's recipientAccountId «{0}» is not twelve digits")]
    Account(String),
}

/// The fields of a CloudTrail record that Quell asks for (CloudTrail record contents, event version 1.11).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CloudTrail<'a> {
    #[serde(borrow)]
    event_time: Option<Cow<'a, str>>,
    event_source: Option<Cow<'a, str>>,
    event_name: Option<Cow<'a, str>>,
    aws_region: Option<Cow<'a, str>>,
    recipient_account_id: Option<Cow<'a, str>>,
    error_code: Option<Cow<'a, str>>,
    #[serde(rename = "sourceIPAddress")]
    source_ip: Option<Cow<'a, str>>,
    user_agent: Option<Cow<'a, str>>,
    read_only: Option<bool>,
    user_identity: Option<UserIdentity>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct UserIdentity {
    #[serde(rename = "type")]
    kind: Option<String>,
    arn: Option<String>,
    principal_id: Option<String>,
    access_key_id: Option<String>,
    account_id: Option<String>,
    user_name: Option<String>,
    invoked_by: Option<String>,
    session_context: Option<SessionContext>,
}

impl UserIdentity {
    fn actor(self) -> Actor {
        let session = |id: &String| id.split_once(':').map(|(_, name)| name.to_owned());
        let name = match self.kind.as_deref() {
            // The session's name stands behind the role's id; userName is the role's.
            Some("AssumedRole" | "FederatedUser") => self.principal_id.as_ref().and_then(session),
            _ => self.user_name,
        };
        let issuer = self.session_context.and_then(|c| c.session_issuer);
        Actor {
            kind: self.kind.unwrap_or_default(),
            arn: self.arn,
            principal_id: self.principal_id,
            access_key_id: self.access_key_id,
            issuer_arn: issuer.and_then(|i| i.arn),
            account: self.account_id,
            name,
            invoked_by: self.invoked_by,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SessionContext {
    session_issuer: Option<SessionIssuer>,
}

#[derive(Deserialize)]
struct SessionIssuer {
    arn: Option<String>,
}

/// What a user agent may take up: the sender writes it.
const TEXT_CHARS_MAX: usize = 1024;

/// Understands a CloudTrail record.
///
/// # Errors
/// [`EventError`] names the field.
pub fn event(record: &Record) -> Result<Event, EventError> {
    let trail: CloudTrail = serde_json::from_str(record.body.get())?;
    let identity = trail.user_identity.unwrap_or_default();
    let account = trail
        .recipient_account_id
        .map(Cow::into_owned)
        .or(identity.account_id.clone());
    let account = account.ok_or(EventError::Missing {
        field: "recipientAccountId",
    })?;
    if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
        return Err(EventError::Account(account.chars().take(40).collect()));
    }
    let region = need(trail.aws_region, "awsRegion")?;
    if region.len() > 40
        || !region
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    {
        return Err(EventError::Region(region.chars().take(40).collect()));
    }
    let time: Timestamp = need(trail.event_time, "eventTime")?.parse()?;
    Ok(Event {
        record: record.id.clone(),
        time,
        received_at: record.received_at,
        account,
        region,
        source: need(trail.event_source, "eventSource")?,
        name: need(trail.event_name, "eventName")?,
        error_code: trail.error_code.map(bounded),
        read_only: trail.read_only.unwrap_or(false),
        actor: identity.actor(),
        source_ip: trail.source_ip.map(bounded),
        user_agent: trail.user_agent.map(bounded),
    })
}

/// Whether a record speaks for AWS: it came without an envelope (from a trail's file), or in one whose source is
/// `aws.…`, which EventBridge, and Quell's own door, let nobody else use. Others may look like CloudTrail and are not.
pub fn is_from_aws(record: &Record) -> bool {
    let source = record
        .envelope
        .as_ref()
        .map(|e| e.get("source").and_then(serde_json::Value::as_str));
    source.is_none_or(|source| source.is_some_and(|s| s.starts_with("aws.")))
}

fn need(value: Option<Cow<'_, str>>, field: &'static str) -> Result<String, EventError> {
    value
        .filter(|v| !v.is_empty())
        .map(bounded)
        .ok_or(EventError::Missing { field })
}

fn bounded(text: Cow<'_, str>) -> String {
    if text.len() <= TEXT_CHARS_MAX {
        text.into_owned()
    } else {
        text.chars().take(TEXT_CHARS_MAX).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quell_model::{Origin, RecordId};
    use serde_json::value::RawValue;

    fn record(body: &str) -> Record {
        Record {
            id: RecordId::of_bytes(body.as_bytes()),
            origin: Origin::File { path: "t".into() },
            received_at: Timestamp::from_millis(1),
            envelope: None,
            body: RawValue::from_string(body.to_owned()).unwrap(),
        }
    }

    const GOOD: &str = r#"{"eventTime":"2026-11-21T10:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"N",
      "awsRegion":"us-east-1","recipientAccountId":"111122223333","readOnly":false,
      "userIdentity":{"type":"AssumedRole","arn":"a","sessionContext":{"sessionIssuer":{"arn":"role"}}}}"#;

    #[test]
    fn the_fields_are_taken() {
        let event = event(&record(GOOD)).unwrap();
        assert_eq!(
            (event.name.as_str(), event.account.as_str()),
            ("N", "111122223333")
        );
        assert_eq!(event.actor.issuer_arn.as_deref(), Some("role"));
        assert!(!event.read_only);
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (from, to, says) in [
            ("eventName", "eventNam", "eventName"),
            ("\"111122223333\"", "\"1/../2\"", "twelve digits"),
            ("2026-11-21T10:00:00Z", "soon", "eventTime"),
            ("\"us-east-1\"", "\"evil.example/\"", "awsRegion"),
            ("\"us-east-1\"", "5", "not CloudTrail's"),
        ] {
            let error = event(&record(&GOOD.replace(from, to)))
                .unwrap_err()
                .to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn only_aws_speaks_for_aws() {
        let mut record = record(GOOD);
        assert!(is_from_aws(&record));
        for (source, is) in [("aws.ec2", true), ("custom.app", false), ("awsx", false)] {
            record.envelope = Some(serde_json::json!({"source": source}));
            assert_eq!(is_from_aws(&record), is, "{source}");
        }
        record.envelope = Some(serde_json::json!({}));
        assert!(!is_from_aws(&record));
    }
}
