//! Task states: arguments, results, retries, catches, timeouts, tokens.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in a test a panic is the failure"
)]

mod common;

use common::{Driver, START, document};
use quell_states::{Effect, Event, Status, TaskId, TimerId};
use serde_json::{Value, json};

const RESOURCE: &str = "arn:aws:states:::aws-sdk:ec2:describeInstances";

/// A document of one Task with these extra fields, and a state to be caught in.
fn task(extra: Value) -> Value {
    let mut state = json!({ "Type": "Task", "Resource": RESOURCE, "End": true });
    let fields = state.as_object_mut().unwrap();
    fields.extend(extra.as_object().unwrap().clone());
    let mut states = json!({ "Work": state });
    if states["Work"].get("Catch").is_some() {
        states["Caught"] = json!({ "Type": "Pass", "End": true });
    }
    document("Work", states)
}

#[test]
fn arguments_are_evaluated_at_every_depth() {
    let mut driver = Driver::start(
        &task(json!({ "Arguments": {
            "Ids": ["{% $states.input.id %}", "fixed", { "deep": "{% 1 + 1 %}" }],
            "When": "{% $states.context.State.Name & '/' & $states.context.Execution.Name %}",
            "Plain": "$states.input.id",
        } })),
        json!({ "id": "i-1" }),
    );
    let request = driver.succeed(json!({ "Reservations": [] }));
    assert_eq!(
        request.arguments,
        json!({
            "Ids": ["i-1", "fixed", { "deep": 2 }],
            "When": "Work/e",
            "Plain": "$states.input.id",
        })
    );
    assert_eq!(driver.output(), &json!({ "Reservations": [] }));
    assert_eq!(request.token, None);
}

#[test]
fn without_arguments_the_input_is_sent() {
    let driver = Driver::start(&task(json!({})), json!({ "a": 1 }));
    assert_eq!(driver.tasks[0].arguments, json!({ "a": 1 }));
}

#[test]
fn output_and_assign_see_the_same_variables() {
    let states = json!({
        "Set": { "Type": "Pass", "Assign": { "n": 1 }, "Next": "Work" },
        "Work": {
            "Type": "Task", "Resource": RESOURCE,
            "Assign": { "n": "{% $n + $states.result.add %}" },
            "Output": "{% { 'n': $n, 'got': $states.result.add, 'had': $states.input } %}",
            "Next": "Show",
        },
        "Show": { "Type": "Succeed", "Output": "{% [$states.input, $n] %}" },
    });
    let mut driver = Driver::start(&document("Set", states), json!("in"));
    driver.succeed(json!({ "add": 5 }));
    assert_eq!(
        driver.output(),
        &json!([{ "n": 1, "got": 5, "had": "in" }, 6])
    );
    assert_eq!(driver.execution.variable("n"), Some(&json!(6)));
}

#[test]
fn retries_wait_longer_each_time_then_give_up() {
    let mut driver = Driver::start(
        &task(json!({ "Retry": [{
            "ErrorEquals": ["Throttled"], "IntervalSeconds": 3, "BackoffRate": 2, "MaxAttempts": 3,
            "MaxDelaySeconds": 10,
        }] })),
        json!({}),
    );
    for (attempt, seconds) in [(0, 3), (1, 6), (2, 10)] {
        assert_eq!(driver.fail("Throttled").attempt, attempt);
        assert!(driver.tasks.is_empty());
        assert_eq!(driver.wait(), seconds * 1000);
    }
    driver.fail("Throttled");
    assert_eq!(driver.error(), ("Throttled", "because"));
}

#[test]
fn an_error_no_retrier_covers_fails_at_once() {
    let mut driver = Driver::start(
        &task(json!({ "Retry": [{ "ErrorEquals": ["Throttled"] }] })),
        json!({}),
    );
    driver.fail("Denied");
    assert_eq!(driver.error().0, "Denied");
}

#[test]
fn jitter_depends_on_the_seed_alone() {
    let delay = |moves: usize| {
        let mut driver = Driver::start(
            &task(json!({ "Retry": [{
                "ErrorEquals": ["States.ALL"], "IntervalSeconds": 100, "JitterStrategy": "FULL",
            }] })),
            json!({}),
        );
        for _ in 0..moves {
            driver.send(Event::TimerFired { timer: TimerId(99) });
        }
        driver.fail("Boom");
        driver.wait()
    };
    assert_eq!(delay(0), delay(0));
    assert_ne!(delay(0), delay(1));
    assert!(delay(0) <= 100_000);
}

