//! The universe that counting is done in: a few protocols, a few spans of ports, eight blocks of addresses of each family with all that
//! is outside of them, two groups. Rules are made of these parts, so that one number of each stands for all of it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

use crate::addresses::Family;
use crate::traffic::Traffic;

/// Splitmix64: the same cases every time, each named by its number.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub(super) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    pub(super) fn wide(&mut self) -> u128 {
        u128::from(self.next()) << 64 | u128::from(self.next())
    }
}

/// The addresses of a family: a block in which there are eight, and what is outside.
pub(super) struct Space {
    family: Family,
    bits: u32,
    base: u128,
    length: u32,
    /// One address of each of the eight, and one outside when there is an outside.
    points: Vec<u128>,
    /// How many public addresses each of these stands for, as a share of all that are public.
    weights: Vec<f64>,
}

/// Whether the addresses with these first sixteen bits are public. No private block is smaller.
pub(super) fn is_public(family: Family, top: u32) -> bool {
    match family {
        Family::V6 => (0x2000..0x4000).contains(&top),
        Family::V4 => {
            let [a, b] = [top >> 8, top & 0xff];
            !(a == 10
                || a == 127
                || a >= 224
                || a == 100 && (64..128).contains(&b)
                || a == 169 && b == 254
                || a == 172 && (16..32).contains(&b)
                || a == 192 && b == 168)
        }
    }
}

/// How many of the blocks of sixteen bits before each one are public.
pub(super) fn public_below(family: Family) -> Vec<u32> {
    let mut below = vec![0];
    for top in 0..0x1_0000 {
        below.push(below[top as usize] + u32::from(is_public(family, top)));
    }
    below
}

impl Space {
    pub(super) fn new(dice: &mut Dice, family: Family, below: &[u32]) -> Self {
        let (bits, lengths) = match family {
            Family::V4 => (32, [0, 0, 0, 1, 4, 8, 13, 20, 29]),
            Family::V6 => (128, [0, 0, 0, 2, 3, 13, 32, 64, 125]),
        };
        let length = dice.of(&lengths);
        let base = dice.wide() >> (128 - bits) & !low(bits - length);
        let mut space = Self {
            family,
            bits,
            base,
            length,
            points: Vec::new(),
            weights: Vec::new(),
        };
        let all = f64::from(below[0x1_0000]);
        for cell in 0..8 {
            let (from, host) = (space.cell(cell, 0), bits - length - 3);
            let inner = dice.wide() & low(host);
            space.points.push(from | dice.of(&[0, low(host), inner]));
            let (first, last) = (top(bits, from), top(bits, from | low(host)));
            let whole = f64::from(below[last + 1] - below[first]);
            // A block within sixteen bits is public as they are.
            let part = match host > bits - 16 {
                true => whole,
                false => whole / 2_f64.powi((bits - 16 - host) as i32),
            };
            space.weights.push(part / all);
        }
        if length > 0 {
            space
                .points
                .push(base ^ 1 << (bits - 1 - (dice.below(u64::from(length)) as u32)));
            space.weights.push(1.0 - space.weights.iter().sum::<f64>());
        }
        space
    }

    /// The block of 2^level cells that this one is in.
    pub(super) fn cell(&self, cell: u32, level: u32) -> u128 {
        let at = u128::from(cell >> level << level);
        self.base | at << (self.bits - self.length - 3)
    }

    /// A block as a rule has it, perhaps with host bits; sometimes all there is.
    pub(super) fn block(&self, dice: &mut Dice) -> String {
        if dice.below(8) == 0 {
            return self.text(dice.wide() >> (128 - self.bits), 0);
        }
        let (cell, level) = (dice.below(8) as u32, dice.of(&[0, 0, 1, 1, 2, 2, 3]));
        let length = self.length + 3 - level;
        let inner = dice.wide();
        let host = dice.of(&[0, inner]) & low(self.bits - length);
        self.text(self.cell(cell, level) | host, length)
    }

