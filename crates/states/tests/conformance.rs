//! The public conformance rows that need only what this crate implements:
//! Pass, Task, Choice, Wait, Succeed and Fail in both query languages. Everything else
//! is skipped with a counted reason; nothing is counted as passed because it was
//! refused.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in a test a panic is the failure"
)]

mod common;

use common::fresh;
use quell_states::jsonata::{Expression, JsonataError, Limits, Scope};
use quell_states::{
    Definition, Diagnostic, DiagnosticCode, Effect, Event, HistoryEvent, Moment, Status, TaskId,
    TimerId,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

/// Rows known to differ, and why.
const KNOWN: &[(&str, &str)] = &[
    (
        "asl-validator/invalid-json-surround-syntax-extra-spaces.json",
        "the validator's pattern does not span lines; JSONata and Step Functions allow line breaks",
    ),
    (
        "asl-validator/valid-assign.asl.json",
        "the validator does not check variable names; Step Functions refuses 'top-level'",
    ),
    (
        "asl-validator/valid-current-value-predicate.json",
        "compares with a bare word, which no JSONPath dialect has",
    ),
    (
        "asl-validator/valid-path-array-context.json",
        "a script in a path, which Step Functions does not evaluate",
    ),
    (
        "asl-validator/valid-parameters-issue104.json",
        "the validator does not check resources; this ARN has no account",
    ),
    (
        "asl-validator/valid-task-intrisic-function.json",
        "CloudFormation functions, which are resolved before Step Functions sees the document",
    ),
    (
        "asl-validator/valid-task-parameters.json",
        "the validator does not check resources; this one is of another service",
    ),
    (
        "v2/test_sfn_api_validation.py::TestSfnApiValidation::test_validate_state_machine_definition_type_express[ILLEGAL_WFTT]#validation_response",
        "forbidden in Express workflows only",
    ),
    (
        "v2/activities/test_activities.py::TestActivities::test_activity_task_on_deleted#get_execution_history",
        "the activity was deleted, which only the service knows",
    ),
    (
        "v2/base/test_wait.py::TestSfnWait::test_timestamp_too_far_in_future_boundary[24855]#get_execution_history",
        "recorded while it still waited, on the clock of that day",
    ),
    (
        "v2/scenarios/test_base_scenarios.py::TestBaseScenarios::test_lambda_service_invoke_with_retry_extended_input#get_execution_history",
        "recorded before the context object had RedriveCount, which later recordings show",
    ),
];

/// Another copy of the rows, if the test was pointed at one.
#[expect(
    clippy::disallowed_methods,
    reason = "a test may be pointed at another copy of the rows"
)]
fn other_folder() -> Option<PathBuf> {
    std::env::var("QUELL_CONFORMANCE").ok().map(PathBuf::from)
}

fn folder() -> Option<PathBuf> {
    let usual = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/conformance");
    let folder = other_folder().unwrap_or_else(|| PathBuf::from(usual));
    folder.is_dir().then_some(folder)
}

/// The rows of a file, or a note that they are not here.
fn rows(file: &str) -> Vec<Value> {
    let Some(folder) = folder() else {
        println!("{file}: the conformance rows are not here; set QUELL_CONFORMANCE");
        return Vec::new();
    };
    let text = std::fs::read_to_string(folder.join(file)).expect("the file can be read");
    text.lines()
        .map(|line| {
            serde_json::from_str(line).unwrap_or_else(|error| {
                assert!(line.contains("\\ud8"), "{error}: {line}");
                json!({ "unreadable": true })
            })
        })
        .collect()
}

#[derive(Default)]
struct Report {
    passed: usize,
    failed: Vec<(String, String)>,
    skipped: BTreeMap<String, usize>,
}

