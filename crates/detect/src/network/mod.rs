//! Detections over network logs: scans, sweeps, beacons, volumes, mining pools; tunnels, generated domains and rebinding in DNS.
//!
//! There are too many lines for a finding to rest on one of them, so each record of a log is given, interface by interface, to a state: what is
//! known of one network interface, of one client of the Resolver, or of an account as a whole. [`Network::shares`] says which states a
//! record needs, [`Network::step`] gives the next state and what fired. What fires is a function of the set of lines, whatever the order
//! in which records come and however often, as long as none is later than [`LATENESS_SECONDS`] (`table`). From when on
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

use quell_model::{
    Actor, Diagnostic, DnsQuery, Finding, FindingId, Flow, Product, RecordId, Resource, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::content::{DetectionFile, Language};

pub use distinct::{EXACT_MAX, Seed};
pub use facts::NetworkDetection;
pub use table::LATENESS_SECONDS;

use table::{Mark, Window};

/// A line may be so much newer than the moment at which its record came: clocks differ. What is newer still would make the states forget
/// everything before it, and is left out.
pub const AHEAD_MILLIS: i64 = 60 * 60 * 1000;

/// All detections over network logs.
#[derive(Debug, Default)]
pub struct Network {
    rules: facts::Rules,
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

/// Whose state it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group<'a> {
    /// A network interface.
    Interface(&'a str, &'a str),
    /// An account, as far as outsiders are concerned.
    Outside(&'a str),
    /// A client of the Resolver: account, VPC, and instance or address.
    Client(&'a str, &'a str, String),
}

impl Group<'_> {
    /// The values that name it: the key of its state, together with what kind it is.
    pub fn key(&self) -> Vec<String> {
        match self {
            Self::Interface(account, interface) => {
                vec!["interface".into(), (*account).into(), (*interface).into()]
            }
            Self::Outside(account) => vec!["outside".into(), (*account).into()],
            Self::Client(account, vpc, client) => vec![
                "client".into(),
                (*account).into(),
                (*vpc).into(),
                client.clone(),
            ],
        }
    }
}

/// The lines of a record that one state is given, with their places among the record's lines.
#[derive(Clone, Debug)]
pub enum Share<'a> {
    /// Flows.
    Flows(Vec<(u32, &'a Flow<'a>)>),
    /// Queries.
    Queries(Vec<(u32, &'a DnsQuery<'a>)>),
}

/// What a state made of its share.
#[derive(Debug, Default)]
pub struct Step<'r> {
    /// What fired.
    pub fired: Vec<Fired<'r>>,
    /// The lines of the groups that fired; some may be here twice.
    pub matched: Vec<u32>,
}

