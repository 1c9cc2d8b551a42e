//! Detections over network logs: scans, sweeps, beacons, volumes, mining pools; tunnels, generated domains and rebinding in DNS.
//!
//! There are too many lines for a finding to rest on one of them, so each record of a log is given, interface by interface, to a state: what is
//! known of one network interface, of one client of the Resolver, or of an account as a whole. [`Network::flows`] and [`Network::queries`]
//! say which states a record needs and what each is given, [`Watch::step`](crate::Stateful::step) gives the next state and what fired. What fires is a function of the set of lines, whatever the order
//! in which records come and however often, as long as none is later than [`LATENESS_SECONDS`] (`table`); but a
//! beacon's rhythm can be spoilt by more connections, so there the order may decide. From when on
//! something fires is content (`facts`).
//!
//! Memory is bounded for each state. At the bound, what has the least evidence is forgotten; who is privileged (what our own hosts do) is kept
//! apart from what anybody outside can cause, so a flood from outside takes nothing away from it.

mod client;
mod distinct;
mod evidence;
mod facts;
mod interface;
mod outside;
mod side;
mod table;
mod words;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use quell_model::{
    Actor, Diagnostic, DnsQuery, Finding, FindingId, Flow, Product, RecordId, Resource, Timestamp,
    sha256_hex,
};
use serde::{Deserialize, Serialize};

use crate::content::{DetectionFile, Language};
use crate::memory::{Keeping, Remembers, Stateful, Until};

pub use distinct::{EXACT_MAX, Seed};
pub use facts::NetworkDetection;
pub use table::LATENESS_SECONDS;

use table::{Mark, Window};

/// A line may be so much newer than the moment at which its record came: clocks differ. What is newer still would make the states forget
/// everything before it, and is left out.
pub const AHEAD_MILLIS: i64 = 60 * 60 * 1000;

/// All detections over network logs.
#[derive(Clone, Debug, Default)]
pub struct Network {
    rules: Arc<facts::Rules>,
}

/// The detections at work, with the secret that they hash with.
#[derive(Clone, Debug)]
pub struct Watch {
    rules: Arc<facts::Rules>,
    seed: Seed,
    memory: String,
}

/// What is kept between records, for one group. It reads and writes as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Memory {
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<interface::Interface>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outside: Option<outside::Outside>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<client::Client>,
    /// The records that findings may still name.
    #[serde(skip_serializing_if = "Names::is_empty")]
    records: Names,
}

type Names = BTreeMap<Mark, RecordId>;

/// What one state is given of a record.
#[derive(Clone, Debug)]
pub struct Input {
    /// The record.
    record: RecordId,
    place: words::Place,
    things: Things,
}