enum Verdict {
    Pass,
    Fail(String),
    Skip(&'static str),
}

impl Report {
    fn run(file: &str, rows: &[Value], check: impl Fn(&Value) -> Verdict) -> Report {
        let mut report = Report::default();
        for row in rows {
            let id = row["id"].as_str().unwrap_or_default().to_owned();
            let verdict = match row["unreadable"] == true {
                true => Verdict::Skip("holds half a surrogate pair, which is no Unicode text"),
                false => check(row),
            };
            match verdict {
                Verdict::Pass => report.passed += 1,
                Verdict::Skip(why) => *report.skipped.entry(why.to_owned()).or_default() += 1,
                Verdict::Fail(why) => match KNOWN.iter().find(|(known, _)| *known == id) {
                    Some((_, reason)) => {
                        *report
                            .skipped
                            .entry(format!("known: {reason}"))
                            .or_default() += 1;
                    }
                    None => report.failed.push((id, why)),
                },
            }
        }
        report.print(file);
        report
    }

    fn print(&self, file: &str) {
        let skipped: usize = self.skipped.values().sum();
        println!(
            "{file}: passed {}, failed {}, skipped {skipped}",
            self.passed,
            self.failed.len()
        );
        for (why, count) in &self.skipped {
            println!("    skipped {count}: {why}");
        }
        for (id, why) in &self.failed {
            println!("    FAILED {id}: {why}");
        }
    }

