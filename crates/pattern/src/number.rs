//! Numbers as EventBridge compares them.
//!
//! A number takes part in comparisons when a 64-bit float holds it exactly, in the sense that the shortest decimal that
//! names the float is the number written. Any other number (seventeen digits and more, or out of range) equals only
//! the same text.

/// The number `text` names, when a 64-bit float holds it exactly.
pub(crate) fn comparable(text: &str) -> Option<f64> {
    nearest(text).filter(|value| is_exact(text, *value))
}

/// The finite float nearest to the number `text` names.
pub(crate) fn nearest(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Whether the shortest decimal that names `value`, the float nearest to `text`, is the number that `text` names.
pub(crate) fn is_exact(text: &str, value: f64) -> bool {
    // Of decimals of up to 15 digits no two have the same nearest float (unless it is tiny, which takes an exponent).
    let is_plain = |byte: u8| byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    if text.len() <= 15 && text.bytes().all(is_plain) {
        return true;
    }
    match decimal(text) {
        Some(named) => decimal(&format!("{value:e}")) == Some(named),
        None => false,
    }
}

/// Sign, significant digits without zeros at either end, and the power of ten of the last of them.
fn decimal(text: &str) -> Option<(bool, String, i64)> {
    let (negative, text) = text
        .strip_prefix('-')
        .map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Some((false, String::new(), 0));
    }
    let dropped = digits.len() - digits.trim_end_matches('0').len();
    let shift = i64::try_from(dropped).ok()? - i64::try_from(fraction.len()).ok()?;
    Some((
        negative,
        significant.to_owned(),
        exponent.parse::<i64>().ok()?.checked_add(shift)?,
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_short_way_agrees_with_the_definition(text in "-?(0|[1-9][0-9]{0,9})(\\.[0-9]{1,9})?") {
            let value = nearest(&text).unwrap();
            let slow = decimal(&text) == decimal(&format!("{value:e}"));
            prop_assert_eq!(is_exact(&text, value), slow, "{}", text);
        }
    }

    #[test]
    fn forms_of_one_number_are_equal() {
        for text in [
            "300", "300.0", "3e2", "3E+2", "0.03e4", "30000e-2", "300.000",
        ] {
            assert_eq!(comparable(text), Some(300.0), "{text}");
        }
        assert_eq!(comparable("-0.0"), comparable("0"));
    }

    #[test]
    fn what_a_float_does_not_hold_is_not_comparable() {
        for text in [
            "2.0e422",
            "-1e400",
            "1E-325",
            "37.80780792169409123",
            "9007199254740993",
            "1e99999999999999999999",
        ] {
            assert_eq!(comparable(text), None, "{text}");
        }
        for text in [
            "1E-320",
            "123456789012",
            "27.807807921694092",
            "1.7976931348623157e308",
            "0.1",
        ] {
            assert!(comparable(text).is_some(), "{text}");
        }
    }
}
