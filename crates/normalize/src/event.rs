//! A CloudTrail record understood.

use std::borrow::Cow;

use quell_model::{Actor, Event, Record, RecordId, Timestamp, TimestampError};
use serde::Deserialize;
use serde_json::Value;

use crate::outline::{Inner, Kind, Outline, Part};
use crate::reading::{Reading, Top};

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
    /// It has more values than an [`Outline`].
    #[error("the record has more than four million values")]
    Large,
    /// The envelope comes from another account than the record speaks of. AWS writes both, so one of them is not AWS's.
    #[error("the envelope comes from account «{envelope}», and the record speaks of {record}")]
    Elsewhere {
        /// The account of the envelope.
        envelope: String,
        /// The account of the record.
        record: String,
    },
    /// The account is not twelve digits.
    #[error("the record's recipientAccountId «{0}» is not twelve digits")]
    Account(String),
}

/// The fields of a CloudTrail record that Quell asks for (CloudTrail record contents, event version 1.11).
#[derive(Default, Deserialize)]
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
    user_identity: Option<UserIdentity<'a>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserIdentity<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    arn: Option<Cow<'a, str>>,
    principal_id: Option<Cow<'a, str>>,
    access_key_id: Option<Cow<'a, str>>,
    account_id: Option<Cow<'a, str>>,
    user_name: Option<Cow<'a, str>>,
    invoked_by: Option<Cow<'a, str>>,
    session_context: Option<SessionContext<'a>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SessionContext<'a> {
    #[serde(borrow)]
    session_issuer: Option<SessionIssuer<'a>>,
}

#[derive(Clone, Debug, Deserialize)]
struct SessionIssuer<'a> {
    #[serde(borrow)]
    arn: Option<Cow<'a, str>>,
}

impl<'a> CloudTrail<'a> {
    /// The fields of a record that is written as CloudTrail writes it; `None` where a field has another form, a key stands
    /// there twice or has escapes: serde then says what is wrong, if anything is.
    fn plain(record: &Reading<'a>) -> Option<Self> {
        if !record.is_plain() {
            return None;
        }
        let text = |top: Top| text(record.top(top));
        Some(Self {
            event_time: text(Top::EventTime)?,
            event_source: text(Top::EventSource)?,
            event_name: text(Top::EventName)?,
            aws_region: text(Top::AwsRegion)?,
            recipient_account_id: text(Top::RecipientAccountId)?,
            error_code: text(Top::ErrorCode)?,
            source_ip: text(Top::SourceIpAddress)?,
            user_agent: text(Top::UserAgent)?,
            read_only: match record.top(Top::ReadOnly).map(|part| part.kind()) {
                None | Some(Kind::Null) => None,
                Some(Kind::True) => Some(true),
                Some(Kind::False) => Some(false),
                Some(_) => return None,
            },
            user_identity: match present(record.top(Top::UserIdentity)) {
                Some(identity) => Some(UserIdentity::plain(identity)?),
                None => None,
            },
        })
    }
}

