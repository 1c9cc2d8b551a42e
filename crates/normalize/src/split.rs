//! A delivery taken apart into records.

use std::borrow::Cow;
use std::collections::BTreeMap;

use quell_model::RecordId;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::DELIVERY_BYTES_MAX;
use crate::gunzip::{gunzip, is_gzip};
use crate::lines::split_log;

/// A record as it was sent, with its id and the envelope it came in.
#[derive(Debug, Clone)]
pub struct RawRecord {
    /// From CloudTrail's `eventID` and account, else from the bytes.
    pub id: RecordId,
    /// EventBridge's envelope without `detail`.
    pub envelope: Option<Value>,
    /// The record, byte for byte.
    pub body: Box<RawValue>,
}

/// What a delivery held.
#[derive(Debug, Default)]
pub struct Split {
    /// The records, in order.
    pub records: Vec<RawRecord>,
    /// What was not a record: place and reason. The rest goes on.
    pub faults: Vec<String>,
}

/// A fault's text never quotes more of what was sent.
const QUOTE_CHARS_MAX: usize = 120;

/// Takes a delivery apart. It may be an EventBridge event, a CloudTrail file (`{"Records": […]}`), one record, an
/// array of records, JSON Lines of any of these, a log of lines (flow logs, also in Parquet; DNS queries; web requests; what a
/// subscription of CloudWatch Logs sends of these), or gzip of any of these.
pub fn split(bytes: &[u8]) -> Split {
    let mut out = Split::default();
    if is_gzip(bytes) {
        match gunzip(bytes, DELIVERY_BYTES_MAX) {
            Ok(plain) => split_text(&plain, &mut out),
            Err(error) => out.faults.push(error.to_string()),
        }
    } else {
        split_text(bytes, &mut out);
    }
    out
}

fn split_text(bytes: &[u8], out: &mut Split) {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        out.faults.push(
            "it is empty: a record, an EventBridge event or a file of Records is wanted".to_owned(),
        );
        return;
    }
    if begins_as_file(bytes)
        && let Ok(File { records }) = serde_json::from_slice(bytes)
    {
        return push_items(records, "Records", out);
    }
    if split_log(bytes, out) {
        return;
    }
    match serde_json::from_slice::<&RawValue>(bytes) {
        Ok(whole) => split_value(whole, "the delivery", out),
        Err(whole_error) => split_lines(bytes, &whole_error, out),
    }
}

/// A CloudTrail file as CloudTrail writes it, read in one go: the way that nearly all records come.
#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow, rename = "Records")]
    records: Vec<&'a RawValue>,
}

fn begins_as_file(bytes: &[u8]) -> bool {
    let inside = bytes.trim_ascii_start().strip_prefix(b"{");
    inside.is_some_and(|inside| inside.trim_ascii_start().starts_with(b"\"Records\""))
}

/// JSON Lines, when some line alone is an object; otherwise the fault is that of the whole.
fn split_lines(bytes: &[u8], whole_error: &serde_json::Error, out: &mut Split) {
    let mut lines = bytes
        .split(|b| *b == b'\n')
        .enumerate()
        .filter(|(_, l)| !l.trim_ascii().is_empty());
    let is_object = |line: &[u8]| {
        line.trim_ascii().starts_with(b"{") && serde_json::from_slice::<&RawValue>(line).is_ok()
    };
    let has_lines = lines.clone().any(|(_, line)| is_object(line));
    if !has_lines {
        let from =
            String::from_utf8_lossy(bytes.get(..QUOTE_CHARS_MAX).unwrap_or(bytes)).into_owned();
        out.faults.push(format!(
            "it is not JSON: {whole_error}; it begins «{}»",
            from.escape_debug()
        ));
        return;
    }
    for (number, line) in lines.by_ref() {
        let place = format!("line {}", number + 1);
        match serde_json::from_slice::<&RawValue>(line) {
            Ok(value) => split_value(value, &place, out),
            Err(error) => out.faults.push(format!("{place} is not JSON: {error}")),
        }
    }
}

