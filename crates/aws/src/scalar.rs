//! Times, texts and codes as they are on the wire.

use serde_json::{Number, Value};
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};
use time::macros::format_description;

/// How a time is written on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeFormat {
    Iso8601,
    UnixTimestamp,
    Rfc822,
}

impl TimeFormat {
    /// The format a model names, or `otherwise`.
    pub(crate) fn named(name: Option<&str>, otherwise: Self) -> Self {
        match name {
            Some("iso8601") => Self::Iso8601,
            Some("unixTimestamp") => Self::UnixTimestamp,
            Some("rfc822") => Self::Rfc822,
            _ => otherwise,
        }
    }
}

/// A time in any form that AWS or a caller may write: seconds, RFC 3339, RFC 822.
pub(crate) fn parse_time(value: &Value) -> Option<OffsetDateTime> {
    match value {
        Value::Number(n) => from_seconds(&n.to_string()),
        Value::String(text) => parse_time_text(text),
        _ => None,
    }
}

/// A time in any form that AWS writes as text.
pub(crate) fn parse_time_text(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim();
    if let Some(time) = from_seconds(text) {
        return Some(time);
    }
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        return Some(time);
    }
    let bare = text.as_bytes();
    match (bare.len(), bare.get(10)) {
        (10, None) => OffsetDateTime::parse(&format!("{text}T00:00:00Z"), &Rfc3339).ok(),
        (19.., Some(b'T')) => OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339).ok(),
        _ => parse_rfc822(text),
    }
}

/// RFC 822 with a four-digit year, as HTTP has it; some services add a fraction of a second.
fn parse_rfc822(text: &str) -> Option<OffsetDateTime> {
    let Some((head, tail)) = text.split_once('.') else {
        return OffsetDateTime::parse(text, &Rfc2822).ok();
    };
    let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
    let (fraction, zone) = tail.split_at_checked(digits)?;
    let whole = OffsetDateTime::parse(&format!("{head}{zone}"), &Rfc2822).ok()?;
    whole.replace_nanosecond(nanoseconds(fraction)?).ok()
}

/// Seconds since 1970 as text, by decimal digits so that nothing is rounded.
pub(crate) fn from_seconds(text: &str) -> Option<OffsetDateTime> {
    if text.contains(['e', 'E']) {
        let seconds: f64 = text.parse().ok()?;
        return from_seconds(&format!("{seconds:.9}")).filter(|_| seconds.is_finite());
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nanos = i128::from(nanoseconds(fraction)?);
    let seconds = i128::from(whole.parse::<i64>().ok()?);
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    OffsetDateTime::from_unix_timestamp_nanos(seconds * 1_000_000_000 + sign * nanos).ok()
}

fn nanoseconds(fraction: &str) -> Option<u32> {
    let nine: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let all_digits = nine.bytes().all(|b| b.is_ascii_digit());
    all_digits.then(|| nine.parse().ok()).flatten()
}

/// A time as a JSON value in the given format: a number for seconds, otherwise text.
pub(crate) fn time_to_json(time: OffsetDateTime, format: TimeFormat) -> Value {
    let time = time.to_offset(time::UtcOffset::UTC);
    match format {
        TimeFormat::Iso8601 if time.microsecond() > 0 => {
            let with_micros = format_description!(
                "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z"
            );
            time.format(with_micros).unwrap_or_default().into()
        }
        TimeFormat::Iso8601 => {
            let whole = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
            time.format(whole).unwrap_or_default().into()
        }
        TimeFormat::Rfc822 => {
            let http = format_description!(
                "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
            );
            time.format(http).unwrap_or_default().into()
        }
        TimeFormat::UnixTimestamp if time.microsecond() > 0 => {
            let micros = time.unix_timestamp_nanos() / 1_000;
            #[expect(
                clippy::cast_precision_loss,
                reason = "microseconds of our era fit a double's 53 bits"
            )]
            let seconds = micros as f64 / 1_000_000.0;
            Number::from_f64(seconds).map_or(Value::Null, Value::Number)
        }
        TimeFormat::UnixTimestamp => time.unix_timestamp().into(),
    }
}

