//! Sets of IP addresses: what is public, and how much of it a rule opens.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A set of addresses of one family, as sorted ranges that neither touch nor overlap (both ends included).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AddressSet(Vec<(u128, u128)>);

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// Both of them.
pub const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

impl AddressSet {
    /// The set of the ranges, in any order.
    pub fn of(ranges: impl IntoIterator<Item = (u128, u128)>) -> Self {
        let mut ranges: Vec<_> = ranges.into_iter().filter(|(lo, hi)| lo <= hi).collect();
        ranges.sort_unstable();
        let mut out: Vec<(u128, u128)> = Vec::with_capacity(ranges.len());
        for (lo, hi) in ranges {
            match out.last_mut() {
                Some(last) if lo <= last.1.saturating_add(1) => last.1 = last.1.max(hi),
                _ => out.push((lo, hi)),
            }
        }
        Self(out)
    }

    /// The addresses of either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::of(self.0.iter().chain(&other.0).copied())
    }

    /// The addresses of both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (mut a, mut b) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut out = Vec::new();
        while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
            let (lo, hi) = (x.0.max(y.0), x.1.min(y.1));
            if lo <= hi {
                out.push((lo, hi));
            }
            if x.1 < y.1 {
                a.next()
            } else {
                b.next()
            };
        }
        Self(out)
    }

    /// The addresses of this set that are not of the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut out = Vec::new();
        let mut theirs = other.0.iter().peekable();
        for &(mut lo, hi) in &self.0 {
            // What ends before this range takes nothing of it, nor of the later ones.
            while theirs.next_if(|(_, end)| *end < lo).is_some() {}
            let mut left = true;
            let mut ahead = theirs.clone();
            while let Some((from, to)) = ahead.next_if(|(from, _)| *from <= hi) {
                if lo < *from {
                    out.push((lo, *from - 1));
                }
                match to.checked_add(1).filter(|next| *next <= hi) {
                    Some(next) => lo = next,
                    None => {
                        left = false;
                        break;
                    }
                }
            }
            if left {
                out.push((lo, hi));
            }
        }
        Self(out)
    }

    /// Whether an address is in it.
    #[cfg(test)]
    pub fn contains(&self, address: u128) -> bool {
        self.0
            .iter()
            .any(|(lo, hi)| *lo <= address && address <= *hi)
    }

    /// The fewest CIDR blocks that are this set.
    pub fn blocks(&self, family: Family) -> Vec<String> {
        let bits: u32 = match family {
            Family::V4 => 32,
            Family::V6 => 128,
        };
        let mut out = Vec::new();
        for &(lo, hi) in &self.0 {
            let mut next = Some(lo);
            while let Some(at) = next.filter(|at| *at <= hi) {
                let last = |host: u32| mask(host).checked_add(at).filter(|end| *end <= hi);
                let widest = at.trailing_zeros().min(bits);
                let host = (0..=widest).rev().find(|host| last(*host).is_some());
                let host = host.unwrap_or(0);
                out.push(format!("{}/{}", address(family, at), bits - host));
                next = at
                    .checked_add(mask(host))
                    .and_then(|end| end.checked_add(1));
            }
        }
        out
    }

    /// How many addresses, as a floating-point number (the whole of IPv6 does not fit a `u128`).
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share of address space needs no exact count"
    )]
    pub fn size(&self) -> f64 {
        self.0.iter().map(|(lo, hi)| (hi - lo) as f64 + 1.0).sum()
    }

    /// Its ranges, both ends included, in order.
    pub fn ranges(&self) -> &[(u128, u128)] {
        &self.0
    }

    /// Whether there is no address in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The share of the public addresses of `family` that are in this set, 0 to 1.
    pub fn public_share(&self, family: Family) -> f64 {
        let public = public(family);
        self.intersection(&public).size() / public.size()
    }
}

/// So many low bits, all set.
fn mask(bits: u32) -> u128 {
    1_u128.checked_shl(bits).map_or(u128::MAX, |size| size - 1)
}

fn address(family: Family, number: u128) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::from(u32::try_from(number).unwrap_or(u32::MAX)).into(),
        Family::V6 => Ipv6Addr::from(number).into(),
    }
}

/// A CIDR block, with its host bits dropped as EC2 does; `None` when it is not one.
pub fn cidr(text: &str) -> Option<(Family, AddressSet)> {
    let (address, length) = text.split_once('/')?;
    let length: u32 = length
        .parse()
        .ok()
        .filter(|_| length.bytes().all(|b| b.is_ascii_digit()))?;
    let (family, bits, address) = match address.parse::<IpAddr>().ok()? {
        IpAddr::V4(a) => (Family::V4, 32, u128::from(u32::from(a))),
        IpAddr::V6(a) => (Family::V6, 128, u128::from(a)),
    };
    let host_bits = u32::checked_sub(bits, length)?;
    let host = mask(host_bits);
    Some((family, AddressSet::of([(address & !host, address | host)])))
}

