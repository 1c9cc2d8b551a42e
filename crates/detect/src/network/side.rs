//! Who is ours in a flow, who asks, and who is outside.

use std::net::IpAddr;

use quell_model::{Direction, Flow, FlowAction};

/// Which part the network interface has in a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Role {
    /// The interface sends it: what is behind it does this.
    Own,
    /// It is sent to the interface, or past it, by somebody inside.
    Inside,
    /// It is sent to the interface by somebody outside.
    Outside,
}

pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMP_V6: u8 = 58;
const SYN: u8 = 2;
const ACK: u8 = 16;

/// Whether an address is one that only networks of ours use: private (RFC 1918, RFC 4193), shared (RFC 6598, which containers have on
/// AWS), link-local or loopback.
pub(super) fn is_inside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_multicast()
                || v4.is_broadcast()
                || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(v6) => {
            v6.is_unique_local()
                || v6.is_loopback()
                || v6.is_unicast_link_local()
                || v6.is_unspecified()
                || v6.is_multicast()
        }
    }
}

/// Whether the other end is outside. Addresses of version 6 are global inside a VPC as well; a VPC has a /56 of them, so whoever shares
/// it is inside.
pub(super) fn is_outside(own: IpAddr, other: IpAddr) -> bool {
    match (own, other) {
        (IpAddr::V6(own), IpAddr::V6(other)) if !is_inside(other.into()) => {
            own.to_bits() >> 72 != other.to_bits() >> 72
        }
        (_, other) => !is_inside(other),
    }
}

/// The interface's own address as its flows of one record show it: the one that all of them have. `None` when there is none, or two.
pub(super) fn own_address<'a>(mut flows: impl Iterator<Item = &'a Flow<'a>>) -> Option<IpAddr> {
    let first = flows.next()?;
    let (mut source, mut target) = (Some(first.source), Some(first.target));
    for flow in flows {
        let has = |address: &IpAddr| *address == flow.source || *address == flow.target;
        source = source.filter(has);
        target = target.filter(has);
        if source.is_none() && target.is_none() {
            return None;
        }
    }
    match (source, target) {
        (Some(one), None) | (None, Some(one)) => Some(one),
        _ => None,
    }
}

/// Which part the interface has. The log says so from version 5 on; before that, private addresses and `own` do. `None` for what passes
/// between two outsiders, as at a NAT gateway.
pub(super) fn role(flow: &Flow<'_>, own: Option<IpAddr>) -> Option<Role> {
    let is_own = match flow.direction {
        Some(Direction::Egress) => Some(true),
        Some(Direction::Ingress) => Some(false),
        None => match (is_inside(flow.source), is_inside(flow.target)) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            (false, false) => return None,
            (true, true) if own == Some(flow.source) => Some(true),
            (true, true) if own == Some(flow.target) => Some(false),
            (true, true) => None,
        },
    };
    Some(match is_own {
        Some(true) => Role::Own,
        Some(false) if is_outside(flow.target, flow.source) => Role::Outside,
        Some(false) | None => Role::Inside,
    })
}

/// Whether the flow is a question, not the answer to one. The flags of TCP say so where they are logged; else the ports do: who answers has
/// the port that is known, and who asks one of many.
pub(super) fn asks(flow: &Flow<'_>) -> bool {
    match (flow.protocol, flow.tcp_flags) {
        (TCP, Some(flags)) if flags & SYN != 0 => flags & ACK == 0,
        (TCP | UDP, _) => {
            let (from, to) = (flow.source_port, flow.target_port);
            !(from < 1024 && to >= 1024 || from < 32_768 && to >= 32_768)
        }
        (ICMP | ICMP_V6, _) => true,
        _ => false,
    }
}

/// Whether it looks like a knock: it was turned away, or hardly anything was said.
pub(super) fn knocks(flow: &Flow<'_>, packets_max: u64) -> bool {
    asks(flow) && (flow.action == FlowAction::Reject || flow.packets <= packets_max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quell_model::Timestamp;

    fn flow(source: &str, target: &str, ports: (u16, u16), flags: Option<u8>) -> Flow<'static> {
        Flow {
            account: None,
            region: None,
            interface: None,
            instance: None,
            vpc: None,
            source: source.parse().unwrap(),
            target: target.parse().unwrap(),
            source_port: ports.0,
            target_port: ports.1,
            protocol: TCP,
            packets: 1,
            bytes: 40,
            start: Timestamp::EPOCH,
            end: Timestamp::EPOCH,
            action: FlowAction::Accept,
            tcp_flags: flags,
            direction: None,
            target_service: None,
        }
    }

    #[test]
    fn the_part_of_the_interface_follows_from_direction_or_addresses() {
        let out = flow("10.0.0.1", "192.0.2.7", (40_000, 443), None);
        let back = flow("192.0.2.7", "10.0.0.1", (443, 40_000), None);
        let within = flow("10.0.0.1", "10.0.0.2", (40_000, 22), None);
        assert_eq!(role(&out, None), Some(Role::Own));
        assert_eq!(role(&back, None), Some(Role::Outside));
        assert_eq!(role(&within, None), Some(Role::Inside));
        assert_eq!(role(&within, Some(within.source)), Some(Role::Own));
        assert_eq!(
            role(&flow("192.0.2.1", "192.0.2.7", (1, 2), None), None),
            None
        );
        let mut logged = within;
        logged.direction = Some(Direction::Egress);
        assert_eq!(role(&logged, None), Some(Role::Own));
        let six = |own: &str, other: &str| is_outside(own.parse().unwrap(), other.parse().unwrap());
        assert!(!six("2600:1f18:1:ab00::1", "2600:1f18:1:abff::1"));
        assert!(six("2600:1f18:1:ab00::1", "2600:1f18:1:ac00::1"));
        assert_eq!(
            own_address([&out, &back, &within].into_iter()),
            Some(out.source)
        );
        assert_eq!(own_address([&within].into_iter()), None);
    }

    #[test]
    fn answers_are_no_questions() {
        for (ports, flags, wanted) in [
            ((40_000, 443), None, true),
            ((443, 40_000), None, false),
            ((8080, 51_000), None, false),
            ((51_000, 60_000), None, true),
            ((443, 40_000), Some(2), true),
            ((40_000, 443), Some(18), false),
            ((40_000, 443), Some(0), true),
        ] {
            assert_eq!(
                asks(&flow("10.0.0.1", "10.0.0.2", ports, flags)),
                wanted,
                "{ports:?} {flags:?}"
            );
        }
    }
}
