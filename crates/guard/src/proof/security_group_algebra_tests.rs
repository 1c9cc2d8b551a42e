//! The sets that the proof reckons with, against a model that counts. A small universe is laid over the real one: a few protocols, a
//! few spans of ports, eight blocks of addresses of each family with all that is outside of them, two groups. Rules are made of these
//! parts, so that one number of each span and block stands for all of it, and counting them leaves nothing out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use quell_model::{Class, PlannedCall, UndoCall};
use serde_json::json;

use super::super::{Known, Lost};
use super::*;
use crate::traffic::Traffic;

/// How many rule sets are tried, unless `QUELL_ALGEBRA_CASES` says otherwise.
const CASES: u64 = 3_000;

/// Splitmix64: the same cases every time, each named by its number.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    fn wide(&mut self) -> u128 {
        u128::from(self.next()) << 64 | u128::from(self.next())
    }
}

/// The addresses of a family: a block in which there are eight, and what is outside.
struct Space {
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
fn is_public(family: Family, top: u32) -> bool {
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

/// The public addresses with less than these first sixteen bits, counted in sixteenths of bits: one for each.
fn public_below(family: Family) -> Vec<u32> {
    let mut below = vec![0];
    for top in 0..0x1_0000 {
        below.push(below[top as usize] + u32::from(is_public(family, top)));
    }
    below
}

impl Space {
    fn new(dice: &mut Dice, family: Family, below: &[u32]) -> Self {
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
    fn cell(&self, cell: u32, level: u32) -> u128 {
        let at = u128::from(cell >> level << level);
        self.base | at << (self.bits - self.length - 3)
    }

    /// A block as a rule has it, perhaps with host bits; sometimes all there is.
    fn block(&self, dice: &mut Dice) -> String {
        if dice.below(8) == 0 {
            return self.text(dice.wide() >> (128 - self.bits), 0);
        }
        let (cell, level) = (dice.below(8) as u32, dice.of(&[0, 0, 1, 1, 2, 2, 3]));
        let length = self.length + 3 - level;
        let inner = dice.wide();
        let host = dice.of(&[0, inner]) & low(self.bits - length);
        self.text(self.cell(cell, level) | host, length)
    }

    fn text(&self, address: u128, length: u32) -> String {
        let address: IpAddr = match self.family {
            Family::V4 => Ipv4Addr::from(address as u32).into(),
            Family::V6 => Ipv6Addr::from(address).into(),
        };
        format!("{address}/{length}")
    }
}

fn low(bits: u32) -> u128 {
    match bits {
        128 => u128::MAX,
        bits => (1 << bits) - 1,
    }
}

fn top(bits: u32, address: u128) -> usize {
    (address >> (bits - 16)) as usize
}

/// Where traffic comes from, in the model.
enum Source {
    Address(Family, u128),
    Group(&'static str),
}

const GROUPS: [&str; 2] = ["sg-a", "sg-b"];
/// Those that rules may name, and some that none names.
const PROTOCOLS: [u16; 8] = [0, 1, 2, 6, 17, 47, 58, 255];
const NAMES: [&str; 13] = [
    "-1", "-1", "tcp", "tcp", "6", "udp", "17", "icmp", "1", "icmpv6", "58", "47", "0",
];
/// Types and codes of ICMP that rules may name; 2 is one that none does.
const TYPES: [u16; 4] = [0, 8, 2, 255];
const CODES: [u16; 4] = [0, 3, 2, 255];

/// One universe, and everything that stands for a part of it.
struct Universe {
    spaces: [Space; 2],
    /// Where spans of ports begin, and one past the last.
    cuts: Vec<i64>,
    critical: Vec<i64>,
    share: f64,
    lists: Value,
    sources: Vec<Source>,
    /// Protocol and number: a port, or the type and code of ICMP.
    rows: Vec<(u16, u16)>,
}

/// A set of traffic in the model: for each row, which sources.
type Counted = Vec<u32>;

impl Universe {
    fn new(dice: &mut Dice, below: &[Vec<u32>; 2]) -> Self {
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
            share,
            lists,
            sources,
            rows,
        }
    }

    /// A rule as EC2 shows it.
    fn rule(&self, dice: &mut Dice, n: usize) -> Value {
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
    fn counted(&self, rule: &Value) -> Counted {
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

    fn blocks<'a>(&'a self, rule: &'a Value) -> Vec<&'a str> {
        let own = ["CidrIpv4", "CidrIpv6"]
            .iter()
            .filter_map(|name| rule[*name].as_str());
        let listed = rule["PrefixListId"]
            .as_str()
            .and_then(|list| self.lists[list].as_array());
        own.chain(listed.into_iter().flatten().filter_map(Value::as_str))
            .collect()
    }

    fn all_of<'a>(&self, rules: impl Iterator<Item = &'a Value>) -> Counted {
        let mut all = vec![0; self.rows.len()];
        for rule in rules {
            for (row, more) in all.iter_mut().zip(self.counted(rule)) {
                *row |= more;
            }
        }
        all
    }

    /// What a set of the algebra holds of the universe.
    fn asked(&self, traffic: &Traffic) -> Counted {
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
    fn exposed(&self, rules: &[&Value]) -> Vec<(i64, Family)> {
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
    fn guilty(&self, rule: &Value, exposed: &[(i64, Family)]) -> bool {
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
fn opens(rule: &Value, port: i64) -> bool {
    rule["IsEgress"] == false && rule.get("ReferencedGroupInfo").is_none() && {
        lets_in(rule, 6, port) || lets_in(rule, 17, port)
    }
}

/// Whether a protocol and a number fit a rule, from whatever source.
fn lets_in(rule: &Value, protocol: u16, number: i64) -> bool {
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
fn is_in(block: &str, family: Family, address: u128) -> bool {
    let (base, length) = block.split_once('/').unwrap();
    let (of, bits, base) = match base.parse().unwrap() {
        IpAddr::V4(a) => (Family::V4, 32, u128::from(u32::from(a))),
        IpAddr::V6(a) => (Family::V6, 128, u128::from(a)),
    };
    let host = bits - length.parse::<u32>().unwrap();
    of == family && (host == 128 || base >> host == address >> host)
}

fn id(rule: &Value) -> &str {
    rule["SecurityGroupRuleId"].as_str().unwrap()
}

/// The plan that revokes these rules.
fn plan(universe: &Universe, rules: &[Value], revoked: &[&str]) -> Plan {
    let (gone, kept): (Vec<&Value>, Vec<&Value>) =
        rules.iter().partition(|rule| revoked.contains(&id(rule)));
    let undo = |rule: &&Value| {
        let mut permission = json!({"IpProtocol": rule["IpProtocol"]});
        if rule["IpProtocol"] != "-1" {
            permission["FromPort"] = rule["FromPort"].clone();
            permission["ToPort"] = rule["ToPort"].clone();
        }
        for (of, list, member) in [
            ("CidrIpv4", "IpRanges", "CidrIp"),
            ("CidrIpv6", "Ipv6Ranges", "CidrIpv6"),
            ("PrefixListId", "PrefixListIds", "PrefixListId"),
        ] {
            if let Some(source) = rule.get(of) {
                permission[list] = json!([{member: source}]);
            }
        }
        UndoCall {
            resource: AUTHORIZE.into(),
            arguments: json!({"GroupId": "sg-1", "IpPermissions": [permission]}),
            sets: Map::new(),
        }
    };
    Plan {
        playbook: "PB-008".into(),
        resource: "arn:aws:ec2:us-east-1:111122223333:security-group/sg-1".into(),
        summary: String::new(),
        calls: vec![PlannedCall {
            resource: REVOKE.into(),
            arguments: json!({"GroupId": "sg-1", "SecurityGroupRuleIds": revoked}),
            class: Class::R1,
            sets: Map::new(),
            undo: gone.iter().map(undo).collect(),
        }],
        before: json!({"securityGroupRules": rules}),
        after: json!({"securityGroupRules": kept}),
        facts: json!({"prefixLists": universe.lists, "attachments": [], "groupName": "web", "isDefault": false}),
    }
}

fn proven(universe: &Universe, plan: &Plan) -> Result<Proof, Unproven> {
    let group = quell_model::Resource::security_group("aws", "us-east-1", "111122223333", "sg-1");
    super::prove(
        plan,
        &Claim {
            run: "run-1",
            resource: &group,
            facts: &json!({"criticalPorts": universe.critical, "exposedShare": universe.share}),
            undo: None,
            production: true,
            known: Known::default(),
        },
    )
}

/// What the proof says is lost, read again as rules are.
fn read_again(lost: &[Lost], exposed: Option<bool>) -> Traffic {
    let wanted = lost
        .iter()
        .filter(|part| exposed.is_none_or(|is| part.exposed == is));
    let flows: Vec<Flow> = wanted
        .map(|part| {
            assert_eq!(part.more, 0);
            let mut sources = Sources::default();
            for source in &part.sources {
                match cidr(source) {
                    Some((Family::V4, set)) => sources.v4 = sources.v4.union(&set),
                    Some((Family::V6, set)) => sources.v6 = sources.v6.union(&set),
                    None => drop(sources.groups.insert(source.clone())),
                }
            }
            Flow {
                protocols: part.protocols,
                ports: part.ports,
                sources,
            }
        })
        .collect();
    Traffic::of(&flows)
}

/// What came of the cases, so that a test that tries nothing is seen.
#[derive(Debug, Default)]
struct Tally {
    proven: u64,
    refused: u64,
    beside: u64,
    nothing_lost: u64,
}

fn both(a: &[u32], b: &[u32], of: impl Fn(u32, u32) -> u32) -> Counted {
    a.iter().zip(b).map(|(a, b)| of(*a, *b)).collect()
}

fn try_case(case: u64, below: &[Vec<u32>; 2], tally: &mut Tally) {
    let dice = &mut Dice(case.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let universe = Universe::new(dice, below);
    let rules: Vec<Value> = (0..1 + dice.below(8) as usize)
        .map(|n| universe.rule(dice, n))
        .collect();
    let all: Vec<&Value> = rules.iter().collect();
    let exposed = universe.exposed(&all);
    let guilty: Vec<&str> = { all.iter() }
        .filter(|r| universe.guilty(r, &exposed))
        .map(|r| id(r))
        .collect();
    let mut revoked = guilty.clone();
    match dice.below(4) {
        0 => {
            revoked = rules
                .iter()
                .filter(|_| dice.below(2) == 0)
                .map(|r| id(r))
                .collect()
        }
        1 => drop(revoked.pop()),
        2 if dice.below(2) == 0 => {
            revoked.push(id(&rules[dice.below(rules.len() as u64) as usize]))
        }
        _ => {}
    }
    revoked.sort_unstable();
    revoked.dedup();
    let (gone, kept): (Vec<&Value>, Vec<&Value>) =
        all.iter().partition(|rule| revoked.contains(&id(rule)));

    // The sets themselves.
    let read = |rules: &[&Value]| -> Vec<Flow> {
        let rules = ingress(
            (&json!({"securityGroupRules": rules}), "before"),
            "sg-1",
            Some(&universe.lists),
        );
        rules.unwrap().into_iter().map(|rule| rule.flow).collect()
    };
    let [of_all, of_gone, of_kept] = [&all, &gone, &kept].map(|rules| Traffic::of(&read(rules)));
    let [in_all, in_gone, in_kept] =
        [&all, &gone, &kept].map(|rules| universe.all_of(rules.iter().copied()));
    let lost = of_gone.difference(&of_kept);
    let in_lost = both(&in_gone, &in_kept, |a, b| a & !b);
    assert_eq!(
        universe.asked(&of_all),
        in_all,
        "case {case}: what is let in"
    );
    assert_eq!(
        universe.asked(&of_gone.union(&of_kept)),
        in_all,
        "case {case}: the union"
    );
    assert_eq!(
        universe.asked(&of_gone.intersection(&of_kept)),
        both(&in_gone, &in_kept, |a, b| a & b),
        "case {case}: the intersection"
    );
    assert_eq!(universe.asked(&lost), in_lost, "case {case}: what is lost");

    // One form: what is equal is so to the letter, whichever way it was come by.
    let mut turned = read(&all);
    turned.reverse();
    assert_eq!(
        Traffic::of(&turned),
        of_all,
        "case {case}: the order of rules"
    );
    assert_eq!(of_gone.union(&of_kept), of_all, "case {case}");
    assert_eq!(
        of_all.difference(&lost),
        of_kept,
        "case {case}: after = before − lost"
    );
    assert!(lost.intersection(&of_kept).is_empty(), "case {case}");
    assert_eq!(lost.union(&of_kept), of_all, "case {case}");
    assert_eq!(
        of_gone
            .difference(&of_kept)
            .union(&of_gone.intersection(&of_kept)),
        of_gone,
        "case {case}"
    );

    // The proof as a whole.
    let left = universe.exposed(&kept);
    let of_the_plan = |rule: &&Value| rule["IsEgress"] == false && universe.guilty(rule, &exposed);
    let is_right = !revoked.is_empty() && gone.iter().all(of_the_plan) && left.is_empty();
    let proof = proven(&universe, &plan(&universe, &rules, &revoked));
    assert_eq!(
        proof.is_ok(),
        is_right,
        "case {case}: {proof:?}, of {exposed:?}, {left:?} is left; {revoked:?} of {rules:#?} {}",
        universe.lists
    );
    let Ok(proof) = proof else {
        tally.refused += 1;
        return;
    };
    tally.proven += 1;
    let critical = |(protocol, number): &(u16, u16), source: usize| {
        matches!(protocol, 6 | 17)
            && match &universe.sources[source] {
                Source::Address(family, _) => exposed.contains(&(i64::from(*number), *family)),
                Source::Group(_) => false,
            }
    };
    let mask = |row: &(u16, u16)| {
        (0..universe.sources.len())
            .map(|at| u32::from(critical(row, at)) << at)
            .sum::<u32>()
    };
    let masks: Counted = universe.rows.iter().map(mask).collect();
    let beside = both(&in_lost, &masks, |a, b| a & !b);
    let is_beside = beside.iter().any(|row| *row > 0);
    let asks = proof
        .concerns
        .iter()
        .any(|c| c.starts_with("ports that are not critical"));
    assert_eq!(asks, is_beside, "case {case}: {proof:?}");
    tally.beside += u64::from(is_beside);
    tally.nothing_lost += u64::from(lost.is_empty());
    if proof.lost.len() < 100 && proof.lost.iter().all(|part| part.more == 0) {
        assert_eq!(
            read_again(&proof.lost, None),
            lost,
            "case {case}: what is told is what is lost"
        );
        assert_eq!(
            universe.asked(&read_again(&proof.lost, Some(false))),
            beside,
            "case {case}: what goes with it"
        );
    }
}

#[test]
fn the_sets_are_what_counting_says_and_so_is_the_verdict() {
    let wanted = std::env::var_os("QUELL_ALGEBRA_CASES");
    let cases = wanted.map_or(CASES, |n| n.to_str().unwrap().parse().unwrap());
    let below = [Family::V4, Family::V6].map(public_below);
    let mut tally = Tally::default();
    for case in 0..cases {
        try_case(case, &below, &mut tally);
    }
    println!("{cases} rule sets: {tally:?}");
    // Something of each kind was tried.
    for of_a_kind in [tally.proven, tally.refused, tally.beside] {
        assert!(of_a_kind > cases / 50, "{tally:?}");
    }
}
