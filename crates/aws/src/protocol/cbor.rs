//! CBOR (RFC 8949) as Smithy's RPC v2 has it, value after value: bytes are base64 text, a time is its seconds.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Number;

use super::Malformed;
use super::bounds::Cursor;
use super::source::{Left, Source, Token};

/// The kinds of items, by the three upper bits of an item's first byte.
const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const LIST: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const SIMPLE: u8 = 7;

/// The lower five bits that say «until the break».
const INDEFINITE: u8 = 31;
const BREAK: u8 = 0xff;
/// The only tag of the protocol: seconds since 1970.
const EPOCH: u64 = 1;

/// CBOR that is being read.
pub(super) struct Cbor<'a> {
    rest: Cursor<'a>,
    /// A text that is not whole in the body, or that stands for bytes.
    text: String,
}

impl Source for Cbor<'_> {
    fn next(&mut self) -> Result<Token<'_>, Malformed> {
        let (major, info) = self.head()?;
        match major {
            LIST => self.argument(info).map(left).map(Token::List),
            MAP => self.argument(info).map(left).map(Token::Map),
            TAG => self.tagged(info),
            _ => self.scalar(major, info),
        }
    }

    fn has_item(&mut self, left: &mut Left) -> Result<bool, Malformed> {
        Ok(!self.ends(left))
    }

    fn key(&mut self, left: &mut Left) -> Result<Option<&str>, Malformed> {
        if self.ends(left) {
            return Ok(None);
        }
        let (major, info) = self.head()?;
        if major != TEXT {
            return Err(Malformed::new("the CBOR has a map whose keys are not text"));
        }
        self.text(info).map(Some)
    }

    fn end(self) -> Result<(), Malformed> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Malformed::new("CBOR with something after its end"))
        }
    }
}

/// What is left of a list or map of that length, or without one.
fn left(length: Option<u64>) -> Left {
    length.map_or(Left::More, Left::Count)
}

impl<'a> Cbor<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self {
            rest: Cursor(body),
            text: String::new(),
        }
    }

    fn scalar(&mut self, major: u8, info: u8) -> Result<Token<'_>, Malformed> {
        match major {
            UNSIGNED => self.length(info).map(Token::Unsigned),
            NEGATIVE => {
                let value = -1 - i128::from(self.length(info)?);
                let fits = i64::try_from(value).map(Token::Integer);
                fits.map_err(|_| Malformed::new("a CBOR integer of more than 64 bits"))
            }
            BYTES => {
                let bytes = self.string(BYTES, info)?;
                self.text.clear();
                BASE64.encode_string(&*bytes, &mut self.text);
                Ok(Token::Text(&self.text))
            }
            TEXT => self.text(info).map(Token::Text),
            _ => self.simple(info),
        }
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        let [byte] = self.rest.array().ok_or_else(too_early)?;
        Ok(byte)
    }

    /// The kind of the next item, and the rest of its first byte.
    fn head(&mut self) -> Result<(u8, u8), Malformed> {
        let byte = self.byte()?;
        Ok((byte >> 5, byte & 0b1_1111))
    }

    /// The number that goes with an item's kind; nothing when the item goes on until its break.
    fn argument(&mut self, info: u8) -> Result<Option<u64>, Malformed> {
        let argument = match info {
            0..24 => Some(info.into()),
            24 => self.rest.array().map(u8::from_be_bytes).map(u64::from),
            25 => self.rest.array().map(u16::from_be_bytes).map(u64::from),
            26 => self.rest.array().map(u32::from_be_bytes).map(u64::from),
            27 => self.rest.array().map(u64::from_be_bytes),
            INDEFINITE => return Ok(None),
            _ => return Err(Malformed::new("not CBOR: a length of no known size")),
        };
        argument.map(Some).ok_or_else(too_early)
    }

    fn length(&mut self, info: u8) -> Result<u64, Malformed> {
        let length = self.argument(info)?;
        length.ok_or_else(|| Malformed::new("not CBOR: no length where there must be one"))
    }

    /// Whether an open list or map is at its end, its break eaten.
    fn ends(&mut self, left: &mut Left) -> bool {
        match left {
            Left::Count(0) => true,
            Left::Count(count) => {
                *count -= 1;
                false
            }
            Left::First | Left::More => {
                let mut ahead = self.rest;
                let is_break = ahead.array() == Some([BREAK]);
                if is_break {
                    self.rest = ahead;
                }
                is_break
            }
        }
    }

    fn chunk(&mut self, length: u64) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(length).map_err(|_| too_early())?;
        self.rest.take(length).ok_or_else(too_early)
    }

    /// A string whole, or in chunks of its own kind.
    fn string(&mut self, kind: u8, info: u8) -> Result<Cow<'a, [u8]>, Malformed> {
        if let Some(length) = self.argument(info)? {
            return self.chunk(length).map(Cow::Borrowed);
        }
        let mut whole = Vec::new();
        while !self.ends(&mut Left::More) {
            let (major, info) = self.head()?;
            if major != kind {
                return Err(Malformed::new("not CBOR: a string of mixed kinds"));
            }
            let length = self.length(info)?;
            whole.extend_from_slice(self.chunk(length)?);
        }
        Ok(Cow::Owned(whole))
    }

    fn text(&mut self, info: u8) -> Result<&str, Malformed> {
        let not_utf8 = |_| Malformed::new("the CBOR has text that is not UTF-8");
        match self.string(TEXT, info)? {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map_err(not_utf8),
            Cow::Owned(bytes) => {
                self.text.clear();
                self.text
                    .push_str(std::str::from_utf8(&bytes).map_err(not_utf8)?);
                Ok(&self.text)
            }
        }
    }

    /// A time, which is a number of seconds.
    fn tagged(&mut self, info: u8) -> Result<Token<'_>, Malformed> {
        let tag = self.length(info)?;
        let (major, info) = self.head()?;
        let wrong = || Malformed::new("the CBOR has a tag that is no time");
        if tag != EPOCH || !matches!(major, UNSIGNED | NEGATIVE | SIMPLE) {
            return Err(wrong());
        }
        match self.scalar(major, info)? {
            number @ (Token::Unsigned(_) | Token::Integer(_)) => Ok(number),
            Token::Float(number) if number.is_finite() => Ok(Token::Float(number)),
            _ => Err(wrong()),
        }
    }

    fn simple(&mut self, info: u8) -> Result<Token<'_>, Malformed> {
        let number = match info {
            20 => return Ok(Token::Bool(false)),
            21 => return Ok(Token::Bool(true)),
            // Null and «undefined».
            22 | 23 => return Ok(Token::Null),
            25 => self.rest.array().map(half),
            26 => self.rest.array().map(f32::from_be_bytes).map(f64::from),
            27 => self.rest.array().map(f64::from_be_bytes),
            _ => {
                return Err(Malformed::new(
                    "the CBOR has a simple value of no known kind",
                ));
            }
        };
        number.map(Token::Float).ok_or_else(too_early)
    }
}

