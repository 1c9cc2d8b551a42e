//! What crossed the network: flows, DNS queries, web requests. Borrowed from the record that they stand in, since there are millions
//! of them and each is looked at once.

use std::net::IpAddr;

use crate::Timestamp;

/// Whether the security groups and network ACLs let a flow through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlowAction {
    /// It was let through. Also when the log does not say, as those of transit gateways do not.
    Accept,
    /// It was not.
    Reject,
}

/// Which way a flow went, seen from the network interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// To the interface.
    Ingress,
    /// From the interface.
    Egress,
}

/// One line of a flow log: one direction of one connection, in one aggregation interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow<'a> {
    /// The account that owns the interface (`account-id`): twelve digits, or `unknown`.
    pub account: Option<&'a str>,
    /// The Region (`region`).
    pub region: Option<&'a str>,
    /// The network interface (`interface-id`); for a transit gateway's log its attachment (`tgw-attachment-id`).
    pub interface: Option<&'a str>,
    /// The instance that the interface belongs to (`instance-id`).
    pub instance: Option<&'a str>,
    /// The VPC (`vpc-id`).
    pub vpc: Option<&'a str>,
    /// From where.
    pub source: IpAddr,
    /// To where.
    pub target: IpAddr,
    /// The sender's port; 0 for protocols without ports.
    pub source_port: u16,
    /// The receiver's port; 0 for protocols without ports.
    pub target_port: u16,
    /// IANA's number of the protocol: 6 is TCP, 17 UDP, 1 ICMP.
    pub protocol: u8,
    /// How many packets.
    pub packets: u64,
    /// How many bytes.
    pub bytes: u64,
    /// When the first packet of the interval came, in whole seconds.
    pub start: Timestamp,
    /// When the last one came.
    pub end: Timestamp,
    /// Whether it was let through.
    pub action: FlowAction,
    /// All flags of the interval's TCP packets together (`tcp-flags`): 2 is SYN, 18 SYN-ACK.
    pub tcp_flags: Option<u8>,
    /// Which way it went (`flow-direction`).
    pub direction: Option<Direction>,
    /// The AWS service that the target's address belongs to (`pkt-dst-aws-service`).
    pub target_service: Option<&'a str>,
}

/// One query that a Route 53 Resolver answered.
#[derive(Clone, Debug, PartialEq)]
pub struct DnsQuery<'a> {
    /// The account of the VPC.
    pub account: &'a str,
    /// The Region.
    pub region: &'a str,
    /// The VPC, when the query came from one.
    pub vpc: Option<&'a str>,
    /// The instance that asked, when the Resolver knows it.
    pub instance: Option<&'a str>,
    /// The address that asked.
    pub source: IpAddr,
    /// When.
    pub time: Timestamp,
    /// The name asked for, in small letters, without the dot at its end.
    pub name: std::borrow::Cow<'a, str>,
    /// `A`, `AAAA`, `TXT`, …
    pub kind: &'a str,
    /// `NOERROR`, `NXDOMAIN`, `SERVFAIL`, …
    pub answer_code: &'a str,
    /// The addresses in the answer.
    pub addresses: Vec<IpAddr>,
    /// What the DNS Firewall did: `ALLOW`, `ALERT` or `BLOCK`.
    pub firewall_action: Option<&'a str>,
}

/// One request that AWS WAF looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct WebRequest<'a> {
    /// When.
    pub time: Timestamp,
    /// The ARN of the web ACL.
    pub acl: std::borrow::Cow<'a, str>,
    /// `ALLOW`, `BLOCK`, `CAPTCHA` or `CHALLENGE`.
    pub action: std::borrow::Cow<'a, str>,
    /// The rule that ended it; `Default_Action` when none did.
    pub rule: std::borrow::Cow<'a, str>,
    /// Who asked.
    pub client: IpAddr,
    /// Two letters, or `-`.
    pub country: std::borrow::Cow<'a, str>,
    /// The host asked for, from the request's headers.
    pub host: Option<std::borrow::Cow<'a, str>>,
    /// `GET`, `POST`, …
    pub method: std::borrow::Cow<'a, str>,
    /// The path.
    pub uri: std::borrow::Cow<'a, str>,
    /// The labels that rules put on it.
    pub labels: Vec<std::borrow::Cow<'a, str>>,
}
