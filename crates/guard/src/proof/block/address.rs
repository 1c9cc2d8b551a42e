//! A block of addresses: one text for each.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::addresses::{AddressSet, Family, cidr, public};

use super::super::Unproven;
use super::super::attributes::no;

/// One address of IPv4, or a network of so many bits of IPv6.
const BITS_MIN: [(Family, u8); 2] = [(Family::V4, 32), (Family::V6, 56)];
/// Public by their numbers, and not one party's: «this network»; relays of Teredo and of 6to4, behind which are many.
const SHARED: [&str; 3] = ["0.0.0.0/8", "2001::/32", "2002::/16"];

/// A block of addresses of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Block {
    family: Family,
    addresses: AddressSet,
    base: IpAddr,
    bits: u8,
}

impl Block {
    /// The block that a text says: `203.0.113.5/32`, `2001:db8::/64`; an address alone is that address. `None` for what is no block, or
    /// has bits set behind its length.
    pub(in super::super) fn parse(text: &str) -> Option<Self> {
        let alone = |address: IpAddr| -> u8 {
            match address {
                IpAddr::V4(_) => 32,
                IpAddr::V6(_) => 128,
            }
        };
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address.parse::<IpAddr>().ok()?, bits.parse().ok()?),
            None => {
                let address = text.parse().ok()?;
                (address, alone(address))
            }
        };
        let (family, addresses) = cidr(&format!("{address}/{bits}"))?;
        let host = alone(address).checked_sub(bits)?;
        let number = match address {
            IpAddr::V4(address) => u128::from(u32::from(address)),
            IpAddr::V6(address) => u128::from(address),
        };
        let below = 1_u128
            .checked_shl(u32::from(host))
            .map_or(u128::MAX, |size| size - 1);
        (number & below == 0).then_some(Self {
            family,
            addresses,
            base: address,
            bits,
        })
    }

    /// Its one text: `203.0.113.5/32`; of IPv6 all eight groups with four digits.
    pub(in super::super) fn text(&self) -> String {
        let base = match self.base {
            IpAddr::V4(base) => Ipv4Addr::to_string(&base),
            IpAddr::V6(base) => wide(base),
        };
        format!("{base}/{}", self.bits)
    }

    /// Whether they have an address in common.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.family == other.family && !self.addresses.intersection(&other.addresses).is_empty()
    }

    /// Whether a block may be as wide, and may be about these addresses at all.
    pub(super) fn is_fit(&self) -> Result<(), Unproven> {
        let least = BITS_MIN.iter().find(|(family, _)| *family == self.family);
        if least.is_none_or(|(_, bits)| self.bits < *bits) {
            return Err(no(format!("{} is too wide for a block", self.text())));
        }
        if self.addresses.intersection(&public(self.family)) != self.addresses {
            return Err(no(format!("{} is not public", self.text())));
        }
        let shared = SHARED.iter().filter_map(|text| Self::parse(text));
        match shared.into_iter().any(|shared| shared.meets(self)) {
            true => Err(no(format!("{} is many people's", self.text()))),
            false => Ok(()),
        }
    }
}

fn wide(address: Ipv6Addr) -> String {
    let groups = address.segments().map(|group| format!("{group:04x}"));
    groups.join(":")
}