/// The unicast addresses that are reachable from anywhere: IPv4 below 224.0.0.0 without private, shared,
/// loopback and link-local space; IPv6 global unicast (2000::/3).
pub fn public(family: Family) -> AddressSet {
    let v4 = |a: [u8; 4]| u128::from(u32::from(Ipv4Addr::from(a)));
    match family {
        Family::V4 => AddressSet::of([
            (v4([0, 0, 0, 0]), v4([9, 255, 255, 255])),
            (v4([11, 0, 0, 0]), v4([100, 63, 255, 255])),
            (v4([100, 128, 0, 0]), v4([126, 255, 255, 255])),
            (v4([128, 0, 0, 0]), v4([169, 253, 255, 255])),
            (v4([169, 255, 0, 0]), v4([172, 15, 255, 255])),
            (v4([172, 32, 0, 0]), v4([192, 167, 255, 255])),
            (v4([192, 169, 0, 0]), v4([223, 255, 255, 255])),
        ]),
        Family::V6 => AddressSet::of([(
            u128::from(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0)),
            u128::from(Ipv6Addr::new(0x4000, 0, 0, 0, 0, 0, 0, 0)) - 1,
        )]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn share(text: &str) -> f64 {
        let (family, set) = cidr(text).unwrap();
        set.public_share(family)
    }

    #[test]
    fn the_whole_is_the_whole_and_private_space_is_nothing() {
        for whole in [
            "0.0.0.0/0",
            "208.236.235.254/0",
            "::/0",
            "2000::/3",
            "2001:db8::1/0",
        ] {
            assert!((share(whole) - 1.0).abs() < 1e-12, "{whole}");
        }
        for none in [
            "10.0.0.0/8",
            "192.168.1.0/24",
            "172.16.0.0/12",
            "fd00::/8",
            "224.0.0.0/4",
            "127.0.0.1/32",
        ] {
            assert_eq!(share(none), 0.0, "{none}");
        }
        assert!(share("0.0.0.0/1") > 0.4 && share("17.0.0.0/8") < 0.005);
    }

    #[test]
    fn what_is_not_a_block_is_not_read_as_one() {
        for bad in [
            "",
            "/0",
            "0.0.0.0",
            "0.0.0.0/33",
            "::/129",
            "1.2.3/8",
            "0.0.0.0/+1",
            "0.0.0.0/-1",
            "a/0",
        ] {
            assert!(cidr(bad).is_none(), "{bad}");
        }
    }

    fn sets() -> impl Strategy<Value = Vec<(u128, u128)>> {
        prop::collection::vec((0_u128..64, 0_u128..64), 0..8)
    }

    fn members(ranges: &[(u128, u128)]) -> Vec<u128> {
        (0..64)
            .filter(|n| ranges.iter().any(|(lo, hi)| lo <= n && n <= hi))
            .collect()
    }

    fn ma_of(set: &AddressSet) -> Vec<u128> {
        members(&set.0)
    }

    #[test]
    fn the_ends_of_the_space_are_in_it_and_out_of_it() {
        let (_, all) = cidr("::/0").unwrap();
        let (_, last) = cidr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128").unwrap();
        let (_, first) = cidr("::/128").unwrap();
        assert_eq!(all.blocks(Family::V6), ["::/0"]);
        assert_eq!(all.difference(&all), AddressSet::default());
        let inner = all.difference(&first).difference(&last);
        assert!(!inner.contains(0) && !inner.contains(u128::MAX));
        assert!(inner.contains(1) && inner.contains(u128::MAX - 1));
        assert_eq!(inner.union(&first).union(&last), all);
        let (_, all) = cidr("0.0.0.0/0").unwrap();
        assert_eq!(all.blocks(Family::V4), ["0.0.0.0/0"]);
        let (_, half) = cidr("0.0.0.0/1").unwrap();
        assert_eq!(all.difference(&half).blocks(Family::V4), ["128.0.0.0/1"]);
    }

    proptest! {
        #[test]
        fn sets_agree_with_counting(a in sets(), b in sets()) {
            let (sa, sb) = (AddressSet::of(a.clone()), AddressSet::of(b.clone()));
            let (ma, mb) = (members(&a), members(&b));
            let both: Vec<u128> = ma.iter().filter(|n| mb.contains(n)).copied().collect();
            let either = members(&[a, b].concat());
            prop_assert_eq!(members(&sa.0), ma);
            prop_assert_eq!(members(&sa.intersection(&sb).0), both);
            prop_assert_eq!(members(&sa.union(&sb).0), either.clone());
            let rest: Vec<u128> = ma_of(&sa).into_iter().filter(|n| !sb.contains(*n)).collect();
            prop_assert_eq!(members(&sa.difference(&sb).0), rest);
            prop_assert_eq!(sa.difference(&sb).union(&sa.intersection(&sb)), sa.clone());
            for family in [Family::V4, Family::V6] {
                let blocks = sa.blocks(family);
                let read: Vec<_> = blocks.iter().map(|text| cidr(text).unwrap()).collect();
                prop_assert!(read.iter().all(|(of, _)| *of == family));
                let again = AddressSet::of(read.iter().flat_map(|(_, set)| set.0.iter().copied()));
                prop_assert_eq!(again, sa.clone());
            }
            #[allow(clippy::cast_precision_loss, reason = "small numbers")]
            let count = either.len() as f64;
            prop_assert_eq!(sa.union(&sb).size(), count);
        }
    }
}