/// A time as text in the given format.
pub(crate) fn time_to_text(time: OffsetDateTime, format: TimeFormat) -> String {
    match time_to_json(time, format) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Adds a time as answers give it: RFC 3339 in UTC, with as many digits of a second as it needs (0, 3, 6 or 9).
pub(crate) fn push_time(out: &mut String, time: OffsetDateTime) {
    let time = time.to_offset(time::UtcOffset::UTC);
    let (date, clock) = (time.date(), time.time());
    if date.year() < 0 {
        out.push('-');
    }
    push_digits(out, date.year().unsigned_abs(), 4);
    for (before, number) in [
        ('-', u8::from(date.month())),
        ('-', date.day()),
        ('T', clock.hour()),
        (':', clock.minute()),
        (':', clock.second()),
    ] {
        out.push(before);
        push_digits(out, number.into(), 2);
    }
    let nanos = clock.nanosecond();
    let (fraction, digits) = match nanos {
        0 => (0, 0),
        n if n % 1_000_000 == 0 => (n / 1_000_000, 3),
        n if n % 1_000 == 0 => (n / 1_000, 6),
        n => (n, 9),
    };
    if digits > 0 {
        out.push('.');
        push_digits(out, fraction, digits);
    }
    out.push('Z');
}

fn push_digits(out: &mut String, number: u32, digits: u32) {
    for place in (0..digits).rev() {
        let digit = number / 10_u32.pow(place) % 10;
        out.push(char::from_digit(digit, 10).unwrap_or('0'));
    }
}

/// A time as answers give it.
pub(crate) fn time_to_answer(time: OffsetDateTime) -> Value {
    let mut text = String::with_capacity(30);
    push_time(&mut text, time);
    text.into()
}

/// A scalar parameter as text, for forms, paths, queries and headers.
pub(crate) fn to_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// A number as text, those three among them that JSON has no number for.
pub(crate) fn text_to_double(text: &str) -> Option<f64> {
    match text.trim() {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        text => text.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}

/// An integer of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Integer {
    Signed(i64),
    /// One that is too large to be signed.
    Unsigned(u64),
}

/// An integer as text.
pub(crate) fn parse_integer(text: &str) -> Option<Integer> {
    let text = text.trim();
    let signed = text.parse().ok().map(Integer::Signed);
    signed.or_else(|| text.parse().ok().map(Integer::Unsigned))
}

/// RFC 3986: everything but letters, digits and `-._~` as `%XX`; `also` names further bytes to leave alone.
pub(crate) fn percent_encode(text: &str, also: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || also.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(digit), 16).unwrap_or('0');
                encoded.push(digit.to_ascii_uppercase());
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_way_to_write_a_time_is_read() {
        for given in [
            json!(1398796238),
            json!("1398796238"),
            json!(1.398796238e9),
            json!("2014-04-29T18:30:38Z"),
            json!("2014-04-29T20:30:38+02:00"),
            json!("2014-04-29T18:30:38"),
            json!("Tue, 29 Apr 2014 18:30:38 GMT"),
        ] {
            let time = parse_time(&given).unwrap_or_else(|| panic!("{given}"));
            assert_eq!(
                time_to_answer(time),
                json!("2014-04-29T18:30:38Z"),
                "{given}"
            );
        }
        for given in [
            json!("soon"),
            json!(true),
            json!(""),
            json!("1e400"),
            json!(1e300),
        ] {
            assert!(parse_time(&given).is_none(), "{given}");
        }
    }

    #[test]
    fn fractions_of_a_second_are_kept() {
        let time = parse_time(&json!(1422172800.123)).unwrap();
        assert_eq!(time_to_answer(time), json!("2015-01-25T08:00:00.123Z"));
        assert_eq!(
            time_to_json(time, TimeFormat::UnixTimestamp),
            json!(1422172800.123)
        );
        let http = parse_time_text("Sun, 02 Jan 2000 20:34:56.456 GMT").unwrap();
        assert_eq!(time_to_answer(http), json!("2000-01-02T20:34:56.456Z"));
        assert_eq!(
            time_to_text(http, TimeFormat::Rfc822),
            "Sun, 02 Jan 2000 20:34:56 GMT"
        );
    }

    #[test]
    fn percent_encoding_leaves_the_unreserved() {
        assert_eq!(percent_encode("a b/ü~", b""), "a%20b%2F%C3%BC~");
        assert_eq!(percent_encode("a/b", b"/"), "a/b");
    }
}
