//! The numbers of JSON.

use super::super::Malformed;
use super::super::json_scan::first_digits;
use super::super::source::Token;
use super::JsonText;

impl JsonText<'_> {
    /// A number. Integers of up to 64 bits stay what they are; what is larger is the nearest double.
    #[inline]
    pub(super) fn number(&mut self) -> Result<Token<'_>, Malformed> {
        let start = self.at;
        let is_negative = self.byte() == Some(b'-');
        self.at += usize::from(is_negative);
        let whole = self.whole()?;
        if let Some(b'.' | b'e' | b'E') = self.byte() {
            self.fraction()?;
            return self.double(start);
        }
        match (whole, is_negative) {
            (Some(whole), false) => Ok(Token::Unsigned(whole)),
            // As serde_json has it: an integer has no negative zero.
            (Some(0), true) => Ok(Token::Float(-0.0)),
            (Some(whole), true) => match 0_i64.checked_sub_unsigned(whole) {
                Some(whole) => Ok(Token::Integer(whole)),
                None => self.double(start),
            },
            (None, _) => self.double(start),
        }
    }

    /// Digits, without a zero before others; `None` when they are too many for 64 bits.
    #[inline(always)]
    pub(super) fn whole(&mut self) -> Result<Option<u64>, Malformed> {
        // As many nines are less than 2⁶⁴.
        const SAFE: usize = 19;
        let start = self.at;
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        let (mut value, mut count) = (0_u64, 0);
        while let Some(eight) = rest.get(count..).and_then(<[u8]>::first_chunk) {
            let digits = first_digits(*eight);
            value = value.wrapping_mul(digits.power).wrapping_add(digits.value);
            count += digits.count;
            if digits.count < eight.len() {
                break;
            }
        }
        // Of less than eight bytes, or none.
        while let Some(digit @ b'0'..=b'9') = rest.get(count) {
            value = value.wrapping_mul(10).wrapping_add((digit - b'0').into());
            count += 1;
        }
        self.at += count;
        match rest.get(..count).unwrap_or_default() {
            [] | [b'0', _, ..] => Err(self.wrong()),
            digits if digits.len() <= SAFE => Ok(Some(value)),
            _ => Ok(self.text.get(start..self.at).and_then(|d| d.parse().ok())),
        }
    }

    fn fraction(&mut self) -> Result<(), Malformed> {
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.byte() {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.wrong());
        }
        Ok(())
    }

    fn double(&self, start: usize) -> Result<Token<'_>, Malformed> {
        let text = self.text.get(start..self.at).unwrap_or_default();
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        number.map(Token::Float).ok_or_else(|| self.wrong())
    }
}