/// A text or nothing; `None` when it is neither.
#[inline]
fn text(part: Option<Part<'_>>) -> Option<Option<Cow<'_, str>>> {
    match present(part) {
        Some(part) => part.string().map(Some),
        None => Some(None),
    }
}

#[inline]
fn present(part: Option<Part<'_>>) -> Option<Part<'_>> {
    part.filter(|part| part.kind() != Kind::Null)
}

impl<'a> UserIdentity<'a> {
    fn plain(part: Part<'a>) -> Option<Self> {
        let mut out = Self::default();
        let mut seen = 0_u16;
        for member in members(part)? {
            let (place, field) = match member.raw_key().as_bytes() {
                b"type" => (0, &mut out.kind),
                b"arn" => (1, &mut out.arn),
                b"principalId" => (2, &mut out.principal_id),
                b"accessKeyId" => (3, &mut out.access_key_id),
                b"accountId" => (4, &mut out.account_id),
                b"userName" => (5, &mut out.user_name),
                b"invokedBy" => (6, &mut out.invoked_by),
                b"sessionContext" => {
                    first(7, &mut seen)?;
                    if let Some(context) = present(Some(member)) {
                        out.session_context = Some(SessionContext::plain(context)?);
                    }
                    continue;
                }
                _ if member.is_key_escaped() => return None,
                _ => continue,
            };
            first(place, &mut seen)?;
            *field = text(Some(member))?;
        }
        Some(out)
    }

    /// The name: of the user, of a role's session, of the person who signed in elsewhere.
    fn name(&self) -> Option<&str> {
        match self.kind.as_deref() {
            // The session's name stands behind the role's id; userName is the role's.
            Some("AssumedRole" | "FederatedUser") => {
                let (_, name) = self.principal_id.as_deref()?.split_once(':')?;
                Some(name)
            }
            _ => self.user_name.as_deref(),
        }
    }

    fn actor(&self) -> Actor {
        let owned = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
        let issuer = self.session_context.as_ref();
        let issuer = issuer.and_then(|context| context.session_issuer.as_ref());
        Actor {
            kind: owned(&self.kind).unwrap_or_default(),
            arn: owned(&self.arn),
            principal_id: owned(&self.principal_id),
            access_key_id: owned(&self.access_key_id),
            issuer_arn: issuer.and_then(|issuer| owned(&issuer.arn)),
            account: owned(&self.account_id),
            name: self.name().map(str::to_owned),
            invoked_by: owned(&self.invoked_by),
        }
    }
}

impl<'a> SessionContext<'a> {
    fn plain(part: Part<'a>) -> Option<Self> {
        let session_issuer = match present(only(part, "sessionIssuer")?) {
            Some(issuer) => Some(SessionIssuer {
                arn: text(only(issuer, "arn")?)?,
            }),
            None => None,
        };
        Some(Self { session_issuer })
    }
}

/// The members of an object; `None` when it is none.
fn members(part: Part<'_>) -> Option<Inner<'_>> {
    (part.kind() == Kind::Object).then(|| part.inner())
}

/// The member of a name; `None` when it is there twice, a key has escapes, or it is no object.
fn only<'t>(part: Part<'t>, name: &str) -> Option<Option<Part<'t>>> {
    let mut found = None;
    for member in members(part)? {
        if member.raw_key() == name {
            match found {
                None => found = Some(member),
                Some(_) => return None,
            }
        } else if member.is_key_escaped() {
            return None;
        }
    }
    Some(found)
}

/// Notes that a name came; `None` when it had.
fn first(place: u16, seen: &mut u16) -> Option<()> {
    let bit = 1 << place;
    let is_first = *seen & bit == 0;
    *seen |= bit;
    is_first.then_some(())
}

/// What a user agent may take up: the sender writes it.
const TEXT_CHARS_MAX: usize = 1024;

/// What a CloudTrail record says, as it says it: what [`Event`] has, borrowed from the record where it can be.
#[derive(Clone, Debug)]
pub struct EventRef<'a> {
    /// When it happened, by the source's clock.
    pub time: Timestamp,
    /// The account it happened in (twelve digits).
    pub account: Cow<'a, str>,
    /// The Region.
    pub region: Cow<'a, str>,
    /// `eventSource` (`ec2.amazonaws.com`).
    pub source: Cow<'a, str>,
    /// `eventName`.
    pub name: Cow<'a, str>,
    error_code: Option<Cow<'a, str>>,
    read_only: bool,
    identity: UserIdentity<'a>,
    source_ip: Option<Cow<'a, str>>,
    user_agent: Option<Cow<'a, str>>,
}

