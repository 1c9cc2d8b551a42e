//! Looking into what a product sent: every field may be missing, of another type, or written by an attacker.

use quell_model::Timestamp;
use serde_json::Value;

use super::FindingError;

/// A name that a product gives is never longer.
pub(super) const NAME_CHARS_MAX: usize = 256;
/// Of a list in a finding no more are of use.
pub(super) const LIST_MAX: usize = 50;
/// A fault quotes no more of what was sent.
const QUOTE_CHARS_MAX: usize = 60;

/// The text at a pointer, when there is one and it is not empty.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    let found = value.pointer(pointer)?.as_str()?;
    (!found.is_empty()).then_some(found)
}

/// The text of a field that has to be there.
pub(super) fn need<'a>(value: &'a Value, field: &'static str) -> Result<&'a str, FindingError> {
    text(value, field).ok_or(FindingError::Missing { field })
}

/// The items of an array, or none.
pub(super) fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    let found = value.pointer(pointer).and_then(Value::as_array);
    found.map_or(&[], Vec::as_slice)
}

/// The names in an array of texts.
pub(super) fn names(value: &Value, pointer: &str) -> Vec<String> {
    let texts = items(value, pointer).iter().filter_map(Value::as_str);
    texts.take(LIST_MAX).map(name).collect()
}

/// Whether there is a true, or a text that says so.
pub(super) fn is_true(value: &Value, pointer: &str) -> bool {
    match value.pointer(pointer) {
        Some(Value::Bool(truth)) => *truth,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

/// A text on one line and no longer than `chars`: what others wrote is shown to people, and never believed.
pub(super) fn plain(text: &str, chars: usize) -> String {
    let one_line = |c: char| if c.is_control() { ' ' } else { c };
    text.trim().chars().take(chars).map(one_line).collect()
}

/// A name on one line.
pub(super) fn name(text: &str) -> String {
    plain(text, NAME_CHARS_MAX)
}

/// A field that is there and is wrong.
pub(super) fn wrong(field: &'static str, value: &str, wanted: &'static str) -> FindingError {
    FindingError::Value {
        field,
        text: plain(value, QUOTE_CHARS_MAX),
        wanted,
    }
}

/// The moment that a field says, in any of the ways in which AWS's products say it.
pub(super) fn moment(
    value: &Value,
    field: &'static str,
) -> Result<Option<Timestamp>, FindingError> {
    let wanted = "a time such as 2026-11-21T10:00:00Z";
    let found = match value.pointer(field) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.is_empty() => return Ok(None),
        Some(Value::String(text)) => of_text(text),
        Some(Value::Number(number)) => number.as_f64().and_then(of_number),
        Some(_) => None,
    };
    match found {
        Some(time) => Ok(Some(time)),
        None => Err(wrong(
            field,
            &value
                .pointer(field)
                .map(Value::to_string)
                .unwrap_or_default(),
            wanted,
        )),
    }
}

/// The moment that a field has to say.
pub(super) fn need_moment(value: &Value, field: &'static str) -> Result<Timestamp, FindingError> {
    moment(value, field)?.ok_or(FindingError::Missing { field })
}

/// RFC 3339; `Nov 21, 2026, 10:00:00 PM` as Inspector writes it to EventBridge; `Sat, 21 Nov 2026 22:00:00 GMT` as Health
/// does.
fn of_text(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let words: Vec<&str> = text
        .split([' ', ',', '\u{202f}'])
        .filter(|w| !w.is_empty())
        .collect();
    let (day, month, year, clock) = match words.as_slice() {
        [month, day, year, clock, half] => {
            let (hour, rest) = clock.split_once(':')?;
            let hour: u8 = hour.parse().ok().filter(|h| (1..=12).contains(h))?;
            let hour = match *half {
                "AM" => hour % 12,
                "PM" => hour % 12 + 12,
                _ => return None,
            };
            (*day, *month, *year, format!("{hour:02}:{rest}"))
        }
        [_, day, month, year, clock, "GMT" | "UTC"] => (*day, *month, *year, (*clock).to_owned()),
        _ => return None,
    };
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let day: u8 = day.parse().ok()?;
    format!("{year}-{month:02}-{day:02}T{clock}Z").parse().ok()
}

/// Seconds since 1970, as AWS's JSON APIs answer; milliseconds, as OCSF has it, are a thousand times as many.
fn of_number(number: f64) -> Option<Timestamp> {
    const MILLIS_FROM: f64 = 1e11;
    if !(0.0..2.5e14).contains(&number) {
        return None;
    }
    let millis = if number >= MILLIS_FROM {
        number
    } else {
        number * 1000.0
    };
    #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
    let millis = millis.round() as i64;
    Some(Timestamp::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_time_is_read_however_a_product_writes_it() {
        for text in [
            json!("2026-11-21T22:46:15Z"),
            json!("2026-11-21T22:46:15.000000000Z"),
            json!("Nov 21, 2026, 10:46:15 PM"),
            json!("Sat, 21 Nov 2026 22:46:15 GMT"),
            json!(1_795_301_175),
            json!(1_795_301_175_000_i64),
            json!(1_795_301_175.0),
        ] {
            let value = json!({"t": text});
            let found = moment(&value, "/t").unwrap().unwrap();
            assert_eq!(found.to_string(), "2026-11-21T22:46:15.000Z", "{text}");
        }
        let midnight = json!({"t": "Jan 1, 2026, 12:00:00 AM"});
        let found = moment(&midnight, "/t").unwrap().unwrap();
        assert_eq!(found.to_string(), "2026-01-01T00:00:00.000Z");
        assert!(moment(&json!({"t": null}), "/t").unwrap().is_none());
        for text in [
            json!("soon"),
            json!("Nov 41, 2026, 10:46:15 PM"),
            json!(-1),
            json!([]),
            json!("Nov 21, 2026, 13:00:00 PM"),
        ] {
            assert!(moment(&json!({"t": text}), "/t").is_err(), "{text}");
        }
    }
}