    /// Nothing failed, and on the usual rows at least this many passed.
    fn hold(&self, rows: &[Value], passed_min: usize) {
        assert!(self.failed.is_empty(), "failed: {:#?}", self.failed);
        if !rows.is_empty() && other_folder().is_none() {
            assert!(self.passed >= passed_min, "only {} passed", self.passed);
        }
    }
}

fn unsupported(faults: &[Diagnostic]) -> bool {
    faults
        .iter()
        .any(|fault| fault.code == DiagnosticCode::UnsupportedFeature)
}

// --- states-jsonata.jsonl ---------------------------------------------------

#[test]
fn jsonata() {
    let rows = rows("states-jsonata.jsonl");
    let report = Report::run("states-jsonata.jsonl", &rows, jsonata_row);
    report.hold(&rows, 879);
}

fn jsonata_row(row: &Value) -> Verdict {
    let source = row["expr"].as_str().expect("an expression");
    let expected = &row["expected"];
    let answer = Expression::parse(source).and_then(|expression| {
        if expression.calls_eval() {
            return Ok(Err(()));
        }
        let mut scope = Scope::new(Moment::new(common::START, 1));
        // JSONata's own bound; executions run under a tighter one.
        scope.set_limits(Limits {
            sequence: 10_000_000,
            ..Limits::default()
        });
        if row["has_data"] == true {
            scope.set_data(&row["data"]);
        }
        for (name, value) in row["bindings"].as_object().into_iter().flatten() {
            scope.bind(name, value);
        }
        scope.evaluate(&expression).map(Ok)
    });
    let answer: Result<Option<Value>, JsonataError> = match answer {
        Ok(Err(())) => return Verdict::Skip("$eval, which Step Functions forbids"),
        Ok(Ok(value)) => Ok(value),
        Err(error) => Err(error),
    };
    let unordered = row["unordered"] == true;
    let holds = match (&answer, expected) {
        (Err(error), expected) => expected
            .get("error")
            .or_else(|| expected.get("code"))
            .is_some_and(|code| code.is_null() || code.as_str() == error.code.as_deref()),
        (Ok(None), expected) => expected.get("undefined").is_some(),
        (Ok(Some(value)), expected) => expected
            .get("result")
            .is_some_and(|result| same(value, result, unordered)),
    };
    if holds {
        Verdict::Pass
    } else {
        Verdict::Fail(format!("{source}: expected {expected}, got {answer:?}"))
    }
}

fn same(left: &Value, right: &Value, unordered: bool) -> bool {
    match (left, right) {
        // The reference suite compares numbers closely, not exactly.
        (Value::Number(a), Value::Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a == b || (a - b).abs() <= 1e-12 * a.abs().max(b.abs()),
            _ => false,
        },
        (Value::Array(a), Value::Array(b)) if unordered => {
            a.len() == b.len() && a.iter().all(|x| b.iter().any(|y| same(x, y, false)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(x, y)| same(x, y, false))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(name, x)| b.get(name).is_some_and(|y| same(x, y, false)))
        }
        _ => left == right,
    }
}

// --- states-validator.jsonl, states-lint.jsonl --------------------------------

#[test]
fn validator() {
    let rows = rows("states-validator.jsonl");
    let report = Report::run("states-validator.jsonl", &rows, |row| {
        validity(row, row["expected"] == "valid")
    });
    report.hold(&rows, 31);
}

#[test]
fn lint() {
    let rows = rows("states-lint.jsonl");
    let report = Report::run("states-lint.jsonl", &rows, |row| {
        validity(row, row["problems"] == 0)
    });
    report.hold(&rows, 29);
}

fn validity(row: &Value, valid: bool) -> Verdict {
    match Definition::parse(row["definition"].as_str().expect("a definition")) {
        Err(faults) if unsupported(&faults) => {
            Verdict::Skip("needs Parallel or Map, which this version refuses")
        }
        Ok(_) if valid => Verdict::Pass,
        Err(_) if !valid => Verdict::Pass,
        Ok(_) => Verdict::Fail("accepted".to_owned()),
        Err(faults) => Verdict::Fail(format!("refused: {faults:?}")),
    }
}

// --- states-aws-recorded.jsonl ------------------------------------------------

#[test]
fn recorded_validation() {
    let rows = rows("states-aws-recorded.jsonl");
    let report = Report::run("states-aws-recorded.jsonl, validate", &rows, |row| {
        if row["kind"] != "validate" {
            return Verdict::Skip("another kind of row");
        }
        let answer = Definition::parse(row["definition"].as_str().unwrap_or_default());
        let faults = match answer {
            Ok(definition) => definition.warnings().to_vec(),
            Err(faults) => faults,
        };
        if unsupported(&faults) {
            return Verdict::Skip("needs Parallel or Map, which this version refuses");
        }
        let expected = row["expected"]["diagnostics"].as_array().expect("a list");
        let matches = expected.len() == faults.len()
            && expected.iter().zip(&faults).all(|(expected, fault)| {
                expected["code"] == fault.code.as_str()
                    && (fault.code == DiagnosticCode::InvalidJsonDescription
                        || expected.get("location").is_none()
                        || expected["location"] == fault.location.as_str())
            });
        if matches {
            Verdict::Pass
        } else {
            Verdict::Fail(format!("expected {expected:?}, got {faults:?}"))
        }
    });
    report.hold(&rows, 6);
}

#[test]
fn recorded_executions() {
    let rows = rows("states-aws-recorded.jsonl");
    let outcomes = Report::run("states-aws-recorded.jsonl, outcome", &rows, |row| {
        recorded(row, |expected, actual| {
            let last = |events: &[Value]| events.last().cloned().unwrap_or_default();
            let (mut expected, mut actual) = (last(expected), last(actual));
            for event in [&mut expected, &mut actual] {
                event["id"] = Value::Null;
                event["previousEventId"] = Value::Null;
            }
            alike(&expected, &actual)
        })
    });
    outcomes.hold(&rows, 222);
    let histories = Report::run("states-aws-recorded.jsonl, history", &rows, |row| {
        recorded(row, |expected, actual| {
            if expected.len() != actual.len() {
                return Err(format!("{} events, not {}", actual.len(), expected.len()));
            }
            expected
                .iter()
                .zip(actual)
                .try_for_each(|(expected, actual)| alike(expected, actual))
        })
    });
    histories.hold(&rows, 222);
}

#[test]
fn recorded_choices() {
    let rows = rows("states-aws-recorded.jsonl");
    let report = Report::run("states-aws-recorded.jsonl, choice", &rows, |row| {
        if row["kind"] != "choice" {
            return Verdict::Skip("another kind of row");
        }
        let definition = match Definition::parse(row["definition"].as_str().unwrap_or_default()) {
            Ok(definition) => definition,
            Err(faults) => return Verdict::Fail(format!("refused: {faults:?}")),
        };
        let input = serde_json::from_str(row["input"].as_str().unwrap_or_default());
        let moment = Moment::new(common::START, 1);
        let step = fresh(input.expect("JSON")).step(&definition, Event::Started, moment);
        match step.execution.status() {
            Status::Succeeded { output } if same(output, &row["expected"]["output"], false) => {
                Verdict::Pass
            }
            status => Verdict::Fail(format!("expected {}, got {status:?}", row["expected"])),
        }
    });
    report.hold(&rows, 162);
}

#[test]
fn recorded_refusals() {
    let rows = rows("states-aws-recorded.jsonl");
    let report = Report::run("states-aws-recorded.jsonl, create_error", &rows, |row| {
        if row["kind"] != "create_error" {
            return Verdict::Skip("another kind of row");
        }
        let answer = Definition::parse(row["definition"].as_str().unwrap_or_default());
        if answer.as_ref().is_err_and(|faults| unsupported(faults)) {
            return Verdict::Skip("needs Parallel or Map, which this version refuses");
        }
        let said = &row["expected"];
        let said = said["exception_value"]
            .as_str()
            .or_else(|| said["message"].as_str())
            .unwrap_or_default();
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
    report.hold(&rows, 6);
}

/// One state alone, its task answered by the row's mock, as TestState does it.
#[test]
fn recorded_single_states() {
    let rows = rows("states-aws-recorded.jsonl");
    let report = Report::run("states-aws-recorded.jsonl, test_state", &rows, |row| {
        if row["kind"] != "test_state" {
            return Verdict::Skip("another kind of row");
        }
        single_state(row)
    });
    report.hold(&rows, 39);
}

fn single_state(row: &Value) -> Verdict {
    let args = &row["args"];
    if args.get("context").is_some() || args.get("stateConfiguration").is_some() {
        return Verdict::Skip(
            "gives the state a context or a past, which an execution makes itself",
        );
    }
    let whole: Value = serde_json::from_str(row["definition"].as_str().unwrap_or_default())
        .expect("the definition is JSON");
    let mut state = match args["stateName"].as_str() {
        Some(name) => whole["States"][name].clone(),
        None => whole.clone(),
    };
    if matches!(state["Type"].as_str(), Some("Map" | "Parallel") | None) {
        return Verdict::Skip("needs Parallel or Map, which this version refuses");
    }
    if whole["QueryLanguage"] == "JSONata" {
        state["QueryLanguage"] = json!("JSONata");
    }
    if state["Type"] == "Task" && args.get("mock").is_none() {
        return Verdict::Skip("needs a live service");
    }
    fill_in_resources(&mut state);
    let definition = alone(&state);
    let input = row["input"].as_str().unwrap_or("{}");
    let input = serde_json::from_str(input).expect("the input is JSON");
    let moment = Moment::new(common::START, 1);
    let mut step = fresh(input).step(&definition, Event::Started, moment);
    let mut history = std::mem::take(&mut step.history);
    if let Some(task) = step.execution.outstanding_task() {
        let mock = &args["mock"];
        let text = |name: &str| {
            mock["errorOutput"][name]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let event = match mock["result"].as_str() {
            Some(result) => Event::TaskSucceeded {
                task,
                output: serde_json::from_str(result).expect("the mock is JSON"),
            },
            None => Event::TaskFailed {
                task,
                error: text("error"),
                cause: text("cause"),
            },
        };
        step = step.execution.step(&definition, event, moment);
        history.extend(step.history);
    }
    let history: Vec<Value> = history
        .iter()
        .map(|event| serde_json::to_value(event).expect("history is JSON"))
        .collect();
    let mut left = history
        .iter()
        .filter_map(|e| e["stateExitedEventDetails"].get("output"));
    let mut entered = history
        .iter()
        .filter_map(|e| e["stateEnteredEventDetails"].get("name"));
    let expected = &row["expected"];
    let outcome = match (expected["status"].as_str(), step.execution.status()) {
        (Some("FAILED"), Status::Failed { error, cause }) => {
            alike(&expected["error"], &json!(error))
                .and_then(|()| alike(&expected["cause"], &json!(cause)))
        }
        (Some("SUCCEEDED" | "CAUGHT_ERROR"), Status::Succeeded { .. }) => {
            let mut output = decoded(left.next().unwrap_or(&Value::Null));
            // TestState runs the state in an Express execution, which has no redrives.
            if let Some(execution) = output.pointer_mut("/context/Execution") {
                execution
                    .as_object_mut()
                    .map(|fields| fields.remove("RedriveCount"));
            }
            alike(&expected["output"], &output).and_then(|()| {
                let next = entered.nth(1).cloned().unwrap_or_default();
                alike(&expected["nextState"], &next)
            })
        }
        (_, status) => Err(format!("expected {expected}, got {status:?}")),
    };
    match outcome {
        Ok(()) => Verdict::Pass,
        Err(why) => Verdict::Fail(why),
    }
}

/// A document of one state, and an end wherever it leads.
fn alone(state: &Value) -> Definition {
    let mut states = json!({ "StateName": state });
    let inner = ["Choices", "Catch"]
        .into_iter()
        .filter_map(|list| state[list].as_array());
    let targets = inner
        .flatten()
        .map(|item| &item["Next"])
        .chain([&state["Next"], &state["Default"]])
        .filter_map(Value::as_str);
    for target in targets {
        states[target] = json!({ "Type": "Pass", "End": true });
    }
    common::definition(&json!({ "StartAt": "StateName", "States": states }))
}

fn recorded(row: &Value, compare: impl Fn(&[Value], &[Value]) -> Result<(), String>) -> Verdict {
    if row["kind"] != "execution" {
        return Verdict::Skip("another kind of row");
    }
    let text = row["definition"].as_str().unwrap_or_default();
    let mut document: Value = match serde_json::from_str(text) {
        Ok(document) => document,
        Err(_) => return Verdict::Skip("the definition was not recorded whole"),
    };
    fill_in_resources(&mut document);
    let definition = match Definition::parse(&document.to_string()) {
        Ok(definition) => definition,
        Err(faults) if unsupported(&faults) => {
            return Verdict::Skip("needs Parallel or Map, which this version refuses");
        }
        Err(faults) => return Verdict::Fail(format!("refused: {faults:?}")),
    };
    let input = row["input"]
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or(json!({}));
    let expected = row["expected"]["events"].as_array().expect("events");
    let actual: Vec<Value> = replay(&definition, input, expected)
        .iter()
        .map(|event| serde_json::to_value(event).expect("history is JSON"))
        .collect();
    match compare(expected, &actual) {
        Ok(()) => Verdict::Pass,
        Err(why) => Verdict::Fail(why),
    }
}

/// The recording replaced what its test created by a note of how.
fn fill_in_resources(document: &mut Value) {
    match document {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                if name == "Resource" && value.as_str().is_some_and(|text| text.starts_with('{')) {
                    *value = match value.as_str().is_some_and(|text| text.contains("activity")) {
                        true => json!("arn:aws:states:us-east-1:111111111111:activity:a"),
                        false => json!("arn:aws:lambda:us-east-1:111111111111:function:f"),
                    };
                } else {
                    fill_in_resources(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(fill_in_resources),
        _ => {}
    }
}

/// Runs a definition on virtual time, answering tasks as the recording did.
fn replay(definition: &Definition, input: Value, recording: &[Value]) -> Vec<HistoryEvent> {
    let mut execution = fresh(input);
    let mut history = Vec::new();
    let mut events = VecDeque::from([Event::Started]);
    let mut timers: Vec<(TimerId, i64)> = Vec::new();
    let mut open: Option<TaskId> = None;
    let mut answers = recording.iter();
    let mut now = common::START;
    for seed in 0..1000 {
        let Some(event) = events.pop_front().or_else(|| {
            let answered = open.and_then(|task| answer(task, &mut answers));
            answered.or_else(|| {
                let due = timers.iter().min_by_key(|(_, due)| *due).copied()?;
                timers.retain(|timer| *timer != due);
                now = now.max(due.1);
                Some(Event::TimerFired { timer: due.0 })
            })
        }) else {
            break;
        };
        let step = execution.step(definition, event, Moment::new(now, seed));
        execution = step.execution;
        history.extend(step.history);
        for effect in step.effects {
            match effect {
                Effect::SetTimer { timer, due } => timers.push((timer, due)),
                Effect::CancelTimer { timer } => timers.retain(|(id, _)| *id != timer),
                Effect::StartTask(_) | Effect::CancelTask { .. } | Effect::Finished => {}
            }
        }
        open = execution.outstanding_task();
        if *execution.status() != Status::Running {
            break;
        }
    }
    history
}

/// The next thing the recording says of a task.
fn answer<'a>(task: TaskId, recording: &mut impl Iterator<Item = &'a Value>) -> Option<Event> {
    for event in recording {
        let details = event
            .as_object()?
            .values()
            .find(|value| value.is_object())
            .cloned()
            .unwrap_or_default();
        let text = |name: &str| match &details[name] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            value => value.to_string(),
        };
        return Some(match event["type"].as_str()? {
            "TaskSubmitted" => Event::TaskSubmitted {
                task,
                output: decoded(&details["output"]),
            },
            "TaskSucceeded" | "LambdaFunctionSucceeded" | "ActivitySucceeded" => {
                Event::TaskSucceeded {
                    task,
                    output: decoded(&details["output"]),
                }
            }
            "TaskFailed" | "LambdaFunctionFailed" | "ActivityFailed" => Event::TaskFailed {
                task,
                error: text("error"),
                cause: text("cause"),
            },
            "TaskTimedOut" | "LambdaFunctionTimedOut" => return None,
            _ => continue,
        });
    }
    None
}

fn decoded(value: &Value) -> Value {
    match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| value.clone()),
        _ => value.clone(),
    }
}

/// Equal but for what a recording cannot keep: times, ARNs, tokens, names.
fn alike(expected: &Value, actual: &Value) -> Result<(), String> {
    let open = |value: &Value| match value {
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
            serde_json::from_str(text).unwrap_or_else(|_| value.clone())
        }
        _ => value.clone(),
    };
    match (&open(expected), &open(actual)) {
        (Value::String(text), _) if is_placeholder(text) => Ok(()),
        (Value::Object(a), Value::Object(b)) => {
            let names = |map: &serde_json::Map<String, Value>| {
                // Who works on an activity is nobody's business here.
                let mut names: Vec<String> = map
                    .keys()
                    .filter(|name| *name != "workerName")
                    .cloned()
                    .collect();
                names.sort();
                names
            };
            if names(a) != names(b) {
                return Err(format!("expected {expected}, got {actual}"));
            }
            a.iter().try_for_each(|(name, x)| match name.as_str() {
                "timestamp" | "roleArn" | "workerName" => Ok(()),
                _ => alike(x, b.get(name).unwrap_or(&Value::Null)),
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).try_for_each(|(x, y)| alike(x, y))
        }
        (a, b) if same(a, b, false) => Ok(()),
        (a, b) => Err(format!("expected {a}, got {b}")),
    }
}

fn is_placeholder(text: &str) -> bool {
    matches!(
        text.trim_matches('"'),
        "date"
            | "timestamp"
            | "datetime"
            | "snf_role_arn"
            | "table-name"
            | "activity_arn"
            | "bucket-name"
            | "file-key"
            | "lambda_function_name"
            | "sqs_queue_url"
            | "RandomNumberGenerated"
    ) || text.starts_with("arn:")
        || (text.contains('<') && text.contains('>'))
}
