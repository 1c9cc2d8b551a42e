//! One state alone, its work answered by the row's mock, as TestState does it.

use crate::common::{START, fresh};
use crate::compare::{alike, decoded};
use crate::recording::{fill_in_resources, kind, states};
use crate::tally::{Report, Verdict};
use quell_states::{Definition, Moment, Trial, Verdict as Tried, Work};
use serde_json::{Value, json};

#[test]
fn recorded_single_states() {
    let rows = kind("test_state");
    Report::run("states-aws-recorded.jsonl, test_state", &rows, single_state);
}

fn single_state(row: &Value) -> Verdict {
    let args = &row["args"];
    let whole: Value = serde_json::from_str(row["definition"].as_str().unwrap_or_default())
        .expect("the definition is JSON");
    let mut state = match args["stateName"].as_str() {
        Some(wanted) => {
            let found = states(&whole).into_iter().find(|(name, _)| name == wanted);
            found.map(|(_, state)| state.clone()).unwrap_or_default()
        }
        None => whole.clone(),
    };
    if whole["QueryLanguage"] == "JSONata" {
        state["QueryLanguage"] = json!("JSONata");
    }
    if state["Type"] == "Task" && args.get("mock").is_none() {
        return Verdict::Skip("needs a live service");
    }
    fill_in_resources(&mut state);
    let definition = match alone(&state) {
        Ok(definition) => definition,
        Err(why) => return Verdict::Fail(why),
    };
    let input = row["input"].as_str().unwrap_or("{}");
    let execution = fresh(serde_json::from_str(input).expect("the input is JSON"));
    let moment = Moment::new(START, 1);
    let tried = definition.try_state("StateName", execution, trial(args), moment);
    compare(&row["expected"], tried.expect("the state is there")).into()
}

fn trial(args: &Value) -> Trial {
    let mock = &args["mock"];
    let text = |name: &str| {
        let text = mock["errorOutput"][name].as_str();
        text.unwrap_or_default().to_owned()
    };
    let configuration = &args["stateConfiguration"];
    Trial {
        work: match (mock["result"].as_str(), mock.get("errorOutput")) {
            (Some(result), _) => Some(Work::Result(decoded(&json!(result)))),
            (None, Some(_)) => Some(Work::Error {
                error: text("error"),
                cause: text("cause"),
            }),
            (None, None) => None,
        },
        context: args.get("context").map(decoded),
        retries: configuration["retrierRetryCount"].as_u64().unwrap_or(0),
        variables: args
            .get("variables")
            .map(decoded)
            .and_then(|value| value.as_object().cloned())
            .unwrap_or_default(),
        failed_iterations: configuration["mapIterationFailureCount"]
            .as_u64()
            .unwrap_or(0) as usize,
    }
}

fn compare(expected: &Value, tried: Tried) -> Result<(), String> {
    match (expected["status"].as_str(), tried) {
        (Some("RETRIABLE"), Tried::Retriable) => Ok(()),
        (Some("FAILED"), Tried::Failed { error, cause }) => {
            alike(&expected["error"], &json!(error))?;
            alike(&expected["cause"], &json!(cause))
        }
        (Some("SUCCEEDED"), Tried::Succeeded { output, next })
        | (Some("CAUGHT_ERROR"), Tried::Caught { output, next }) => {
            let mut output = output;
            // TestState runs the state in an Express execution, which has no redrives.
            if let Some(Value::Object(execution)) = output.pointer_mut("/context/Execution") {
                execution.remove("RedriveCount");
            }
            alike(&expected["output"], &output)?;
            alike(&expected["nextState"], &json!(next))
        }
        (_, tried) => Err(format!("expected {expected}, got {tried:?}")),
    }
}

/// A document of one state, and an end wherever it leads.
fn alone(state: &Value) -> Result<Definition, String> {
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
    let document = json!({ "StartAt": "StateName", "States": states });
    Definition::parse(&document.to_string()).map_err(|faults| format!("refused: {faults:?}"))
}
