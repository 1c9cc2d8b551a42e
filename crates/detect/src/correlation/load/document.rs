//! The documents of a file, and where in them something stands.

use quell_model::Diagnostic;
use rsigma_parser::{CorrelationRule, parse_sigma_yaml};
use yaml_serde::Value;

use crate::content::{DetectionFile, SIGMA_KEYS, unknown_keys};

const CORRELATION_KEYS: &[&str] = &[
    "type",
    "rules",
    "group-by",
    "timespan",
    "timeframe",
    "condition",
    "aliases",
    "generate",
];
const CONDITION_KEYS: &[&str] = &["gt", "gte", "lt", "lte", "eq", "neq", "field", "percentile"];

/// The documents of a file, each on its own lines; when there are more than `most`, one more than that.
pub(super) fn documents(file: &DetectionFile, most: usize) -> Vec<DetectionFile> {
    let mut texts = vec![(0, String::new())];
    for (at, line) in file.text.lines().enumerate() {
        if line.trim_end() == "---" {
            texts.push((at + 1, String::new()));
        } else if let Some((_, text)) = texts.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    let says = |(_, text): &(usize, String)| {
        text.lines()
            .any(|l| !l.trim().is_empty() && !l.trim_start().starts_with('#'))
    };
    let document = |(before, text): (usize, String)| DetectionFile {
        path: file.path.clone(),
        text: "\n".repeat(before) + &text,
    };
    let documents = texts.into_iter().filter(says).map(document);
    documents.take(most + 1).collect()
}

/// The first line with a word, behind `correlation:`.
pub(super) fn line_of(text: &str, word: &str) -> Option<usize> {
    let begin = text.lines().position(|l| l.starts_with("correlation:"))?;
    let behind = text.lines().enumerate().skip(begin);
    let found = behind.into_iter().find(|(_, line)| line.contains(word));
    Some(found.map_or(begin, |(at, _)| at) + 1)
}

pub(super) fn parse(document: &DetectionFile) -> Result<CorrelationRule, Diagnostic> {
    let fault = |message: String| {
        let line = line_of(&document.text, "correlation:");
        // rsigma reads the word of the second version of the specification as well as the first's.
        let message = message.replace("Missing timeframe", "Missing timespan");
        Diagnostic::new(&document.path, message)
            .at_line(line)
            .at("/correlation")
    };
    let mut collection = parse_sigma_yaml(&document.text).map_err(|e| fault(e.to_string()))?;
    if let Some(error) = collection.errors.first() {
        return Err(fault(error.clone()));
    }
    collection
        .correlations
        .pop()
        .ok_or_else(|| fault("this is not a correlation".to_owned()))
}

/// Keys that nobody knows, at each level: a typing mistake must not pass as a wish.
pub(super) fn key_faults(document: &DetectionFile, value: &Value) -> Vec<Diagnostic> {
    let keys = |value: Option<&Value>| -> Vec<String> {
        let map = value.and_then(Value::as_mapping);
        map.into_iter()
            .flat_map(|m| m.keys())
            .filter_map(|k| k.as_str().map(str::to_owned))
            .collect()
    };
    let correlation = value.get("correlation");
    let top = [SIGMA_KEYS, &["correlation", "generate"]].concat();
    let levels = [
        (keys(Some(value)), top.as_slice()),
        (keys(correlation), CORRELATION_KEYS),
        (
            keys(correlation.and_then(|c| c.get("condition"))),
            CONDITION_KEYS,
        ),
    ];
    let faults = levels
        .iter()
        .flat_map(|(keys, known)| unknown_keys(document, keys.iter().map(String::as_str), known));
    faults.collect()
}
