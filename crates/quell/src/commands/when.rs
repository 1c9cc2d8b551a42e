//! Moments and lengths of time on the command line.

use quell_model::Timestamp;

/// A moment: `2026-12-24T18:00:00Z`, or so long from now: `90d`, `12h`, `30m`.
pub(super) fn moment(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let no =
        || format!("«{text}» is no moment: write 2026-12-24T18:00:00Z, or 30d, 12h, 45m from now");
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let mut letters = text.chars();
    let unit = match letters.next_back() {
        Some('d') => 24 * 3_600_000,
        Some('h') => 3_600_000,
        Some('m') => 60_000,
        _ => return Err(no()),
    };
    let count = letters.as_str();
    let digits = !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit());
    let count: i64 = count.parse().ok().filter(|_| digits).ok_or_else(no)?;
    let millis = count.checked_mul(unit).ok_or_else(no)?;
    Ok(now.plus_millis(millis))
}

/// A moment in the past: `2026-12-24T18:00:00Z`, or so long before now: `90d`, `12h`, `30m`.
pub(super) fn past(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let ahead = moment(text, now).map_err(|_| {
        format!("«{text}» is no moment: write 2026-12-24T18:00:00Z, or 30d, 12h, 45m before now")
    })?;
    Ok(now.plus_millis(ahead.millis_since(now).saturating_neg()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_out_or_counted_from_now() {
        let now = Timestamp::from_millis(1000);
        for (text, millis) in [
            ("1970-01-02T00:00:00Z", 86_400_000),
            ("2d", 2 * 86_400_000 + 1000),
            ("3h", 3 * 3_600_000 + 1000),
            ("0m", 1000),
        ] {
            assert_eq!(moment(text, now).unwrap().millis(), millis, "{text}");
        }
        for bad in [
            "",
            "d",
            "-1d",
            "+1d",
            "1w",
            "1.5h",
            "99999999999999999999d",
            "9223372036854775807d",
        ] {
            assert!(moment(bad, now).is_err(), "{bad}");
        }
    }
}
