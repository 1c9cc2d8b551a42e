//! `jsonpath-cts.json`: the compliance suite of RFC 9535. AWS's dialect is
//! older, and its recordings outrank the suite: what differs is put down to a
//! class of differences, and counted there.

use crate::common::{START, fresh};
use crate::compare::same;
use crate::tally::{Report, Verdict};
use crate::text;
use quell_states::{Definition, Event, Moment, Status};
use serde_json::{Value, json};

#[test]
fn compliance_suite() {
    let suite: Value = match text("jsonpath-cts.json") {
        Some(text) => serde_json::from_str(&text).expect("the suite is JSON"),
        None => return,
    };
    let mut rows = suite["tests"].as_array().expect("a list").clone();
    for row in &mut rows {
        row["id"] = row["name"].clone();
    }
    Report::run("jsonpath-cts.json", &rows, |row| match outcome(row) {
        Ok(()) => Verdict::Pass,
        Err(why) => match class(row) {
            Some(class) => Verdict::Skip(class),
            None => Verdict::Fail(why),
        },
    });
}

fn outcome(row: &Value) -> Result<(), String> {
    let selector = row["selector"].as_str().expect("a selector");
    let states = json!({ "S": { "Type": "Pass", "InputPath": selector, "End": true } });
    let document = json!({ "StartAt": "S", "States": states });
    let definition = match (
        Definition::parse(&document.to_string()),
        &row["invalid_selector"],
    ) {
        (Ok(_), Value::Bool(true)) => return Err(format!("{selector}: accepted")),
        (Err(_), Value::Bool(true)) => return Ok(()),
        (Err(faults), _) => return Err(format!("{selector}: refused: {faults:?}")),
        (Ok(definition), _) => definition,
    };
    let moment = Moment::new(START, 1);
    let step = fresh(row["document"].clone()).step(&definition, Event::Started, moment);
    let found = match step.execution.status() {
        Status::Succeeded { output } => Some(output.clone()),
        _ => None,
    };
    let expected = row.get("result").into_iter();
    let mut expected = expected.chain(row["results"].as_array().into_iter().flatten());
    match expected.any(|nodes| agrees(nodes, found.as_ref())) {
        true => Ok(()),
        false => Err(format!(
            "{selector}: expected {}, got {found:?}",
            row["result"]
        )),
    }
}

/// A path that selects one value gives it; any other gives the list.
fn agrees(nodes: &Value, found: Option<&Value>) -> bool {
    match found {
        None => *nodes == json!([]),
        Some(found) => same(nodes, found, false) || same(nodes, &json!([found]), false),
    }
}

/// What puts a row outside of AWS's dialect, by what its path is written with.
fn class(row: &Value) -> Option<&'static str> {
    let selector = row["selector"].as_str().unwrap_or_default();
    let name = row["name"].as_str().unwrap_or_default();
    let tagged = |tag: &str| {
        let tags = row["tags"].as_array();
        tags.is_some_and(|tags| tags.iter().any(|other| other == tag))
    };
    if tagged("function") || name.starts_with("functions") {
        return Some("a function inside a filter; the dialect has only length() at the end");
    }
    if has_bare_filter(selector) {
        return Some("a filter without its parentheses; the dialect has [?(…)] alone");
    }
    if tagged("whitespace") || name.starts_with("whitespace") {
        return Some("white space of a kind, or at a place, that the dialect reads otherwise");
    }
    if name.starts_with("name selector") {
        return Some("escapes and control characters in a quoted name are taken as they are");
    }
    if name.contains("non-singular query") {
        return Some("comparing with a list of values is no fault in the dialect");
    }
    if name.contains("multiple selectors") {
        return Some("a list that mixes names, indexes, slices and wildcards");
    }
    if selector.contains(":-") || selector.ends_with(":0]") {
        return Some("a slice that goes backwards, or has no step");
    }
    let lenient = ["leading", "-0", "exact", "shorthand, number"];
    lenient
        .iter()
        .any(|part| name.contains(part))
        .then_some("numbers and names are read more leniently")
}

/// Whether a filter is written as in RFC 9535: `[?@.a]`, `[?(@.a) && @.b]`.
fn has_bare_filter(selector: &str) -> bool {
    let mut filters = selector.split('?').skip(1);
    filters.any(|filter| !filter.trim_start().starts_with('(') || !filter.contains(")]"))
}