fn too_early() -> Malformed {
    Malformed::new("the CBOR ends too early")
}

/// A number of 16 bits: one of sign, five of exponent, ten of fraction.
fn half(bytes: [u8; 2]) -> f64 {
    let bits = u16::from_be_bytes(bytes);
    let (exponent, fraction) = ((bits >> 10) & 0b1_1111, f64::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2_f64.powi(i32::from(exponent) - 15),
    };
    if bits >> 15 == 1 {
        -magnitude
    } else {
        magnitude
    }
}

/// An item's first byte and its argument, in as few bytes as it needs.
fn push_head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let major = major << 5;
    let bytes = argument.to_be_bytes();
    let (info, used) = match argument {
        0..24 => return out.push(major | bytes[7]),
        24..=0xff => (24, &bytes[7..]),
        0x100..=0xffff => (25, &bytes[6..]),
        0x1_0000..=0xffff_ffff => (26, &bytes[4..]),
        _ => (27, &bytes[..]),
    };
    out.push(major | info);
    out.extend_from_slice(used);
}

/// The start of a map of so many members.
pub(super) fn push_map(out: &mut Vec<u8>, members: usize) {
    push_head(out, MAP, members as u64);
}

/// The start of a list of so many items.
pub(super) fn push_list(out: &mut Vec<u8>, items: usize) {
    push_head(out, LIST, items as u64);
}

