//! Choice, Wait, Pass, Succeed, Fail, and the execution as a whole.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in a test a panic is the failure"
)]

mod common;

use common::{Driver, START, document};
use quell_states::{Effect, Event, Status, limits};
use serde_json::{Value, json};

fn choice(extra: Value) -> Value {
    let mut state = json!({
        "Type": "Choice",
        "Choices": [
            { "Condition": "{% $states.input.n > 10 %}", "Next": "Big", "Assign": { "by": "rule" } },
            { "Condition": "{% $states.input.n > 5 %}", "Next": "Small", "Output": "{% 'rule' %}" },
        ],
        "Assign": { "by": "state" },
        "Output": "state",
    });
    state
        .as_object_mut()
        .unwrap()
        .extend(extra.as_object().unwrap().clone());
    let show = json!({ "Type": "Succeed", "Output": "{% [$states.context.State.Name, $states.input, $by] %}" });
    document("Pick", json!({ "Pick": state, "Big": show, "Small": show }))
}

#[test]
fn the_first_rule_that_holds_decides() {
    let document = choice(json!({ "Default": "Small" }));
    let output = |n: i64| Driver::start(&document, json!({ "n": n })).output().clone();
    assert_eq!(output(11), json!(["Big", { "n": 11 }, "rule"]));
    assert_eq!(
        output(6),
        json!(["Small", "rule"]),
        "the state's own Assign is for Default"
    );
    assert_eq!(output(1), json!(["Small", "state", "state"]));
}

#[test]
fn no_rule_and_no_default_fails() {
    let driver = Driver::start(&choice(json!({})), json!({ "n": 1 }));
    let (error, cause) = driver.error();
    assert_eq!(error, "States.NoChoiceMatched");
    assert!(
        cause.contains("'Pick' (entered at the event id #2)"),
        "{cause}"
    );
}

#[test]
fn a_condition_must_be_true_or_false() {
    let states = json!({
        "Pick": { "Type": "Choice", "Choices": [{ "Condition": "{% 1 %}", "Next": "End" }] },
        "End": { "Type": "Succeed" },
    });
    let driver = Driver::start(&document("Pick", states), json!({}));
    let (error, cause) = driver.error();
    assert_eq!(error, "States.QueryEvaluationError");
    assert!(cause.contains("'Choices[0]/Condition' returned an unexpected result type. Expected 'boolean', but was 'number' for value: 1"), "{cause}");
}

#[test]
fn waits_last_as_long_as_they_say() {
    for (field, value, expected) in [
        ("Seconds", json!(90), 90_000),
        ("Seconds", json!("{% $states.input.s %}"), 60_000),
        ("Seconds", json!(0), 0),
        ("Timestamp", json!("2023-11-14T22:13:25Z"), 5_000),
        (
            "Timestamp",
            json!("{% $fromMillis($millis() + 1500) %}"),
            1_500,
        ),
    ] {
        let states = json!({ "Wait": { "Type": "Wait", field: value, "End": true } });
        let mut driver = Driver::start(&document("Wait", states), json!({ "s": 60 }));
        assert_eq!(driver.status(), &Status::Running);
        assert_eq!(driver.now, START);
        assert_eq!(driver.wait(), expected, "{field} {value}");
        assert_eq!(driver.output(), &json!({ "s": 60 }));
    }
}

#[test]
fn waits_that_make_no_sense_fail() {
    for (field, value) in [
        ("Seconds", "{% -1 %}"),
        ("Seconds", "{% 1.5 %}"),
        ("Seconds", "{% 'x' %}"),
        ("Seconds", "{% 1e9 %}"),
        ("Timestamp", "{% 5 %}"),
        ("Timestamp", "{% 'tomorrow' %}"),
    ] {
        let states = json!({ "Wait": { "Type": "Wait", field: value, "End": true } });
        let driver = Driver::start(&document("Wait", states), json!({}));
        assert_eq!(driver.error().0, "States.QueryEvaluationError", "{value}");
        assert!(driver.timers.is_empty());
    }
}

#[test]
fn a_fail_state_names_its_error() {
    let fail = |fields: Value| {
        let mut state = json!({ "Type": "Fail" });
        state
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        Driver::start(
            &document("Stop", json!({ "Stop": state })),
            json!({ "e": "Dyn" }),
        )
    };
    assert_eq!(
        fail(json!({ "Error": "E", "Cause": "C" })).error(),
        ("E", "C")
    );
    assert_eq!(
        fail(json!({ "Error": "{% $states.input.e %}" })).error(),
        ("Dyn", "")
    );
    assert_eq!(
        fail(json!({ "Error": "{% 1 %}" })).error().0,
        "States.QueryEvaluationError"
    );
    let driver = fail(json!({}));
    assert_eq!(
        driver.status(),
        &Status::Failed {
            error: None,
            cause: None
        }
    );
    assert_eq!(
        driver.events(),
        ["ExecutionStarted", "FailStateEntered", "ExecutionFailed"]
    );
}

#[test]
fn the_context_object_describes_the_execution() {
    let states =
        json!({ "Show": { "Type": "Pass", "Output": "{% $states.context %}", "End": true } });
    let driver = Driver::start(&document("Show", states), json!({ "in": true }));
    assert_eq!(
        driver.output(),
        &json!({
            "Execution": {
                "Id": "arn:aws:states:us-east-1:111111111111:execution:m:e",
                "Input": { "in": true },
                "Name": "e",
                "RoleArn": "arn:aws:iam::111111111111:role/r",
                "StartTime": "2023-11-14T22:13:20.000Z",
                "RedriveCount": 0,
            },
            "StateMachine": {
                "Id": "arn:aws:states:us-east-1:111111111111:stateMachine:m",
                "Name": "m",
            },
            "State": {
                "Name": "Show",
                "EnteredTime": "2023-11-14T22:13:20.000Z",
            },
        })
    );
}

