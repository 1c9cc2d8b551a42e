//! Map as a Map Run: items from objects, batches, tolerance, result files.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "in a test a panic is the failure"
)]

mod common;

use common::{Driver, document};
use quell_states::{Definition, Event};
use serde_json::{Value, json};

fn map(fields: Value) -> Value {
    let mut state = json!({
        "Type": "Map", "End": true,
        "ItemProcessor": {
            "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" },
            "StartAt": "Do",
            "States": { "Do": { "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": true } },
        },
    });
    state
        .as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    document("Each", json!({ "Each": state }))
}

fn reader(config: Value, resource: &str) -> Value {
    json!({
        "Resource": format!("arn:aws:states:::s3:{resource}"),
        "ReaderConfig": config,
        "Arguments": { "Bucket": "b", "Key": "k" },
    })
}

/// The arguments of the tasks that children wait for.
fn asked(driver: &Driver) -> Vec<Value> {
    driver
        .tasks
        .iter()
        .map(|task| task.arguments.clone())
        .collect()
}

#[test]
fn children_are_executions_of_their_own() {
    let mut driver = Driver::start(&map(json!({ "Label": "L" })), json!(["a", "b"]));
    driver.succeed(json!(1));
    driver.succeed(json!(2));
    assert_eq!(*driver.output(), json!([1, 2]));
    assert_eq!(
        driver.events()[1..],
        [
            "MapStateEntered",
            "MapStateStarted",
            "MapRunStarted",
            "MapRunSucceeded",
            "MapStateSucceeded",
            "MapStateExited",
            "ExecutionSucceeded",
        ]
    );
    let arn = driver.history[3].details["mapRunStartedEventDetails"]["mapRunArn"]
        .as_str()
        .unwrap();
    assert!(
        arn.starts_with("arn:aws:states:us-east-1:111111111111:mapRun:m/L:"),
        "{arn}"
    );
    let children: Vec<_> = driver
        .children
        .iter()
        .map(|child| &child.execution)
        .collect();
    assert!(children[0].starts_with("arn:aws:states:us-east-1:111111111111:execution:m/L:"));
    let first: Vec<_> = driver
        .children
        .iter()
        .filter(|child| child.execution == *children[0])
        .map(|child| (child.event.id, child.event.kind.as_str()))
        .collect();
    assert_eq!(
        first,
        [
            (1, "ExecutionStarted"),
            (2, "TaskStateEntered"),
            (3, "TaskScheduled"),
            (4, "TaskStarted"),
            (5, "TaskSucceeded"),
            (6, "TaskStateExited"),
            (7, "ExecutionSucceeded"),
        ]
    );
}

#[test]
fn failures_are_tolerated_up_to_a_threshold() {
    let tolerant = map(json!({ "ToleratedFailureCount": 1 }));
    let mut driver = Driver::start(&tolerant, json!([1, 2, 3]));
    driver.fail("E");
    driver.succeed(json!("b"));
    driver.succeed(json!("c"));
    assert_eq!(*driver.output(), json!(["b", "c"]));

    let mut driver = Driver::start(&tolerant, json!([1, 2, 3]));
    driver.fail("E");
    driver.fail("E");
    assert_eq!(driver.error().0, "States.ExceedToleratedFailureThreshold");
    assert!(driver.tasks.is_empty());
    assert!(driver.events().contains(&"MapRunFailed"));
    assert_eq!(
        driver.children.last().unwrap().event.kind.as_str(),
        "ExecutionAborted"
    );
}