impl EventRef<'_> {
    /// Whether the envelope that it came in, if it came in one, is of its own account: whoever may send to the bus or the queue
    /// must not speak for another.
    ///
    /// # Errors
    /// [`EventError::Elsewhere`].
    pub fn is_of(&self, envelope: Option<&Value>) -> Result<(), EventError> {
        let account = envelope.and_then(|envelope| envelope.get("account"));
        match account.and_then(Value::as_str).filter(|a| !a.is_empty()) {
            Some(account) if account != self.account => Err(EventError::Elsewhere {
                envelope: account.chars().take(40).collect(),
                record: self.account.clone().into_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// The event on its own, for a record of this id that came at `received_at`.
    pub fn owned(&self, record: RecordId, received_at: Timestamp) -> Event {
        let text = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
        Event {
            record,
            time: self.time,
            received_at,
            account: self.account.clone().into_owned(),
            region: self.region.clone().into_owned(),
            source: self.source.clone().into_owned(),
            name: self.name.clone().into_owned(),
            error_code: text(&self.error_code),
            read_only: self.read_only,
            actor: self.identity.actor(),
            source_ip: text(&self.source_ip),
            user_agent: text(&self.user_agent),
        }
    }
}

/// Understands a CloudTrail record.
///
/// # Errors
/// [`EventError`] names the field.
pub fn event(record: &Record) -> Result<Event, EventError> {
    let mut outline = Outline::default();
    let reading = Reading::new(&record.body, &mut outline)?;
    let event = event_ref(&reading)?;
    Ok(event.owned(record.id.clone(), record.received_at))
}

/// Understands a CloudTrail record that was read.
///
/// # Errors
/// [`EventError`] names the field.
pub fn event_ref<'a>(record: &Reading<'a>) -> Result<EventRef<'a>, EventError> {
    understood(match CloudTrail::plain(record) {
        Some(trail) => trail,
        None => serde_json::from_str(record.body().raw())?,
    })
}

fn understood(trail: CloudTrail<'_>) -> Result<EventRef<'_>, EventError> {
    let identity = trail.user_identity.unwrap_or_default();
    let account = trail
        .recipient_account_id
        .or_else(|| identity.account_id.clone());
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
    Ok(EventRef {
        time,
        account,
        region,
        source: need(trail.event_source, "eventSource")?,
        name: need(trail.event_name, "eventName")?,
        error_code: trail.error_code.map(bounded),
        read_only: trail.read_only.unwrap_or(false),
        identity,
        source_ip: trail.source_ip.map(bounded),
        user_agent: trail.user_agent.map(bounded),
    })
}

/// Whether a record speaks for AWS: it came without an envelope (from a trail's file), or in one whose source is
/// `aws.…`, which EventBridge, and Quell's own door, let nobody else use. Others may look like CloudTrail and are not.
pub fn is_from_aws(envelope: Option<&Value>) -> bool {
    let source = envelope.map(|e| e.get("source").and_then(Value::as_str));
    source.is_none_or(|source| source.is_some_and(|s| s.starts_with("aws.")))
}

fn need<'a>(value: Option<Cow<'a, str>>, field: &'static str) -> Result<Cow<'a, str>, EventError> {
    value
        .filter(|v| !v.is_empty())
        .map(bounded)
        .ok_or(EventError::Missing { field })
}

fn bounded(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.len() <= TEXT_CHARS_MAX {
        text
    } else {
        text.chars().take(TEXT_CHARS_MAX).collect::<String>().into()
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
    fn an_account_does_not_speak_for_another() {
        let record = record(GOOD);
        let mut outline = Outline::default();
        let reading = Reading::new(&record.body, &mut outline).unwrap();
        let event = event_ref(&reading).unwrap();
        let of = |envelope: Value| event.is_of(Some(&envelope)).map_err(|no| no.to_string());
        assert!(event.is_of(None).is_ok());
        for own in [
            serde_json::json!({"account": "111122223333"}),
            serde_json::json!({"account": ""}),
            serde_json::json!({}),
        ] {
            assert_eq!(of(own), Ok(()));
        }
        let other = serde_json::json!({"account": "666677778888"});
        assert!(of(other).unwrap_err().contains("666677778888"));
    }

    #[test]
    fn only_aws_speaks_for_aws() {
        assert!(is_from_aws(None));
        for (source, is) in [("aws.ec2", true), ("custom.app", false), ("awsx", false)] {
            let envelope = serde_json::json!({"source": source});
            assert_eq!(is_from_aws(Some(&envelope)), is, "{source}");
        }
        assert!(!is_from_aws(Some(&serde_json::json!({}))));
    }
}