    pub(super) fn text(&self, address: u128, length: u32) -> String {
        let address: IpAddr = match self.family {
            Family::V4 => Ipv4Addr::from(address as u32).into(),
            Family::V6 => Ipv6Addr::from(address).into(),
        };
        format!("{address}/{length}")
    }
}

pub(super) fn low(bits: u32) -> u128 {
    match bits {
        128 => u128::MAX,
        bits => (1 << bits) - 1,
    }
}

pub(super) fn top(bits: u32, address: u128) -> usize {
    (address >> (bits - 16)) as usize
}

/// Where traffic comes from, in the model.
pub(super) enum Source {
    Address(Family, u128),
    Group(&'static str),
}

pub(super) const GROUPS: [&str; 2] = ["sg-a", "sg-b"];
/// Those that rules may name, and some that none names.
pub(super) const PROTOCOLS: [u16; 8] = [0, 1, 2, 6, 17, 47, 58, 255];
pub(super) const NAMES: [&str; 13] = [
    "-1", "-1", "tcp", "tcp", "6", "udp", "17", "icmp", "1", "icmpv6", "58", "47", "0",
];
/// Types and codes of ICMP that rules may name; 2 is one that none does.
pub(super) const TYPES: [u16; 4] = [0, 8, 2, 255];
pub(super) const CODES: [u16; 4] = [0, 3, 2, 255];

/// One universe, and everything that stands for a part of it.
pub(super) struct Universe {
    spaces: [Space; 2],
    /// Where spans of ports begin, and one past the last.
    cuts: Vec<i64>,
    pub(super) critical: Vec<i64>,
    /// Ports that are mostly open on purpose; without them all are.
    pub(super) web: Option<Vec<i64>>,
    pub(super) share: f64,
    pub(super) lists: Value,
    pub(super) sources: Vec<Source>,
    /// Protocol and number: a port, or the type and code of ICMP.
    pub(super) rows: Vec<(u16, u16)>,
}

/// A set of traffic in the model: for each row, which sources.
pub(super) type Counted = Vec<u32>;

impl Universe {
    pub(super) fn new(dice: &mut Dice, below: &[Vec<u32>; 2]) -> Self {
        let spaces = [
            Space::new(dice, Family::V4, &below[0]),
            Space::new(dice, Family::V6, &below[1]),
        ];
        let critical = vec![
            dice.of(&[0, 22, 3389, 65535]),
            1 + dice.below(65_000) as i64,
        ];
        let mut cuts = vec![0, 65_536];
        cuts.extend(critical.iter().flat_map(|port| [*port, port + 1]));
        cuts.extend((0..2).map(|_| dice.below(65_536) as i64));
        let web = match dice.below(4) {
            0 => None,
            _ => Some(vec![80, dice.of(&[443, critical[0]])]),
        };
        cuts.extend(web.iter().flatten().flat_map(|port| [*port, port + 1]));
        cuts.sort_unstable();
        cuts.dedup();
        let entries = |dice: &mut Dice| -> Vec<String> {
            (0..dice.below(5))
                .map(|_| spaces[dice.below(2) as usize].block(dice))
                .collect()
        };
        let lists = json!({"pl-1": entries(dice), "pl-2": entries(dice)});
        let addresses = spaces.iter().flat_map(|space| {
            space
                .points
                .iter()
                .map(|point| Source::Address(space.family, *point))
        });
        let sources = addresses.chain(GROUPS.map(Source::Group)).collect();
        let mut rows = Vec::new();
        for protocol in PROTOCOLS {
            match protocol {
                1 | 58 => rows.extend(
                    TYPES
                        .iter()
                        .flat_map(|t| CODES.map(|c| (protocol, t << 8 | c))),
                ),
                _ => rows.extend(cuts.windows(2).map(|pair| {
                    let port = dice.of(&[pair[0], pair[1] - 1]);
                    (protocol, port as u16)
                })),
            }
        }
        let share = dice.of(&[0.020_123, 0.05, 0.310_123, 0.610_123]);
        Self {
            spaces,
            cuts,
            critical,
            web,
            share,
            lists,
            sources,
            rows,
        }
    }