/// A window of a group that had what its detection asks for. It stays true whatever comes later.
#[derive(Clone, Debug)]
pub struct Fired<'r> {
    /// Which detection.
    pub detection: &'r NetworkDetection,
    /// What it is about.
    pub resource: Resource,
    /// The values that the group shares.
    pub group: Vec<String>,
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
        let mut network = Network::default();
        let mut faults = Vec::new();
        for file in files {
            if let Some((Language::Network, id)) = Language::of(&file.path)
                && let Err(mut more) = network.rules.add(id, file)
            {
                faults.append(&mut more);
            }
        }
        (network, faults)
    }

    /// The detections, by id.
    pub fn detections(&self) -> Vec<&NetworkDetection> {
        self.rules.about()
    }

    /// Which states the flows of a record are for, and which flows each is given.
    pub fn shares<'a>(&self, flows: &'a [Flow<'a>], at: At<'_>) -> Vec<(Group<'a>, Share<'a>)> {
        let newest = at.received_at.plus_millis(AHEAD_MILLIS);
        let mut interfaces: BTreeMap<(&str, &str), Vec<(u32, &Flow<'_>)>> = BTreeMap::new();
        let mut accounts: BTreeMap<&str, Vec<(u32, &Flow<'_>)>> = BTreeMap::new();
        for (line, flow) in flows
            .iter()
            .enumerate()
            .filter(|(_, flow)| flow.start <= newest)
        {
            let line = u32::try_from(line).unwrap_or(u32::MAX);
            let account = flow.account.unwrap_or_default();
            if let Some(interface) = flow.interface.or(flow.instance) {
                interfaces
                    .entry((account, interface))
                    .or_default()
                    .push((line, flow));
            }
            let is_outsider = side::role(flow, None) == Some(side::Role::Outside);
            if self.rules.port_sweep_outside.is_some() && is_outsider && side::asks(flow) {
                accounts.entry(account).or_default().push((line, flow));
            }
        }
        let interfaces = interfaces.into_iter().map(|((account, interface), flows)| {
            (Group::Interface(account, interface), Share::Flows(flows))
        });
        let accounts = accounts.into_iter();
        let accounts =
            accounts.map(|(account, flows)| (Group::Outside(account), Share::Flows(flows)));
        interfaces.chain(accounts).collect()
    }

    /// Which states the queries of a record are for, and which queries each is given.
    pub fn query_shares<'a>(
        &self,
        queries: &'a [DnsQuery<'a>],
        at: At<'_>,
    ) -> Vec<(Group<'a>, Share<'a>)> {
        let newest = at.received_at.plus_millis(AHEAD_MILLIS);
        let mut clients: BTreeMap<Group<'a>, Vec<(u32, &DnsQuery<'_>)>> = BTreeMap::new();
        for (line, query) in queries
            .iter()
            .enumerate()
            .filter(|(_, query)| query.time <= newest)
        {
            let line = u32::try_from(line).unwrap_or(u32::MAX);
            let client = query
                .instance
                .map_or_else(|| query.source.to_string(), str::to_owned);
            let group = Group::Client(query.account, query.vpc.unwrap_or_default(), client);
            clients.entry(group).or_default().push((line, query));
        }
        let clients = clients.into_iter();
        clients
            .map(|(group, queries)| (group, Share::Queries(queries)))
            .collect()
    }

    /// Gives a state its share of a record. The same share twice changes nothing and fires nothing.
    pub fn step<'r>(
        &'r self,
        memory: &mut Memory,
        group: &Group<'_>,
        share: &Share<'_>,
        at: At<'_>,
        seed: Seed,
    ) -> Step<'r> {
        let mark = mark(at.record, seed);
        memory.records.insert(mark, at.record.clone());
        let with = (mark, seed, &memory.records);
        let step = match (group, share) {
            (Group::Interface(..), Share::Flows(flows)) => memory
                .interface
                .get_or_insert_default()
                .step(&self.rules, flows, with),
            (Group::Outside(_), Share::Flows(flows)) => memory
                .outside
                .get_or_insert_default()
                .step(&self.rules, flows, with),
            (Group::Client(..), Share::Queries(queries)) => memory
                .client
                .get_or_insert_default()
                .step(&self.rules, queries, with),
            _ => Step::default(),
        };
        memory.forget_records();
        Step {
            fired: (step.fired.into_iter())
                .map(|fired| Fired {
                    group: [group.key(), fired.group].concat(),
                    ..fired
                })
                .collect(),
            matched: step.matched,
        }
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

impl<'r> Fired<'r> {
    fn new<V>(
        detection: &'r NetworkDetection,
        resource: Resource,
        (group, window, window_seconds): (String, &Window<V>, i64),
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
            detection,
            resource,
            group: vec![group],
            stretch: moment(window.stretch.saturating_mul(window_seconds)),
            first,
            last,
            records: records.take(Finding::RECORDS_MAX).collect(),
            address,
            explanation,
        }
    }

    /// The finding. It is about the interface's owner, as far as it is known, and says who is at the other end.
    pub fn finding(&self, at: At<'_>, now: Timestamp) -> Finding {
        let mut records = self.records.clone();
        records.retain(|record| record != at.record);
        records.push(at.record.clone());
        Finding {
            id: FindingId::of_group(&self.detection.id, &self.group, self.stretch),
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
                kind: "Address".to_owned(),
                account: Some(self.resource.arn.account.clone()),
                name: Some(self.address.to_string()),
                ..Actor::default()
            },
            attack: self.detection.attack.clone(),
            sample: false,
            outsider: self.detection.outsider,
            explanation: Some(self.explanation.clone()),
        }
    }
}
