//! Numbers as EventBridge compares them.
//!
//! A number takes part in comparisons when a 64-bit float holds it exactly, in the sense that the shortest decimal that
//! names the float is the number written. Any other number (seventeen digits and more, or out of range) equals only
//! the same text.

use std::fmt::{self, Write};

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
    let shortest = || {
        let mut shortest = Short::default();
        write!(shortest, "{value:e}").ok()?;
        decimal(shortest.text()?)
    };
    // No shortest decimal has more than seventeen digits.
    let few = |(_, digits, _): &(bool, u64, i64)| *digits < 10_u64.pow(17);
    let named = decimal(text).filter(few);
    named.is_some() && named == shortest()
}

/// What a look at a number says of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Glance {
    /// It is not comparable.
    Inexact,
    /// The float nearest to it is one of those between these two.
    Between(f64, f64),
    /// Nothing: it has an exponent, or very many digits.
    Nothing,
}

/// Looks at the number `text` names, at a fraction of the cost of reading it.
pub(crate) fn glance(text: &str) -> Glance {
    /// What a float holds exactly.
    const POWERS: [f64; 23] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ];
    /// More than the rounding of the digits, of the quotient, and of the number itself come to together.
    const ERROR: f64 = 1.0 / (1_u64 << 50) as f64;
    let negative = text.starts_with('-');
    let (mut digits, mut count, mut fraction) = (0_u64, 0, None);
    for byte in text.bytes().skip(usize::from(negative)) {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            digits = digits.wrapping_mul(10).wrapping_add(u64::from(digit));
            count += 1;
        } else if byte == b'.' {
            fraction = Some(count);
        } else {
            return Glance::Nothing;
        }
    }
    // A `u64` holds any nineteen.
    let Some(power) = POWERS
        .get(fraction.map_or(0, |whole| count - whole))
        .filter(|_| count < 20)
    else {
        return Glance::Nothing;
    };
    // No shortest decimal has more than seventeen digits.
    if digits >= 10_u64.pow(17) && !digits.is_multiple_of(10) {
        return Glance::Inexact;
    }
    let value = digits as f64 / power;
    let (low, high) = (value - value * ERROR, value + value * ERROR);
    if negative {
        Glance::Between(-high, -low)
    } else {
        Glance::Between(low, high)
    }
}

/// Sign, significant digits without zeros at either end, and the power of ten of the last of them. `None` for more
/// digits than a `u64` holds.
fn decimal(text: &str) -> Option<(bool, u64, i64)> {
    let (negative, text) = text
        .strip_prefix('-')
        .map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (mut digits, mut zeros) = (0_u64, 0_u32);
    for byte in whole.bytes().chain(fraction.bytes()) {
        if byte == b'0' {
            zeros += 1;
            continue;
        }
        if digits > 0 {
            digits = digits.checked_mul(10_u64.checked_pow(zeros + 1)?)?;
        }
        digits = digits.checked_add(u64::from(byte.wrapping_sub(b'0')))?;
        zeros = 0;
    }
    if digits == 0 {
        return Some((false, 0, 0));
    }
    let shift = i64::from(zeros) - i64::try_from(fraction.len()).ok()?;
    let exponent: i64 = exponent.parse().ok()?;
    Some((negative, digits, exponent.checked_add(shift)?))
}

/// Room for the text of any float: a sign, seventeen digits, a point, and an exponent of three digits with its sign.
#[derive(Default)]
struct Short {
    bytes: [u8; 24],
    len: usize,
}

impl Short {
    fn text(&self) -> Option<&str> {
        std::str::from_utf8(self.bytes.get(..self.len)?).ok()
    }
}

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        let room = self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Written once more with digits, as the definition has it.
    fn slow(text: &str, value: f64) -> bool {
        let parts = |text: &str| {
            let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
            let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
            let digits = format!("{whole}{fraction}");
            let power = exponent.parse::<i64>().unwrap() - i64::try_from(fraction.len()).unwrap();
            let zeros = digits.len() - digits.trim_end_matches('0').len();
            let significant = digits.trim_matches(['-', '0']).to_owned();
            let power = if significant.is_empty() {
                0
            } else {
                power + i64::try_from(zeros).unwrap()
            };
            (significant, power)
        };
        parts(text) == parts(&format!("{value:e}"))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]
        #[test]
        fn agrees_with_the_definition(text in "-?(0|[1-9][0-9]{0,18})(\\.[0-9]{1,19})?(e-?[0-9]{1,3})?") {
            if let Some(value) = nearest(&text) {
                prop_assert_eq!(is_exact(&text, value), slow(&text, value), "{}", text);
            }
        }

        #[test]
        fn a_glance_says_nothing_wrong(text in "-?(0|[1-9][0-9]{0,18})(\\.[0-9]{1,19})?(e-?[0-9]{1,3})?") {
            match glance(&text) {
                Glance::Inexact => prop_assert_eq!(comparable(&text), None, "{}", text),
                Glance::Between(low, high) => {
                    let value = nearest(&text).unwrap();
                    prop_assert!(low <= value && value <= high, "{}", text);
                    prop_assert!(high - low <= value.abs() * 1e-14, "{}", text);
                }
                Glance::Nothing => prop_assert!(text.contains('e') || text.len() > 19, "{}", text),
            }
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
