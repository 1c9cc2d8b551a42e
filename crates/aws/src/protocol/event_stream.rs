//! `application/vnd.amazon.eventstream`: a body of frames, each an event with headers, a payload and two checksums.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::body::Format;
use super::bounds::Cursor;
use super::{ErrorAnswer, Malformed, Unread};
use crate::model::{Kind, View};
use crate::output::{Builder, Dialect, Label};
use crate::scalar::time_to_answer;

/// The limits that AWS's own clients keep.
const HEADERS_BYTES_MAX: usize = 128 * 1024;
const PAYLOAD_BYTES_MAX: usize = 24 * 1024 * 1024;
/// The frame's length, the length of its headers, and the checksum of both: four bytes each.
const PRELUDE_BYTES: usize = 12;
/// The checksum of the whole frame, at its end.
const CHECKSUM_BYTES: usize = 4;

/// The member of an output that is a stream of events, with its index.
pub(super) fn member(output: View<'_>) -> Option<(Label, View<'_>)> {
    let mut members = output.members().zip(0..);
    let found = members.find(|((_, member), _)| member.is_event_stream());
    found.map(|((_, member), index)| (Label(index), member))
}

/// The events of a whole body, as a list.
pub(super) fn read(
    stream: View<'_>,
    label: Label,
    body: &[u8],
    format: Format,
    out: &mut Builder,
) -> Result<(), Unread> {
    events(stream, label, Frames(Cursor(body)), format, out)
}

/// An output whose other members come as the first event: so it is where the operation is not bound to HTTP.
pub(super) fn read_after_initial(
    output: View<'_>,
    (label, stream): (Label, View<'_>),
    body: &[u8],
    format: Format,
    out: &mut Builder,
) -> Result<(), Unread> {
    let mut frames = Frames(Cursor(body));
    let first = frames.next()?;
    let first = first.filter(|frame| frame.text(":event-type") == Some("initial-response"));
    let first = first.ok_or_else(|| Malformed::new("the first event is no initial-response"))?;
    let mut fields = out.structure(Label::NONE, output)?;
    format.members(output, first.payload, out, &mut fields, |_| true)?;
    out.begin(&mut fields, label);
    events(stream, label, frames, format, out)?;
    out.close(fields, Dialect::Json);
    Ok(())
}

fn events(
    stream: View<'_>,
    label: Label,
    mut frames: Frames<'_>,
    format: Format,
    out: &mut Builder,
) -> Result<(), Unread> {
    let list = out.list(label)?;
    while let Some(frame) = frames.next()? {
        if let Some("exception" | "error") = frame.text(":message-type") {
            return Err(Unread::Refused(Box::new(refusal(stream, &frame, format))));
        }
        // An event that the model does not know is one that we need not know.
        let name = frame.text(":event-type").unwrap_or_default();
        if let (Some(index), Some(shape)) = (stream.index_of(name), stream.member(name)) {
            let mut fields = out.structure(Label::NONE, stream)?;
            out.begin(&mut fields, Label(index));
            event(shape, Label(index), &frame, format, out)?;
            out.close(fields, Dialect::Json);
        }
    }
    out.end(list);
    Ok(())
}

fn event(
    shape: View<'_>,
    label: Label,
    frame: &Frame<'_>,
    format: Format,
    out: &mut Builder,
) -> Result<(), Malformed> {
    let mut fields = out.structure(label, shape)?;
    let mut explicit = shape.members().zip(0..);
    let explicit = explicit.find(|((_, member), _)| member.is_event_payload());
    match explicit {
        Some(((_, member), index)) => {
            out.begin(&mut fields, Label(index));
            payload(member, Label(index), frame.payload, format, out)?;
        }
        None if frame.payload.is_empty() => {}
        None => format.members(shape, frame.payload, out, &mut fields, |_| true)?,
    }
    for ((name, _), index) in shape
        .members()
        .zip(0..)
        .filter(|((_, m), _)| m.is_event_header())
    {
        if let Some(value) = frame.headers.get(name) {
            out.begin(&mut fields, Label(index));
            out.json(Label(index), value)?;
        }
    }
    // A header goes before what the payload says of its member.
    out.close(fields, Dialect::Json);
    Ok(())
}

fn payload(
    member: View<'_>,
    label: Label,
    bytes: &[u8],
    format: Format,
    out: &mut Builder,
) -> Result<(), Malformed> {
    match member.kind() {
        Kind::Blob => out.text(label, &BASE64.encode(bytes)),
        Kind::String => {
            let text = std::str::from_utf8(bytes);
            let text = text.map_err(|_| Malformed::new("an event's text is not UTF-8"))?;
            out.text(label, text)
        }
        _ => format.value(member, bytes, out, label),
    }
}

/// The service broke off: with an exception of the model, or with a code and a message in the headers.
fn refusal(stream: View<'_>, frame: &Frame<'_>, format: Format) -> ErrorAnswer {
    let named = frame.text(":exception-type");
    let shape = named.and_then(|name| stream.member(name));
    let detail = shape.and_then(|shape| format.detail(shape, frame.payload));
    let said = detail.as_ref().and_then(|detail| {
        let message = detail.get("message").or_else(|| detail.get("Message"));
        message?.as_str()
    });
    let message = said.or(frame.text(":error-message")).unwrap_or_default();
    let code = named.or(frame.text(":error-code")).unwrap_or_default();
    ErrorAnswer {
        code: code.to_owned(),
        message: message.to_owned(),
        request_id: None,
        shape: shape.map(|shape| shape.shape_name().to_owned()),
        detail: detail.unwrap_or_default(),
    }
}

struct Frame<'a> {
    headers: Map<String, Value>,
    payload: &'a [u8],
}

