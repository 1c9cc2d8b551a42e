//! What the loop does, without a store: files to records, records to lines, lines to states, and what fires.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use quell_detect::DetectionFile;
use quell_detect::network::{At, Memory, Network, Seed};
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
                    self.network.shares(&lines.things, at),
                    at,
                    &mut matched,
                    findings,
                );
                lines.counts(matched.len())
            }
            LineKind::Dns => {
                let lines = log.queries();
                self.step(
                    self.network.query_shares(&lines.things, at),
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
        shares: Vec<(
            quell_detect::network::Group<'_>,
            quell_detect::network::Share<'_>,
        )>,
        at: At<'_>,
        matched: &mut BTreeSet<u32>,
        findings: &mut Vec<Finding>,
    ) {
        for (group, share) in shares {
            let key = group.key();
            let mut memory: Memory = match self.states.get(&key) {
                Some(text) => serde_json::from_str(text).unwrap(),
                None => Memory::default(),
            };
            let step = self
                .network
                .step(&mut memory, &group, &share, at, Seed::new([7; 16]));
            matched.extend(step.matched);
            findings.extend(
                step.fired
                    .iter()
                    .map(|fired| fired.finding(at, Timestamp::EPOCH)),
            );
            self.states
                .insert(key, serde_json::to_string(&memory).unwrap());
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