#[test]
fn a_local_binding_ends_with_its_expression() {
    let states = json!({
        "A": { "Type": "Pass", "Assign": { "x": "{% $y := 1 %}" }, "Next": "B" },
        "B": { "Type": "Pass", "Output": "{% $exists($y) %}", "End": true },
    });
    assert_eq!(
        Driver::start(&document("A", states), json!({})).output(),
        &json!(false)
    );
}

#[test]
fn an_endless_loop_ends() {
    let states = json!({
        "A": { "Type": "Pass", "Next": "B" },
        "B": { "Type": "Choice", "Choices": [{ "Condition": "{% false %}", "Next": "C" }], "Default": "A" },
        "C": { "Type": "Succeed" },
    });
    let driver = Driver::start(&document("A", states), json!({}));
    let (error, cause) = driver.error();
    assert_eq!(error, "States.Runtime");
    assert!(cause.contains("history events"), "{cause}");
}

#[test]
fn the_history_has_an_end() {
    let states = json!({
        "A": { "Type": "Wait", "Seconds": 1, "Next": "B" },
        "B": { "Type": "Choice", "Choices": [{ "Condition": "{% false %}", "Next": "C" }], "Default": "A" },
        "C": { "Type": "Succeed" },
    });
    let mut driver = Driver::start(&document("A", states), json!({}));
    while driver.status() == &Status::Running {
        driver.effects.clear();
        driver.log.clear();
        driver.wait();
    }
    let (error, cause) = driver.error();
    assert_eq!(error, "States.Runtime");
    assert!(
        cause.contains("maximum number of history events"),
        "{cause}"
    );
    let written = driver.history.len() as u64;
    assert!(written <= limits::HISTORY_EVENTS_MAX && written > limits::HISTORY_EVENTS_MAX - 10);
    assert!(
        driver
            .history
            .iter()
            .zip(1..)
            .all(|(event, id)| event.id == id)
    );
}

#[test]
fn the_history_ends_within_one_step_too() {
    let states = json!({
        "Set": { "Type": "Pass", "Assign": { "n": 0 }, "Next": "Rest" },
        "Rest": { "Type": "Wait", "Seconds": 0, "Next": "Pick" },
        "Pick": {
            "Type": "Choice",
            "Choices": [{
                "Condition": "{% $n < 1400 %}", "Assign": { "n": "{% $n + 1 %}" }, "Next": "Rest",
            }],
            "Default": "Spin",
        },
        "Spin": { "Type": "Choice", "Choices": [{ "Condition": false, "Next": "End" }], "Default": "Spin" },
        "End": { "Type": "Succeed" },
    });
    let mut driver = Driver::start(&document("Set", states), json!({}));
    while driver.status() == &Status::Running {
        driver.wait();
    }
    let (_, cause) = driver.error();
    assert!(
        cause.contains("maximum number of history events"),
        "{cause}"
    );
    assert!(driver.history.len() as u64 <= limits::HISTORY_EVENTS_MAX);
}

#[test]
fn outputs_and_variables_have_a_size() {
    let long = "{% $join([1..60000].('xxxxx')) %}";
    for field in [
        json!({ "Output": long }),
        json!({ "Assign": { "v": long } }),
    ] {
        let mut state = json!({ "Type": "Pass", "End": true });
        state
            .as_object_mut()
            .unwrap()
            .extend(field.as_object().unwrap().clone());
        let driver = Driver::start(&document("A", json!({ "A": state })), json!({}));
        assert_eq!(driver.error().0, "States.DataLimitExceeded");
    }
    let driver = Driver::start(
        &document("A", json!({ "A": { "Type": "Succeed" } })),
        json!("x".repeat(300_000)),
    );
    assert_eq!(driver.error().0, "States.DataLimitExceeded");
}

#[test]
fn stopping_lets_go_of_everything() {
    let states = json!({ "Work": {
        "Type": "Task", "Resource": "arn:aws:states:::sns:publish", "TimeoutSeconds": 9, "End": true,
    } });
    let mut driver = Driver::start(&document("Work", states), json!({}));
    let effects = driver.send(Event::Stopped {
        error: "Kill".to_owned(),
        cause: "switch".to_owned(),
    });
    assert_eq!(
        driver.status(),
        &Status::Aborted {
            error: "Kill".to_owned(),
            cause: "switch".to_owned()
        }
    );
    assert!(driver.timers.is_empty() && driver.tasks.is_empty());
    assert_eq!(effects.last(), Some(&Effect::Finished));
    assert_eq!(driver.events().last(), Some(&"ExecutionAborted"));
}

#[test]
fn the_whole_execution_may_time_out() {
    let mut document = document(
        "Work",
        json!({ "Work": { "Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": true } }),
    );
    document["TimeoutSeconds"] = json!(60);
    let mut driver = Driver::start(&document, json!({}));
    assert_eq!(driver.wait(), 60_000);
    assert_eq!(driver.status(), &Status::TimedOut);
    assert!(driver.tasks.is_empty());
    let mut driver = Driver::start(&document, json!({}));
    driver.succeed(json!(1));
    assert!(driver.timers.is_empty(), "the deadline is cancelled");
}

#[test]
fn another_definition_is_noticed() {
    let states = |name: &str| json!({ name: { "Type": "Wait", "Seconds": 1, "End": true } });
    let mut driver = Driver::start(&document("A", states("A")), json!({}));
    driver.definition = common::definition(&document("B", states("B")));
    driver.wait();
    assert_eq!(driver.error().0, "States.Runtime");
}