impl Frame<'_> {
    fn text(&self, header: &str) -> Option<&str> {
        self.headers.get(header)?.as_str()
    }
}

/// The frames that are still to come.
struct Frames<'a>(Cursor<'a>);

impl<'a> Frames<'a> {
    fn next(&mut self) -> Result<Option<Frame<'a>>, Malformed> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let mut ahead = self.0;
        let prelude = ahead.take(PRELUDE_BYTES).ok_or_else(too_early)?;
        let (length, headers_length) = lengths(prelude)?;
        let whole = self.0.take(length).ok_or_else(too_early)?;
        let mut frame = Cursor(checked(whole)?);
        let parts = frame
            .take(PRELUDE_BYTES)
            .and_then(|_| frame.take(headers_length));
        let headers = headers(parts.ok_or_else(too_early)?)?;
        Ok(Some(Frame {
            headers,
            payload: frame.0,
        }))
    }
}

fn too_early() -> Malformed {
    Malformed::new("the event stream ends within an event")
}

/// The lengths of a frame and of its headers, from its prelude.
fn lengths(prelude: &[u8]) -> Result<(usize, usize), Malformed> {
    let mut lengths = Cursor(checked(prelude)?);
    let mut length = || {
        let bytes = lengths.array().map(u32::from_be_bytes)?;
        usize::try_from(bytes).ok()
    };
    let (Some(whole), Some(headers)) = (length(), length()) else {
        return Err(too_early());
    };
    let payload = whole.checked_sub(PRELUDE_BYTES + CHECKSUM_BYTES + headers);
    match payload {
        Some(0..=PAYLOAD_BYTES_MAX) if headers <= HEADERS_BYTES_MAX => Ok((whole, headers)),
        _ => Err(Malformed::new("an event of an impossible length")),
    }
}

/// The bytes before their checksum, which must be right.
fn checked(bytes: &[u8]) -> Result<&[u8], Malformed> {
    let split = bytes.split_last_chunk::<CHECKSUM_BYTES>();
    let (content, checksum) = split.ok_or_else(too_early)?;
    if crc32fast::hash(content) == u32::from_be_bytes(*checksum) {
        Ok(content)
    } else {
        Err(Malformed::new("an event's checksum is wrong"))
    }
}

