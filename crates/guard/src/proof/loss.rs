//! What a plan about a security group closes, exactly: what the revoked rules let in and no other rule does. All sources of a rule
//! count, whether public or not: whoever came by a rule for the world from inside does not come any more either.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Unproven;
use crate::addresses::{AddressSet, FAMILIES, Family};
use crate::traffic::{ALL_PORTS, ALL_PROTOCOLS, Flow, PROTOCOL_MAX, Sources, Span, Traffic};

/// So many parts of a loss are told, and so many sources of each: it is for people to read.
const PARTS_MAX: usize = 100;
/// So many of them in a sentence.
const WORDS_MAX: usize = 5;

const TCP: u16 = 6;
const UDP: u16 = 17;
const ICMP: u16 = 1;
const ICMPV6: u16 = 58;

/// A part of what a plan closes: these protocols on these ports from each of these sources. No two parts overlap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// IANA's numbers, both ends included.
    pub protocols: Span,
    /// Ports, both ends included; of ICMP the type times 256 and the code. Protocols without ports have them all.
    pub ports: Span,
    /// CIDR blocks, and ids of security groups.
    pub sources: Vec<String>,
    /// How many sources more there are.
    #[serde(default)]
    pub more: usize,
    /// Whether it was exposed, or goes with what was.
    pub exposed: bool,
}

/// What a rule lets in, from where its sources say.
///
/// # Errors
/// [`Unproven`]: it says so in no way that EC2 does.
pub(super) fn flow(id: &str, rule: &Value, sources: Sources) -> Result<Flow, Unproven> {
    let number = |name: &str| rule.get(name).and_then(Value::as_i64).unwrap_or(-1);
    let protocol = rule.get("IpProtocol").and_then(Value::as_str);
    let protocol = protocol.unwrap_or_default();
    let read = spans(protocol, number("FromPort"), number("ToPort"));
    let (protocols, ports) = read.ok_or_else(|| {
        Unproven(format!(
            "rule {id} is for no protocol and ports that EC2 knows («{protocol}»)"
        ))
    })?;
    Ok(Flow {
        protocols,
        ports,
        sources,
    })
}

/// The protocols and the ports of a rule. Only TCP and UDP have ports, ICMP has a type and a code, −1 is any; of other protocols EC2
/// takes everything, whatever ports are said.
fn spans(protocol: &str, from: i64, to: i64) -> Option<(Span, Span)> {
    let number: u16 = match protocol {
        "-1" => return Some((ALL_PROTOCOLS, ALL_PORTS)),
        "tcp" => TCP,
        "udp" => UDP,
        "icmp" => ICMP,
        "icmpv6" => ICMPV6,
        other => other.parse().ok().filter(|n| *n <= PROTOCOL_MAX)?,
    };
    let ports = match number {
        TCP | UDP => {
            let ports = (u16::try_from(from).ok()?, u16::try_from(to).ok()?);
            (ports.0 <= ports.1).then_some(ports)?
        }
        ICMP | ICMPV6 if from != -1 => {
            let kind = u16::from(u8::try_from(from).ok()?) << 8;
            match to {
                -1 => (kind, kind | 0xff),
                code => {
                    let one = kind | u16::from(u8::try_from(code).ok()?);
                    (one, one)
                }
            }
        }
        _ => ALL_PORTS,
    };
    Some(((number, number), ports))
}

/// What was let in, what is left, and what was exposed of it.
pub(super) struct Loss {
    exposed: Traffic,
    beside: Traffic,
}

impl Loss {
    /// What `revoked` lets in and `kept` does not; `left` is what the group lets in afterwards, as the plan predicts it.
    ///
    /// # Errors
    /// [`Unproven`]: what is left is not what was there less this.
    pub(super) fn of(
        revoked: &[Flow],
        kept: &[Flow],
        left: &[Flow],
        exposed: &[(i64, Family)],
    ) -> Result<Self, Unproven> {
        let (gone, kept) = (Traffic::of(revoked), Traffic::of(kept));
        let lost = gone.difference(&kept);
        if gone.union(&kept).difference(&lost) != Traffic::of(left) {
            return Err(Unproven(
                "what the plan leaves is not what was let in less what it closes".into(),
            ));
        }
        let exposed = Traffic::of(&exposed.iter().flat_map(of_port).collect::<Vec<_>>());
        Ok(Self {
            exposed: lost.intersection(&exposed),
            beside: lost.difference(&exposed),
        })
    }

