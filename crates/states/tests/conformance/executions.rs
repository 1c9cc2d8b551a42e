//! Recorded choices and executions: the outcome, and the history.

use crate::common::{START, fresh};
use crate::compare::{alike, same};
use crate::recording::{fill_in_resources, kind, states};
use crate::replay::replay;
use crate::tally::{Report, Verdict};
use quell_states::{Definition, Event, Moment, Status};
use serde_json::{Value, json};

#[test]
fn recorded_choices() {
    let rows = kind("choice");
    Report::run("states-aws-recorded.jsonl, choice", &rows, |row| {
        let definition = match Definition::parse(row["definition"].as_str().unwrap_or_default()) {
            Ok(definition) => definition,
            Err(faults) => return Verdict::Fail(format!("refused: {faults:?}")),
        };
        let input = serde_json::from_str(row["input"].as_str().unwrap_or_default());
        let moment = Moment::new(START, 1);
        let step = fresh(input.expect("JSON")).step(&definition, Event::Started, moment);
        match step.execution.status() {
            Status::Succeeded { output } if same(output, &row["expected"]["output"], false) => {
                Verdict::Pass
            }
            status => Verdict::Fail(format!("expected {}, got {status:?}", row["expected"])),
        }
    });
}

/// Executions of which the recording has the end alone.
#[test]
fn recorded_ends() {
    let kinds = ["sync_execution", "express_end_event", "describe"];
    let rows: Vec<Value> = kinds.into_iter().flat_map(kind).collect();
    Report::run("states-aws-recorded.jsonl, end", &rows, |row| {
        let text = row["definition"].as_str().unwrap_or_default();
        if row["pure"] != true || text.is_empty() {
            return Verdict::Skip("the results of its tasks were not recorded");
        }
        let definition = match Definition::parse(text) {
            Ok(definition) => definition,
            Err(faults) => return Verdict::Fail(format!("refused: {faults:?}")),
        };
        let input = serde_json::from_str(row["input"].as_str().unwrap_or("{}"));
        let moment = Moment::new(START, 1);
        let step = fresh(input.expect("JSON")).step(&definition, Event::Started, moment);
        let expected = row["expected"].get("details").unwrap_or(&row["expected"]);
        match step.execution.status() {
            Status::Succeeded { output } => alike(&expected["output"], output).into(),
            Status::Failed { error, cause } => alike(&expected["error"], &json!(error))
                .and_then(|()| alike(&expected["cause"], &json!(cause)))
                .into(),
            status => Verdict::Fail(format!("{status:?}")),
        }
    });
}

#[test]
fn recorded_executions() {
    for (pure, name) in [(true, "pure"), (false, "with tasks")] {
        let mut rows = kind("execution");
        rows.retain(|row| row["pure"] == pure);
        let title = |what| format!("states-aws-recorded.jsonl, {what}, {name}");
        Report::run(&title("outcome"), &rows, |row| recorded(row, outcome));
        Report::run(&title("history"), &rows, |row| recorded(row, history));
    }
}

fn recorded(
    row: &Value,
    compare: impl Fn(&Value, &[Value], &[Value]) -> Result<(), String>,
) -> Verdict {
    let text = row["definition"].as_str().unwrap_or_default();
    let mut document: Value = match serde_json::from_str(text) {
        Ok(document) => document,
        Err(_) => return Verdict::Skip("the definition was not recorded whole"),
    };
    fill_in_resources(&mut document);
    let definition = match Definition::parse(&document.to_string()) {
        Ok(definition) => definition,
        Err(faults) => return Verdict::Fail(format!("refused: {faults:?}")),
    };
    let input = row["input"]
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or(json!({}));
    let expected = row["expected"]["events"].as_array().expect("events");
    let actual: Vec<Value> = replay(&definition, &document, input, expected)
        .iter()
        .map(|event| serde_json::to_value(event).expect("history is JSON"))
        .collect();
    compare(&document, expected, &actual).into()
}

/// The last event says how it ended.
fn outcome(_: &Value, expected: &[Value], actual: &[Value]) -> Result<(), String> {
    let last = |events: &[Value]| without_ids(&events.last().cloned().unwrap_or_default());
    alike(&last(expected), &last(actual))
}

/// Event by event; as multisets where threads run side by side.
fn history(document: &Value, expected: &[Value], actual: &[Value]) -> Result<(), String> {
    let expected = as_of_today(expected);
    let in_order = expected.iter().all(|event| event["id"].is_u64());
    if in_order && runs_in_order(document) {
        same_length(&expected, actual)?;
        return expected
            .iter()
            .zip(actual)
            .try_for_each(|(expected, actual)| alike(expected, actual));
    }
    let actual = without_lost(&expected, actual);
    same_length(&expected, &actual)?;
    let mut left: Vec<Value> = actual.iter().map(without_ids).collect();
    for event in expected.iter().map(without_ids) {
        let found = left.iter().position(|other| alike(&event, other).is_ok());
        match found {
            Some(n) => drop(left.remove(n)),
            None => return Err(format!("no {event} among {left:?}")),
        }
    }
    Ok(())
}

fn same_length(expected: &[Value], actual: &[Value]) -> Result<(), String> {
    let kinds = |events: &[Value]| -> Vec<String> {
        events
            .iter()
            .map(|event| event["type"].to_string())
            .collect()
    };
    match expected.len() == actual.len() {
        true => Ok(()),
        false => Err(format!(
            "expected {:?}, got {:?}",
            kinds(expected),
            kinds(actual)
        )),
    }
}

/// Until the middle of 2024 the exit of a distributed Map followed the end of
/// its run; every later recording has it follow the start.
fn as_of_today(events: &[Value]) -> Vec<Value> {
    let mut events = events.to_vec();
    for n in 0..events.len() {
        let previous = &events[n]["previousEventId"];
        let run = events
            .iter()
            .find(|event| event["id"] == *previous && event["type"] == "MapRunSucceeded");
        if events[n]["type"] == "MapStateExited"
            && let Some(run) = run
        {
            events[n]["previousEventId"] = run["previousEventId"].clone();
        }
    }
    events
}

/// Whether no two threads run at once.
fn runs_in_order(document: &Value) -> bool {
    states(document)
        .iter()
        .all(|(_, state)| match state["Type"].as_str() {
            Some("Parallel") => false,
            Some("Map") => state.get("MaxConcurrency").is_some_and(|most| *most != 0),
            _ => true,
        })
}

/// The recorder lost the event that ends the branches where it sorted theirs.
fn without_lost(expected: &[Value], actual: &[Value]) -> Vec<Value> {
    let mut actual = actual.to_vec();
    let sorted = expected.iter().any(|event| event["id"].is_array());
    for kind in ["ParallelStateSucceeded", "ParallelStateFailed"] {
        if sorted && !expected.iter().any(|event| event["type"] == kind) {
            actual.retain(|event| event["type"] != kind);
        }
    }
    actual
}

fn without_ids(event: &Value) -> Value {
    let mut event = event.clone();
    if let Value::Object(fields) = &mut event {
        fields.remove("id");
        fields.remove("previousEventId");
    }
    event
}
