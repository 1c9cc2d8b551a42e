//! What is read where it stands is what is read by taking the delivery apart, and by serde.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test says what is wrong by failing"
)]

use proptest::prelude::*;
use quell_model::{Origin, Record, RecordId, Timestamp};
use quell_normalize::{FileReader, Piece, event, event_ref, split};
use serde_json::value::RawValue;

/// A value that a field may have, mostly not the one that it should.
fn value() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "null", "true", "false", "5", "1e400", "\"\"", "\"x\"", "\"a\\u00e9\\\"\"", "\"\\ud800\"", "[]", "[\"x\"]", "{}",
        "\"123456789012\"", "\"2026-11-21T10:00:00Z\"", "\"us-east-1\"", "{\"arn\":\"a\",\"type\":\"Root\"}",
        "{\"type\":\"AssumedRole\",\"principalId\":\"A:s\",\"sessionContext\":{\"sessionIssuer\":{\"arn\":\"r\",\"x\":1}}}",
        "{\"type\":5}", "{\"arn\":\"a\",\"arn\":\"b\"}", "{\"\\u0061rn\":\"a\"}", "{\"sessionContext\":{\"sessionIssuer\":[]}}",
        "{\"sessionContext\":{\"sessionIssuer\":{\"arn\":null}}}", "{\"sessionContext\":null,\"userName\":\"u\"}",
    ])
    .prop_map(str::to_owned)
}

fn field() -> impl Strategy<Value = String> {
    let names = vec![
        "eventID",
        "eventName",
        "eventSource",
        "eventTime",
        "awsRegion",
        "recipientAccountId",
        "errorCode",
        "userAgent",
        "sourceIPAddress",
        "readOnly",
        "userIdentity",
        "detail",
        "detail-type",
        "x.y",
        "event\\u004eame",
        "other",
    ];
    (prop::sample::select(names), value()).prop_map(|(name, value)| format!("\"{name}\": {value}"))
}

/// A record that is in order, with some fields more, before or behind.
fn record() -> impl Strategy<Value = String> {
    const GOOD: [&str; 6] = [
        r#""eventID":"e""#,
        r#""eventName":"N""#,
        r#""eventSource":"s.amazonaws.com""#,
        r#""eventTime":"2026-11-21T10:00:00Z""#,
        r#""awsRegion":"us-east-1""#,
        r#""recipientAccountId":"123456789012""#,
    ];
    let kept = prop::collection::vec(prop::bool::weighted(0.97), GOOD.len());
    // In half of them, one field has another value.
    let other = prop::option::of((0..GOOD.len(), value()));
    let more = prop::collection::vec(field(), 0..2);
    (kept, other, more, any::<bool>(), value()).prop_map(|(kept, other, more, before, identity)| {
        let mut all: Vec<String> = GOOD.iter().map(|field| (*field).to_owned()).collect();
        if let Some((at, value)) = other {
            let (name, _) = all[at].split_once(':').unwrap();
            all[at] = format!("{name}:{value}");
        }
        let mut kept = kept.into_iter();
        all.retain(|_| kept.next().unwrap());
        all.push(format!("\"userIdentity\":{identity}"));
        let place = if before { 0 } else { all.len() };
        all.splice(place..place, more);
        format!("{{{}}}", all.join(","))
    })
}

fn of(raw: &quell_normalize::RawRecord) -> Record {
    Record {
        id: raw.id.clone(),
        origin: Origin::File { path: "t".into() },
        received_at: Timestamp::EPOCH,
        envelope: raw.envelope.clone(),
        body: raw.body.clone(),
    }
}

/// Whether the file was read in place.
fn holds(text: &str) -> Result<bool, TestCaseError> {
    let split = split(text.as_bytes());
    let mut reader = FileReader::default();
    let Some(pieces) = reader.read(text.as_bytes()) else {
        return Ok(false);
    };
    prop_assert!(split.faults.is_empty(), "{:?}", split.faults);
    let pieces: Vec<Piece<'_>> = pieces.collect();
    prop_assert_eq!(pieces.len(), split.records.len());
    for (piece, raw) in pieces.iter().zip(&split.records) {
        prop_assert_eq!(piece.name.id(), raw.id.clone());
        prop_assert_eq!(piece.reading.body().raw(), raw.body.get());
        prop_assert!(raw.envelope.is_none());
        let here = event_ref(&piece.reading).map(|e| e.owned(raw.id.clone(), Timestamp::EPOCH));
        let there = event(&of(raw));
        prop_assert_eq!(
            here.map_err(|e| e.to_string()),
            there.map_err(|e| e.to_string())
        );
    }
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 3_000, ..ProptestConfig::default() })]
    #[test]
    fn a_file_read_in_place_has_the_records_that_it_has_taken_apart(
        records in prop::collection::vec(record(), 0..4), key in prop::sample::select(vec!["Records", "Records", "records", "\\u0052ecords"]),
        more in prop::option::of(field()), cut in prop::option::weighted(0.1, 1..40usize),
    ) {
        let more = more.map(|more| format!(",{more}")).unwrap_or_default();
        let mut text = format!("{{\"{key}\":[{}]{more}}}", records.join(","));
        if let Some(cut) = cut {
            text.truncate(text.len().saturating_sub(cut));
        }
        holds(&text)?;
    }

    /// A key with escapes is for serde to read, and the whole record with it.
    #[test]
    fn what_a_record_says_is_what_serde_says(text in record()) {
        let said = |text: String| {
            let body = RawValue::from_string(text).unwrap();
            let id = RecordId::of_bytes(b"");
            let origin = Origin::File { path: "t".into() };
            let record = Record { id, origin, received_at: Timestamp::EPOCH, envelope: None, body };
            event(&record).map_err(|e| e.to_string())
        };
        let rest = text.strip_suffix('}').unwrap();
        let comma = if rest == "{" { "" } else { "," };
        prop_assert_eq!(said(text.clone()), said(format!("{rest}{comma}\"\\u007a\":0}}")));
    }
}

#[test]
fn files_as_cloudtrail_writes_them_are_read_in_place() {
    let good = r#"{"Records":[{"eventID":"e","eventName":"N","recipientAccountId":"123456789012"},{"eventName":"M"}]}"#;
    for text in [good, &format!("\u{feff} {good}\n"), "{\"Records\":[]}"] {
        assert!(holds(text).unwrap(), "{text}");
    }
    for text in [
        "",
        "[]",
        "{}",
        "5",
        "{\"Records\":5}",
        "{\"Records\":[5]}",
        "{\"Records\":[{}]}",
        "\u{1}",
    ] {
        assert!(!holds(text).unwrap(), "{text}");
    }
}
