//! What the loop does, without a store: files to records, records to lines, lines to states, and what fires.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use quell_detect::network::{At, Group, Input, Memory, Network, Seed};
use quell_detect::{DetectionFile, Stateful};
use quell_model::{Finding, Origin, Record, Timestamp};
use quell_normalize::{LineCounts, LineKind, LineLog, split};

fn folder() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../content/detections/network"
    ))
}

pub fn content(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

pub fn network() -> Network {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        DetectionFile {
            path: format!("network/{}", path.file_name().unwrap().to_str().unwrap()),
            text: std::fs::read_to_string(&path).unwrap(),
        }
    });
    let (network, faults) = Network::load(&files.collect::<Vec<_>>());
    assert_eq!(faults, []);
    network
}

/// States as the store has them: as text.
pub struct World<'n> {
    network: &'n Network,
    states: BTreeMap<Vec<String>, String>,
    pub counts: LineCounts,
}

impl<'n> World<'n> {
    pub fn new(network: &'n Network) -> Self {
        Self {
            network,
            states: BTreeMap::new(),
            counts: LineCounts::default(),
        }
    }

    pub fn take_file(&mut self, bytes: &[u8]) -> Vec<Finding> {
        let split = split(bytes);
        assert_eq!(split.faults, Vec::<String>::new());
        let mut findings = Vec::new();
        for raw in split.records {
            let origin = Origin::File {
                path: String::new(),
            };
            let record = Record {
                id: raw.id,
                origin,
                received_at: "2026-11-21T10:00:00Z".parse::<Timestamp>().unwrap(),
                envelope: raw.envelope,
                body: raw.body,
            };
            self.take(&record, &mut findings);
        }
        findings
    }

    fn take(&mut self, record: &Record, findings: &mut Vec<Finding>) {
        let at = At {
            record: &record.id,
            received_at: record.received_at,
        };
        let log = LineLog::of(record).unwrap();
        let mut matched = BTreeSet::new();
        let counts = match log.kind {
            LineKind::Flow => {
                let lines = log.flows(&record.origin);
                self.step(
                    self.network.flows(&lines.things, at),
                    at,
                    &mut matched,
                    findings,
                );
                lines.counts(matched.len())
            }
            LineKind::Dns => {
                let lines = log.queries();
                self.step(
                    self.network.queries(&lines.things, at),
                    at,
                    &mut matched,
                    findings,
                );
                lines.counts(matched.len())
            }
            LineKind::Waf => log.requests().counts(0),
        };
        self.counts.accepted += counts.accepted;
        self.counts.matched += counts.matched;
        self.counts.unmatched += counts.unmatched;
        self.counts.quarantined += counts.quarantined;
    }

    fn step(
        &mut self,
        inputs: Vec<(Group, Input)>,
        at: At<'_>,
        matched: &mut BTreeSet<u32>,
        findings: &mut Vec<Finding>,
    ) {
        let watch = self.network.watch(Seed::new([7; 16]));
        for (group, input) in inputs {
            let memory: Memory = match self.states.get(&group) {
                Some(text) => serde_json::from_str(text).unwrap(),
                None => watch.begin(None),
            };
            let (memory, fired) = watch.step(memory, input);
            for fired in fired {
                matched.extend(&fired.lines);
                findings.push(fired.finding(&group, at, Timestamp::EPOCH));
            }
            let text = serde_json::to_string(&memory).unwrap();
            self.states.insert(group, text);
        }
    }

    /// What all states take, as text.
    pub fn bytes(&self) -> usize {
        self.states.values().map(String::len).sum()
    }

    /// What the largest takes.
    pub fn largest(&self) -> usize {
        self.states.values().map(String::len).max().unwrap_or(0)
    }
}
