//! Deliveries, and what they are in OCSF: `golden/SOURCE/NAME.json` and `NAME.ocsf.jsonl` beside it, byte for byte. The last lines
//! of an output that begin with `#` are what could not be read. `tests/test_ocsf.py` holds every output to the schema.
//!
//! To write the outputs anew: `cargo test -p quell-normalize --test golden -- --ignored`. Read what changed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

use std::path::{Path, PathBuf};

use quell_model::{Origin, Record, Timestamp};
use quell_normalize::finding::{GuardDutyType, GuardDutyTypes};
use quell_normalize::ocsf::of_record;
use quell_normalize::split;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn types() -> GuardDutyTypes {
    #[derive(serde::Deserialize)]
    struct File {
        types: Vec<GuardDutyType>,
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content/guardduty/types.toml");
    let file: File = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    GuardDutyTypes::new(file.types).unwrap()
}

/// The inputs, in order.
fn inputs() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for source in std::fs::read_dir(folder()).unwrap() {
        for file in std::fs::read_dir(source.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if !path.to_string_lossy().ends_with(".ocsf.jsonl") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn output_of(input: &Path, types: &GuardDutyTypes) -> String {
    let split = split(&std::fs::read(input).unwrap());
    let mut lines = Vec::new();
    let mut faults = split.faults;
    for raw in split.records {
        let record = Record {
            id: raw.id,
            origin: Origin::File {
                path: "golden".into(),
            },
            received_at: Timestamp::EPOCH,
            envelope: raw.envelope,
            body: raw.body,
        };
        let written = of_record(&record, types, Timestamp::EPOCH);
        lines.extend(written.events.iter().map(|event| event.to_line()));
        faults.extend(written.faults);
    }
    lines.extend(faults.into_iter().map(|fault| format!("# {fault}")));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn golden(input: &Path) -> PathBuf {
    input.with_extension("ocsf.jsonl")
}

#[test]
fn every_delivery_is_what_it_was_in_ocsf() {
    let (types, inputs) = (types(), inputs());
    assert!(inputs.len() > 30, "the inputs are not there");
    let mut wrong = Vec::new();
    for input in inputs {
        let wanted = std::fs::read_to_string(golden(&input)).unwrap_or_default();
        let found = output_of(&input, &types);
        assert!(!found.is_empty(), "{}", input.display());
        if found != wanted {
            let name = input.strip_prefix(folder()).unwrap().display().to_string();
            wrong.push(format!("{name}:\n- {wanted}+ {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[ignore = "it writes the outputs anew"]
fn write_the_outputs() {
    let types = types();
    for input in inputs() {
        std::fs::write(golden(&input), output_of(&input, &types)).unwrap();
    }
}
