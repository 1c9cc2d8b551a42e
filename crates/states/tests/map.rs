//! Map: the same states for every item, inline.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in a test a panic is the failure"
)]

mod common;

use common::{Driver, document};
use proptest::prelude::*;
use quell_states::{Definition, Effect, Event};
use serde_json::{Value, json};

/// A Map of one Task in JSONata.
fn map(fields: Value) -> Value {
    document("Each", json!({ "Each": state(fields) }))
}

fn state(fields: Value) -> Value {
    let mut state = json!({
        "Type": "Map", "End": true, "Items": "{% $states.input %}",
        "ItemProcessor": {
            "StartAt": "Do",
            "States": { "Do": { "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": true } },
        },
    });
    state
        .as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    state
}

#[test]
fn every_item_gives_a_result_in_order() {
    let mut driver = Driver::start(&map(json!({})), json!(["a", "b", "c"]));
    let asked: Vec<&Value> = driver.tasks.iter().map(|task| &task.arguments).collect();
    assert_eq!(asked, [&json!("a"), &json!("b"), &json!("c")]);
    for _ in 0..3 {
        let task = driver.tasks.pop().unwrap();
        driver.send(Event::TaskSucceeded {
            task: task.task,
            output: json!([task.arguments]),
        });
    }
    assert_eq!(*driver.output(), json!([["a"], ["b"], ["c"]]));
}

#[test]
fn no_items_give_an_empty_list() {
    let driver = Driver::start(&map(json!({})), json!([]));
    assert_eq!(*driver.output(), json!([]));
    assert_eq!(
        driver.events()[1..],
        [
            "MapStateEntered",
            "MapStateStarted",
            "MapStateSucceeded",
            "MapStateExited",
            "ExecutionSucceeded"
        ]
    );
}

#[test]
fn concurrency_is_bounded() {
    for (asked, open) in [(json!(2), 2), (json!("{% 1 + 2 %}"), 3), (json!(0), 40)] {
        let items: Vec<u32> = (0..50).collect();
        let mut driver = Driver::start(&map(json!({ "MaxConcurrency": asked })), json!(items));
        assert_eq!(driver.tasks.len(), open);
        driver.succeed(json!(null));
        assert_eq!(driver.tasks.len(), open);
    }
}

#[test]
fn the_item_is_in_the_context_object() {
    let processor = json!({
        "StartAt": "In",
        "States": { "In": {
            "Type": "Pass", "End": true,
            "Output": "{% { 'in': $states.input, 'item': $states.context.Map.Item } %}",
        } },
    });
    let fields = json!({
        "ItemSelector": { "n": "{% $states.context.Map.Item.Index %}", "all": "{% $count($states.input) %}" },
        "ItemProcessor": processor,
    });
    let driver = Driver::start(&map(fields), json!(["a", "b"]));
    assert_eq!(
        *driver.output(),
        json!([
            { "in": { "n": 0, "all": 2 }, "item": { "Index": 0, "Value": "a" } },
            { "in": { "n": 1, "all": 2 }, "item": { "Index": 1, "Value": "b" } },
        ])
    );
}

#[test]
fn a_failing_iteration_stops_the_others() {
    let mut driver = Driver::start(&map(json!({ "MaxConcurrency": 2 })), json!([1, 2, 3]));
    let other = driver.tasks[1].task;
    driver.fail("E");
    assert_eq!(driver.error(), ("E", "because"));
    assert!(driver.effects.contains(&Effect::CancelTask { task: other }));
    let events = driver.events();
    assert_eq!(
        events[events.len() - 7..],
        [
            "TaskFailed",
            "MapIterationFailed",
            "TaskStateAborted",
            "MapIterationAborted",
            "TaskStateAborted",
            "MapStateFailed",
            "ExecutionFailed",
        ]
    );
}