#[test]
fn items_come_from_an_object() {
    for (config, body, items) in [
        (
            json!({ "InputType": "JSON" }),
            "[1, 2]",
            vec![json!(1), json!(2)],
        ),
        (
            json!({ "InputType": "JSON", "ItemsPointer": "/a" }),
            r#"{"a": [3]}"#,
            vec![json!(3)],
        ),
        (
            json!({ "InputType": "JSON" }),
            r#"{"k": 1}"#,
            vec![json!({ "Key": "k", "Value": 1 })],
        ),
        (
            json!({ "InputType": "JSONL", "MaxItems": 1 }),
            "4\n5\n",
            vec![json!(4)],
        ),
        (
            json!({ "InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["h"], "CSVDelimiter": "TAB" }),
            "x\ty\n",
            vec![json!({ "h": "x" })],
        ),
    ] {
        let document = map(json!({ "ItemReader": reader(config, "getObject") }));
        let mut driver = Driver::start(&document, json!({}));
        assert_eq!(
            driver.tasks[0].resource.to_string(),
            "arn:aws:states:::aws-sdk:s3:getObject"
        );
        assert_eq!(
            driver.tasks[0].arguments,
            json!({ "Bucket": "b", "Key": "k" })
        );
        driver.succeed(json!({ "Body": body }));
        assert_eq!(asked(&driver), items);
    }
}

#[test]
fn a_list_of_objects_is_read_page_by_page() {
    let document = map(json!({ "ItemReader": reader(json!({ "MaxItems": 3 }), "listObjectsV2") }));
    let mut driver = Driver::start(&document, json!({}));
    let page =
        |keys: &[&str]| -> Vec<Value> { keys.iter().map(|key| json!({ "Key": key })).collect() };
    driver.succeed(json!({ "Contents": page(&["a", "b"]), "NextContinuationToken": "t" }));
    assert_eq!(driver.tasks[0].arguments["ContinuationToken"], "t");
    driver.succeed(json!({ "Contents": page(&["c", "d"]), "NextContinuationToken": "u" }));
    assert_eq!(asked(&driver), page(&["a", "b", "c"]));
}

#[test]
fn listed_and_named_objects_are_loaded_one_by_one() {
    let flat = json!({ "InputType": "JSONL", "Transformation": "LOAD_AND_FLATTEN" });
    let document = map(json!({ "ItemReader": reader(flat, "listObjectsV2") }));
    let mut driver = Driver::start(&document, json!({}));
    driver.succeed(
        json!({ "Contents": [{ "Key": "dir/" }, { "Key": "dir/1" }, { "Key": "dir/2" }] }),
    );
    assert_eq!(
        driver.succeed(json!({ "Body": "1\n2" })).arguments["Key"],
        "dir/1"
    );
    assert_eq!(
        driver.succeed(json!({ "Body": "3" })).arguments["Key"],
        "dir/2"
    );
    assert_eq!(asked(&driver), [json!(1), json!(2), json!(3)]);

    let inventory = reader(json!({ "InputType": "MANIFEST" }), "getObject");
    let mut driver = Driver::start(&map(json!({ "ItemReader": inventory })), json!({}));
    let manifest = json!({ "destinationBucket": "arn:aws:s3:::d", "fileFormat": "CSV",
        "fileSchema": "Bucket, Key", "files": [{ "key": "1.csv.gz" }] });
    driver.succeed(json!({ "Body": manifest.to_string() }));
    let read = driver.succeed(json!({ "Body": "x,y\n" }));
    assert_eq!(read.arguments, json!({ "Bucket": "d", "Key": "1.csv.gz" }));
    assert_eq!(asked(&driver), [json!({ "Bucket": "x", "Key": "y" })]);
}

#[test]
fn a_reader_that_fails_fails_the_run() {
    let lines = || reader(json!({ "InputType": "JSONL" }), "getObject");
    let mut driver = Driver::start(&map(json!({ "ItemReader": lines() })), json!({}));
    driver.fail("S3.NoSuchKeyException");
    assert_eq!(driver.error().0, "States.ItemReaderFailed");
    for body in [
        json!("x"),
        json!(null),
        json!("[".repeat(100_000)),
        json!("1".repeat(17 << 20)),
    ] {
        let mut driver = Driver::start(&map(json!({ "ItemReader": lines() })), json!({}));
        driver.succeed(json!({ "Body": body }));
        assert_eq!(driver.error().0, "States.ItemReaderFailed");
        assert!(driver.tasks.is_empty());
    }
}

#[test]
fn items_are_batched_by_number_and_by_size() {
    let selector = json!("{% { 'v': $states.context.Map.Item.Value } %}");
    let document = map(json!({
        "ItemSelector": selector,
        "ItemBatcher": { "MaxItemsPerBatch": 2, "BatchInput": { "b": 1 } },
    }));
    let driver = Driver::start(&document, json!([1, 2, 3]));
    assert_eq!(
        asked(&driver),
        [
            json!({ "BatchInput": { "b": 1 }, "Items": [{ "v": 1 }, { "v": 2 }] }),
            json!({ "BatchInput": { "b": 1 }, "Items": [{ "v": 3 }] }),
        ]
    );
    let document = map(json!({ "ItemBatcher": { "MaxInputBytesPerBatch": 30 } }));
    let driver = Driver::start(&document, json!(["aaaaaaaaaa", "bb", "cccccccccccc"]));
    let sizes: Vec<usize> = asked(&driver)
        .iter()
        .map(|batch| batch["Items"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [2, 1]);
    assert!(
        asked(&driver)
            .iter()
            .all(|batch| batch.to_string().len() <= 30)
    );
}

#[test]
fn results_are_written_as_objects() {
    let document = map(json!({
        "ToleratedFailurePercentage": 50,
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Arguments": { "Bucket": "out", "Prefix": "p/" },
            "WriterConfig": { "Transformation": "COMPACT", "OutputType": "JSONL" },
        },
    }));
    let mut driver = Driver::start(&document, json!([1, 2]));
    driver.succeed(json!({ "ok": true }));
    driver.fail("E");
    let succeeded = driver.succeed(json!({}));
    assert_eq!(
        succeeded.resource.to_string(),
        "arn:aws:states:::aws-sdk:s3:putObject"
    );
    assert_eq!(succeeded.arguments["Body"], "{\"ok\":true}\n");
    let failed = driver.succeed(json!({})).arguments;
    let failed: Value = serde_json::from_str(failed["Body"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&failed["Error"], &failed["Input"]),
        (&json!("E"), &json!("2"))
    );
    let manifest = driver.succeed(json!({})).arguments;
    let key = manifest["Key"].as_str().unwrap().to_owned();
    assert!(
        key.starts_with("p/") && key.ends_with("/manifest.json"),
        "{key}"
    );
    let listed: Value = serde_json::from_str(manifest["Body"].as_str().unwrap()).unwrap();
    assert_eq!(
        listed["ResultFiles"]["SUCCEEDED"][0]["Key"],
        succeeded.arguments["Key"]
    );
    assert_eq!(
        driver.output()["ResultWriterDetails"],
        json!({ "Bucket": "out", "Key": key })
    );
}

#[test]
fn results_are_reshaped_without_a_bucket() {
    let writer = json!({ "WriterConfig": { "Transformation": "FLATTEN" } });
    let mut driver = Driver::start(&map(json!({ "ResultWriter": writer })), json!([1, 2]));
    driver.succeed(json!([1, 2]));
    driver.succeed(json!(3));
    assert_eq!(*driver.output(), json!([1, 2, 3]));
}

#[test]
fn thousands_of_children_run_a_thousand_at_a_time() {
    let mut document = map(json!({}));
    let state = &mut document["States"]["Each"];
    state["Output"] = json!("{% $count($states.result) %}");
    let items: Vec<u32> = (0..3_000).collect();
    let mut driver = Driver::start(&document, json!(items));
    let mut most = 0;
    for _ in 0..3_000 {
        most = most.max(driver.tasks.len());
        let task = driver.tasks.pop().unwrap();
        driver.send(Event::TaskSucceeded {
            task: task.task,
            output: json!(1),
        });
    }
    assert_eq!(*driver.output(), json!(3_000));
    assert!((900..=1000).contains(&most), "{most}");
}

#[test]
fn children_that_never_come_to_rest_end_the_run() {
    let mut document = map(json!({ "ToleratedFailurePercentage": 100 }));
    document["States"]["Each"]["ItemProcessor"]["States"] = json!({
        "Do": { "Type": "Choice", "Choices": [{ "Condition": "{% false %}", "Next": "End" }], "Default": "Do" },
        "End": { "Type": "Succeed" },
    });
    let items: Vec<u32> = (0..20).collect();
    let driver = Driver::start(&document, json!(items));
    let (error, cause) = driver.error();
    assert_eq!(error, "States.Runtime");
    assert!(cause.contains("entered 100000 states"), "{cause}");
}

#[test]
fn the_calls_of_a_map_are_listed() {
    let document =
        map(json!({ "ItemReader": reader(json!({ "InputType": "JSON" }), "getObject") }));
    let definition = Definition::parse(&document.to_string()).unwrap();
    let calls: Vec<String> = definition
        .tasks()
        .map(|task| task.resource.to_string())
        .collect();
    assert_eq!(
        calls,
        [
            "arn:aws:states:::aws-sdk:s3:getObject",
            "arn:aws:states:::sqs:sendMessage"
        ]
    );
}
