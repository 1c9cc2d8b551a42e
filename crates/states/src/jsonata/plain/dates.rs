//! Moments as text, in the forms that most documents write them in. Others are the evaluator's.

use super::GivenUp;
use crate::clock::timestamp_text;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// 9999-12-31: later years have more digits.
const MILLIS_MAX: f64 = 253_402_214_400_000.0;

/// `$fromMillis(millis)`
pub(super) fn text(millis: f64) -> Result<String, GivenUp> {
    whole(millis).map(timestamp_text)
}

/// `$fromMillis(millis, picture)`
pub(super) fn text_by(millis: f64, picture: &str) -> Result<String, GivenUp> {
    let millis = whole(millis)?;
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
        .map_err(|_| GivenUp)?;
    let mut text = String::new();
    let mut rest = picture;
    while let Some((before, component)) = rest.split_once('[') {
        let (component, after) = component.split_once(']').ok_or(GivenUp)?;
        push_literal(before, &mut text)?;
        text += &written(component, moment)?;
        rest = after;
    }
    push_literal(rest, &mut text)?;
    Ok(text)
}

/// One component of a picture.
fn written(component: &str, moment: OffsetDateTime) -> Result<String, GivenUp> {
    let (month, day) = (moment.month().to_string(), moment.weekday().to_string());
    let short = |name: &str| name.chars().take(3).collect();
    Ok(match component {
        "Y" => moment.year().to_string(),
        "Y0001" => format!("{:04}", moment.year()),
        "M" | "M1" => u8::from(moment.month()).to_string(),
        "M01" => format!("{:02}", u8::from(moment.month())),
        "MNn" => month,
        "MNn,3-3" => short(&month),
        "D" | "D1" => moment.day().to_string(),
        "D01" => format!("{:02}", moment.day()),
        "D1o" => ordinal(moment.day()),
        "d" => moment.ordinal().to_string(),
        "FNn" => day,
        "FNn,3-3" => short(&day),
        "F" => day.to_lowercase(),
        "H01" => format!("{:02}", moment.hour()),
        "h" => (1 + (moment.hour() + 11) % 12).to_string(),
        "P" => if moment.hour() < 12 { "am" } else { "pm" }.to_owned(),
        "m" | "m01" => format!("{:02}", moment.minute()),
        "s" | "s01" => format!("{:02}", moment.second()),
        "f001" => format!("{:03}", moment.millisecond()),
        "Z" | "Z01:01" => "+00:00".to_owned(),
        "Z01:01t" => "Z".to_owned(),
        _ => return Err(GivenUp),
    })
}

fn ordinal(day: u8) -> String {
    let ending = match (day / 10, day % 10) {
        (1, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{day}{ending}")
}

/// Text between components; a bracket there is doubled.
fn push_literal(literal: &str, text: &mut String) -> Result<(), GivenUp> {
    if literal.contains(']') {
        return Err(GivenUp);
    }
    text.push_str(literal);
    Ok(())
}

fn whole(millis: f64) -> Result<i64, GivenUp> {
    match (0.0..MILLIS_MAX).contains(&millis) && millis.fract() == 0.0 {
        true => Ok(millis as i64),
        false => Err(GivenUp),
    }
}

/// `$toMillis(text)` of a whole timestamp in UTC: `2026-01-31T12:00:00Z`, with three digits of a second or none; and of a day alone.
pub(super) fn millis(text: &str) -> Result<f64, GivenUp> {
    let fits = |form: &str| {
        text.len() == form.len()
            && text
                .bytes()
                .zip(form.bytes())
                .all(|(byte, form)| match form {
                    b'0' => byte.is_ascii_digit(),
                    form => byte == form,
                })
    };
    let known = fits("0000-00-00T00:00:00Z") || fits("0000-00-00T00:00:00.000Z");
    // A leap second is none of the evaluator's.
    let midnight = fits("0000-00-00").then(|| format!("{text}T00:00:00Z"));
    if !(known || midnight.is_some()) || text.contains(":60") {
        return Err(GivenUp);
    }
    let text = midnight.as_deref().unwrap_or(text);
    let moment = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| GivenUp)?;
    Ok((moment.unix_timestamp_nanos() / 1_000_000) as f64)
}
