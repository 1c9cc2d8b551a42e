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
    if let Some(is_exact) = plain(text).and_then(|plain| plain.is_exact(value)) {
        return is_exact;
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
    /// It is comparable, and the float nearest to it is this.
    Exact(f64),
    /// The float nearest to it is one of those between these two.
    Between(f64, f64),
    /// Nothing: it has an exponent, or very many digits.
    Nothing,
}

/// Looks at the number `text` names, at a fraction of the cost of reading it.
pub(crate) fn glance(text: &str) -> Glance {
    /// More than the rounding of the digits, of the quotient, and of the number itself come to together.
    const ERROR: f64 = 1.0 / (1_u64 << 50) as f64;
    let Some(plain) = plain(text) else {
        return Glance::Nothing;
    };
    // No shortest decimal has more than seventeen digits.
    if plain.digits >= 10_u64.pow(17) && !plain.digits.is_multiple_of(10) {
        return Glance::Inexact;
    }
    let value = plain.digits as f64 / plain.power;
    if plain.digits < FEW {
        return Glance::Exact(if plain.is_negative { -value } else { value });
    }
    let (low, high) = (value - value * ERROR, value + value * ERROR);
    if plain.is_negative {
        Glance::Between(-high, -low)
    } else {
        Glance::Between(low, high)
    }
}

/// A number without exponent, of up to nineteen digits.
struct Plain {
    is_negative: bool,
    digits: u64,
    /// Which power of ten they are divided by.
    power: f64,
}

/// Two decimals of the same length with digits below this (2^52) are further apart than two floats there: no two of them have
/// the same nearest float, nor has any shorter one.
const FEW: u64 = 1 << 52;

impl Plain {
    /// Whether the shortest decimal that names `value`, the float nearest to this number, is this number, if that is easily
    /// told.
    fn is_exact(&self, value: f64) -> Option<bool> {
        if self.digits < FEW {
            return Some(true);
        }
        // A float holds the digits of the number that is one shorter and next to it, so the quotient is the nearest float.
        let shorter = (self.digits + 5) / 10;
        let is_shorter = !self.digits.is_multiple_of(10) && self.power > 1.0 && shorter < FEW;
        let names_it = || shorter as f64 / (self.power / 10.0) == value.abs();
        (is_shorter && names_it()).then_some(false)
    }
}

fn plain(text: &str) -> Option<Plain> {
    /// What a float holds exactly.
    const POWERS: [f64; 20] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19,
    ];
    let is_negative = text.starts_with('-');
    let mut rest = text.as_bytes().get(usize::from(is_negative)..)?;
    let (mut digits, mut whole) = (0_u64, 0);
    while let [byte, after @ ..] = rest
        && *byte != b'.'
    {
        digits = with_digit(digits, *byte)?;
        (rest, whole) = (after, whole + 1);
    }
    rest = rest.get(1..).unwrap_or_default();
    let fraction = rest.len();
    // A `u64` holds any nineteen.
    if whole + fraction > 19 {
        return None;
    }
    while let Some((eight, after)) = rest.split_first_chunk() {
        digits = digits * 100_000_000 + eight_digits(*eight)?;
        rest = after;
    }
    for byte in rest {
        digits = with_digit(digits, *byte)?;
    }
    Some(Plain {
        is_negative,
        digits,
        power: *POWERS.get(fraction)?,
    })
}

fn with_digit(digits: u64, byte: u8) -> Option<u64> {
    let digit = byte.wrapping_sub(b'0');
    (digit < 10).then(|| digits.wrapping_mul(10).wrapping_add(u64::from(digit)))
}

/// The number of which these are the digits, all at once.
fn eight_digits(bytes: [u8; 8]) -> Option<u64> {
    const ZEROS: u64 = u64::from_ne_bytes([b'0'; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0xF0; 8]);
    let text = u64::from_le_bytes(bytes);
    // The bytes from '0' to '?', and of them those that stay there with six added.
    let are_digits =
        text & HIGH == ZEROS && text.wrapping_add(u64::from_ne_bytes([6; 8])) & HIGH == ZEROS;
    let ones = text & !HIGH;
    let tens = ones.wrapping_mul(10).wrapping_add(ones >> 8) & 0x00FF_00FF_00FF_00FF;
    let hundreds = tens.wrapping_mul(100).wrapping_add(tens >> 16) & 0x0000_FFFF_0000_FFFF;
    let all = hundreds.wrapping_mul(10_000).wrapping_add(hundreds >> 32);
    are_digits.then_some(all & 0xFFFF_FFFF)
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
                Glance::Exact(value) => prop_assert_eq!(comparable(&text), Some(value), "{}", text),
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
