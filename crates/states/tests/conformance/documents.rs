//! Documents that are valid or not: the validators' suites, and what AWS said.

use crate::recording::{fill_in_resources, kind};
use crate::rows;
use crate::tally::{Report, Verdict};
use quell_states::{Definition, DiagnosticCode};
use serde_json::Value;

#[test]
fn validator() {
    let rows = rows("states-validator.jsonl");
    Report::run("states-validator.jsonl", &rows, |row| {
        validity(row, row["expected"] == "valid")
    });
}

#[test]
fn lint() {
    let rows = rows("states-lint.jsonl");
    Report::run("states-lint.jsonl", &rows, |row| {
        validity(row, row["problems"] == 0)
    });
}

fn validity(row: &Value, valid: bool) -> Verdict {
    match Definition::parse(row["definition"].as_str().expect("a definition")) {
        Ok(_) if valid => Verdict::Pass,
        Err(_) if !valid => Verdict::Pass,
        Ok(_) => Verdict::Fail("accepted".to_owned()),
        Err(faults) => Verdict::Fail(format!("refused: {faults:?}")),
    }
}

#[test]
fn recorded_validation() {
    let rows = kind("validate");
    Report::run("states-aws-recorded.jsonl, validate", &rows, |row| {
        let faults = match Definition::parse(row["definition"].as_str().unwrap_or_default()) {
            Ok(definition) => definition.warnings().to_vec(),
            Err(faults) => faults,
        };
        let expected = row["expected"]["diagnostics"].as_array().expect("a list");
        let matches = expected.len() == faults.len()
            && expected.iter().zip(&faults).all(|(expected, fault)| {
                expected["code"] == fault.code.as_str()
                    && (fault.code == DiagnosticCode::InvalidJsonDescription
                        || expected.get("location").is_none()
                        || expected["location"] == fault.location.as_str())
            });
        match matches {
            true => Verdict::Pass,
            false => Verdict::Fail(format!("expected {expected:?}, got {faults:?}")),
        }
    });
}

#[test]
fn recorded_refusals() {
    let rows = kind("create_error");
    Report::run("states-aws-recorded.jsonl, create_error", &rows, |row| {
        let said = &row["expected"];
        let said = said["exception_value"]
            .as_str()
            .or_else(|| said["message"].as_str())
            .unwrap_or_default();
        let text = row["definition"].as_str().unwrap_or_default();
        let answer = Definition::parse(text);
        if said.contains(" in definition '") {
            return match answer {
                Ok(_) => Verdict::Fail(format!("accepted, though {said}")),
                Err(_) => Verdict::Pass,
            };
        }
        let Some((_, fault)) = said.split_once("Invalid State Machine Definition: '") else {
            return Verdict::Skip("refused for something else than its definition");
        };
        let faults = match answer {
            Ok(_) if fault.contains("Express state machine") => {
                return Verdict::Skip("forbidden in Express workflows only");
            }
            Ok(_) => return Verdict::Fail(format!("accepted, though {fault}")),
            Err(faults) => faults,
        };
        let found = faults.iter().any(|found| {
            fault.starts_with(found.code.as_str())
                && fault.contains(&format!(" at {}", found.location))
        });
        match found {
            true => Verdict::Pass,
            false => Verdict::Fail(format!("expected {fault}, got {faults:?}")),
        }
    });
}

/// What AWS ran must not be refused, whatever else the row is about.
#[test]
fn recorded_documents_are_accepted() {
    let rows = kind("execution");
    Report::run("states-aws-recorded.jsonl, accepted", &rows, |row| {
        let Ok(mut document) = serde_json::from_str(row["definition"].as_str().unwrap_or_default())
        else {
            return Verdict::Skip("the definition was not recorded whole");
        };
        fill_in_resources(&mut document);
        match Definition::parse(&document.to_string()) {
            Ok(_) => Verdict::Pass,
            Err(faults) => Verdict::Fail(format!("{faults:?}")),
        }
    });
}
