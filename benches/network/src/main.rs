//! Flow logs from bytes to findings: lines a second of processor time on one core, beside what it takes to cut a line at its spaces and
//! make numbers and addresses of the parts.
//!
//! The rows take turns in one process, over the same lines; the best of several rounds counts.

#[path = "../../pattern/src/clock.rs"]
mod clock;
#[path = "../../../crates/detect/tests/network/traffic.rs"]
#[allow(dead_code, reason = "the tests hide things in it")]
mod traffic;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::net::IpAddr;

use clock::Clock;
use quell_detect::network::{At, Group, Memory, Network, Seed};
use quell_detect::{DetectionFile, Stateful};
use quell_model::{Origin, Record, Timestamp};
use quell_normalize::{LineLog, split};
use traffic::{Dice, Kind, background, chunks, plant};

const LINES: usize = 200_000;
const ROUNDS: usize = 5;

fn main() {
    let network = network();
    let mut dice = Dice(7);
    let mut lines = background(&mut dice, LINES, 3000);
    for kind in Kind::ALL {
        lines.extend(plant(&mut dice, kind, 3000));
    }
    lines.sort_by_key(|line| line.0);
    let files = chunks(&lines, 5000);
    let records: Vec<Record> = files.iter().flat_map(|file| records(file)).collect();
    let bytes: usize = files.iter().map(Vec::len).sum();
    println!(
        "{} lines, {} bytes a line, {} records",
        lines.len(),
        bytes / lines.len(),
        records.len()
    );
    let mut found = 0;
    type Row<'a> = (&'a str, Box<dyn FnMut() -> usize + 'a>);
    let mut rows: Vec<Row<'_>> = vec![
        (
            "cut at spaces, and parse (the ceiling)",
            Box::new(|| files.iter().map(|file| ceiling(file)).sum()),
        ),
        (
            "to records",
            Box::new(|| files.iter().map(|file| split(file).records.len()).sum()),
        ),
        (
            "records to flows",
            Box::new(|| records.iter().map(read).sum()),
        ),
        (
            "records to flows to findings",
            Box::new(|| detect(&network, &records, false)),
        ),
        (
            "the same, with states as text between records",
            Box::new(|| detect(&network, &records, true)),
        ),
    ];
    let mut best = vec![f64::INFINITY; rows.len()];
    for _ in 0..ROUNDS {
        for ((_, run), best) in rows.iter_mut().zip(&mut best) {
            let clock = Clock::start();
            found = black_box(run());
            *best = best.min(clock.elapsed().as_secs_f64());
        }
    }
    for ((name, _), seconds) in rows.iter().zip(best) {
        #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
        let rate = lines.len() as f64 / seconds;
        println!("{name:50} {rate:>12.0} lines/s");
    }
    println!("{found} findings");
}

fn network() -> Network {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../content/detections/network"
    );
    let files = std::fs::read_dir(folder)
        .expect("the content")
        .map(|entry| {
            let path = entry.expect("a file").path();
            DetectionFile {
                path: format!(
                    "network/{}",
                    path.file_name().expect("a name").to_string_lossy()
                ),
                text: std::fs::read_to_string(&path).expect("a text"),
            }
        });
    let (network, faults) = Network::load(&files.collect::<Vec<_>>());
    assert!(faults.is_empty(), "{faults:?}");
    network
}

fn records(file: &[u8]) -> Vec<Record> {
    let records = split(file).records.into_iter().map(|raw| Record {
        id: raw.id,
        origin: Origin::File {
            path: String::new(),
        },
        received_at: "2026-11-21T10:00:00Z".parse::<Timestamp>().expect("a time"),
        envelope: raw.envelope,
        body: raw.body,
    });
    records.collect()
}

/// The least that can be done with a line: every value of it is made, and nothing is checked or kept.
fn ceiling(file: &[u8]) -> usize {
    let text = std::str::from_utf8(file).expect("text");
    let mut sum = 0usize;
    for line in text.lines().skip(1) {
        let mut values = line.split(' ');
        let mut next = || values.next().unwrap_or("-");
        let (_version, account, interface, instance, region) =
            (next(), next(), next(), next(), next());
        let source: Option<IpAddr> = next().parse().ok();
        let target: Option<IpAddr> = next().parse().ok();
        let ports: (Option<u16>, Option<u16>) = (next().parse().ok(), next().parse().ok());
        let protocol: Option<u8> = next().parse().ok();
        let counts: [Option<u64>; 4] = [
            next().parse().ok(),
            next().parse().ok(),
            next().parse().ok(),
            next().parse().ok(),
        ];
        let action = next();
        let flags: Option<u8> = next().parse().ok();
        black_box((
            account,
            interface,
            instance,
            region,
            source,
            target,
            ports,
            protocol,
            counts,
            action,
            flags,
            next(),
            next(),
        ));
        sum += 1;
    }
    sum
}

fn read(record: &Record) -> usize {
    let log = LineLog::of(record).expect("a log");
    black_box(log.flows(&record.origin)).things.len()
}

fn detect(network: &Network, records: &[Record], as_text: bool) -> usize {
    let watch = network.watch(Seed::new([7; 16]));
    let mut states: BTreeMap<Group, Memory> = BTreeMap::new();
    let mut texts: BTreeMap<Group, String> = BTreeMap::new();
    let mut fired = 0;
    for record in records {
        let at = At {
            record: &record.id,
            received_at: record.received_at,
        };
        let log = LineLog::of(record).expect("a log");
        let lines = log.flows(&record.origin);
        for (group, input) in network.flows(&lines.things, at) {
            let memory = match texts.get(&group) {
                Some(text) => serde_json::from_str(text).expect("a state"),
                None => states.remove(&group).unwrap_or_default(),
            };
            let (memory, said) = watch.step(memory, input);
            fired += said.len();
            if as_text {
                let text = serde_json::to_string(&memory).expect("a text");
                texts.insert(group, text);
            } else {
                states.insert(group, memory);
            }
        }
    }
    fired
}