/// The fields that tell one form from another.
#[derive(Deserialize)]
struct Form<'a> {
    #[serde(borrow, rename = "Records")]
    records: Option<&'a RawValue>,
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
    #[serde(rename = "detail-type")]
    detail_type: Option<Value>,
    #[serde(rename = "eventName")]
    event_name: Option<Value>,
}

fn split_value(value: &RawValue, place: &str, out: &mut Split) {
    let text = value.get();
    if text.starts_with('[') {
        return split_array(value, place, out);
    }
    match serde_json::from_str::<Form>(text) {
        Ok(Form { records: Some(records), .. }) => split_array(records, "Records", out),
        Ok(Form { detail: Some(detail), detail_type: Some(_), .. }) => push_enveloped(value, detail, place, out),
        Ok(Form { event_name: Some(_), .. }) => push(value, None, place, out),
        Ok(_) => out.faults.push(format!(
            "{place} is neither an EventBridge event (detail-type, detail), nor a file of Records, nor a CloudTrail record (eventName)"
        )),
        Err(error) => out.faults.push(format!("{place} is not an object: {error}")),
    }
}

fn split_array(array: &RawValue, place: &str, out: &mut Split) {
    match serde_json::from_str::<Vec<&RawValue>>(array.get()) {
        Ok(items) => push_items(items, place, out),
        Err(error) => out
            .faults
            .push(format!("{place} is not an array of records: {error}")),
    }
}

fn push_items(items: Vec<&RawValue>, place: &str, out: &mut Split) {
    for (index, item) in items.into_iter().enumerate() {
        let place = || format!("{place}[{index}]");
        // Arrays of arrays are nobody's format: refusing them bounds the recursion.
        if item.get().starts_with('[') {
            out.faults
                .push(format!("{} is an array, not a record", place()));
        } else {
            push_item(item, &place, out);
        }
    }
}

/// The fields that tell a record from an event around one, and name it: read together.
#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
    #[serde(rename = "detail-type")]
    detail_type: Option<IgnoredAny>,
    #[serde(rename = "eventName")]
    event_name: Option<IgnoredAny>,
    #[serde(borrow, rename = "eventID")]
    event_id: Option<&'a RawValue>,
    #[serde(borrow, rename = "recipientAccountId")]
    account: Option<&'a RawValue>,
}

fn push_item(item: &RawValue, place: &dyn Fn() -> String, out: &mut Split) {
    match serde_json::from_str::<Item>(item.get()) {
        Ok(Item {
            detail: Some(detail),
            detail_type: Some(_),
            ..
        }) => push_enveloped(item, detail, &place(), out),
        Ok(Item {
            event_name: Some(_),
            event_id,
            account,
            ..
        }) => match (text(event_id), text(account)) {
            (Ok(event_id), Ok(account)) => push_named(item, None, Names { event_id, account }, out),
            (Err(error), _) | (_, Err(error)) => out
                .faults
                .push(format!("{} is not a record: {error}", place())),
        },
        Ok(_) => out.faults.push(format!(
            "{} has no eventName: it is not a CloudTrail record",
            place()
        )),
        Err(error) => out
            .faults
            .push(format!("{} is not an object: {error}", place())),
    }
}

fn text(value: Option<&RawValue>) -> serde_json::Result<Option<String>> {
    value.map_or(Ok(None), |value| serde_json::from_str(value.get()))
}

fn push_enveloped(event: &RawValue, detail: &RawValue, place: &str, out: &mut Split) {
    // The detail is kept as bytes, apart; what is in it (a number too big for a float, say) cannot fail the rest.
    let parsed =
        serde_json::from_str::<BTreeMap<Cow<str>, &RawValue>>(event.get()).and_then(|fields| {
            let rest = fields.into_iter().filter(|(name, _)| name != "detail");
            rest.map(|(name, value)| Ok((name.into_owned(), serde_json::from_str(value.get())?)))
                .collect()
        });
    match parsed {
        Ok(envelope) => push(detail, Some(Value::Object(envelope)), place, out),
        Err(error) => out.faults.push(format!("{place} is not an event: {error}")),
    }
}

#[derive(Deserialize)]
struct Names {
    #[serde(rename = "eventID")]
    event_id: Option<String>,
    #[serde(rename = "recipientAccountId")]
    account: Option<String>,
}

