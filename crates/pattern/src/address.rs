//! IP addresses and CIDR blocks, with the leniency of the Java parser behind EventBridge.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::error::Fault;

/// An IPv4 or IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Address {
    V4(u32),
    V6(u128),
}

impl Address {
    /// The address `text` names, if it names one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(address) = v4(text) {
            return address.map(Self::V4);
        }
        if !looks_like_v6(text) {
            return None;
        }
        let address: Ipv6Addr = text.parse().ok()?;
        // ::ffff:0102:0304 is 1.2.3.4
        Some(
            address
                .to_ipv4_mapped()
                .map_or(Self::V6(address.to_bits()), |v4| Self::V4(v4.to_bits())),
        )
    }
}

impl Address {
    /// This address with all but its first `bits` bits zero.
    pub(crate) fn masked(self, bits: u32) -> Self {
        let ones = |width: u32| u128::MAX.checked_shl(width - bits.min(width)).unwrap_or(0);
        match self {
            Self::V4(address) => {
                let low = u128::from(address) & ones(32);
                Self::V4(u32::try_from(low).unwrap_or(0))
            }
            Self::V6(address) => Self::V6(address & ones(128)),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(bits) => Ipv4Addr::from_bits(*bits).fmt(f),
            Self::V6(bits) => Ipv6Addr::from_bits(*bits).fmt(f),
        }
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.mask_bits)
    }
}

/// Four numbers between dots: the address, unless one of them is too large. Leading zeros are decimal, not octal.
fn v4(text: &str) -> Option<Option<u32>> {
    let (mut bits, mut dots, mut part, mut fits) = (0, 0, None, true);
    for byte in text.bytes() {
        match (byte, part) {
            (b'0'..=b'9', _) => {
                let digit = u32::from(byte - b'0');
                let number = part
                    .unwrap_or(0_u32)
                    .saturating_mul(10)
                    .saturating_add(digit);
                fits &= number <= 255;
                part = Some(number);
            }
            (b'.', Some(number)) if dots < 3 => {
                bits = bits << 8 | number & 255;
                dots += 1;
                part = None;
            }
            _ => return None,
        }
    }
    let last = part.filter(|_| dots == 3)?;
    Some(fits.then_some(bits << 8 | last))
}

fn looks_like_v6(text: &str) -> bool {
    text.contains(':')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b':')
}

/// A CIDR block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Block {
    base: Address,
    mask_bits: u32,
}

impl Block {
    /// Reads `address/bits`.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        // Empty parts at the end do not count: "10.0.0.0/8/" has two.
        let mut parts = text.trim_end_matches('/').split('/');
        let (Some(address), Some(bits), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Fault::CidrForm);
        };
        let bits: i32 = bits.parse().map_err(|_| Fault::CidrMask)?;
        let mask_bits = u32::try_from(bits).map_err(|_| Fault::CidrMaskNegative)?;
        match Address::parse(address) {
            Some(Address::V4(_)) if mask_bits > 31 => Err(Fault::CidrMaskV4),
            Some(Address::V6(_)) if mask_bits > 127 => Err(Fault::CidrMaskV6),
            Some(base) => Ok(Self { base, mask_bits }),
            None if v4(address).is_some() || looks_like_v6(address) => {
                Err(Fault::InvalidAddress(address.to_owned()))
            }
            None => Err(Fault::NonstandardAddress(address.to_owned())),
        }
    }

    /// How many leading bits count.
    pub(crate) fn mask_bits(&self) -> u32 {
        self.mask_bits
    }

    /// The lowest address of the block.
    pub(crate) fn lowest(&self) -> Address {
        self.base.masked(self.mask_bits)
    }

    /// Whether `address` lies in the block. The other family never does.
    pub(crate) fn contains(&self, address: Address) -> bool {
        match (self.base, address) {
            (Address::V4(base), Address::V4(bits)) => {
                shares_bits(u128::from(base ^ bits), 32 - self.mask_bits)
            }
            (Address::V6(base), Address::V6(bits)) => {
                shares_bits(base ^ bits, 128 - self.mask_bits)
            }
            _ => false,
        }
    }
}

/// Whether two addresses that differ in the bits of `difference` are equal apart from the last `free_bits`.
fn shares_bits(difference: u128, free_bits: u32) -> bool {
    difference.checked_shr(free_bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn blocks_hold_both_their_ends_whatever_the_base() {
        let block = Block::parse("220.160.154.255/24").unwrap();
        let inside = |text: &str| block.contains(Address::parse(text).unwrap());
        assert!(inside("220.160.154.0") && inside("220.160.154.255") && inside("::ffff:dca0:9a01"));
        assert!(!inside("220.160.153.255") && !inside("220.160.155.0") && !inside("::1"));
        let everything = Block::parse("::/0").unwrap();
        assert!(everything.contains(Address::V6(u128::MAX)) && everything.contains(Address::V6(0)));
    }

    #[test]
    fn spellings_of_one_address_are_equal() {
        assert_eq!(Address::parse("010.0.0.01"), Address::parse("10.0.0.1"));
        assert_eq!(Address::parse("0:0::3"), Address::parse("::3"));
        assert_eq!(
            Address::parse("2400:6500:FF00::36FB:1F80"),
            Address::parse("2400:6500:ff00:0::36fb:1f80")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn four_numbers_are_an_address_when_each_is_a_byte(text in "([0-9]{0,4}|256|a)(\\.([0-9]{0,4}|255|-1)){2,4}") {
            let parts: Vec<&str> = text.split('.').collect();
            let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            let bytes: Option<Vec<u8>> = parts.iter().map(|part| part.parse().ok()).collect();
            let address = bytes.map(|bytes| bytes.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)));
            let expected = (parts.len() == 4 && parts.iter().all(is_number)).then_some(address);
            prop_assert_eq!(v4(&text), expected);
        }
    }

    #[test]
    fn what_is_not_an_address_is_text() {
        for text in [
            "700.168.0.1",
            "foo",
            "192.-3.0.1",
            "10.10.10.10.10",
            "1.2.3",
            "1::2::3",
            "12345::",
            "",
            ":",
            "a.b.c.d",
        ] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }

    #[test]
    fn refuses_bad_blocks_with_the_reason() {
        let fault = |text: &str| Block::parse(text).unwrap_err();
        assert_eq!(fault("bad-filter"), Fault::CidrForm);
        assert_eq!(fault("10.0.0.0/8/8"), Fault::CidrForm);
        assert_eq!(fault("10.0.0.0/x"), Fault::CidrMask);
        assert_eq!(fault("10.0.0.0/-1"), Fault::CidrMaskNegative);
        assert_eq!(fault("10.0.0.0/32"), Fault::CidrMaskV4);
        assert_eq!(fault("::/128"), Fault::CidrMaskV6);
        assert_eq!(
            fault("300.0.0.0/8"),
            Fault::InvalidAddress("300.0.0.0".into())
        );
        assert_eq!(
            fault("xx.11.xx/8"),
            Fault::NonstandardAddress("xx.11.xx".into())
        );
    }
}