#[test]
fn retries_count_for_each_iteration_alone() {
    let mut fields = json!({});
    fields["ItemProcessor"] = state(json!({}))["ItemProcessor"].clone();
    fields["ItemProcessor"]["States"]["Do"]["Retry"] =
        json!([{ "ErrorEquals": ["E"], "MaxAttempts": 1, "IntervalSeconds": 1 }]);
    let mut driver = Driver::start(&map(fields), json!([1, 2]));
    driver.fail("E");
    driver.fail("E");
    driver.wait();
    driver.wait();
    assert_eq!(
        driver
            .tasks
            .iter()
            .map(|task| task.attempt)
            .collect::<Vec<_>>(),
        [1, 1]
    );
    driver.succeed(json!("a"));
    driver.succeed(json!("b"));
    assert_eq!(*driver.output(), json!(["a", "b"]));
}

#[test]
fn jsonpath_documents_shape_items_and_results() {
    let document = json!({ "StartAt": "Each", "States": { "Each": {
        "Type": "Map", "End": true,
        "InputPath": "$.in", "ItemsPath": "$.list", "MaxConcurrencyPath": "$.most",
        "Parameters": { "v.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index", "who.$": "$.who" },
        "ResultSelector": { "all.$": "$[*].v" }, "ResultPath": "$.out",
        "Iterator": { "StartAt": "P", "States": { "P": { "Type": "Pass", "End": true } } },
    } } });
    let input = json!({ "in": { "list": [1, 2], "most": 1, "who": "me" } });
    let driver = Driver::start(&document, input.clone());
    assert_eq!(
        *driver.output(),
        json!({ "in": input["in"], "out": { "all": [1, 2] } })
    );
}

#[test]
fn results_that_are_too_large_fail_the_state() {
    let mut driver = Driver::start(&map(json!({})), json!([1, 2, 3]));
    for _ in 0..3 {
        driver.succeed(json!("x".repeat(100_000)));
    }
    assert_eq!(driver.error().0, "States.DataLimitExceeded");
}

#[test]
fn an_exploding_document_fails_alone() {
    // 40 iterations within 40 within 40, and so on: the history ends it.
    let mut processor =
        json!({ "StartAt": "P", "States": { "P": { "Type": "Pass", "End": true } } });
    for n in 0..6 {
        let items: Vec<u32> = (0..40).collect();
        let map = json!({ "Type": "Map", "Items": items, "ItemProcessor": processor, "End": true });
        let name = format!("M{n}");
        processor = json!({ "StartAt": name, "States": { name: map } });
    }
    processor["QueryLanguage"] = json!("JSONata");
    let driver = Driver::start(&processor, json!({}));
    let (error, cause) = driver.error();
    assert_eq!(error, "States.Runtime");
    assert!(cause.contains("history events"), "{cause}");
    assert!(driver.history.len() <= 25_000);
}

#[test]
fn faulty_maps_are_refused() {
    for (fields, place) in [
        (
            json!({ "ItemProcessor": null }),
            "/States/Each/ItemProcessor",
        ),
        (json!({ "Items": "text" }), "/States/Each/Items"),
        (
            json!({ "MaxConcurrency": -1 }),
            "/States/Each/MaxConcurrency",
        ),
        (
            json!({ "ToleratedFailurePercentage": 101 }),
            "/States/Each/ToleratedFailurePercentage",
        ),
        (json!({ "Label": "x" }), "/States/Each/Label"),
        (json!({ "ItemsPath": "$" }), "/States/Each/ItemsPath"),
        (json!({ "Arguments": {} }), "/States/Each/Arguments"),
    ] {
        let faults = Definition::parse(&map(fields.clone()).to_string()).unwrap_err();
        assert!(
            faults.iter().any(|fault| fault.location == place),
            "{fields}: {faults:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_arrival_does_not_matter(
        order in prop::collection::vec(0..100_usize, 12),
        concurrency in 0..5_u32,
    ) {
        let items: Vec<u32> = (0..12).collect();
        let mut driver = Driver::start(&map(json!({ "MaxConcurrency": concurrency })), json!(items));
        for n in order {
            let task = driver.tasks.remove(n % driver.tasks.len());
            driver.send(Event::TaskSucceeded { task: task.task, output: task.arguments });
        }
        prop_assert_eq!(driver.output(), &json!(items));
        prop_assert!(driver.timers.is_empty() && driver.tasks.is_empty());
    }
}