    /// A rule as EC2 shows it.
    pub(super) fn rule(&self, dice: &mut Dice, n: usize) -> Value {
        let name = dice.of(&NAMES);
        let mut rule = json!({"SecurityGroupRuleId": format!("sgr-{n}"), "GroupId": "sg-1", "IsEgress": dice.below(12) == 0, "IpProtocol": name});
        let (from, to) = match name {
            "-1" => (-1, -1),
            "icmp" | "1" | "icmpv6" | "58" => {
                let kind = dice.of(&[-1, 0, 8, 255]);
                (
                    kind,
                    if kind < 0 {
                        -1
                    } else {
                        dice.of(&[-1, 0, 3, 255])
                    },
                )
            }
            "tcp" | "udp" | "6" | "17" => {
                let first = dice.below(self.cuts.len() as u64 - 1) as usize;
                // Often the ports that matter.
                let first = match dice.below(3) {
                    0 => self
                        .cuts
                        .iter()
                        .position(|c| *c == self.critical[0])
                        .unwrap(),
                    _ => first,
                };
                let spans = 1 + dice.below((self.cuts.len() - 1 - first) as u64) as usize;
                (
                    self.cuts[first],
                    self.cuts[first + dice.of(&[1, spans])] - 1,
                )
            }
            // EC2 takes any ports for these, and lets everything in.
            _ => dice.of(&[(-1, -1), (0, 65_535), (22, 22)]),
        };
        rule["FromPort"] = from.into();
        rule["ToPort"] = to.into();
        match dice.below(9) {
            0 => rule["ReferencedGroupInfo"] = json!({"GroupId": dice.of(&GROUPS)}),
            1 => rule["PrefixListId"] = dice.of(&["pl-1", "pl-2"]).into(),
            2..=4 => rule["CidrIpv6"] = self.spaces[1].block(dice).into(),
            _ => rule["CidrIpv4"] = self.spaces[0].block(dice).into(),
        }
        rule
    }

    /// What a rule lets in, by looking at each part of the universe for itself.
    pub(super) fn counted(&self, rule: &Value) -> Counted {
        if rule["IsEgress"] == true {
            return vec![0; self.rows.len()];
        }
        let mut sources = 0;
        for (at, source) in self.sources.iter().enumerate() {
            let comes = match source {
                Source::Group(id) => rule["ReferencedGroupInfo"]["GroupId"] == *id,
                Source::Address(family, address) => self
                    .blocks(rule)
                    .iter()
                    .any(|b| is_in(b, *family, *address)),
            };
            sources |= u32::from(comes) << at;
        }
        let lets =
            |(protocol, number): &(u16, u16)| match lets_in(rule, *protocol, i64::from(*number)) {
                true => sources,
                false => 0,
            };
        self.rows.iter().map(lets).collect()
    }

    pub(super) fn blocks<'a>(&'a self, rule: &'a Value) -> Vec<&'a str> {
        let own = ["CidrIpv4", "CidrIpv6"]
            .iter()
            .filter_map(|name| rule[*name].as_str());
        let listed = rule["PrefixListId"]
            .as_str()
            .and_then(|list| self.lists[list].as_array());
        own.chain(listed.into_iter().flatten().filter_map(Value::as_str))
            .collect()
    }

    pub(super) fn all_of<'a>(&self, rules: impl Iterator<Item = &'a Value>) -> Counted {
        let mut all = vec![0; self.rows.len()];
        for rule in rules {
            for (row, more) in all.iter_mut().zip(self.counted(rule)) {
                *row |= more;
            }
        }
        all
    }

