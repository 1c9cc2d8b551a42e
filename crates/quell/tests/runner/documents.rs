//! The documents of these tests: one with every state type, and its heart in every surrounding.

use serde_json::{Map, Value, json};

/// How the changing task of the heart goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// Well.
    Plain,
    /// Its first attempt fails, and is retried.
    Retry,
    /// It fails, and is caught.
    Catch,
}

impl Mode {
    fn word(self) -> &'static str {
        match self {
            Mode::Plain => "plain",
            Mode::Retry => "flaky",
            Mode::Catch => "broken",
        }
    }
}

/// Where the heart is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    Top,
    Branch,
    Item,
}

pub const READ: &str = "arn:aws:states:::aws-sdk:ec2:describeInstances";
pub const CHANGE: &str = "arn:aws:states:::aws-sdk:ec2:terminateInstances";
pub const SAFE: &str = "arn:aws:states:::aws-sdk:ec2:runInstances";
pub const ASK: &str = "arn:aws:states:::sqs:sendMessage.waitForTaskToken";

/// States that change something once, whatever happens: they read before they do it again.
fn heart(name: &str, key: &str, mode: Mode, next: Option<&str>) -> Map<String, Value> {
    let [change, look, there, mend, pause] =
        ["Change", "Look", "There", "Mend", "Pause"].map(|state| format!("{state}{name}"));
    let safe = format!("Safe{name}");
    let mut states = json!({
        &change: {
            "Type": "Task", "Resource": CHANGE, "TimeoutSeconds": 600,
            "Arguments": {"Key": key, "Mode": mode.word()},
            "Retry": [
                {"ErrorEquals": ["Quell.Interrupted"], "MaxAttempts": 0},
                {"ErrorEquals": ["Flaky"], "IntervalSeconds": 2, "MaxAttempts": 2},
            ],
            "Catch": [
                {"ErrorEquals": ["Quell.Interrupted"], "Next": &look},
                {"ErrorEquals": ["Broken"], "Next": &mend},
            ],
            "Next": &look,
        },
        &look: {
            "Type": "Task", "Resource": READ, "Arguments": {"Key": key},
            "Assign": {"found": "{% $states.result.count %}"},
            "Next": &there,
        },
        &there: {
            "Type": "Choice", "Default": &change,
            "Choices": [{"Condition": "{% $found > 0 %}", "Next": &pause}],
        },
        &mend: {"Type": "Pass", "Assign": {"found": 0}, "Next": &pause},
        &pause: {"Type": "Wait", "Seconds": 5, "Next": &safe},
        &safe: {
            "Type": "Task", "Resource": SAFE,
            "Arguments": {"Key": safe_key(key)},
            "Output": {"found": "{% $found %}"},
        },
    });
    match next {
        Some(next) => states[&safe]["Next"] = json!(next),
        None => states[&safe]["End"] = json!(true),
    }
    match states {
        Value::Object(states) => states,
        _ => Map::new(),
    }
}

fn safe_key(key: &str) -> String {
    match key.strip_suffix(" %}") {
        Some(expression) => format!("{expression} & '-safe' %}}"),
        None => format!("{key}-safe"),
    }
}

/// The heart in a surrounding, with a Parallel state whose other branch fails and is caught, and a question at the end.
pub fn document(place: Place, mode: Mode) -> Value {
    let mut states = match place {
        Place::Top => heart("", "one", mode, Some("Fork")),
        Place::Branch => object(json!({"Both": {
            "Type": "Parallel", "Next": "Fork",
            "Branches": [
                {"StartAt": "ChangeA", "States": heart("A", "a", mode, None)},
                {"StartAt": "ChangeB", "States": heart("B", "b", Mode::Plain, None)},
            ],
        }})),
        Place::Item => object(json!({"Each": {
            "Type": "Map", "Items": [0, 1, 2], "MaxConcurrency": 2, "Next": "Fork",
            "ItemSelector": {"key": "{% 'item' & $string($states.context.Map.Item.Value) %}"},
            "ItemProcessor": {"StartAt": "Take", "States": with(
                heart("I", "{% $key %}", mode, None),
                json!({"Take": {"Type": "Pass", "Assign": {"key": "{% $states.input.key %}"}, "Next": "ChangeI"}}),
            )},
        }})),
    };
    let first = match place {
        Place::Top => "Change",
        Place::Branch => "Both",
        Place::Item => "Each",
    };
    states.extend(object(json!({
        "Begin": {"Type": "Pass", "Next": "Count"},
        "Count": {
            "Type": "Map", "Items": [1, 2], "Next": first,
            "ItemProcessor": {"StartAt": "One", "States": {"One": {"Type": "Pass", "End": true}}},
        },
        "Fork": {
            "Type": "Parallel", "Assign": {"heart": "{% $states.input %}"}, "Next": "Ask",
            "Catch": [{"ErrorEquals": ["Sour"], "Assign": {"heart": "{% $states.input %}"}, "Next": "Ask"}],
            "Branches": [
                {"StartAt": "Long", "States": {"Long": {"Type": "Wait", "Seconds": 60, "End": true}}},
                {"StartAt": "Short", "States": {
                    "Short": {"Type": "Wait", "Seconds": 3, "Next": "Sour"},
                    "Sour": {"Type": "Fail", "Error": "Sour"},
                }},
            ],
        },
        "Ask": {
            "Type": "Task", "Resource": ASK, "TimeoutSeconds": 3600,
            "Arguments": {"QueueUrl": "q", "MessageBody": {"token": "{% $states.context.Task.Token %}"}},
            "Catch": [{"ErrorEquals": ["Quell.Interrupted"], "Next": "Ask"}],
            "Output": {"answer": "{% $states.result %}", "heart": "{% $heart %}"}, "Next": "Done",
        },
        "Done": {"Type": "Succeed"},
    })));
    json!({"QueryLanguage": "JSONata", "StartAt": "Begin", "States": states})
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn with(mut states: Map<String, Value>, more: Value) -> Value {
    states.extend(object(more));
    Value::Object(states)
}

/// A document of one state.
pub fn single(state: Value) -> Value {
    let mut state = state;
    state["End"] = json!(true);
    json!({"QueryLanguage": "JSONata", "StartAt": "S", "States": {"S": state}})
}