fn push(body: &RawValue, envelope: Option<Value>, place: &str, out: &mut Split) {
    match serde_json::from_str::<Names>(body.get()) {
        Ok(names) => push_named(body, envelope, names, out),
        Err(error) => out.faults.push(format!("{place} is not a record: {error}")),
    }
}

fn push_named(body: &RawValue, envelope: Option<Value>, names: Names, out: &mut Split) {
    let id = match (names.event_id, names.account) {
        (Some(event), Some(account)) if !event.is_empty() => RecordId::of_name(&account, &event),
        _ => RecordId::of_bytes(body.get().as_bytes()),
    };
    out.records.push(RawRecord {
        id,
        envelope,
        body: body.to_owned(),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str =
        r#"{"eventID":"e-1","recipientAccountId":"111122223333","eventName":"X","big":1.0e400}"#;

    fn ids(text: &str) -> Vec<String> {
        let split = split(text.as_bytes());
        assert!(split.faults.is_empty(), "{:?}", split.faults);
        split.records.iter().map(|r| r.id.to_string()).collect()
    }

    #[test]
    fn every_form_gives_the_same_record() {
        let one = ids(RECORD);
        let event = format!(
            r#"{{"version":"0","id":"x","detail-type":"t","source":"s","detail":{RECORD}}}"#
        );
        assert_eq!(one.len(), 1);
        for form in [
            format!(r#"{{"Records":[{RECORD}]}}"#),
            format!("[{RECORD}]"),
            format!("\u{feff}{RECORD}\n"),
            event.clone(),
            format!("[{event}]"),
        ] {
            assert_eq!(ids(&form), one, "{form}");
        }
        assert_eq!(
            ids(&format!("{RECORD}\r\n\n{event}\n")),
            [one[0].clone(), one[0].clone()]
        );
    }

    #[test]
    fn the_body_is_kept_to_the_byte_and_the_envelope_apart() {
        let odd = r#"{ "eventName":"X",  "n":1.00, "eventName2":"\u00e9" }"#;
        let event = format!(r#"{{"id":"x","detail-type":"t","source":"aws.ec2","detail":{odd}}}"#);
        let split = split(event.as_bytes());
        assert_eq!(split.records[0].body.get(), odd);
        let envelope = split.records[0].envelope.as_ref().unwrap();
        assert_eq!(envelope["source"], "aws.ec2");
        assert!(envelope.get("detail").is_none());
    }

    #[test]
    fn one_bad_record_does_not_stop_the_others() {
        let split = split(format!("{{\"Records\":[{RECORD},5,[1],{{}},{RECORD}]}}").as_bytes());
        assert_eq!(split.records.len(), 2);
        assert_eq!(split.faults.len(), 3);
        assert!(
            split.faults[0].starts_with("Records[1]"),
            "{}",
            split.faults[0]
        );
    }

    #[test]
    fn a_bad_line_spoils_only_itself_wherever_it_stands() {
        for place in 0..3 {
            let mut lines = vec![RECORD, RECORD];
            lines.insert(place, "{\"broken\": oops}");
            let split = split(lines.join("\n").as_bytes());
            assert_eq!(split.records.len(), 2);
            assert!(
                split.faults[0].starts_with(&format!("line {} ", place + 1)),
                "{:?}",
                split.faults
            );
        }
    }

    #[test]
    fn rubbish_is_named_not_feared() {
        let deep = "[".repeat(1 << 20);
        let nested = format!("{}{}", "{\"Records\":".repeat(5000), "1");
        for text in [
            "",
            "  ",
            "nonsense",
            "{",
            "[1",
            "null",
            "\u{0}",
            "{\"detail\":1}",
            &deep,
            &nested,
        ] {
            let split = split(text.as_bytes());
            assert!(split.records.is_empty());
            assert_eq!(split.faults.len(), 1, "{:?}", split.faults);
            assert!(split.faults[0].len() < 400);
        }
        assert_eq!(split(b"\x1f\x8bnot gzip").faults.len(), 1);
        assert_eq!(split(&[0xff, 0xfe, b'{', b'}']).faults.len(), 1);
    }
}