/// Lines, each with its place among the record's lines. What they say of the place stands apart, once.
#[derive(Clone, Debug)]
enum Things {
    /// Of an interface.
    Flows(Vec<(u32, Flow<'static>)>),
    /// To an account, from outside.
    Knocks(Vec<(u32, Flow<'static>)>),
    /// Of a client of the Resolver.
    Queries(Vec<(u32, DnsQuery<'static>)>),
}

/// The values that a state is kept under.
pub type Group = Vec<String>;

/// A window of a group that had what its detection asks for. It stays true whatever comes later.
#[derive(Clone, Debug)]
pub struct Fired {
    /// Which detection.
    pub detection: NetworkDetection,
    /// What it is about.
    pub resource: Resource,
    /// What its lines have in common, in its state.
    pub key: String,
    /// The lines of the record at hand that have it, by their places among the record's lines.
    pub lines: Vec<u32>,
    /// The beginning of the stretch that this is the one firing of.
    pub stretch: Timestamp,
    /// When the first of it happened.
    pub first: Timestamp,
    /// When the last happened.
    pub last: Timestamp,
    /// The records it rests on, as far as they are known.
    pub records: Vec<RecordId>,
    /// The address that it is about: who knocks, or who is called.
    pub address: IpAddr,
    /// What was seen, in words.
    pub explanation: String,
}

/// The record that the lines stand in.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// Its id.
    pub record: &'a RecordId,
    /// When Quell received it.
    pub received_at: Timestamp,
}

impl Network {
    /// The detections that are right, and the faults of those that are not. Files in other languages are passed over.
    pub fn load(files: &[DetectionFile]) -> (Network, Vec<Diagnostic>) {
        let mut rules = facts::Rules::default();
        let mut faults = Vec::new();
        for file in files {
            if let Some((Language::Network, id)) = Language::of(&file.path)
                && let Err(mut more) = rules.add(id, file)
            {
                faults.append(&mut more);
            }
        }
        let rules = Arc::new(rules);
        (Network { rules }, faults)
    }

    /// The detections, by id.
    pub fn detections(&self) -> Vec<&NetworkDetection> {
        self.rules.about()
    }

    /// The detections at work. The seed is to be the same as long as states are kept.
    pub fn watch(&self, seed: Seed) -> Watch {
        // What is remembered means something else when slots are longer or shorter.
        let windows = format!("{:?}", self.rules.windows());
        let mark: String = sha256_hex(windows).chars().take(16).collect();
        Watch {
            rules: self.rules.clone(),
            seed,
            memory: format!("network {mark}"),
        }
    }

    /// Which states the flows of a record are for, and what each is given.
    pub fn flows(&self, flows: &[Flow<'_>], at: At<'_>) -> Vec<(Group, Input)> {
        let newest = at.received_at.plus_millis(AHEAD_MILLIS);
        let mut interfaces: BTreeMap<(&str, &str), Shared> = BTreeMap::new();
        let mut accounts: BTreeMap<&str, Shared> = BTreeMap::new();
        let counted = flows.iter().enumerate();
        for (line, flow) in counted.filter(|(_, flow)| flow.start <= newest) {
            let line = u32::try_from(line).unwrap_or(u32::MAX);
            let account = flow.account.unwrap_or_default();
            // A log that does not say which interface it was has one state for all: it forgets sooner.
            let interface = flow.interface.or(flow.instance).or(flow.vpc);
            let interface = interface.unwrap_or_default();
            let shared = interfaces.entry((account, interface)).or_default();
            shared.place.learn(flow);
            shared.flows.push((line, bare(flow)));
            let is_outsider = side::role(flow, None) == Some(side::Role::Outside);
            if self.rules.port_sweep_outside.is_some() && is_outsider && side::asks(flow) {
                let shared = accounts.entry(account).or_default();
                shared.flows.push((line, bare(flow)));
            }
        }
        let interfaces = interfaces
            .into_iter()
            .map(|((account, interface), shared)| {
                let group = vec![
                    "interface".to_owned(),
                    account.to_owned(),
                    interface.to_owned(),
                ];
                (group, shared.input(at, account, Things::Flows))
            });
        let accounts = accounts.into_iter().map(|(account, shared)| {
            let group = vec!["outside".to_owned(), account.to_owned()];
            (group, shared.input(at, account, Things::Knocks))
        });
        interfaces.chain(accounts).collect()
    }

    /// Which states the queries of a record are for, and what each is given.
    pub fn queries(&self, queries: &[DnsQuery<'_>], at: At<'_>) -> Vec<(Group, Input)> {
        let newest = at.received_at.plus_millis(AHEAD_MILLIS);
        let mut clients: BTreeMap<Group, Input> = BTreeMap::new();
        let counted = queries.iter().enumerate();
        for (line, query) in counted.filter(|(_, query)| query.time <= newest) {
            let line = u32::try_from(line).unwrap_or(u32::MAX);
            let client = query
                .instance
                .map_or_else(|| query.source.to_string(), str::to_owned);
            let vpc = query.vpc.unwrap_or_default();
            let group = vec![
                "client".to_owned(),
                query.account.to_owned(),
                vpc.to_owned(),
                client,
            ];
            let input = clients.entry(group).or_insert_with(|| Input {
                record: at.record.clone(),
                place: words::Place {
                    account: query.account.to_owned(),
                    region: query.region.to_owned(),
                    interface: None,
                    instance: query.instance.map(str::to_owned),
                },
                things: Things::Queries(Vec::new()),
            });
            if let Things::Queries(queries) = &mut input.things {
                queries.push((line, bare_query(query)));
            }
        }
        clients.into_iter().collect()
    }
}

/// What is gathered for one state.
#[derive(Default)]
struct Shared {
    place: words::Place,
    flows: Vec<(u32, Flow<'static>)>,
}

impl Shared {
    fn input(
        self,
        at: At<'_>,
        account: &str,
        things: fn(Vec<(u32, Flow<'static>)>) -> Things,
    ) -> Input {
        let account = account.to_owned();
        Input {
            record: at.record.clone(),
            place: words::Place {
                account,
                ..self.place
            },
            things: things(self.flows),
        }
    }
}

/// A flow without what its place says.
fn bare(flow: &Flow<'_>) -> Flow<'static> {
    Flow {
        account: None,
        region: None,
        interface: None,
        instance: None,
        vpc: None,
        source: flow.source,
        target: flow.target,
        source_port: flow.source_port,
        target_port: flow.target_port,
        protocol: flow.protocol,
        packets: flow.packets,
        bytes: flow.bytes,
        start: flow.start,
        end: flow.end,
        action: flow.action,
        tcp_flags: flow.tcp_flags,
        direction: flow.direction,
        // Which one plays no part.
        target_service: flow.target_service.map(|_| "AWS"),
    }
}

fn bare_query(query: &DnsQuery<'_>) -> DnsQuery<'static> {
    let is_missing = query.answer_code == MISSING;
    DnsQuery {
        account: "",
        region: "",
        vpc: None,
        instance: None,
        source: query.source,
        time: query.time,
        name: query.name.clone().into_owned().into(),
        kind: "",
        answer_code: if is_missing { MISSING } else { "" },
        addresses: query.addresses.clone(),
        firewall_action: None,
    }
}

/// What the Resolver says of a name that does not exist.
const MISSING: &str = "NXDOMAIN";

/// A state is worth a batch's while; so many things are one of what whoever keeps states counts.
const SIZE_THINGS: usize = 64;
/// A week: as long as the history of volumes goes back.
const QUIET_MILLIS: i64 = 7 * 24 * 60 * 60 * 1000;

impl Remembers for Watch {
    type State = Memory;

    fn memory(&self) -> &str {
        &self.memory
    }

    /// Nothing: what was forgotten can only be missed.
    fn begin(&self, _: Option<Timestamp>) -> Memory {
        Memory::default()
    }

    fn keeping(&self, memory: &Memory) -> Keeping {
        let things = memory
            .interface
            .as_ref()
            .map_or(0, interface::Interface::size)
            + memory.outside.as_ref().map_or(0, outside::Outside::size)
            + memory.client.as_ref().map_or(0, client::Client::size);
        Keeping {
            size: things / SIZE_THINGS + 1,
            newest: None,
            until: Until::Quiet(QUIET_MILLIS),
        }
    }
}

impl Stateful for Watch {
    type Input = Input;
    type Fired = Fired;

    fn step(&self, mut memory: Memory, input: Input) -> (Memory, Vec<Fired>) {
        let mark = mark(&input.record, self.seed);
        memory.records.insert(mark, input.record);
        let with = (mark, self.seed, &memory.records);
        let (rules, place) = (&*self.rules, &input.place);
        let fired = match &input.things {
            Things::Flows(flows) => {
                let interface = memory.interface.get_or_insert_default();
                interface.step(rules, place, flows, with)
            }
            Things::Knocks(flows) => {
                let outside = memory.outside.get_or_insert_default();
                outside.step(rules, place, flows, with)
            }
            Things::Queries(queries) => {
                let client = memory.client.get_or_insert_default();
                client.step(rules, place, queries, with)
            }
        };
        memory.forget_records();
        (memory, fired)
    }

    /// Nothing waits for a window to close.
    fn advance(&self, memory: Memory, _: Timestamp) -> (Memory, Vec<Fired>) {
        (memory, Vec::new())
    }
}

impl Memory {
    /// Records that nothing names any more.
    fn forget_records(&mut self) {
        let mut named: std::collections::BTreeSet<Mark> = std::collections::BTreeSet::new();
        named.extend(self.interface.iter().flat_map(interface::Interface::marks));
        named.extend(self.outside.iter().flat_map(outside::Outside::marks));
        named.extend(self.client.iter().flat_map(client::Client::marks));
        self.records.retain(|mark, _| named.contains(mark));
    }
}

/// What stands for a record in a state.
fn mark(record: &RecordId, seed: Seed) -> Mark {
    #[expect(clippy::cast_possible_truncation, reason = "a part of a hash")]
    let mark = seed.hash(record.as_str()) as Mark;
    mark
}

impl Fired {
    fn new<V>(
        detection: &NetworkDetection,
        resource: Resource,
        (key, window, window_seconds): (String, &Window<V>, i64),
        (address, text): (IpAddr, String),
        names: &Names,
    ) -> Self {
        let moment = |seconds: i64| Timestamp::from_millis(seconds.saturating_mul(1000));
        let (first, last) = (moment(window.first), moment(window.last));
        let mut explanation = format!("{text}. From {first} to {last}.");
        if explanation.len() > Finding::EXPLANATION_BYTES_MAX {
            let mut cut = Finding::EXPLANATION_BYTES_MAX;
            while !explanation.is_char_boundary(cut) {
                cut -= 1;
            }
            explanation.truncate(cut);
        }
        let records = window
            .marks
            .iter()
            .filter_map(|mark| names.get(mark).cloned());
        Self {
            detection: detection.clone(),
            resource,
            key,
            lines: window.lines.clone(),
            stretch: moment(window.stretch.saturating_mul(window_seconds)),
            first,
            last,
            records: records.take(Finding::RECORDS_MAX).collect(),
            address,
            explanation,
        }
    }

    /// The finding, of a state of `group`. It is about the interface's owner, as far as it is known, and says who is at the other end.
    pub fn finding(&self, group: &[String], at: At<'_>, now: Timestamp) -> Finding {
        let group = [group, std::slice::from_ref(&self.key)].concat();
        let mut records = self.records.clone();
        records.retain(|record| record != at.record);
        records.push(at.record.clone());
        Finding {
            id: FindingId::of_group(&self.detection.id, &group, self.stretch),
            detection: self.detection.id.clone(),
            title: self.detection.title.clone(),
            severity: self.detection.severity,
            product: Product::Quell,
            record: at.record.clone(),
            record_count: records.len() as u64,
            records,
            event_name: "Network".to_owned(),
            first_event_time: self.first,
            event_time: self.last,
            detected_at: now,
            resource: self.resource.clone(),
            principal: self.resource.clone(),
            actor: Actor {
                account: Some(self.resource.arn.account.clone()),
                ..Actor::of_address(self.address)
            },
            attack: self.detection.attack.clone(),
            sample: false,
            outsider: self.detection.outsider,
            explanation: Some(self.explanation.clone()),
            initiator: None,
            report: None,
        }
    }
}