#[test]
fn the_retry_count_is_in_the_context() {
    let mut driver = Driver::start(
        &task(json!({
            "Arguments": { "n": "{% $states.context.State.RetryCount %}" },
            "Retry": [{ "ErrorEquals": ["States.ALL"] }],
        })),
        json!({}),
    );
    assert_eq!(driver.fail("Boom").arguments, json!({ "n": 0 }));
    driver.wait();
    assert_eq!(driver.tasks[0].arguments, json!({ "n": 1 }));
}

#[test]
fn a_catch_gives_the_error_to_the_next_state() {
    let catch = |extra: Value| {
        let mut entry = json!({ "ErrorEquals": ["Denied"], "Next": "Caught" });
        entry
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        let mut driver = Driver::start(
            &task(json!({ "Catch": [{ "ErrorEquals": ["Other"], "Next": "Caught" }, entry] })),
            json!({ "a": 1 }),
        );
        driver.fail("Denied");
        driver
    };
    assert_eq!(
        catch(json!({})).output(),
        &json!({ "Error": "Denied", "Cause": "because" })
    );
    let driver = catch(json!({
        "Output": "{% $merge([$states.input, { 'why': $states.errorOutput.Error }]) %}",
        "Assign": { "seen": "{% $states.errorOutput.Cause %}" },
    }));
    assert_eq!(driver.output(), &json!({ "a": 1, "why": "Denied" }));
    assert_eq!(driver.execution.variable("seen"), Some(&json!("because")));
}

#[test]
fn a_catch_comes_after_the_retries() {
    let mut driver = Driver::start(
        &task(json!({
            "Retry": [{ "ErrorEquals": ["States.ALL"], "MaxAttempts": 1 }],
            "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "Caught" }],
        })),
        json!({}),
    );
    driver.fail("Boom");
    assert_eq!(driver.status(), &Status::Running);
    driver.wait();
    driver.fail("Boom");
    assert_eq!(driver.output()["Error"], "Boom");
}

#[test]
fn a_failed_expression_can_be_caught_and_is_recorded() {
    for field in ["Arguments", "Output"] {
        let mut driver = Driver::start(
            &task(json!({
                field: { "x": "{% $states.input.missing %}" },
                "Catch": [{ "ErrorEquals": ["States.QueryEvaluationError"], "Next": "Caught" }],
            })),
            json!({}),
        );
        if field == "Output" {
            driver.succeed(json!({}));
        }
        let output = driver.output();
        assert_eq!(output["Error"], "States.QueryEvaluationError");
        assert_eq!(
            output["Cause"],
            format!(
                "An error occurred while executing the state 'Work' (entered at the event id #2). The JSONata expression '$states.input.missing' specified for the field '{field}/x' returned nothing (undefined)."
            )
        );
        assert!(driver.events().contains(&"EvaluationFailed"));
    }
}

#[test]
fn a_timeout_cancels_the_task() {
    let mut driver = Driver::start(&task(json!({ "TimeoutSeconds": 30 })), json!({}));
    let open = driver.open_task();
    assert_eq!(driver.tasks[0].timeout, Some(30_000));
    assert_eq!(driver.wait(), 30_000);
    assert_eq!(driver.error(), ("States.Timeout", ""));
    assert!(driver.effects.contains(&Effect::CancelTask { task: open }));
    assert!(driver.events().contains(&"TaskTimedOut"));
}

#[test]
fn a_timeout_may_be_computed() {
    let document = task(json!({ "TimeoutSeconds": "{% $states.input.limit %}" }));
    assert_eq!(
        Driver::start(&document, json!({ "limit": 7 })).tasks[0].timeout,
        Some(7000)
    );
    for wrong in [json!(0), json!(1.5), json!("7"), json!(-1), json!(null)] {
        let driver = Driver::start(&document, json!({ "limit": wrong }));
        assert_eq!(driver.error().0, "States.QueryEvaluationError", "{wrong}");
    }
}

#[test]
fn heartbeats_put_the_timeout_off() {
    let mut driver = Driver::start(
        &task(json!({
            "HeartbeatSeconds": 10, "TimeoutSeconds": 25,
            "Catch": [{ "ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Caught" }],
        })),
        json!({}),
    );
    let task = driver.open_task();
    driver.now += 9_000;
    driver.send(Event::TaskHeartbeat { task });
    assert_eq!(driver.timers.len(), 2, "the old heartbeat timer is gone");
    assert_eq!(driver.wait(), 10_000);
    assert_eq!(driver.now, START + 19_000);
    assert_eq!(driver.output()["Error"], "States.HeartbeatTimeout");
    assert!(driver.timers.is_empty());
}