    /// Its parts, what was exposed first; no more than people can read.
    pub(super) fn parts(&self) -> Vec<Lost> {
        let exposed = self.exposed.flows().map(|flow| part(&flow, true));
        let beside = self.beside.flows().map(|flow| part(&flow, false));
        exposed.chain(beside).take(PARTS_MAX).collect()
    }

    /// In words, for whoever has to say yes.
    pub(super) fn shown(&self) -> Vec<String> {
        let mut shown = vec![format!("it closes {}", words(&self.exposed))];
        if self.beside.is_empty() {
            shown.push("nothing else is closed".to_owned());
        } else {
            shown.push(format!(
                "with it goes what no other rule lets in: {}",
                words(&self.beside)
            ));
        }
        shown
    }

    /// Who would feel it beside those whom it is meant for: whoever comes to ports that are mostly open on purpose, by no other rule.
    /// Without `web`, any port beside the exposed ones may be such.
    pub(super) fn concern(&self, web: Option<&[i64]>) -> Option<String> {
        let meant = match web {
            None => self.beside.clone(),
            Some(ports) => {
                let ports = ports.iter();
                let both = ports.flat_map(|port| FAMILIES.map(|family| (*port, family)));
                let web = Traffic::of(&both.flat_map(|of| of_port(&of)).collect::<Vec<_>>());
                self.beside.intersection(&web)
            }
        };
        (!meant.is_empty()).then(|| {
            format!(
                "what may be open on purpose would be closed too: {}",
                words(&meant)
            )
        })
    }
}

/// All that comes to a critical port over a family.
fn of_port((port, family): &(i64, Family)) -> Vec<Flow> {
    let Ok(port) = u16::try_from(*port) else {
        return Vec::new();
    };
    let sources = match family {
        Family::V4 => Sources {
            v4: AddressSet::of([(0, u128::from(u32::MAX))]),
            ..Sources::default()
        },
        Family::V6 => Sources {
            v6: AddressSet::of([(0, u128::MAX)]),
            ..Sources::default()
        },
    };
    let on = |protocol| Flow {
        protocols: (protocol, protocol),
        ports: (port, port),
        sources: sources.clone(),
    };
    vec![on(TCP), on(UDP)]
}

fn part(flow: &Flow, exposed: bool) -> Lost {
    let Sources { v4, v6, groups } = &flow.sources;
    let mut sources = v4.blocks(Family::V4);
    sources.extend(v6.blocks(Family::V6));
    sources.extend(groups.iter().cloned());
    let more = sources.len().saturating_sub(PARTS_MAX);
    sources.truncate(PARTS_MAX);
    Lost {
        protocols: flow.protocols,
        ports: flow.ports,
        sources,
        more,
        exposed,
    }
}

fn words(traffic: &Traffic) -> String {
    let parts: Vec<String> = traffic
        .flows()
        .map(|flow| worded(&part(&flow, true)))
        .collect();
    let more = parts.len().saturating_sub(WORDS_MAX);
    let mut text = parts
        .iter()
        .take(WORDS_MAX)
        .cloned()
        .collect::<Vec<_>>()
        .join("; ");
    if more > 0 {
        text.push_str(&format!("; and {more} more"));
    }
    text
}

/// `tcp 22 from 0.0.0.0/0`.
fn worded(lost: &Lost) -> String {
    let span = |(from, to): Span| match from == to {
        true => from.to_string(),
        false => format!("{from}-{to}"),
    };
    let protocol = match lost.protocols {
        ALL_PROTOCOLS => "every protocol".to_owned(),
        (TCP, TCP) => "tcp".to_owned(),
        (UDP, UDP) => "udp".to_owned(),
        (ICMP, ICMP) => "icmp".to_owned(),
        (ICMPV6, ICMPV6) => "icmpv6".to_owned(),
        other => format!("protocol {}", span(other)),
    };
    let is_icmp = matches!(lost.protocols, (ICMP, ICMP) | (ICMPV6, ICMPV6));
    let ports = match lost.ports {
        ALL_PORTS => String::new(),
        (one, same) if is_icmp && one == same => format!(" type {} code {}", one >> 8, one & 0xff),
        (from, to) if is_icmp => format!(" types {}-{}", from >> 8, to >> 8),
        other => format!(" {}", span(other)),
    };
    let sources = lost.sources.iter().take(WORDS_MAX).cloned();
    let mut sources = sources.collect::<Vec<_>>().join(", ");
    let more = lost.sources.len().saturating_sub(WORDS_MAX) + lost.more;
    if more > 0 {
        sources.push_str(&format!(" and {more} more"));
    }
    format!("{protocol}{ports} from {sources}")
}

#[cfg(test)]
#[path = "loss_tests.rs"]
mod tests;