fn headers(bytes: &[u8]) -> Result<Map<String, Value>, Malformed> {
    let mut rest = Cursor(bytes);
    let mut headers = Map::new();
    while !rest.is_empty() {
        let broken = || Malformed::new("an event's headers are broken");
        let (name, value) = header(&mut rest).ok_or_else(broken)?;
        if headers.insert(name, value).is_some() {
            return Err(Malformed::new("an event has a header twice"));
        }
    }
    Ok(headers)
}

/// A header's name and value, the value in the form of our answers.
fn header(rest: &mut Cursor<'_>) -> Option<(String, Value)> {
    let [length] = rest.array()?;
    let name = text(rest.take(length.into())?)?;
    let [kind] = rest.array()?;
    let value = match kind {
        0 => true.into(),
        1 => false.into(),
        2 => i8::from_be_bytes(rest.array()?).into(),
        3 => i16::from_be_bytes(rest.array()?).into(),
        4 => i32::from_be_bytes(rest.array()?).into(),
        5 => i64::from_be_bytes(rest.array()?).into(),
        6 => BASE64.encode(counted(rest)?).into(),
        7 => text(counted(rest)?)?.into(),
        8 => time(i64::from_be_bytes(rest.array()?))?,
        9 => uuid(rest.array()?).into(),
        _ => return None,
    };
    Some((name, value))
}

/// Bytes after their own length.
fn counted<'a>(rest: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let length = u16::from_be_bytes(rest.array()?);
    rest.take(length.into())
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

fn time(millis: i64) -> Option<Value> {
    let nanos = i128::from(millis) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .ok()
        .map(time_to_answer)
}