    /// What a set of the algebra holds of the universe.
    pub(super) fn asked(&self, traffic: &Traffic) -> Counted {
        let row = |(protocol, number): &(u16, u16)| {
            let Some(there) = traffic.at(*protocol, *number) else {
                return 0;
            };
            let mut held = 0;
            for (at, source) in self.sources.iter().enumerate() {
                let holds = match source {
                    Source::Group(id) => {
                        there.groups.contains(&format!("{{\"GroupId\":\"{id}\"}}"))
                    }
                    Source::Address(Family::V4, address) => there.v4.contains(*address),
                    Source::Address(Family::V6, address) => there.v6.contains(*address),
                };
                held |= u32::from(holds) << at;
            }
            held
        };
        self.rows.iter().map(row).collect()
    }

    /// The critical ports that rules open together, with the family: TCP and UDP count together.
    pub(super) fn exposed(&self, rules: &[&Value]) -> Vec<(i64, Family)> {
        let mut out = Vec::new();
        for port in &self.critical {
            for (space, first) in self.spaces.iter().zip([0, self.spaces[0].points.len()]) {
                let open = rules.iter().filter(|rule| opens(rule, *port));
                let sources = open.fold(0, |all, rule| {
                    all | self.counted(rule).iter().fold(0, |a, row| a | row)
                });
                let held = space.weights.iter().enumerate();
                let share: f64 = held
                    .filter(|(at, _)| sources >> (first + at) & 1 == 1)
                    .map(|(_, w)| w)
                    .sum();
                if share >= self.share {
                    out.push((*port, space.family));
                }
            }
        }
        out
    }

    /// Whether a rule opens one of these to somebody who is public.
    pub(super) fn guilty(&self, rule: &Value, exposed: &[(i64, Family)]) -> bool {
        let own = self.counted(rule).iter().fold(0, |all, row| all | row);
        exposed.iter().any(|(port, family)| {
            let first = if *family == Family::V4 {
                0
            } else {
                self.spaces[0].points.len()
            };
            let space = &self.spaces[usize::from(*family == Family::V6)];
            let held = space.weights.iter().enumerate();
            let mut held = held.filter(|(at, _)| own >> (first + at) & 1 == 1);
            opens(rule, *port) && held.any(|(_, weight)| *weight > 1e-40)
        })
    }
}

/// Whether a rule is for TCP or UDP on a port.
pub(super) fn opens(rule: &Value, port: i64) -> bool {
    rule["IsEgress"] == false && rule.get("ReferencedGroupInfo").is_none() && {
        lets_in(rule, 6, port) || lets_in(rule, 17, port)
    }
}

/// Whether a protocol and a number fit a rule, from whatever source.
pub(super) fn lets_in(rule: &Value, protocol: u16, number: i64) -> bool {
    let said = match rule["IpProtocol"].as_str().unwrap() {
        "-1" => return true,
        "icmp" => 1,
        "tcp" => 6,
        "udp" => 17,
        "icmpv6" => 58,
        other => other.parse().unwrap(),
    };
    let (from, to) = (
        rule["FromPort"].as_i64().unwrap(),
        rule["ToPort"].as_i64().unwrap(),
    );
    let fits = match said {
        6 | 17 => from <= number && number <= to,
        1 | 58 => {
            (from == -1 || from == number / 256) && (from == -1 || to == -1 || to == number % 256)
        }
        _ => true,
    };
    said == protocol && fits
}

/// Whether an address has the first bits that a block says.
pub(super) fn is_in(block: &str, family: Family, address: u128) -> bool {
    let (base, length) = block.split_once('/').unwrap();
    let (of, bits, base) = match base.parse().unwrap() {
        IpAddr::V4(a) => (Family::V4, 32, u128::from(u32::from(a))),
        IpAddr::V6(a) => (Family::V6, 128, u128::from(a)),
    };
    let host = bits - length.parse::<u32>().unwrap();
    of == family && (host == 128 || base >> host == address >> host)
}
