//! How one case is run. It knows the format of the cases and none of the answers.

use std::collections::BTreeMap;

use quell_pattern::{Fault, Pattern, Scratch, Set};
use serde_json::Value;

/// What came of one file.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) passed: usize,
    /// Id and what went wrong.
    pub(crate) failures: Vec<String>,
    /// Id and reason.
    pub(crate) skipped: Vec<(String, String)>,
}

/// Reads a list of exceptions: an id, a space, the reason; `#` begins a comment.
pub(crate) fn exceptions(text: &str) -> BTreeMap<String, String> {
    let entries = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '));
    entries
        .map(|(id, reason)| (id.to_owned(), reason.to_owned()))
        .collect()
}

/// Runs every case of a file, one JSON object a line.
pub(crate) fn run_file(text: &str, exceptions: &BTreeMap<String, String>) -> Report {
    let mut report = Report::default();
    for (at, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let case: Value = match serde_json::from_str(line) {
            Ok(case) => case,
            Err(error) => {
                report.failures.push(format!("line {}: {error}", at + 1));
                continue;
            }
        };
        let id = text_of(&case, "id").unwrap_or("?").to_owned();
        if let Some(reason) = exceptions.get(&id) {
            report.skipped.push((id, reason.clone()));
            continue;
        }
        match run_case(&case) {
            Ok(()) => report.passed += 1,
            Err(problem) => report.failures.push(format!("{id}: {problem}")),
        }
    }
    report
}

fn text_of<'c>(case: &'c Value, field: &str) -> Option<&'c str> {
    case.get(field)?.as_str()
}

/// Runs one case of any of the three shapes.
fn run_case(case: &Value) -> Result<(), String> {
    if case.get("rules").is_some() {
        run_set(case)
    } else {
        run_pattern(case)
    }
}

fn run_pattern(case: &Value) -> Result<(), String> {
    let compiled = Pattern::parse(text_of(case, "pattern").ok_or("no pattern")?);
    let expected = text_of(case, "expected").ok_or("no expectation")?;
    let pattern = match (compiled, expected) {
        (Err(error), "invalid") => return same_fault(error.fault(), text_of(case, "error")),
        (Ok(_), "invalid") => {
            return Err(format!("accepted, expected {:?}", text_of(case, "error")));
        }
        (Err(error), _) => return Err(format!("refused: {error}")),
        (Ok(_), "valid") => return Ok(()),
        (Ok(pattern), _) => pattern,
    };
    let event = text_of(case, "event").ok_or("no event")?;
    let matched = pattern
        .matches_json(event)
        .map_err(|error| error.to_string())?;
    let compiled = matching([((), pattern)], event)?;
    if matched == compiled.is_empty() {
        return Err(format!("plain {matched}, compiled {}", !matched));
    }
    let answer = if matched { "match" } else { "no_match" };
    if answer == expected {
        Ok(())
    } else {
        Err(format!("{answer}, expected {expected}"))
    }
}

/// The same fault: AWS's own words, except that two JSON parsers may word a syntax error differently.
fn same_fault(fault: &Fault, expected: Option<&str>) -> Result<(), String> {
    let Some(expected) = expected else {
        return Ok(());
    };
    let first_line = expected.lines().next().unwrap_or_default();
    let words = first_line.trim_start_matches("Event pattern is not valid. Reason: ");
    let syntax = [
        "Unexpected ",
        "Unrecognized token",
        "Unrecognized character",
        "Illegal ",
        "Invalid numeric value",
        "Non-standard",
    ];
    let is_syntax = syntax.iter().any(|start| words.starts_with(start));
    let same = if is_syntax {
        matches!(fault, Fault::Json(_))
    } else {
        fault.to_string() == words
    };
    if same {
        Ok(())
    } else {
        Err(format!("refused with \"{fault}\", expected \"{words}\""))
    }
}

fn run_set(case: &Value) -> Result<(), String> {
    let rules = case.get("rules").and_then(Value::as_object);
    let mut patterns = Vec::new();
    for (name, texts) in rules.ok_or("no rules")? {
        for text in texts.as_array().ok_or("no patterns")? {
            let text = text.as_str().ok_or("a pattern is not text")?;
            let pattern =
                Pattern::parse(text).map_err(|error| format!("{name} refused: {error}"))?;
            patterns.push((name.clone(), pattern));
        }
    }
    let event = text_of(case, "event").ok_or("no event")?;
    let mut expected: Vec<&str> = case
        .get("expected")
        .and_then(Value::as_array)
        .ok_or("no names")?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    expected.sort_unstable();
    expected.dedup();
    let mut plain = Vec::new();
    for (name, pattern) in &patterns {
        if pattern
            .matches_json(event)
            .map_err(|error| error.to_string())?
        {
            plain.push(name.clone());
        }
    }
    plain.sort_unstable();
    plain.dedup();
    for (form, found) in [("plain", plain), ("compiled", matching(patterns, event)?)] {
        if found != expected {
            return Err(format!("{form}: {found:?}, expected {expected:?}"));
        }
    }
    Ok(())
}

/// The names that match, by a compiled set.
fn matching<N: Ord + Clone>(
    patterns: impl IntoIterator<Item = (N, Pattern)>,
    event: &str,
) -> Result<Vec<N>, String> {
    let mut set = Set::new();
    for (name, pattern) in patterns {
        set.add(name, pattern);
    }
    let snapshot = set.snapshot();
    let found = snapshot.matching(event.as_bytes(), &mut Scratch::new());
    let found = found.map_err(|error| error.to_string())?;
    Ok(found.into_iter().cloned().collect())
}