#[test]
fn success_cancels_the_timers() {
    let mut driver = Driver::start(
        &task(json!({ "HeartbeatSeconds": 10, "TimeoutSeconds": 25 })),
        json!({}),
    );
    driver.succeed(json!(1));
    assert!(driver.timers.is_empty());
    assert_eq!(driver.effects.last(), Some(&Effect::Finished));
}

#[test]
fn a_token_is_the_same_in_the_context_and_the_request() {
    let document = document(
        "Ask",
        json!({ "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Arguments": { "MessageBody": "{% $states.context.Task.Token %}" },
            "Retry": [{ "ErrorEquals": ["States.ALL"] }],
            "End": true,
        } }),
    );
    let mut driver = Driver::start(&document, json!({}));
    let first = driver.tasks[0].token.clone().unwrap();
    assert_eq!(driver.tasks[0].arguments["MessageBody"], json!(first));
    assert_eq!(
        driver.execution.outstanding_tasks().next().unwrap().token,
        Some(first.as_str())
    );
    let task = driver.open_task();
    driver.send(Event::TaskSubmitted {
        task,
        output: json!({ "MessageId": "m" }),
    });
    assert!(driver.events().ends_with(&["TaskSubmitted"]));
    driver.fail("Boom");
    driver.wait();
    assert_ne!(
        driver.tasks[0].token,
        Some(first),
        "each attempt has its own"
    );
    driver.succeed(json!("yes"));
    assert_eq!(driver.output(), &json!("yes"));
}

#[test]
fn events_nobody_waits_for_change_nothing() {
    let mut driver = Driver::start(
        &task(json!({ "TimeoutSeconds": 30, "Retry": [{ "ErrorEquals": ["States.ALL"] }] })),
        json!({}),
    );
    let open = driver.open_task();
    let timer = driver.timers[0].0;
    driver.fail("Boom");
    let stale = |task: TaskId| {
        vec![
            Event::Started,
            Event::TaskSucceeded {
                task,
                output: json!(1),
            },
            Event::TaskFailed {
                task,
                error: "E".to_owned(),
                cause: String::new(),
            },
            Event::TaskHeartbeat { task },
            Event::TaskSubmitted {
                task,
                output: json!(1),
            },
            Event::TimerFired { timer },
            Event::TimerFired { timer: TimerId(77) },
        ]
    };
    let ignores = |driver: &mut Driver| {
        for event in stale(open).into_iter().chain(stale(TaskId(77))) {
            let (before, written) = (driver.execution.clone(), driver.history.len());
            assert_eq!(driver.send(event.clone()), [], "{event:?}");
            assert_eq!(driver.execution, before, "{event:?}");
            assert_eq!(driver.history.len(), written, "{event:?}");
        }
    };
    ignores(&mut driver);
    driver.wait();
    assert_ne!(driver.open_task(), open, "a retry is another task");
    ignores(&mut driver);
    driver.succeed(json!("done"));
    ignores(&mut driver);
    let ended = driver.execution.clone();
    driver.send(Event::Stopped {
        error: "E".to_owned(),
        cause: "C".to_owned(),
    });
    assert_eq!(driver.execution, ended);
}

#[test]
fn large_and_deep_results_are_refused() {
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    for result in [json!("x".repeat(300_000)), deep] {
        let document = task(json!({ "Catch": [
            { "ErrorEquals": ["States.DataLimitExceeded"], "Next": "Caught" },
            { "ErrorEquals": ["States.ALL"], "Next": "Caught" },
        ] }));
        let mut driver = Driver::start(&document, json!({}));
        driver.succeed(result.clone());
        assert_eq!(driver.output()["Error"], "States.DataLimitExceeded");

        let document =
            task(json!({ "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "Caught" }] }));
        let mut driver = Driver::start(&document, json!({}));
        driver.succeed(result);
        assert_eq!(driver.error().0, "States.DataLimitExceeded");
    }
}

#[test]
fn credentials_may_be_computed() {
    let document = task(json!({ "Credentials": { "RoleArn": "{% $states.input.role %}" } }));
    let driver = Driver::start(&document, json!({ "role": "arn:aws:iam::1:role/r" }));
    assert_eq!(
        driver.tasks[0].credentials_role.as_deref(),
        Some("arn:aws:iam::1:role/r")
    );
    let scheduled = serde_json::to_value(&driver.history[2]).unwrap();
    assert_eq!(
        scheduled["taskScheduledEventDetails"]["taskCredentials"],
        json!({ "roleArn": "arn:aws:iam::1:role/r" })
    );
    assert_eq!(
        Driver::start(&document, json!({ "role": 1 })).error().0,
        "States.QueryEvaluationError"
    );
}