fn uuid(bytes: [u8; 16]) -> String {
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    let mut text = String::with_capacity(36);
    for (i, digit) in hex.chars().enumerate() {
        if matches!(i, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Service;
    use serde_json::json;

    fn service() -> Service {
        let model = json!({"shapes": {
            "Out": {"type": "structure", "members": {"Id": {"shape": "Text"}, "Events": {"shape": "Events"}}},
            "Events": {"type": "structure", "eventstream": true, "members": {
                "Told": {"shape": "Told"}, "Raw": {"shape": "Raw"}, "Said": {"shape": "Said"}, "Gone": {"shape": "Gone"}}},
            "Told": {"type": "structure", "event": true, "members": {
                "At": {"shape": "Time", "eventheader": true}, "Text": {"shape": "Text"}}},
            "Raw": {"type": "structure", "event": true, "members": {"Bytes": {"shape": "Blob", "eventpayload": true}}},
            "Said": {"type": "structure", "event": true, "members": {"Text": {"shape": "Text", "eventpayload": true}}},
            "Gone": {"type": "structure", "exception": true, "members": {"message": {"shape": "Text"}}},
            "Text": {"type": "string"}, "Time": {"type": "timestamp"}, "Blob": {"type": "blob"},
        }, "operations": {"Op": {"output": {"shape": "Out"}}}});
        Service::from_json(model.to_string().as_bytes()).unwrap()
    }

    fn frame(headers: &[(&str, &str)], more: &[u8], payload: &[u8]) -> Vec<u8> {
        let mut block = Vec::new();
        for (name, value) in headers {
            block.push(u8::try_from(name.len()).unwrap());
            block.extend(name.as_bytes());
            block.push(7);
            block.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
            block.extend(value.as_bytes());
        }
        block.extend(more);
        let length = u32::try_from(PRELUDE_BYTES + block.len() + payload.len() + CHECKSUM_BYTES);
        let mut frame = length.unwrap().to_be_bytes().to_vec();
        frame.extend(u32::try_from(block.len()).unwrap().to_be_bytes());
        frame.extend(crc32fast::hash(&frame).to_be_bytes());
        frame.extend(block);
        frame.extend(payload);
        frame.extend(crc32fast::hash(&frame).to_be_bytes());
        frame
    }

    fn event(name: &str, payload: &[u8]) -> Vec<u8> {
        frame(
            &[(":message-type", "event"), (":event-type", name)],
            b"",
            payload,
        )
    }

    fn read_all(body: &[u8]) -> Result<Value, Unread> {
        let service = service();
        let output = service.operations["Op"].output.as_ref().unwrap();
        let output = service.view(output);
        let mut out = Format::Json.builder(body);
        let stream = member(output).unwrap();
        read_after_initial(output, stream, body, Format::Json, &mut out)?;
        Ok(out.finish(Some(&service)).to_json())
    }

    #[test]
    fn events_come_after_the_initial_response() {
        let mut body = event("initial-response", br#"{"Id": "i"}"#);
        let at = b"\x02At\x08\0\0\x01\x4b\x20\x1a\xc4\0";
        let headers = [(":message-type", "event"), (":event-type", "Told")];
        body.extend(frame(&headers, at, br#"{"Text": "t"}"#));
        body.extend(event("Raw", &[255, 0]));
        body.extend(event("Said", b"hello"));
        body.extend(event("Unheard", b"of"));
        let events = json!([
            {"Told": {"At": "2015-01-25T08:00:00Z", "Text": "t"}},
            {"Raw": {"Bytes": "/wA="}},
            {"Said": {"Text": "hello"}},
        ]);
        assert_eq!(
            read_all(&body).unwrap(),
            json!({"Id": "i", "Events": events})
        );
        assert!(read_all(&event("Raw", b"")).is_err());
    }

    #[test]
    fn a_stream_can_break_off_with_an_error() {
        let first = event("initial-response", b"{}");
        let gone = [(":message-type", "exception"), (":exception-type", "Gone")];
        let modelled = frame(&gone, b"", br#"{"message": "it went"}"#);
        let coded = [
            (":message-type", "error"),
            (":error-code", "500"),
            (":error-message", "oh"),
        ];
        let other = frame(&coded, b"", b"");
        for (last, code, message) in [(modelled, "Gone", "it went"), (other, "500", "oh")] {
            let Err(Unread::Refused(said)) = read_all(&[first.clone(), last].concat()) else {
                panic!("{code} is no error");
            };
            assert_eq!((said.code.as_str(), said.message.as_str()), (code, message));
        }
    }

    #[test]
    fn no_byte_may_be_wrong_or_missing() {
        let whole = [event("initial-response", b"{}"), event("Said", b"hello")].concat();
        assert!(read_all(&whole).is_ok());
        let first = event("initial-response", b"{}").len();
        for at in 0..whole.len() {
            let mut wrong = whole.clone();
            *wrong.get_mut(at).unwrap() ^= 1;
            assert!(read_all(&wrong).is_err(), "byte {at} changed");
            let cut = read_all(whole.get(..at).unwrap());
            assert_eq!(cut.is_ok(), at == first, "cut at {at}");
        }
    }

    #[test]
    fn headers_have_kinds_and_come_once() {
        let mut kinds =
            b"\x01a\0\x01b\x01\x01c\x02\xff\x01d\x03\xff\xfe\x01e\x04\0\0\0\x07".to_vec();
        kinds.extend(b"\x01f\x05\0\0\0\0\0\0\0\x08\x01g\x06\0\x01\xff\x01i\x09");
        kinds.extend([0x11; 16]);
        let parsed = Value::Object(headers(&kinds).unwrap());
        let expected = json!({"a": true, "b": false, "c": -1, "d": -2, "e": 7, "f": 8, "g": "/w==",
            "i": "11111111-1111-1111-1111-111111111111"});
        assert_eq!(parsed, expected);
        for broken in [
            &b"\x01a\0\x01a\0"[..],
            b"\x01a\x0a",
            b"\x05a",
            b"\x01a\x07\0\x05x",
            b"\x01\xff\0",
        ] {
            assert!(headers(broken).is_err(), "{broken:?}");
        }
    }
}