pub(super) fn push_text(out: &mut Vec<u8>, text: &str) {
    push_head(out, TEXT, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

pub(super) fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    push_head(out, BYTES, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// A time, of which `seconds` follows.
pub(super) fn push_time(out: &mut Vec<u8>, seconds: &Number) {
    push_head(out, TAG, EPOCH);
    push_number(out, seconds);
}

pub(super) fn push_number(out: &mut Vec<u8>, number: &Number) {
    if let Some(unsigned) = number.as_u64() {
        push_head(out, UNSIGNED, unsigned);
    } else if let Some(negative) = number.as_i64() {
        push_head(out, NEGATIVE, negative.unsigned_abs() - 1);
    } else if let Some(double) = number.as_f64() {
        push_double(out, double);
    }
}

/// A number that is not an integer, in four bytes when that loses nothing.
pub(super) fn push_double(out: &mut Vec<u8>, number: f64) {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked: back again it is the same"
    )]
    let single = number as f32;
    if f64::from(single) == number || number.is_nan() {
        out.push(SIMPLE << 5 | 26);
        out.extend_from_slice(&single.to_be_bytes());
    } else {
        out.push(SIMPLE << 5 | 27);
        out.extend_from_slice(&number.to_be_bytes());
    }
}

/// `true`, `false` or null.
pub(super) fn push_simple(out: &mut Vec<u8>, value: Option<bool>) {
    out.push(
        SIMPLE << 5
            | match value {
                Some(false) => 20,
                Some(true) => 21,
                None => 22,
            },
    );
}

#[cfg(test)]
mod tests {
    use super::super::body::Format;
    use super::super::bounds::VALUES_MAX;
    use super::*;
    use serde_json::{Value, json};

    fn parse(body: &[u8]) -> Result<Value, Malformed> {
        Format::Cbor.parse(body).map(|read| read.to_json())
    }

    fn read(hex: &str) -> Result<Value, Malformed> {
        let digits = |i| u8::from_str_radix(hex.get(i..i + 2).unwrap(), 16).unwrap();
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(digits).collect();
        parse(&bytes)
    }

    /// Examples of RFC 8949, appendix A.
    #[test]
    fn reads_the_examples_of_the_standard() {
        for (hex, value) in [
            ("00", json!(0)),
            ("1818", json!(24)),
            ("1903e8", json!(1000)),
            ("1bffffffffffffffff", json!(u64::MAX)),
            ("3903e7", json!(-1000)),
            ("3b7fffffffffffffff", json!(i64::MIN)),
            ("f90001", json!(5.960_464_477_539_063e-8)),
            ("f90400", json!(0.000_061_035_156_25)),
            ("f9c400", json!(-4.0)),
            ("f97bff", json!(65504.0)),
            ("fa47c35000", json!(100_000.0)),
            ("fb3ff199999999999a", json!(1.1)),
            ("f97e00", json!("NaN")),
            ("fa7f800000", json!("Infinity")),
            ("fbfff0000000000000", json!("-Infinity")),
            ("f4", json!(false)),
            ("f7", json!(null)),
            ("c11a514b67b0", json!(1_363_896_240)),
            ("c1fb41d452d9ec200000", json!(1_363_896_240.5)),
            ("4401020304", json!("AQIDBA==")),
            ("5f42010243030405ff", json!("AQIDBAU=")),
            ("62c3bc", json!("ü")),
            ("7f657374726561646d696e67ff", json!("streaming")),
            ("9f018202039f0405ffff", json!([1, [2, 3], [4, 5]])),
            ("bf61610161629f0203ffff", json!({"a": 1, "b": [2, 3]})),
            ("a26161f6616280", json!({"a": null, "b": []})),
        ] {
            assert_eq!(read(hex).unwrap(), value, "{hex}");
        }
    }

    #[test]
    fn refuses_what_is_not_whole() {
        for hex in [
            "18",
            "1c",
            "1f",
            "62c3",
            "62c328",
            "9f01",
            "8201",
            "a161",
            "a10101",
            "5f6161ff",
            "5f5f4101ffff",
            "ff",
            "81ff",
            "c2410a",
            "c16161",
            "f8ff",
            "f90000f9",
            "3bffffffffffffffff",
            "9bffffffffffffffff",
            "5bffffffffffffffff",
            "bbffffffffffffffff",
            "fc",
        ] {
            assert!(read(hex).is_err(), "{hex}");
        }
        assert_eq!(
            parse(&[0x81; 5_000]).unwrap_err().to_string(),
            "the answer is too deep"
        );
        assert!(parse(&[0xc1; 5_000]).is_err());
        let mut many = vec![0x9f];
        many.resize(VALUES_MAX + 1, 0xf6);
        assert_eq!(
            parse(&many).unwrap_err().to_string(),
            format!("more than {VALUES_MAX} values")
        );
    }

    #[test]
    fn what_is_written_takes_as_few_bytes_as_it_needs() {
        let mut out = Vec::new();
        for number in [
            0,
            23,
            24,
            255,
            256,
            65_535,
            65_536,
            4_294_967_296_i64,
            -1,
            -256,
            -257,
        ] {
            push_number(&mut out, &number.into());
        }
        assert_eq!(out.len(), 1 + 1 + 2 + 2 + 3 + 3 + 5 + 9 + 1 + 2 + 3);
        let mut out = Vec::new();
        for number in [7.625, 1.1, f64::NAN, f64::INFINITY] {
            push_double(&mut out, number);
        }
        assert_eq!(out.len(), 5 + 9 + 5 + 5);
        let mut out = Vec::new();
        push_time(&mut out, &1_363_896_240.into());
        assert_eq!(out, [0xc1, 0x1a, 0x51, 0x4b, 0x67, 0xb0]);
    }
}
