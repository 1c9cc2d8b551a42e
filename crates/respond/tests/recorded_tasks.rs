//! Tasks as Step Functions was recorded with them: what they asked for is understood, and the answer that AWS must have
//! given becomes the result, or the error, that was recorded.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in a test a panic is the failure"
)]

use quell_model::Caller;
use quell_respond::task::{Answer, ChildEnd, TaskFault, Work};
use quell_states::{Resource, Status, TaskRequest};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Another copy of the recordings, if the test was pointed at one.
#[expect(
    clippy::disallowed_methods,
    reason = "a test may be pointed at another copy of the recordings"
)]
fn other_folder() -> Option<PathBuf> {
    std::env::var("QUELL_CONFORMANCE").ok().map(PathBuf::from)
}

fn histories() -> Option<Vec<Vec<Value>>> {
    let usual = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/conformance");
    let folder = other_folder().unwrap_or_else(|| PathBuf::from(usual));
    let file = folder.join("states-aws-recorded.jsonl");
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!("the recordings are not here; set QUELL_CONFORMANCE");
        return None;
    };
    let rows = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let histories = rows.filter_map(|row| row["expected"]["events"].as_array().cloned());
    Some(histories.collect())
}

fn details(event: &Value) -> &Value {
    let mut members = event.as_object().unwrap().values();
    members
        .find(|value| value.is_object())
        .unwrap_or(&Value::Null)
}

/// A text that a recording may hold decoded already.
fn decoded(value: &Value) -> Value {
    match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| value.clone()),
        other => other.clone(),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A task as it was scheduled. Placeholders stand for the parts of ARNs.
fn request(scheduled: &Value) -> TaskRequest {
    let said = details(scheduled);
    let resource: Resource = match said["resourceType"].as_str() {
        Some(service) => {
            let action = said["resource"].as_str().unwrap();
            format!("arn:aws:states:::{service}:{action}")
                .parse()
                .unwrap()
        }
        None if scheduled["type"] == "ActivityScheduled" => Resource::Activity {
            arn: "arn:aws:states:us-east-1:111111111111:activity:a".to_owned(),
        },
        None => Resource::Lambda {
            arn: "arn:aws:lambda:us-east-1:111111111111:function:f".to_owned(),
        },
    };
    let mut arguments = decoded(said.get("parameters").or(said.get("input")).unwrap());
    if let Some(Value::String(name)) = arguments.get_mut("Name") {
        *name = name.replace(['<', '>', ':'], "-");
    }
    TaskRequest {
        task: serde_json::from_value(json!(1)).unwrap(),
        state: "S".to_owned(),
        resource,
        arguments,
        credentials_role: None,
        timeout: None,
        heartbeat: None,
        token: Some("<task_token:1>".to_owned()),
        attempt: 0,
    }
}

/// The answer behind a result: without what Step Functions adds, and with the payload as the function sent it.
fn answer_behind(result: &Value, is_bare_function: bool) -> Answer {
    if is_bare_function {
        let value = json!({"StatusCode": 200, "Payload": result.to_string()});
        return Answer {
            value,
            status: 200,
            headers: Vec::new(),
            request_id: None,
        };
    }
    let mut members = result.as_object().cloned().unwrap();
    let http = members.remove("SdkHttpMetadata").unwrap_or_default();
    let id = members.remove("SdkResponseMetadata").unwrap_or_default();
    if let Some(payload) = members.get_mut("Payload") {
        *payload = payload.to_string().into();
    }
    let named = http["HttpHeaders"].as_object().into_iter().flatten();
    Answer {
        value: Value::Object(members),
        status: http["HttpStatusCode"]
            .as_u64()
            .and_then(|s| s.try_into().ok())
            .unwrap_or(200),
        headers: named
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
        request_id: id["RequestId"].as_str().map(str::to_owned),
    }
}

/// Where a recording hides a header's value, it hides the list of its values too.
fn unhidden(mut result: Value) -> Value {
    let all = result.pointer_mut("/SdkHttpMetadata/AllHttpHeaders");
    for value in all
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(Map::values_mut)
    {
        if value.is_string() {
            *value = json!([value]);
        }
    }
    result
}

fn execution_end(recorded: &Value, status: Status) -> ChildEnd {
    let text = |name: &str| recorded[name].as_str().unwrap().to_owned();
    ChildEnd {
        execution: text("ExecutionArn"),
        name: text("Name"),
        started_at: 1,
        stopped_at: 2,
        status,
    }
}

/// What differs from one moment, account and year of Step Functions to another.
fn comparable(mut execution: Value) -> Value {
    let members = execution.as_object_mut().unwrap();
    for name in [
        "StartDate",
        "StopDate",
        "RedriveCount",
        "RedriveStatus",
        "RedriveStatusReason",
    ] {
        members.remove(name);
    }
    // The name is a placeholder, and no placeholder is a name.
    members.remove("Name");
    for name in ["Input", "Output"] {
        if let Some(value) = members.get_mut(name) {
            *value = decoded(value);
        }
    }
    execution
}

