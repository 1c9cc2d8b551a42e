//! The engines: each takes the bytes of CloudTrail files, and writes what it finds.

use std::io::Write;

use quell_detect::{Assessed, Came, DetectionFile, Engine, Scratch};
use quell_model::{Timestamp, plain_name};
use quell_normalize::FileReader;
use rsigma_eval::JsonEvent;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// What became of some files.
#[derive(Debug, Default, PartialEq)]
pub struct Counts {
    pub events: usize,
    pub matched: usize,
    pub hits: usize,
    pub quarantined: usize,
}

/// One who reads files and writes findings; `hit` hears of each, by the number of the event and the rule.
pub trait Reader {
    fn read(
        &mut self,
        file: &[u8],
        out: &mut dyn Write,
        counts: &mut Counts,
        hit: &mut dyn FnMut(usize, &str),
    );
}

/// Quell, by the parts that `quell rule backtest` has, and a finding as it is stored.
pub struct Quell {
    files: FileReader,
    engine: Engine,
    scratch: Scratch,
    line: Vec<u8>,
}

impl Quell {
    pub fn new(rules: &[DetectionFile]) -> Self {
        let (engine, faults) = Engine::load(rules);
        assert!(faults.is_empty(), "{faults:?}");
        Self {
            files: FileReader::default(),
            engine,
            scratch: Scratch::default(),
            line: Vec::new(),
        }
    }
}

impl Reader for Quell {
    fn read(
        &mut self,
        file: &[u8],
        out: &mut dyn Write,
        counts: &mut Counts,
        hit: &mut dyn FnMut(usize, &str),
    ) {
        let Some(pieces) = self.files.read(file) else {
            panic!("a file as CloudTrail writes it is read in place");
        };
        for piece in pieces {
            let at = counts.events;
            counts.events += 1;
            let record = Came {
                id: piece.name.id(),
                received_at: Timestamp::EPOCH,
                envelope: None,
                reading: piece.reading,
            };
            let now = Timestamp::EPOCH;
            let assessed = self
                .engine
                .assess_read(record, |_| false, now, &mut self.scratch);
            let findings = match assessed {
                Assessed::Matched(matched) => matched.findings,
                Assessed::Unmatched(_) => continue,
                Assessed::Quarantined(_) => {
                    counts.quarantined += 1;
                    continue;
                }
            };
            counts.matched += usize::from(!findings.is_empty());
            counts.hits += findings.len();
            for finding in findings {
                hit(at, &finding.detection);
                write(&finding, &mut self.line, out);
            }
        }
    }
}

/// Writes a line, made in memory that is used again.
fn write(what: &impl Serialize, line: &mut Vec<u8>, out: &mut dyn Write) {
    line.clear();
    serde_json::to_writer(&mut *line, what).expect("it is written");
    line.push(b'\n');
    out.write_all(line).expect("it is written");
}

/// rsigma-eval's own engine, as its documentation has it: parse, evaluate, write the results.
pub struct Rsigma {
    engine: rsigma_eval::Engine,
    /// By the rule's number as its id, what it is called here.
    names: Vec<String>,
    line: Vec<u8>,
}

impl Rsigma {
    pub fn new(rules: &[DetectionFile]) -> Self {
        let mut engine = rsigma_eval::Engine::new();
        let mut names = Vec::new();
        for file in rules {
            let mut collection =
                rsigma_parser::parse_sigma_yaml(&file.text).expect("a rule parses");
            for rule in &mut collection.rules {
                rule.id = Some(names.len().to_string());
            }
            engine.add_collection(&collection).expect("a rule compiles");
            names.push(file.path.trim_end_matches(".yml").to_owned());
        }
        let line = Vec::new();
        Self {
            engine,
            names,
            line,
        }
    }
}

#[derive(Deserialize)]
struct Delivery {
    #[serde(rename = "Records")]
    records: Vec<Value>,
}

impl Reader for Rsigma {
    fn read(
        &mut self,
        file: &[u8],
        out: &mut dyn Write,
        counts: &mut Counts,
        hit: &mut dyn FnMut(usize, &str),
    ) {
        let delivery: Delivery = serde_json::from_slice(file).expect("a CloudTrail file");
        for mut record in delivery.records {
            let at = counts.events;
            counts.events += 1;
            // It does not know versioned names: it is given both, so that the hits can be compared.
            if let Some(Value::String(name)) = record.get_mut("eventName").map(|name| name.take()) {
                let plain = plain_name(&name);
                record["eventName"] = if plain == name {
                    Value::from(name)
                } else {
                    Value::from(vec![plain.to_owned(), name])
                };
            }
            let results = self.engine.evaluate(&JsonEvent::borrow(&record));
            counts.matched += usize::from(!results.is_empty());
            counts.hits += results.len();
            for result in results {
                let number: usize = result
                    .header
                    .rule_id
                    .as_deref()
                    .and_then(|id| id.parse().ok())
                    .expect("as given");
                hit(at, &self.names[number]);
                write(&result, &mut self.line, out);
            }
        }
    }
}

/// The records of a file as they stand in it.
pub fn records(file: &[u8]) -> Vec<String> {
    #[derive(Deserialize)]
    struct Raw<'a> {
        #[serde(borrow, rename = "Records")]
        records: Vec<&'a RawValue>,
    }
    let raw: Raw<'_> = serde_json::from_slice(file).expect("a CloudTrail file");
    raw.records
        .iter()
        .map(|record| record.get().to_owned())
        .collect()
}