fn check_success(work: &Work, request: &TaskRequest, output: &Value) {
    match work {
        Work::Aws(task) if task.is_optimized() => {
            let bare = matches!(request.resource, Resource::Lambda { .. });
            let recorded = unhidden(output.clone());
            assert_eq!(
                task.answered(answer_behind(output, bare)),
                Ok(recorded),
                "{request:?}"
            );
        }
        Work::Aws(task) => {
            let answer = Answer {
                value: output.clone(),
                status: 200,
                headers: Vec::new(),
                request_id: None,
            };
            assert_eq!(task.answered(answer), Ok(output.clone()));
        }
        // A recording of another account's execution hides all of it.
        Work::Execution(_) if output.get("ExecutionArn").is_none() => {}
        Work::Execution(task) => {
            let result = decoded(&output["Output"]);
            let end = execution_end(output, Status::Succeeded { output: result });
            let said = task.ended(&end).unwrap();
            let kind = |value: &Value| value["Output"].is_string();
            let is_text = request.resource.history_name().ends_with(".sync");
            assert_eq!(kind(&said), is_text, "{request:?}");
            assert_eq!(comparable(said), comparable(output.clone()));
        }
        Work::Gate(_) | Work::Http(_) | Work::Activity(_) => panic!("{work:?}"),
    }
}

/// Whether the error is one that the work itself knows; the others are AWS's own, or a person's with the token.
fn check_failure(work: &Work, request: &TaskRequest, error: &str, cause: &Value) -> bool {
    let expected = |fault: TaskFault| {
        assert_eq!(fault.error, error);
        assert_eq!(decoded(&fault.cause.into()), decoded(cause), "{request:?}");
    };
    match work {
        Work::Aws(task) if error == "EventBridge.FailedEntry" => {
            let answer = answer_behind(&decoded(cause), false);
            expected(task.answered(answer).unwrap_err());
            true
        }
        Work::Aws(task) if decoded(cause).get("errorType").is_some() => {
            let value = json!({"StatusCode": 200, "FunctionError": "Unhandled", "Payload": decoded(cause).to_string()});
            let answer = Answer {
                value,
                status: 200,
                headers: Vec::new(),
                request_id: None,
            };
            expected(task.answered(answer).unwrap_err());
            true
        }
        Work::Execution(task) if error == "States.TaskFailed" => {
            let recorded = decoded(cause);
            let status = Status::Failed {
                error: recorded["Error"].as_str().map(str::to_owned),
                cause: None,
            };
            let fault = task.ended(&execution_end(&recorded, status)).unwrap_err();
            assert_eq!(fault.error, error);
            assert_eq!(
                comparable(decoded(&fault.cause.into())),
                comparable(recorded)
            );
            true
        }
        _ => false,
    }
}

#[test]
fn every_recorded_task_ends_as_it_did_on_aws() {
    let Some(histories) = histories() else { return };
    let caller = Caller {
        machine: "m".to_owned(),
        execution: "e".to_owned(),
    };
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for history in &histories {
        let mut open = BTreeMap::new();
        for event in history {
            let kind = event["type"].as_str().unwrap();
            let before = &event["previousEventId"];
            if kind.ends_with("Scheduled") {
                let request = request(event);
                match Work::of(&request, &caller) {
                    Ok(work) => drop(open.insert(event["id"].to_string(), (work, request))),
                    Err(fault) => {
                        assert_eq!(fault.error, "Quell.NotPermitted", "{request:?}");
                        assert_eq!(request.resource.history_type(), "apigateway");
                        *seen.entry("refused").or_default() += 1;
                    }
                }
                continue;
            }
            let Some((work, request)) = open.remove(&before.to_string()) else {
                continue;
            };
            let said = details(event);
            match kind {
                "TaskStarted" | "LambdaFunctionStarted" => {
                    open.insert(event["id"].to_string(), (work, request));
                }
                "TaskSubmitted" => {
                    if let Work::Aws(task) = &work {
                        assert!(task.waits_for_token());
                        check_success(&work, &request, &decoded(&said["output"]));
                        *seen.entry("submitted").or_default() += 1;
                    }
                    open.insert(event["id"].to_string(), (work, request));
                }
                "TaskSucceeded" if request.resource.history_name().ends_with("Token") => {}
                "TaskSucceeded" | "LambdaFunctionSucceeded" => {
                    // What was begun without an end and token is only named in the recording.
                    check_success(&work, &request, &decoded(&said["output"]));
                    *seen.entry("succeeded").or_default() += 1;
                }
                "TaskFailed" | "LambdaFunctionFailed" => {
                    let error = said["error"].as_str().unwrap();
                    let known = check_failure(&work, &request, error, &said["cause"]);
                    *seen
                        .entry(if known { "failed" } else { "failed elsewhere" })
                        .or_default() += 1;
                }
                _ => {}
            }
        }
    }
    println!("{seen:?}");
    for (what, least) in [
        ("succeeded", 40),
        ("submitted", 8),
        ("failed", 20),
        ("refused", 1),
    ] {
        assert!(
            seen.get(what).is_some_and(|n| *n >= least),
            "{what}: {seen:?}"
        );
    }
}
